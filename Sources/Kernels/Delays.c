// SPDX-License-Identifier: MIT

// Delays of synapses, in whole steps. All spikes of a trial go to one neuron after the other: its
// own series of steps stays in the first-level cache.
#include "Vectors.h"

CLONES void ep_delay_steps(uint32_t *steps, const float *delays, float steps_per_time, float most,
                           size_t width) {
  for (size_t k = 0; k < width; ++k) {
    float n = delays[k] * steps_per_time + 0.5f;
    steps[k] = (uint32_t)(n < most ? n : most);
  }
}

CLONES void ep_delay_spread(float *series, const ep_delays *delays, const uint32_t *starts,
                            const uint32_t *times, size_t sources) {
  for (size_t s = 0; s < sources; ++s) {
    float weight = delays->weights[s];
    float *place = series + delays->steps[s];
    for (uint32_t k = starts[s]; k < starts[s + 1]; ++k) place[times[k]] += weight;
  }
}

CLONES void ep_delay_gather(const float *trace, const ep_delays *delays, const uint32_t *starts,
                            const uint32_t *times, size_t sources, float *currents,
                            float *errors) {
  typedef float f2 __attribute__((ext_vector_type(2)));
  for (size_t s = 0; s < sources; ++s) {
    const float *place = trace + 2 * (size_t)delays->steps[s];
    f2 sum = {0, 0};
    for (uint32_t k = starts[s]; k < starts[s + 1]; ++k) {
      f2 both;
      memcpy(&both, place + 2 * (size_t)times[k], sizeof both);
      sum += both;
    }
    currents[s] = sum[0];
    errors[s] = sum[1];
  }
}

CLONES void ep_delay_errors(const float *trace, const ep_delays *delays, const uint32_t *starts,
                            const uint32_t *times, size_t sources, float *errors) {
  for (size_t s = 0; s < sources; ++s) {
    const float *place = trace + 2 * (size_t)delays->steps[s] + 1;
    for (uint32_t k = starts[s]; k < starts[s + 1]; ++k)
      errors[k] += delays->weights[s] * place[2 * (size_t)times[k]];
  }
}

CLONES void ep_delay_send(float *rows, size_t stride, const float *weights, const uint32_t *steps,
                          size_t count) {
  for (size_t j = 0; j < count; ++j) rows[steps[j] * stride + j] += weights[j];
}

CLONES float ep_delay_sum(const float *rows, size_t stride, const float *weights,
                          const uint32_t *steps, size_t count) {
  float sums[4] = {0, 0, 0, 0};
  for (size_t j = 0; j < count; ++j) sums[j % 4] += weights[j] * rows[steps[j] * stride + j];
  return (sums[0] + sums[2]) + (sums[1] + sums[3]);
}

// A square of 16 x 16: blocks across the diagonal change places, those of 8 first.
INLINE void transpose16(float *to, size_t to_stride, const float *from, size_t from_stride) {
  f16 r[EP_LANES];
  UNROLL for (int i = 0; i < EP_LANES; ++i) r[i] = READ(from, i * from_stride);
  UNROLL for (int i = 0; i < EP_LANES; ++i)
    if (!(i & 8)) {
      f16 a = r[i], b = r[i + 8];
      r[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
      r[i + 8] = __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28,
                                         29, 30, 31);
    }
  UNROLL for (int i = 0; i < EP_LANES; ++i)
    if (!(i & 4)) {
      f16 a = r[i], b = r[i + 4];
      r[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26,
                                     27);
      r[i + 4] = __builtin_shufflevector(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29,
                                         30, 31);
    }
  UNROLL for (int i = 0; i < EP_LANES; ++i)
    if (!(i & 2)) {
      f16 a = r[i], b = r[i + 2];
      r[i] = __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28,
                                     29);
      r[i + 2] = __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15,
                                         30, 31);
    }
  UNROLL for (int i = 0; i < EP_LANES; ++i)
    if (!(i & 1)) {
      f16 a = r[i], b = r[i + 1];
      r[i] = __builtin_shufflevector(a, b, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14,
                                     30);
      r[i + 1] = __builtin_shufflevector(a, b, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29,
                                         15, 31);
    }
  UNROLL for (int i = 0; i < EP_LANES; ++i) AT(to, i * to_stride) = r[i];
}

CLONES void ep_transpose(float *to, size_t to_stride, const float *from, size_t from_stride,
                         size_t rows, size_t columns) {
  for (size_t i = 0; i < rows; i += EP_LANES)
    for (size_t j = 0; j < columns; j += EP_LANES)
      transpose16(to + j * to_stride + i, to_stride, from + i * from_stride + j, from_stride);
}

CLONES void ep_delay_pairs(float *pairs, size_t stride, const float *currents, const float *errors,
                           size_t from_stride, size_t steps) {
  for (size_t n = 0; n < steps; n += EP_LANES / 2) {
    float both[EP_LANES * EP_LANES];
    for (int k = 0; k < EP_LANES / 2; ++k) {
      AT(both, 2 * k * EP_LANES) = READ(currents, (n + (size_t)k) * from_stride);
      AT(both, (2 * k + 1) * EP_LANES) = READ(errors, (n + (size_t)k) * from_stride);
    }
    transpose16(pairs + 2 * n, stride, both, EP_LANES);
  }
}
