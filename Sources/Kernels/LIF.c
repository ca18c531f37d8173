// SPDX-License-Identifier: MIT

// LIF neurons: a step of any width, and a whole trial of a block with its adjoint.
#include "Vectors.h"

// The most vectors of a step, and of a block.
enum { STEP_VECTORS = 16, BLOCK_VECTORS = EP_BLOCK / EP_LANES };

// V becomes what is left of it where there is a spike. `kept` is a literal: each way of resetting
// has loops of its own, and their registers.
INLINE void reset_spikes(int kept, f16 *v, const i16 *spikes, ep_reset reset) {
  if (!kept) {
    *v = (f16)((i16)*v & ~*spikes);
    return;
  }
  f16 most = {0};
  most += reset.most;
  i16 left = (i16)__builtin_elementwise_min(*v - reset.taken, most);
  *v = (f16)(((i16)*v & ~*spikes) | (left & *spikes));
}

// The step of `ep_lif_step` for the neurons from k on. Returns the new count of spikes.
INLINE size_t lif_step(int vectors, size_t k, float *v, float *i, float a, float b, float c,
                       float theta, ep_reset reset, const ep_rows *arriving,
                       size_t sources, const ep_rows *upcoming, size_t first, uint32_t *neurons,
                       float *slopes, size_t count) {
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
    slope[u] = start[u] - end;
    reset_spikes(reset.kept != 0, &end, &spikes, reset);
    AT(v, k + u * EP_LANES) = end;
    masks[u] = (uint16_t)bits(&spikes);
  }
  return append_spikes(vectors, masks, slope, NULL, (uint32_t)(first + k), neurons, slopes, NULL,
                       count);
}

CLONES size_t ep_lif_step(float *v, float *i, float a, float b, float c, float theta,
                          ep_reset reset, const ep_rows *arriving, size_t sources, const ep_rows *upcoming,
                          size_t first, size_t width, uint32_t *neurons, float *slopes) {
  size_t count = 0, k = 0;
  for (; k + 16 * EP_LANES <= width; k += 16 * EP_LANES)
    count = lif_step(16, k, v, i, a, b, c, theta, reset, arriving, sources, upcoming, first,
                     neurons, slopes, count);
  for (; k + 8 * EP_LANES <= width; k += 8 * EP_LANES)
    count = lif_step(8, k, v, i, a, b, c, theta, reset, arriving, sources, upcoming, first,
                     neurons, slopes, count);
  for (; k + 4 * EP_LANES <= width; k += 4 * EP_LANES)
    count = lif_step(4, k, v, i, a, b, c, theta, reset, arriving, sources, upcoming, first,
                     neurons, slopes, count);
  for (; k + 2 * EP_LANES <= width; k += 2 * EP_LANES)
    count = lif_step(2, k, v, i, a, b, c, theta, reset, arriving, sources, upcoming, first,
                     neurons, slopes, count);
  for (; k + EP_LANES <= width; k += EP_LANES)
    count = lif_step(1, k, v, i, a, b, c, theta, reset, arriving, sources, upcoming, first,
                     neurons, slopes, count);
  return count;
}

// `ep_lif_block` of one width. V and I stay in registers from the first step to the last.
INLINE size_t lif_block(int vectors, int kept, float a, float b, float c, float theta, ep_reset reset,
                        const float *rows, size_t stride, const uint32_t *index,
                        const uint32_t *offsets, size_t steps, uint32_t *codes, float *slopes) {
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
        reset_spikes(kept, &v[u], &spikes, reset);
      }
      count = append_spikes(vectors, masks, slope, NULL, ep_code(n + 1, 0), codes, slopes, NULL,
                            count);
    }
    UNROLL for (int u = 0; u < vectors; ++u) i[u] *= b;
  }
  return count;
}

#define LIF_BLOCK(vectors)                                                                      \
  case vectors:                                                                                 \
    return reset.kept ? lif_block(vectors, 1, a, b, c, theta, reset, rows, stride, index,       \
                                  offsets, steps, codes, slopes)                                \
                      : lif_block(vectors, 0, a, b, c, theta, reset, rows, stride, index,       \
                                  offsets, steps, codes, slopes);

CLONES size_t ep_lif_block(float a, float b, float c, float theta, ep_reset reset,
                           const float *rows, size_t stride, const uint32_t *index,
                           const uint32_t *offsets, size_t steps, size_t width, uint32_t *codes,
                           float *slopes) {
  switch (width / EP_LANES) {
    LIF_BLOCK(8)
    LIF_BLOCK(7)
    LIF_BLOCK(6)
    LIF_BLOCK(5)
    LIF_BLOCK(4)
    LIF_BLOCK(3)
    LIF_BLOCK(2)
    LIF_BLOCK(1)
    default: return 0;
  }
}

// `ep_lif_block_adjoint` of one width. lV and lI stay in registers from the last spike to the
// first.
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
