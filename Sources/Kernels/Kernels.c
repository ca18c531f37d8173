#include "Kernels.h"

#include <string.h>

#pragma STDC FP_CONTRACT OFF

// The resolvers of clones run before a sanitizer is ready, and would crash under it.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__x86_64__) && defined(__linux__) && !defined(SANITIZED)
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

// A block of `VECTORS` vectors stays in registers while all rows pass by.
#define SUM_BLOCK(VECTORS)                                              \
  for (; k + (VECTORS) * EP_LANES <= width; k += (VECTORS) * EP_LANES) { \
    f16 s[VECTORS];                                                     \
    for (int u = 0; u < (VECTORS); ++u) s[u] = READ(sum, k + u * EP_LANES); \
    for (size_t r = 0; r < count; ++r) {                                \
      const float *row = rows + index[r] * stride + k;                  \
      for (int u = 0; u < (VECTORS); ++u) s[u] += READ(row, u * EP_LANES); \
    }                                                                   \
    for (int u = 0; u < (VECTORS); ++u) AT(sum, k + u * EP_LANES) = s[u]; \
  }

CLONES void ep_sum_rows(float *sum, const float *rows, size_t stride, const uint32_t *index,
                        size_t count, size_t width) {
  if (count == 0) return;
  size_t k = 0;
  SUM_BLOCK(16)
  SUM_BLOCK(8)
  SUM_BLOCK(4)
  SUM_BLOCK(2)
  SUM_BLOCK(1)
}

CLONES size_t ep_lif_step(float *v, float *i, float a, float b, float c, float theta, size_t width,
                          uint32_t *neurons, float *slopes) {
  size_t count = 0;
  for (size_t k = 0; k < width; k += EP_LANES) {
    f16 start = READ(i, k);
    f16 end = a * READ(v, k) + c * start;
    AT(i, k) = b * start;
    i16 spikes = end >= theta;
    AT(v, k) = (f16)((i16)end & ~spikes);
    uint32_t mask = bits(&spikes);
    if (mask == 0) continue;
    f16 slope = start - end;
    for (; mask; mask &= mask - 1) {
      int u = __builtin_ctz(mask);
      neurons[count] = (uint32_t)(k + u);
      slopes[count] = ((const float *)&slope)[u];
      ++count;
    }
  }
  return count;
}

CLONES void ep_li_step(float *v, float *i, float a, float b, float c, float p, float q,
                       float weight, float *mean, float *means, size_t width) {
  for (size_t k = 0; k < width; k += EP_LANES) {
    f16 voltage = READ(v, k), current = READ(i, k);
    f16 average = p * voltage + q * current;
    AT(v, k) = a * voltage + c * current;
    AT(i, k) = b * current;
    AT(mean, k) += weight * average;
    if (means) AT(means, k) = average;
  }
}

CLONES void ep_adjoint_step(float *lv, float *li, float a, float b, float c, const float *drive,
                            float scale, float *trace, size_t width) {
  for (size_t k = 0; k < width; k += EP_LANES) {
    f16 voltage = READ(lv, k), current = READ(li, k);
    if (drive) {
      f16 u = -scale * READ(drive, k);
      voltage -= u;
      current = b * (current - u) + c * voltage + u;
      voltage = a * voltage + u;
    } else {
      current = b * current + c * voltage;
      voltage = a * voltage;
    }
    AT(li, k) = current;
    AT(lv, k) = voltage;
    AT(trace, k) = current;
  }
}

INLINE float total(const f16 *s) {
  float t[EP_LANES];
  memcpy(t, s, sizeof t);
  for (int half = EP_LANES / 2; half > 0; half /= 2)
    for (int u = 0; u < half; ++u) t[u] += t[u + half];
  return t[0];
}

CLONES float ep_dot_difference(const float *w, const float *lv, const float *li, size_t width) {
  f16 even = {0}, odd = {0};
  size_t k = 0;
  for (; k + 2 * EP_LANES <= width; k += 2 * EP_LANES) {
    even += READ(w, k) * (READ(lv, k) - READ(li, k));
    odd += READ(w, k + EP_LANES) * (READ(lv, k + EP_LANES) - READ(li, k + EP_LANES));
  }
  if (k < width) even += READ(w, k) * (READ(lv, k) - READ(li, k));
  even += odd;
  return total(&even);
}

CLONES float ep_reduce(float *sum, float *const *parts, size_t count, float scale, size_t width) {
  f16 squares = {0}, zero = {0};
  for (size_t k = 0; k < width; k += EP_LANES) {
    f16 s = READ(parts[0], k);
    AT(parts[0], k) = zero;
    for (size_t p = 1; p < count; ++p) {
      s += READ(parts[p], k);
      AT(parts[p], k) = zero;
    }
    s *= scale;
    AT(sum, k) = s;
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
