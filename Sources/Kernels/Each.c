// SPDX-License-Identifier: MIT

// Layers whose neurons have constants of their own, or adapt: step by step, and back.
#include "Vectors.h"

// The rows of spikes that arrive at the neurons from k on, added in order.
INLINE void add_arrivals(int vectors, size_t k, f16 *start, const ep_rows *arriving,
                         size_t sources, const float *current) {
  if (current)
    UNROLL for (int u = 0; u < vectors; ++u) start[u] += READ(current, k + u * EP_LANES);
  for (size_t s = 0; s < sources; ++s)
    add_rows(vectors, start, arriving[s].rows + k, arriving[s].stride, arriving[s].index, 0,
             arriving[s].count);
}

// `ep_each_step` of the neurons from k on. Returns the new count of spikes.
INLINE size_t each_step(int vectors, size_t k, float *v, float *i, float *adapt,
                        const ep_each *each, const ep_rows *arriving, size_t sources,
                        const float *current, const ep_each_record *record, uint32_t *neurons,
                        float *slopes, float *memories, size_t count) {
  f16 start[8], slope[8], raised[8], end[8], theta[8];
  i16 spikes[8], any = {0};
  UNROLL for (int u = 0; u < vectors; ++u) start[u] = READ(i, k + u * EP_LANES);
  add_arrivals(vectors, k, start, arriving, sources, current);
  UNROLL for (int u = 0; u < vectors; ++u) {
    size_t at = k + u * EP_LANES;
    f16 before = READ(v, at);
    if (record) {
      AT(record->v, at) = before;
      AT(record->i, at) = start[u];
    }
    end[u] = READ(each->a, at) * before + READ(each->c, at) * start[u];
    slope[u] = start[u] - end[u];
    theta[u] = READ(each->theta, at);
    AT(i, at) = READ(each->b, at) * start[u];
    if (adapt) {
      if (record) AT(record->adapt, at) = READ(adapt, at);
      raised[u] = READ(each->fall, at) * READ(adapt, at);
      theta[u] += READ(each->beta, at) * raised[u];
      slope[u] += READ(each->lift, at) * raised[u];
    }
    spikes[u] = end[u] >= theta[u];
    any |= spikes[u];
    AT(v, at) = end[u];
    if (adapt) AT(adapt, at) = raised[u] - __builtin_convertvector(spikes[u], f16);
  }
  if (__builtin_expect(!__builtin_reduce_or(any), 1)) return count;
  UNROLL for (int u = 0; u < vectors; ++u) {
    size_t at = k + u * EP_LANES;
    uint32_t mask = bits(&spikes[u]);
    i16 left = {0};
    if (each->kept) {
      // The largest number below theta, which is above 0.
      f16 most = (f16)((i16)theta[u] - 1), rest = end[u] - theta[u] * READ(each->late, at);
      left = (i16)__builtin_elementwise_min(rest, most);
    }
    AT(v, at) = (f16)(((i16)end[u] & ~spikes[u]) | (left & spikes[u]));
    for (; mask; mask &= mask - 1) {
      int lane = __builtin_ctz(mask);
      neurons[count] = (uint32_t)(at + (size_t)lane);
      slopes[count] = ((const float *)&slope[u])[lane];
      if (adapt) memories[count] = ((const float *)&raised[u])[lane];
      ++count;
    }
  }
  return count;
}

CLONES size_t ep_each_step(float *v, float *i, float *adapt, const ep_each *each,
                           const ep_rows *arriving, size_t sources, const float *current,
                           const ep_each_record *record, size_t width, uint32_t *neurons,
                           float *slopes, float *memories) {
  size_t count = 0, k = 0;
  for (; k + 8 * EP_LANES <= width; k += 8 * EP_LANES)
    count = each_step(8, k, v, i, adapt, each, arriving, sources, current, record, neurons, slopes,
                      memories, count);
  for (; k + 2 * EP_LANES <= width; k += 2 * EP_LANES)
    count = each_step(2, k, v, i, adapt, each, arriving, sources, current, record, neurons, slopes,
                      memories, count);
  for (; k + EP_LANES <= width; k += EP_LANES)
    count = each_step(1, k, v, i, adapt, each, arriving, sources, current, record, neurons, slopes,
                      memories, count);
  return count;
}

CLONES void ep_each_back(float *lv, float *li, float *la, const ep_each *each, const float *drive,
                         float *last, float *currents, float *errors, const float *share,
                         float *kept, size_t width) {
  for (size_t k = 0; k < width; k += EP_LANES) {
    f16 voltage = READ(lv, k), current = READ(li, k);
    if (drive) {
      f16 change = READ(last, k) - READ(drive, k);
      voltage += change;
      current += change;
      AT(last, k) = READ(drive, k);
    }
    current = READ(each->b, k) * current + READ(each->back, k) * voltage;
    voltage = READ(each->a, k) * voltage;
    AT(li, k) = current;
    AT(lv, k) = voltage;
    f16 whole = drive ? current + READ(drive, k) : current;
    if (currents) AT(currents, k) = whole;
    if (kept) AT(kept, k) = READ(share, k) * whole;
    if (errors) AT(errors, k) = voltage - current;
    if (la) AT(la, k) = READ(each->fall, k) * READ(la, k);
  }
}

CLONES void ep_each_collect(float *mem, float *syn, float *fall, const ep_each *each,
                            const ep_each_record *record, const float *lv, const float *li,
                            const float *la, const float *drive, const float *last, size_t width) {
  for (size_t k = 0; k < width; k += EP_LANES) {
    f16 v = READ(record->v, k), i = READ(record->i, k);
    f16 voltage = READ(lv, k), current = READ(li, k);
    f16 byMem = {0}, bySyn = {0};
    if (drive) {
      f16 u = READ(drive, k), change = READ(last, k) - u;
      voltage += change;
      current += change;
      // Under a constant u: u int (I - V)/tau_m is u times what V rises by, and so on.
      byMem = u * (READ(each->a, k) * v + READ(each->c, k) * i - v);
      bySyn = u * (READ(each->b, k) * i - i);
    }
    byMem += voltage * (i * READ(each->mem_i, k) - v * READ(each->mem_v, k));
    bySyn -= i * (READ(each->syn_i, k) * current + READ(each->syn_v, k) * voltage);
    AT(mem, k) += byMem;
    AT(syn, k) += bySyn;
    if (la) AT(fall, k) -= READ(each->fall_a, k) * READ(record->adapt, k) * READ(la, k);
  }
}

CLONES void ep_each_li(float *v, float *i, const ep_each *each, const ep_rows *arriving,
                       const float *current, const ep_each_record *record, float weight,
                       float *mean, float *means, float *voltages, float *currents,
                       size_t width) {
  for (size_t k = 0; k < width; k += EP_LANES) {
    f16 start = READ(i, k), before = READ(v, k);
    add_arrivals(1, k, &start, arriving, 1, current);
    if (record) {
      AT(record->v, k) = before;
      AT(record->i, k) = start;
    }
    f16 average = READ(each->mean_v, k) * before + READ(each->mean_i, k) * start;
    f16 end = READ(each->a, k) * before + READ(each->c, k) * start;
    start = READ(each->b, k) * start;
    AT(v, k) = end;
    AT(i, k) = start;
    AT(mean, k) += weight * average;
    if (means) AT(means, k) = average;
    if (voltages) AT(voltages, k) = end;
    if (currents) AT(currents, k) = start;
  }
}
