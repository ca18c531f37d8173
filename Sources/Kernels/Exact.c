// SPDX-License-Identifier: MIT

// A recurrent layer of LIF neurons from event to event, in Double, and its adjoint.
#include "Vectors.h"

typedef double d8 __attribute__((vector_size(64), aligned(8)));
typedef int64_t l8 __attribute__((vector_size(64), aligned(8)));
typedef _Bool b8 __attribute__((ext_vector_type(8)));

enum { DOUBLES = 8 };

#define AT8(p, k) (*(d8 *)((p) + (k)))
#define READ8(p, k) (*(const d8 *)((p) + (k)))

INLINE uint32_t bits8(const l8 *lanes) {
  b8 packed = __builtin_convertvector(*lanes & 1, b8);
  uint8_t mask;
  memcpy(&mask, &packed, sizeof mask);
  return mask;
}

// `ep_exact_step` of two vectors, the neurons from k on. Returns a bit for each that may spike.
INLINE uint32_t exact_step(size_t k, double *v, double *i, const double *theta, ep_flow past,
                           const ep_exact_rows *arriving, const ep_exact_rows *upcoming,
                           size_t spiking, ep_flow ahead, double reach) {
  d8 voltage[2], current[2], limit[2];
  UNROLL for (int u = 0; u < 2; ++u) {
    d8 before = READ8(i, k + u * DOUBLES);
    voltage[u] = past.a * READ8(v, k + u * DOUBLES) + past.c * before;
    current[u] = past.b * before;
  }
  for (size_t r = 0; r < arriving->count; ++r) {
    const double *row = arriving->rows + arriving->index[r] * arriving->stride + k;
    UNROLL for (int u = 0; u < 2; ++u) current[u] += READ8(row, u * DOUBLES);
  }
  for (size_t r = 0; r < upcoming->count; ++r) {
    const double *row = upcoming->rows + upcoming->index[r] * upcoming->stride + k;
    UNROLL for (int u = 0; u < 2; ++u) __builtin_prefetch(row + u * DOUBLES);
  }
  UNROLL for (int u = 0; u < 2; ++u) AT8(i, k + u * DOUBLES) = current[u];
  UNROLL for (int u = 0; u < 2; ++u) AT8(v, k + u * DOUBLES) = voltage[u];
  if (spiking - k < 2 * DOUBLES) {
    v[spiking] = 0;
    UNROLL for (int u = 0; u < 2; ++u) voltage[u] = READ8(v, k + u * DOUBLES);
  }
  // V moves towards I, and is concave while it rises: it stays below its tangent.
  l8 may[2];
  UNROLL for (int u = 0; u < 2; ++u) {
    limit[u] = READ8(theta, k + u * DOUBLES);
    may[u] = (l8)(voltage[u] + reach * (current[u] - voltage[u]) >= limit[u]);
  }
  l8 any = may[0] | may[1];
  if (__builtin_expect(!__builtin_reduce_or(any), 1)) return 0;
  uint32_t mask = 0;
  UNROLL for (int u = 0; u < 2; ++u) {
    d8 end = ahead.a * voltage[u] + ahead.c * current[u];
    may[u] &= (l8)(current[u] > limit[u]) & ((l8)(end >= limit[u]) |
              (l8)(ahead.b * current[u] < end) | (l8)(voltage[u] >= limit[u]));
    mask |= bits8(&may[u]) << (u * DOUBLES);
  }
  return mask;
}

CLONES size_t ep_exact_step(double *v, double *i, const double *theta, ep_flow past,
                            const ep_exact_rows *arriving, const ep_exact_rows *upcoming,
                            size_t spiking, ep_flow ahead, double reach, size_t width,
                            uint32_t *candidates) {
  size_t count = 0;
  for (size_t k = 0; k < width; k += 2 * DOUBLES) {
    uint32_t mask = exact_step(k, v, i, theta, past, arriving, upcoming, spiking, ahead, reach);
    for (; mask; mask &= mask - 1) candidates[count++] = (uint32_t)(k + __builtin_ctz(mask));
  }
  return count;
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

CLONES double ep_exact_back(double *lv, double *li, ep_flow gap, const double *weights,
                            double *gradient, size_t stride, const uint32_t *index, size_t count,
                            size_t width) {
  d8 sum[2] = {{0}, {0}};
  for (size_t k = 0; k < width; k += 2 * DOUBLES) {
    d8 voltage[2], current[2];
    UNROLL for (int u = 0; u < 2; ++u) {
      d8 before = READ8(lv, k + u * DOUBLES);
      current[u] = gap.b * READ8(li, k + u * DOUBLES) + gap.c * before;
      voltage[u] = gap.a * before;
      AT8(lv, k + u * DOUBLES) = voltage[u];
      AT8(li, k + u * DOUBLES) = current[u];
    }
    for (size_t r = 0; r < count; ++r) {
      double *row = gradient + index[r] * stride + k;
      UNROLL for (int u = 0; u < 2; ++u)
        AT8(row, u * DOUBLES) = READ8(row, u * DOUBLES) + current[u];
    }
    if (weights)
      UNROLL for (int u = 0; u < 2; ++u)
        sum[u] += READ8(weights, k + u * DOUBLES) * (voltage[u] - current[u]);
  }
  return weights ? total8(&sum[0], &sum[1]) : 0;
}

CLONES void ep_exact_gap(double *x, double *y, double a, double c, double b, size_t width) {
  for (size_t k = 0; k < width; k += DOUBLES) {
    d8 before = READ8(y, k);
    AT8(x, k) = a * READ8(x, k) + c * before;
    AT8(y, k) = b * before;
  }
}

CLONES void ep_exact_li(double *v, double *i, ep_flow gap, double decay, double rise,
                        const double *row, double *mean, double *lost, size_t width) {
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

CLONES double ep_exact_li_back(double *lv, double *li, ep_flow gap, const double *slope,
                               double decay, double rise, const double *weights, double *gradient,
                               size_t width) {
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
