// SPDX-License-Identifier: MIT

// The adjoint of a layer between its spikes, and what arriving spikes read of it.
#include "Vectors.h"

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
