// SPDX-License-Identifier: MIT

// A recurrent layer of LIF neurons from event to event, in Double, and its adjoint.
#include "Vectors.h"

typedef int64_t l8 __attribute__((vector_size(64), aligned(8)));
typedef _Bool b8 __attribute__((ext_vector_type(8)));

INLINE uint32_t bits8(const l8 *lanes) {
  b8 packed = __builtin_convertvector(*lanes & 1, b8);
  uint8_t mask;
  memcpy(&mask, &packed, sizeof mask);
  return mask;
}

// `ep_exact_step` of the neurons from k on, but for the reset and for V at the end of the gap; with
// `each`, that of `ep_exact_step_each`, whose `reach` is a gap. Returns a bit for each that may
// spike: without a branch, for who does is hard to foretell.
INLINE uint64_t exact_step(int each, int vectors, size_t k, double *v, double *i,
                           const double *theta, ep_flow past, const ep_exact_flow *pasts,
                           const ep_exact_rows *arriving, const ep_exact_rows *upcoming,
                           double reach) {
  d8 current[4];
  UNROLL for (int u = 0; u < vectors; ++u) {
    size_t at = k + u * DOUBLES;
    current[u] = (each ? READ8(pasts->b, at) : (d8){0} + past.b) * READ8(i, at);
  }
  for (size_t r = 0; r < arriving->count; ++r) {
    const double *row = arriving->rows + arriving->index[r] * arriving->stride + k;
    UNROLL for (int u = 0; u < vectors; ++u) current[u] += READ8(row, u * DOUBLES);
  }
  for (size_t r = 0; r < upcoming->count; ++r) {
    const double *row = upcoming->rows + upcoming->index[r] * upcoming->stride + k;
    UNROLL for (int u = 0; u < vectors; ++u) __builtin_prefetch(row + u * DOUBLES);
  }
  uint64_t mask = 0;
  UNROLL for (int u = 0; u < vectors; ++u) {
    size_t at = k + u * DOUBLES;
    d8 voltage, limit = READ8(theta, at);
    if (each)
      voltage = READ8(pasts->a, at) * READ8(v, at) + READ8(pasts->c, at) * READ8(i, at);
    else
      voltage = past.a * READ8(v, at) + past.c * READ8(i, at);
    AT8(i, at) = current[u];
    AT8(v, at) = voltage;
    // V moves towards I, and is concave while it rises: it stays below its tangent. That this
    // reaches theta says I > theta too where the gap is below tau_m; the list asks the others.
    d8 rise = reach * (current[u] - voltage);
    if (each) rise = rise * READ8(pasts->rate_mem, at);
    l8 may = (l8)(voltage + rise >= limit);
    mask |= (uint64_t)bits8(&may) << (u * DOUBLES);
  }
  return mask;
}

// So many words of bits are filled before a list is made of them: how many bits there are is not
// foreseen, and to be wrong then costs what is under way.
enum { WORDS = 64 };

// `exact_step` of all neurons, and the list of those that may spike.
INLINE void exact_steps(int each, double *v, double *i, const double *theta, ep_flow past,
                        const ep_exact_flow *pasts, const ep_exact_rows *arriving,
                        const ep_exact_rows *upcoming, size_t spiking, ep_flow ahead, double reach,
                        size_t width, ep_exact_few *few) {
  size_t count = 0;
  for (size_t from = 0; from < width; from += 64 * WORDS) {
    size_t to = from + 64 * WORDS < width ? from + 64 * WORDS : width, k = from;
    uint64_t masks[WORDS], *word = masks;
    for (; k + 8 * DOUBLES <= to; k += 8 * DOUBLES) {
      uint64_t low = exact_step(each, 4, k, v, i, theta, past, pasts, arriving, upcoming, reach);
      *word++ = low | exact_step(each, 4, k + 4 * DOUBLES, v, i, theta, past, pasts, arriving,
                                 upcoming, reach) << (4 * DOUBLES);
    }
    if (k < to) *word = 0;
    for (size_t rest = k; rest < to; rest += 2 * DOUBLES)
      *word |= exact_step(each, 2, rest, v, i, theta, past, pasts, arriving, upcoming, reach)
               << (rest - k);
    if (spiking - from < to - from) {
      double rise = reach * i[spiking];
      if (each) rise = rise * pasts->rate_mem[spiking];
      uint64_t bit = (uint64_t)1 << (spiking % 64), *own = masks + (spiking - from) / 64;
      v[spiking] = 0;
      *own = rise >= theta[spiking] ? *own | bit : *own & ~bit;
    }
    for (k = from; k < to; k += 64) {
      for (uint64_t mask = masks[(k - from) / 64]; mask; mask &= mask - 1) {
        size_t j = k + (size_t)__builtin_ctzll(mask);
        double voltage = v[j], current = i[j], limit = theta[j];
        few->index[count] = (uint32_t)j;
        few->v[count] = voltage;
        few->i[count] = current;
        few->theta[count] = limit;
        double end = ahead.a * voltage + ahead.c * current;
        count += (current > limit) &
                 (each | (end >= limit) | (ahead.b * current < end) | (voltage >= limit));
      }
    }
  }
  few->count = count;
}

CLONES void ep_exact_step(double *v, double *i, const double *theta, const ep_flow *past,
                          const ep_exact_rows *arriving, const ep_exact_rows *upcoming,
                          size_t spiking, const ep_flow *ahead, double reach, size_t width,
                          ep_exact_few *few) {
  exact_steps(0, v, i, theta, *past, NULL, arriving, upcoming, spiking, *ahead, reach, width, few);
}

CLONES void ep_exact_step_each(double *v, double *i, const double *theta,
                               const ep_exact_flow *past, const ep_exact_rows *arriving,
                               const ep_exact_rows *upcoming, size_t spiking, double gap,
                               size_t width, ep_exact_few *few) {
  ep_flow none = {1, 1, 0};
  exact_steps(1, v, i, theta, none, past, arriving, upcoming, spiking, none, gap, width, few);
}

CLONES size_t ep_exact_likeliest(const ep_exact_few *few) {
  double least = __builtin_inf();
  size_t likeliest = 0;
  for (size_t k = 0; k < few->count; k += DOUBLES) {
    d8 voltage = READ8(few->v, k);
    d8 tangent = (READ8(few->theta, k) - voltage) / (READ8(few->i, k) - voltage);
    double lanes[DOUBLES];
    memcpy(lanes, &tangent, sizeof lanes);
    size_t count = few->count - k < DOUBLES ? few->count - k : DOUBLES;
    for (size_t u = 0; u < count; ++u) {
      likeliest = lanes[u] < least ? k + u : likeliest;
      least = lanes[u] < least ? lanes[u] : least;
    }
  }
  return likeliest;
}

CLONES size_t ep_exact_within(const ep_exact_few *few, const ep_flow *until, uint32_t *places) {
  ep_flow flow = *until;
  size_t found = 0;
  for (size_t k = 0; k < few->count; k += DOUBLES) {
    d8 voltage = READ8(few->v, k), current = READ8(few->i, k), limit = READ8(few->theta, k);
    d8 end = flow.a * voltage + flow.c * current;
    l8 may = (l8)(end >= limit) | (l8)(flow.b * current < end) | (l8)(voltage >= limit);
    uint32_t mask = bits8(&may);
    if (few->count - k < DOUBLES) mask &= (1u << (few->count - k)) - 1;
    for (; mask; mask &= mask - 1) places[found++] = (uint32_t)k + (uint32_t)__builtin_ctz(mask);
  }
  return found;
}

// The sum of the lanes of two vectors, as a tree.
INLINE double total8(const d8 *a, const d8 *b) {
  d8 sum = *a + *b;
  double t[DOUBLES];
  memcpy(t, &sum, sizeof t);
  for (int half = DOUBLES / 2; half > 0; half /= 2)
    for (int u = 0; u < half; ++u) t[u] += t[u + half];
  return t[0];
}

// `ep_exact_back`, or with `each` that of `ep_exact_back_each`. Row after row: a loop over them in
// each part of a row would end where the processor does not foresee it, part after part.
INLINE double exact_back(int each, double *lv, double *li, ep_flow gap, const ep_exact_flow *gaps,
                         const double *weights, double *gradient, size_t stride,
                         const uint32_t *index, size_t count, size_t width) {
  d8 sum[2] = {{0}, {0}};
  double *row = gradient + index[0] * stride;
  // What the rows get. An a that has been read is not needed again.
  double *parts = each ? gaps->a : li;
  for (size_t k = 0; k < width; k += 2 * DOUBLES) {
    UNROLL for (int u = 0; u < 2; ++u) {
      size_t at = k + u * DOUBLES;
      d8 before = READ8(lv, at), voltage, current, part;
      if (each) {
        current = READ8(gaps->b, at) * READ8(li, at) +
                  READ8(gaps->c, at) * READ8(gaps->ratio, at) * before;
        voltage = READ8(gaps->a, at) * before;
        part = READ8(gaps->share, at) * current;
        AT8(parts, at) = part;
      } else {
        current = gap.b * READ8(li, at) + gap.c * before;
        voltage = gap.a * before;
        part = current;
      }
      AT8(lv, at) = voltage;
      AT8(li, at) = current;
      AT8(row, at) = READ8(row, at) + part;
      if (weights) sum[u] += READ8(weights, at) * (voltage - current);
    }
  }
  for (size_t r = 1; r < count; ++r) {
    row = gradient + index[r] * stride;
    for (size_t k = 0; k < width; k += 2 * DOUBLES) {
      UNROLL for (int u = 0; u < 2; ++u) {
        size_t at = k + u * DOUBLES;
        AT8(row, at) = READ8(row, at) + READ8(parts, at);
      }
    }
  }
  return weights ? total8(&sum[0], &sum[1]) : 0;
}

CLONES double ep_exact_back(double *lv, double *li, const ep_flow *gap, const double *weights,
                            double *gradient, size_t stride, const uint32_t *index, size_t count,
                            size_t width) {
  return exact_back(0, lv, li, *gap, NULL, weights, gradient, stride, index, count, width);
}

CLONES double ep_exact_back_each(double *lv, double *li, const ep_exact_flow *gap,
                                 const double *weights, double *gradient, size_t stride,
                                 const uint32_t *index, size_t count, size_t width) {
  ep_flow none = {1, 1, 0};
  return exact_back(1, lv, li, none, gap, weights, gradient, stride, index, count, width);
}

// x^(n - 2).
INLINE void raise8(const d8 *x, int n, d8 *result) {
  d8 power = {1, 1, 1, 1, 1, 1, 1, 1};
  for (int k = 2; k < n; ++k) power *= *x;
  *result = power;
}

INLINE void select8(const l8 *mask, const d8 *yes, d8 *no) {
  *no = (d8)(((l8)*yes & *mask) | ((l8)*no & ~*mask));
}

// `Crossing.solvePolynomial` of each lane.
INLINE void roots(ep_exact_few *few, int n, double *x) {
  // Lanes beyond the last take as many steps as it does.
  for (size_t k = few->count; k % DOUBLES; ++k) {
    few->v[k] = few->v[few->count - 1];
    few->i[k] = few->i[few->count - 1];
    few->theta[k] = few->theta[few->count - 1];
  }
  for (size_t k = 0; k < few->count; k += DOUBLES) {
    d8 voltage = READ8(few->v, k), current = READ8(few->i, k), limit = READ8(few->theta, k);
    d8 one = {1, 1, 1, 1, 1, 1, 1, 1}, zero = {0};
    d8 b = -current / (double)(n - 1);
    d8 a = voltage - b;
    d8 bend = (double)(n * (n - 1)) * b;
    d8 root = one;
    d8 slope = a + (double)n * b, half = bend / 2.0;
    d8 discriminant = slope * slope - 4.0 * half * (voltage - limit);
    d8 guess = one - 2.0 * (voltage - limit) /
                         (slope - __builtin_elementwise_sqrt(
                                      __builtin_elementwise_max(discriminant, zero)));
    d8 power;
    raise8(&guess, n, &power);
    d8 lower = b * (power * guess);
    d8 value = (a + lower) * guess - limit;
    slope = a + (double)n * lower;
    l8 good = (l8)(discriminant > 0) & (l8)(guess > 0) & (l8)(guess < 1) & (l8)(slope < 0);
    d8 square = slope * slope, curved = value * (bend * power), curve = zero;
    l8 near = (l8)(curved < 0.25 * square);
    d8 halved = 0.5 * curved;
    select8(&near, &halved, &curve);
    d8 next = guess - value * slope / (square - curve);
    l8 beyond = (l8)(next > 1);
    select8(&beyond, &one, &next);
    select8(&good, &next, &root);
    l8 going = ~(l8){0};
    for (int count = 0; count < 64; ++count) {
      raise8(&root, n, &power);
      lower = b * (power * root);
      value = (a + lower) * root - limit;
      slope = a + (double)n * lower;
      d8 step = value / slope;
      next = __builtin_elementwise_min(root - step, one);
      going &= (l8)(slope < 0) & (l8)(next > 0);
      if (count > 0) going &= (l8)(value < 0) & (l8)(next < root);
      select8(&going, &next, &root);
      going &= ~(l8)(bend * power * (step * step) >= 1e-17 * slope);
      if (!__builtin_reduce_or(going)) break;
    }
    AT8(x, k) = root;
  }
}

CLONES void ep_exact_roots(ep_exact_few *few, int n, double *x) {
  if (n == 4)
    roots(few, 4, x);
  else
    roots(few, n, x);
}

CLONES void ep_exact_gap(double *x, double *y, double a, double c, double b, size_t width) {
  for (size_t k = 0; k < width; k += DOUBLES) {
    d8 before = READ8(y, k);
    AT8(x, k) = a * READ8(x, k) + c * before;
    AT8(y, k) = b * before;
  }
}

CLONES void ep_exact_li(double *v, double *i, const ep_flow *over, double decay, double rise,
                        const double *row, double *mean, double *lost, size_t width) {
  ep_flow gap = *over;
  for (size_t k = 0; k < width; k += DOUBLES) {
    d8 voltage = READ8(v, k), current = READ8(i, k), sum = READ8(mean, k);
    d8 part = voltage * decay + current * rise - READ8(lost, k);
    d8 next = sum + part;
    AT8(lost, k) = (next - sum) - part;
    AT8(mean, k) = next;
    AT8(v, k) = gap.a * voltage + gap.c * current;
    current = gap.b * current;
    if (row) current += READ8(row, k);
    AT8(i, k) = current;
  }
}

CLONES double ep_exact_li_back(double *lv, double *li, const ep_flow *over, const double *slope,
                               double decay, double rise, const double *weights, double *gradient,
                               size_t width) {
  ep_flow gap = *over;
  d8 sum = {0}, none = {0};
  for (size_t k = 0; k < width; k += DOUBLES) {
    d8 before = READ8(lv, k), drive = READ8(slope, k);
    d8 current = gap.b * READ8(li, k) + gap.c * before - drive * rise;
    d8 voltage = gap.a * before - drive * decay;
    AT8(lv, k) = voltage;
    AT8(li, k) = current;
    if (weights) {
      AT8(gradient, k) = READ8(gradient, k) + current;
      sum += READ8(weights, k) * (voltage - current);
    }
  }
  return weights ? total8(&sum, &none) : 0;
}

// exp(x) of each lane, for x <= 0, is scale + scale p; below -700 that of -700.
INLINE void exp8_parts(const d8 *exponent, d8 *power_of_2, d8 *part) {
  d8 x = *exponent;
  d8 least = {-700, -700, -700, -700, -700, -700, -700, -700};
  l8 small = (l8)(x < least);
  x = (d8)(((l8)x & ~small) | ((l8)least & small));
  // x = n ln 2 + r: adding 1.5 2^52 rounds to whole numbers.
  const double shift = 0x1.8p52;
  d8 shifted = x * 0x1.71547652b82fep0 + shift;
  d8 n = shifted - shift;
  d8 r = (x - n * 0x1.62e42fefa3800p-1) - n * 0x1.ef35793c76730p-45;
  static const double c[] = {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800,
                             1.0 / 362880,     1.0 / 40320,     1.0 / 5040,     1.0 / 720,
                             1.0 / 120,        1.0 / 24,        1.0 / 6,        1.0 / 2};
  d8 p = r * c[0] + c[1];
  UNROLL for (int n = 2; n < 12; ++n) p = p * r + c[n];
  p = (p * r) * r + r;
  l8 power = ((l8)shifted - (l8){0x4338000000000000, 0x4338000000000000, 0x4338000000000000,
                                 0x4338000000000000, 0x4338000000000000, 0x4338000000000000,
                                 0x4338000000000000, 0x4338000000000000} +
              1023) << 52;
  *power_of_2 = (d8)power;
  *part = p;
}

// exp(x) of each lane, within two units in the last place.
INLINE void exp8(const d8 *exponent, d8 *result) {
  d8 scale, p;
  exp8_parts(exponent, &scale, &p);
  *result = scale * p + scale;
}

INLINE void exps(int rises, const double *gaps, size_t count, double tau, double *result) {
  for (size_t k = 0; k < count; k += DOUBLES) {
    size_t lanes = count - k < DOUBLES ? count - k : DOUBLES;
    double some[DOUBLES] = {0};
    const double *from = gaps + k;
    if (lanes < DOUBLES) {
      memcpy(some, from, lanes * sizeof *some);
      from = some;
    }
    d8 x = -READ8(from, 0) / tau, scale, p;
    exp8_parts(&x, &scale, &p);
    d8 y = rises ? (1 - scale) - scale * p : scale * p + scale;
    if (lanes == DOUBLES)
      AT8(result, k) = y;
    else
      memcpy(result + k, &y, lanes * sizeof *result);
  }
}

CLONES void ep_exact_exps(const double *gaps, size_t count, double tau, double *result) {
  exps(0, gaps, count, tau, result);
}

CLONES void ep_exact_rises(const double *gaps, size_t count, double tau, double *result) {
  exps(1, gaps, count, tau, result);
}

// exp(x) of each lane, for -1/8 < x <= 0: by its series alone.
INLINE void exp8_near_0(const d8 *exponent, d8 *result) {
  d8 x = *exponent, square = x * x, fourth = square * square;
  d8 low = x * (1.0 / 6) + 1.0 / 2;
  d8 middle = (x * (1.0 / 120) + 1.0 / 24) + square * (x * (1.0 / 5040) + 1.0 / 720);
  d8 high = (x * (1.0 / 362880) + 1.0 / 40320) + square * (x * (1.0 / 39916800) + 1.0 / 3628800);
  *result = (square * low + fourth * (middle + fourth * high) + x) + 1;
}

INLINE void flows(int is_short, const ep_exact_flow *flow, double gap, size_t width) {
  for (size_t k = 0; k < width; k += DOUBLES) {
    d8 slow = READ8(flow->rate_mem, k), fast = READ8(flow->rate_syn, k);
    d8 factor = READ8(flow->rise, k);
    d8 x = -gap * slow, y = -gap * fast, first, second;
    if (is_short) {
      exp8_near_0(&x, &first);
      exp8_near_0(&y, &second);
    } else {
      exp8(&x, &first);
      exp8(&y, &second);
    }
    AT8(flow->a, k) = first;
    AT8(flow->b, k) = second;
    d8 apart = factor * (first - second);
    // Time constants near each other, which have no factor: (d/tau_m) a g(x), g by its series.
    d8 z = gap * (fast - slow), g = {0};
    l8 near = (l8)(factor == 0);
    if (__builtin_reduce_or(near)) {
      static const double s[] = {-1.0 / 20922789888000, 1.0 / 1307674368000, -1.0 / 87178291200,
                                 1.0 / 6227020800,      -1.0 / 479001600,    1.0 / 39916800,
                                 -1.0 / 3628800,        1.0 / 362880,        -1.0 / 40320,
                                 1.0 / 5040,            -1.0 / 720,          1.0 / 120,
                                 -1.0 / 24,             1.0 / 6,             -1.0 / 2,
                                 1.0};
      g = z * s[0] + s[1];
      UNROLL for (int n = 2; n < 16; ++n) g = g * z + s[n];
      l8 isShort = (l8)(z < 0.5) & (l8)(z > -0.5);
      // Over longer gaps the exponentials have parted.
      d8 parted = (first - second) / z;
      g = (d8)(((l8)(first * g) & isShort) | ((l8)parted & ~isShort));
      apart = (d8)(((l8)apart & ~near) | ((l8)(gap * slow * g) & near));
    }
    AT8(flow->c, k) = apart;
  }
}

CLONES void ep_exact_flows(const ep_exact_flow *flow, double gap, size_t width) {
  if (gap * flow->fastest < 1.0 / 8)
    flows(1, flow, gap, width);
  else
    flows(0, flow, gap, width);
}
