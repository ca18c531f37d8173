// SPDX-License-Identifier: MIT

// LI neurons of the readout.
#include "Vectors.h"

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
