// SPDX-License-Identifier: MIT

// Sums of gradients, and the update of weights by them.
#include "Vectors.h"

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

// Adam of a type of numbers, which come `lanes` at a time as a `vector`.
#define ADAM(name, number, vector, lanes, AT, READ)                                                \
  CLONES void name(number *w, number *m, number *v, const number *g, number gain, number rate,     \
                   number beta1, number beta2, number epsilon, size_t width) {                     \
    for (size_t k = 0; k < width; k += lanes) {                                                    \
      vector gradient = gain * READ(g, k);                                                         \
      vector mean = beta1 * READ(m, k) + (1 - beta1) * gradient;                                   \
      vector square = beta2 * READ(v, k) + (1 - beta2) * (gradient * gradient);                    \
      AT(m, k) = mean;                                                                             \
      AT(v, k) = square;                                                                           \
      AT(w, k) -= rate * mean / (__builtin_elementwise_sqrt(square) + epsilon);                    \
    }                                                                                              \
  }

ADAM(ep_adam, float, f16, EP_LANES, AT, READ)
ADAM(ep_adam_double, double, d8, DOUBLES, AT8, READ8)

CLONES void ep_sgd(float *w, float *b, const float *g, float gain, float rate, float momentum,
                   float decay, int nesterov, size_t width) {
  for (size_t k = 0; k < width; k += EP_LANES) {
    f16 step = gain * READ(g, k) + decay * READ(w, k);
    if (b) {
      f16 sum = momentum * READ(b, k) + step;
      AT(b, k) = sum;
      step = nesterov ? step + momentum * sum : sum;
    }
    AT(w, k) -= rate * step;
  }
}

CLONES void ep_limit(float *values, float gain, float size, size_t width) {
  for (size_t k = 0; k < width; ++k) {
    float v = gain * values[k];
    values[k] = v > size ? size : v < -size ? -size : v;
  }
}
