#include "Kernels.h"

#include <string.h>

#pragma STDC FP_CONTRACT OFF

// The resolvers of clones run before a sanitizer is ready, and would crash under it.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
// EP_ONE_LEVEL: for the compiler's own level of CPU alone, as .ci/levels asks for to compare them.
#if defined(__x86_64__) && defined(__linux__) && !defined(SANITIZED) && !defined(EP_ONE_LEVEL)
#define CLONES \
  __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4"), min_vector_width(512)))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

typedef float f16 __attribute__((vector_size(64), aligned(4)));
typedef int32_t i16 __attribute__((vector_size(64), aligned(4)));

#define AT(p, k) (*(f16 *)((p) + (k)))
#define READ(p, k) (*(const f16 *)((p) + (k)))

// One bit per lane of a comparison.
typedef _Bool b16 __attribute__((ext_vector_type(16)));
INLINE uint32_t bits(const i16 *lanes) {
  b16 packed = __builtin_convertvector(*lanes & 1, b16);
  uint16_t mask;
  memcpy(&mask, &packed, sizeof mask);
  return mask;
}

CLONES void ep_time_indices(uint32_t *index, const double *times, size_t count, double steps_per_time,
                            uint32_t last) {
  for (size_t k = 0; k < count; ++k) {
    double n = times[k] * steps_per_time + 0.5;
    index[k] = n < (double)last ? (uint32_t)n : last;
  }
}

#define UNROLL _Pragma("clang loop unroll(full)")

// The functions below that take a number of vectors, or of rows, get it as a literal. They are
// inlined into the clones, so every loop over it is unrolled there and its arrays are registers.

// sum += the rows index[from ..< to], in order.
INLINE void add_rows(int vectors, f16 *sum, const float *rows, size_t stride, const uint32_t *index,
                     size_t from, size_t to) {
  for (size_t r = from; r < to; ++r) {
    const float *row = rows + index[r] * stride;
    UNROLL for (int u = 0; u < vectors; ++u) sum[u] += READ(row, u * EP_LANES);
  }
}

// The most vectors of a block, and those of them whose masks make one word.
enum { STEP_VECTORS = 16, BLOCK_VECTORS = EP_BLOCK / EP_LANES, WORD = 4 };

// Appends number + lane and the slope of each spiking lane of a block, in order of lanes, to lists
// that hold `count`. Returns their new count. Masks after the last vector up to a whole word are 0.
INLINE size_t append_spikes(int vectors, const uint16_t *masks, const f16 *slope, uint32_t number,
                            uint32_t *numbers, float *slopes, size_t count) {
  for (int w = 0; w < vectors; w += WORD) {
    uint64_t word = masks[w];  // The only one of one vector: a fact that saves instructions.
    if (vectors > 1) memcpy(&word, masks + w, sizeof word);
    for (; word; word &= word - 1) {
      int lane = w * EP_LANES + __builtin_ctzll(word);
      numbers[count] = number + (uint32_t)lane;
      slopes[count] = ((const float *)slope)[lane];
      ++count;
    }
  }
  return count;
}

// The step of `ep_lif_step` for the neurons from k on. Returns the new count of spikes.
INLINE size_t lif_step(int vectors, size_t k, float *v, float *i, float a, float b, float c,
                       float theta, const ep_rows *arriving, size_t sources,
                       const ep_rows *upcoming, size_t first, uint32_t *neurons, float *slopes,
                       size_t count) {
  f16 start[STEP_VECTORS], slope[STEP_VECTORS];
  uint16_t masks[STEP_VECTORS] = {0};
  for (int u = 0; u < vectors; ++u) start[u] = READ(i, k + u * EP_LANES);
  for (size_t s = 0; s < sources; ++s)
    add_rows(vectors, start, arriving[s].rows + k, arriving[s].stride, arriving[s].index, 0,
             arriving[s].count);
  for (size_t r = 0; r < upcoming->count; ++r) {
    const float *row = upcoming->rows + upcoming->index[r] * upcoming->stride + k;
    UNROLL for (int u = 0; u < vectors; ++u) __builtin_prefetch(row + u * EP_LANES);
  }
  UNROLL for (int u = 0; u < vectors; ++u) {
    f16 end = a * READ(v, k + u * EP_LANES) + c * start[u];
    AT(i, k + u * EP_LANES) = b * start[u];
    i16 spikes = end >= theta;
    AT(v, k + u * EP_LANES) = (f16)((i16)end & ~spikes);
    slope[u] = start[u] - end;
    masks[u] = (uint16_t)bits(&spikes);
  }
  return append_spikes(vectors, masks, slope, (uint32_t)(first + k), neurons, slopes, count);
}

CLONES size_t ep_lif_step(float *v, float *i, float a, float b, float c, float theta,
                          const ep_rows *arriving, size_t sources, const ep_rows *upcoming,
                          size_t first, size_t width, uint32_t *neurons, float *slopes) {
  size_t count = 0, k = 0;
  for (; k + 16 * EP_LANES <= width; k += 16 * EP_LANES)
    count = lif_step(16, k, v, i, a, b, c, theta, arriving, sources, upcoming, first, neurons,
                     slopes, count);
  for (; k + 8 * EP_LANES <= width; k += 8 * EP_LANES)
    count = lif_step(8, k, v, i, a, b, c, theta, arriving, sources, upcoming, first, neurons,
                     slopes, count);
  for (; k + 4 * EP_LANES <= width; k += 4 * EP_LANES)
    count = lif_step(4, k, v, i, a, b, c, theta, arriving, sources, upcoming, first, neurons,
                     slopes, count);
  for (; k + 2 * EP_LANES <= width; k += 2 * EP_LANES)
    count = lif_step(2, k, v, i, a, b, c, theta, arriving, sources, upcoming, first, neurons,
                     slopes, count);
  for (; k + EP_LANES <= width; k += EP_LANES)
    count = lif_step(1, k, v, i, a, b, c, theta, arriving, sources, upcoming, first, neurons,
                     slopes, count);
  return count;
}

// `ep_lif_block` of one width. V and I stay in registers from the first step to the last.
INLINE size_t lif_block(int vectors, float a, float b, float c, float theta, const float *rows,
                        size_t stride, const uint32_t *index, const uint32_t *offsets,
                        size_t steps, uint32_t *codes, float *slopes) {
  f16 v[BLOCK_VECTORS] = {0}, i[BLOCK_VECTORS] = {0}, slope[BLOCK_VECTORS];
  uint16_t masks[BLOCK_VECTORS] = {0};
  size_t count = 0;
  for (size_t n = 0; n < steps; ++n) {
    add_rows(vectors, i, rows, stride, index, offsets[n], offsets[n + 1]);
    uint32_t any = 0;
    UNROLL for (int u = 0; u < vectors; ++u) {
      v[u] = a * v[u] + c * i[u];
      i16 spikes = v[u] >= theta;
      any |= bits(&spikes);
    }
    if (any) {
      UNROLL for (int u = 0; u < vectors; ++u) {
        i16 spikes = v[u] >= theta;
        masks[u] = (uint16_t)bits(&spikes);
        slope[u] = i[u] - v[u];
        v[u] = (f16)((i16)v[u] & ~spikes);
      }
      count = append_spikes(vectors, masks, slope, ep_code(n + 1, 0), codes, slopes, count);
    }
    UNROLL for (int u = 0; u < vectors; ++u) i[u] *= b;
  }
  return count;
}

CLONES size_t ep_lif_block(float a, float b, float c, float theta, const float *rows, size_t stride,
                           const uint32_t *index, const uint32_t *offsets, size_t steps,
                           size_t width, uint32_t *codes, float *slopes) {
  switch (width / EP_LANES) {
    case 8: return lif_block(8, a, b, c, theta, rows, stride, index, offsets, steps, codes, slopes);
    case 7: return lif_block(7, a, b, c, theta, rows, stride, index, offsets, steps, codes, slopes);
    case 6: return lif_block(6, a, b, c, theta, rows, stride, index, offsets, steps, codes, slopes);
    case 5: return lif_block(5, a, b, c, theta, rows, stride, index, offsets, steps, codes, slopes);
    case 4: return lif_block(4, a, b, c, theta, rows, stride, index, offsets, steps, codes, slopes);
    case 3: return lif_block(3, a, b, c, theta, rows, stride, index, offsets, steps, codes, slopes);
    case 2: return lif_block(2, a, b, c, theta, rows, stride, index, offsets, steps, codes, slopes);
    case 1: return lif_block(1, a, b, c, theta, rows, stride, index, offsets, steps, codes, slopes);
    default: return 0;
  }
}

// `ep_lif_block_adjoint` of one width. lV and lI stay in registers from the last spike to the first.
INLINE void block_adjoint(int vectors, const ep_gap *gaps, float theta, const ep_spikes *arriving,
                          const uint32_t *codes, const float *slopes, const float *errors,
                          size_t count, const float *push, size_t steps, float *gradient) {
  f16 lv[BLOCK_VECTORS] = {0}, li[BLOCK_VECTORS] = {0};
  size_t r = arriving->count, s = count, later = steps;
  while (r > 0 || s > 0) {
    size_t n = r > 0 ? arriving->times[r - 1] : 0;
    if (s > 0 && ep_code_time(codes[s - 1]) > n) n = ep_code_time(codes[s - 1]);
    ep_gap gap = gaps[later - n];
    UNROLL for (int u = 0; u < vectors; ++u) {
      li[u] = gap.b * li[u] + gap.c * lv[u];
      lv[u] = gap.a * lv[u];
    }
    later = n;
    for (; r > 0 && arriving->times[r - 1] == n; --r) {
      float *row = gradient + arriving->neurons[r - 1] * (size_t)(vectors * EP_LANES);
      UNROLL for (int u = 0; u < vectors; ++u)
        AT(row, u * EP_LANES) = READ(row, u * EP_LANES) + li[u];
    }
    if (s == 0 || ep_code_time(codes[s - 1]) != n) continue;
    float voltage[EP_BLOCK];
    memcpy(voltage, lv, vectors * sizeof *lv);
    for (; s > 0 && ep_code_time(codes[s - 1]) == n; --s) {
      size_t lane = ep_code_lane(codes[s - 1]);
      float x = voltage[lane];
      x += (theta * x + errors[s - 1]) / slopes[s - 1];
      voltage[lane] = push ? x + push[lane] : x;
    }
    memcpy(lv, voltage, vectors * sizeof *lv);
  }
}

CLONES void ep_lif_block_adjoint(const ep_gap *gaps, float theta, const ep_spikes *arriving,
                                 const uint32_t *codes, const float *slopes, const float *errors,
                                 size_t count, const float *push, size_t steps, float *gradient,
                                 size_t width) {
  switch (width / EP_LANES) {
    case 8:
      block_adjoint(8, gaps, theta, arriving, codes, slopes, errors, count, push, steps, gradient);
      break;
    case 7:
      block_adjoint(7, gaps, theta, arriving, codes, slopes, errors, count, push, steps, gradient);
      break;
    case 6:
      block_adjoint(6, gaps, theta, arriving, codes, slopes, errors, count, push, steps, gradient);
      break;
    case 5:
      block_adjoint(5, gaps, theta, arriving, codes, slopes, errors, count, push, steps, gradient);
      break;
    case 4:
      block_adjoint(4, gaps, theta, arriving, codes, slopes, errors, count, push, steps, gradient);
      break;
    case 3:
      block_adjoint(3, gaps, theta, arriving, codes, slopes, errors, count, push, steps, gradient);
      break;
    case 2:
      block_adjoint(2, gaps, theta, arriving, codes, slopes, errors, count, push, steps, gradient);
      break;
    case 1:
      block_adjoint(1, gaps, theta, arriving, codes, slopes, errors, count, push, steps, gradient);
      break;
    default: break;
  }
}

// The trial of `ep_li_trial` for the neurons from k on.
INLINE void li_trial(int vectors, size_t k, float a, float b, float c, float p, float q,
                     const float *rows, size_t stride, const uint32_t *index,
                     const uint32_t *offsets, size_t steps, const float *weights, float *mean,
                     float *means, float *voltages, float *currents, size_t width) {
  f16 v[4] = {0}, i[4] = {0}, total[4];
  for (int u = 0; u < vectors; ++u) total[u] = READ(mean, k + u * EP_LANES);
  for (size_t n = 0; n < steps; ++n) {
    add_rows(vectors, i, rows + k, stride, index, offsets[n], offsets[n + 1]);
    float weight = weights[n];
    for (int u = 0; u < vectors; ++u) {
      size_t at = n * width + k + u * EP_LANES;
      f16 average = p * v[u] + q * i[u];
      v[u] = a * v[u] + c * i[u];
      i[u] = b * i[u];
      total[u] += weight * average;
      if (means) AT(means, at) = average;
      if (voltages) AT(voltages, at) = v[u];
      if (currents) AT(currents, at) = i[u];
    }
  }
  for (int u = 0; u < vectors; ++u) AT(mean, k + u * EP_LANES) = total[u];
}

CLONES void ep_li_trial(float a, float b, float c, float p, float q, const float *rows,
                        size_t stride, const uint32_t *index, const uint32_t *offsets, size_t steps,
                        const float *weights, float *mean, float *means, float *voltages,
                        float *currents, size_t width) {
  size_t k = 0;
  for (; k + 4 * EP_LANES <= width; k += 4 * EP_LANES)
    li_trial(4, k, a, b, c, p, q, rows, stride, index, offsets, steps, weights, mean, means,
             voltages, currents, width);
  for (; k + 2 * EP_LANES <= width; k += 2 * EP_LANES)
    li_trial(2, k, a, b, c, p, q, rows, stride, index, offsets, steps, weights, mean, means,
             voltages, currents, width);
  for (; k + EP_LANES <= width; k += EP_LANES)
    li_trial(1, k, a, b, c, p, q, rows, stride, index, offsets, steps, weights, mean, means,
             voltages, currents, width);
}

CLONES void ep_adjoint_gap(float *lv, const float *li, float *result, ep_gap gap, size_t width) {
  for (size_t k = 0; k < width; k += EP_LANES) {
    f16 voltage = READ(lv, k);
    AT(result, k) = gap.b * READ(li, k) + gap.c * voltage;
    AT(lv, k) = gap.a * voltage;
  }
}

// The adjoint of `ep_adjoint_driven` for the neurons from k on.
INLINE void adjoint_driven(int vectors, size_t k, float *lv, float *li, float *result, float a,
                           float b, float c, const float *drive, size_t stride,
                           const float *weights, float held, size_t from, size_t to, size_t steps) {
  f16 voltage[4], current[4], last[4];
  float later = to < steps ? -held * weights[to] : 0;
  for (int s = 0; s < vectors; ++s) {
    voltage[s] = READ(lv, k + s * EP_LANES);
    current[s] = READ(li, k + s * EP_LANES);
    last[s] = (f16){0};
    if (to < steps) last[s] = later * READ(drive, to * stride + k + s * EP_LANES);
  }
  for (size_t n = to; n-- > from;) {
    float weight = -held * weights[n];
    for (int s = 0; s < vectors; ++s) {
      f16 u = weight * READ(drive, n * stride + k + s * EP_LANES);
      f16 change = last[s] - u;
      f16 above = voltage[s] + change;
      current[s] = b * (current[s] + change) + c * above;
      voltage[s] = a * above;
      last[s] = u;
    }
  }
  for (int s = 0; s < vectors; ++s) {
    AT(lv, k + s * EP_LANES) = voltage[s];
    AT(li, k + s * EP_LANES) = current[s];
    if (result) AT(result, k + s * EP_LANES) = current[s] + last[s];
  }
}

CLONES void ep_adjoint_driven(float *lv, float *li, float *result, float a, float b, float c,
                              const float *drive, size_t stride, const float *weights, float held,
                              size_t from, size_t to, size_t steps, size_t width) {
  size_t k = 0;
  for (; k + 4 * EP_LANES <= width; k += 4 * EP_LANES)
    adjoint_driven(4, k, lv, li, result, a, b, c, drive, stride, weights, held, from, to, steps);
  for (; k + 2 * EP_LANES <= width; k += 2 * EP_LANES)
    adjoint_driven(2, k, lv, li, result, a, b, c, drive, stride, weights, held, from, to, steps);
  for (; k + EP_LANES <= width; k += EP_LANES)
    adjoint_driven(1, k, lv, li, result, a, b, c, drive, stride, weights, held, from, to, steps);
}

INLINE float total(const f16 *s) {
  float t[EP_LANES];
  memcpy(t, s, sizeof t);
  for (int half = EP_LANES / 2; half > 0; half /= 2)
    for (int u = 0; u < half; ++u) t[u] += t[u + half];
  return t[0];
}

// `ep_dot_rows` of the rows index[0 ..< count]. They share the loads of lV and lI.
INLINE void dot_rows(int count, float *errors, const float *rows, size_t stride,
                     const uint32_t *index, const float *lv, const float *li, size_t width) {
  const float *w[4];
  f16 even[4] = {0}, odd[4] = {0};
  for (int s = 0; s < count; ++s) w[s] = rows + index[s] * stride;
  size_t k = 0;
  for (; k + 2 * EP_LANES <= width; k += 2 * EP_LANES) {
    f16 first = READ(lv, k) - READ(li, k);
    f16 second = READ(lv, k + EP_LANES) - READ(li, k + EP_LANES);
    for (int s = 0; s < count; ++s) {
      even[s] += READ(w[s], k) * first;
      odd[s] += READ(w[s], k + EP_LANES) * second;
    }
  }
  if (k < width) {
    f16 first = READ(lv, k) - READ(li, k);
    for (int s = 0; s < count; ++s) even[s] += READ(w[s], k) * first;
  }
  for (int s = 0; s < count; ++s) {
    even[s] += odd[s];
    errors[s] += total(&even[s]);
  }
}

CLONES void ep_dot_rows(float *errors, const float *rows, size_t stride, const uint32_t *index,
                        size_t count, const float *lv, const float *li, size_t width) {
  size_t r = 0;
  for (; r + 4 <= count; r += 4) dot_rows(4, errors + r, rows, stride, index + r, lv, li, width);
  for (; r + 2 <= count; r += 2) dot_rows(2, errors + r, rows, stride, index + r, lv, li, width);
  for (; r < count; ++r) dot_rows(1, errors + r, rows, stride, index + r, lv, li, width);
}

// The sums of `ep_gather` from column k on, from neuron to neuron, each in registers.
INLINE void gather(int vectors, size_t k, float *sum, size_t stride, const float *trace,
                   size_t trace_stride, const uint32_t *starts, const uint32_t *index,
                   size_t count) {
  for (size_t j = 0; j < count; ++j) {
    float *row = sum + j * stride + k;
    f16 s[8];
    for (int u = 0; u < vectors; ++u) s[u] = READ(row, u * EP_LANES);
    add_rows(vectors, s, trace + k, trace_stride, index, starts[j], starts[j + 1]);
    for (int u = 0; u < vectors; ++u) AT(row, u * EP_LANES) = s[u];
  }
}

CLONES void ep_gather(float *sum, size_t stride, const float *trace, size_t trace_stride,
                      const uint32_t *starts, const uint32_t *index, size_t count, size_t width) {
  size_t k = 0;
  for (; k + 8 * EP_LANES <= width; k += 8 * EP_LANES)
    gather(8, k, sum, stride, trace, trace_stride, starts, index, count);
  for (; k + 4 * EP_LANES <= width; k += 4 * EP_LANES)
    gather(4, k, sum, stride, trace, trace_stride, starts, index, count);
  for (; k + 2 * EP_LANES <= width; k += 2 * EP_LANES)
    gather(2, k, sum, stride, trace, trace_stride, starts, index, count);
  for (; k + EP_LANES <= width; k += EP_LANES)
    gather(1, k, sum, stride, trace, trace_stride, starts, index, count);
}

CLONES void ep_add(float *sum, const float *part, size_t width) {
  for (size_t k = 0; k < width; k += EP_LANES) AT(sum, k) = READ(sum, k) + READ(part, k);
}

CLONES float ep_scale(float *values, float scale, size_t width) {
  f16 squares = {0};
  for (size_t k = 0; k < width; k += EP_LANES) {
    f16 s = scale * READ(values, k);
    AT(values, k) = s;
    squares += s * s;
  }
  return total(&squares);
}

CLONES void ep_adam(float *w, float *m, float *v, const float *g, float gain, float rate,
                    float beta1, float beta2, float epsilon, size_t width) {
  for (size_t k = 0; k < width; k += EP_LANES) {
    f16 gradient = gain * READ(g, k);
    f16 mean = beta1 * READ(m, k) + (1 - beta1) * gradient;
    f16 square = beta2 * READ(v, k) + (1 - beta2) * (gradient * gradient);
    AT(m, k) = mean;
    AT(v, k) = square;
    AT(w, k) -= rate * mean / (__builtin_elementwise_sqrt(square) + epsilon);
  }
}
