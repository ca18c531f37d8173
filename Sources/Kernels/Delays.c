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

// The lanes l0, l1, ... of a, followed by b, each moved on by k.
#define PICK(a, b, k, l0, l1, l2, l3, l4, l5, l6, l7, l8, l9, l10, l11, l12, l13, l14, l15)       \
  __builtin_shufflevector(a, b, l0 + k, l1 + k, l2 + k, l3 + k, l4 + k, l5 + k, l6 + k, l7 + k,   \
                          l8 + k, l9 + k, l10 + k, l11 + k, l12 + k, l13 + k, l14 + k, l15 + k)

// Blocks of `size` x `size` across the diagonal of twice that change places.
#define CHANGE(size, ...)                                                                         \
  UNROLL for (int i = 0; i < EP_LANES; ++i) if (!(i & size)) {                                    \
    f16 a = r[i], b = r[i + size];                                                                \
    r[i] = PICK(a, b, 0, __VA_ARGS__);                                                            \
    r[i + size] = PICK(a, b, size, __VA_ARGS__);                                                  \
  }

// A square of 16 x 16.
INLINE void transpose16(float *to, size_t to_stride, const float *from, size_t from_stride) {
  f16 r[EP_LANES];
  UNROLL for (int i = 0; i < EP_LANES; ++i) r[i] = READ(from, i * from_stride);
  CHANGE(8, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
  CHANGE(4, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27)
  CHANGE(2, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
  CHANGE(1, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30)
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
