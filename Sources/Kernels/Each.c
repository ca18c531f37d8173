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

// `ep_each_step` of the neurons from k on. Returns the new count of spikes. `plain` is a literal:
// whether neurons neither adapt nor carry V over a spike, and nothing is recorded.
INLINE size_t each_step(int vectors, int plain, size_t k, float *v, float *i, float *adapt,
                        const ep_each *each, const ep_rows *arriving, size_t sources,
                        const ep_rows *upcoming, const float *current,
                        const ep_each_record *record, uint32_t *neurons, float *slopes,
                        float *memories, size_t count) {
  f16 start[16], slope[16], raised[16];
  uint16_t masks[16] = {0};
  UNROLL for (int u = 0; u < vectors; ++u) start[u] = READ(i, k + u * EP_LANES);
  add_arrivals(vectors, k, start, arriving, sources, current);
  if (upcoming)
    for (size_t r = 0; r < upcoming->count; ++r) {
      const float *row = upcoming->rows + upcoming->index[r] * upcoming->stride + k;
      UNROLL for (int u = 0; u < vectors; ++u) __builtin_prefetch(row + u * EP_LANES);
    }
  UNROLL for (int u = 0; u < vectors; ++u) {
    size_t at = k + u * EP_LANES;
    f16 before = READ(v, at), theta = READ(each->theta, at);
    f16 end = READ(each->a, at) * before + READ(each->c, at) * start[u];
    AT(i, at) = READ(each->b, at) * start[u];
    slope[u] = start[u] - end;
    if (plain) {
      i16 spikes = end >= theta;
      AT(v, at) = (f16)((i16)end & ~spikes);
      masks[u] = (uint16_t)bits(&spikes);
      continue;
    }
    if (record) {
      AT(record->v, at) = before;
      AT(record->i, at) = start[u];
    }
    if (adapt) {
      if (record) AT(record->adapt, at) = READ(adapt, at);
      raised[u] = READ(each->fall, at) * READ(adapt, at);
      theta += READ(each->beta, at) * raised[u];
      slope[u] += READ(each->lift, at) * raised[u];
    }
    i16 spikes = end >= theta, left = {0};
    if (each->kept) {
      // The largest number below theta, which is above 0.
      f16 most = (f16)((i16)theta - 1), rest = end - theta * READ(each->late, at);
      left = (i16)__builtin_elementwise_min(rest, most);
    }
    AT(v, at) = (f16)(((i16)end & ~spikes) | (left & spikes));
    if (adapt) AT(adapt, at) = raised[u] - __builtin_convertvector(spikes, f16);
    masks[u] = (uint16_t)bits(&spikes);
  }
  return append_spikes(vectors, masks, slope, !plain && adapt ? raised : NULL, (uint32_t)k, neurons,
                       slopes, memories, count);
}

INLINE size_t each_steps(int plain, float *v, float *i, float *adapt, const ep_each *each,
                         const ep_rows *arriving, size_t sources, const ep_rows *upcoming,
                         const float *current, const ep_each_record *record, size_t width,
                         uint32_t *neurons, float *slopes, float *memories) {
  size_t count = 0, k = 0;
  for (; plain && k + 16 * EP_LANES <= width; k += 16 * EP_LANES)
    count = each_step(16, plain, k, v, i, adapt, each, arriving, sources, upcoming, current, record,
                      neurons, slopes, memories, count);
  for (; k + 8 * EP_LANES <= width; k += 8 * EP_LANES)
    count = each_step(8, plain, k, v, i, adapt, each, arriving, sources, upcoming, current, record,
                      neurons, slopes, memories, count);
  for (; k + 2 * EP_LANES <= width; k += 2 * EP_LANES)
    count = each_step(2, plain, k, v, i, adapt, each, arriving, sources, upcoming, current, record,
                      neurons, slopes, memories, count);
  for (; k + EP_LANES <= width; k += EP_LANES)
    count = each_step(1, plain, k, v, i, adapt, each, arriving, sources, upcoming, current, record,
                      neurons, slopes, memories, count);
  return count;
}

CLONES size_t ep_each_step(float *v, float *i, float *adapt, const ep_each *each,
                           const ep_rows *arriving, size_t sources, const ep_rows *upcoming,
                           const float *current, const ep_each_record *record, size_t width,
                           uint32_t *neurons, float *slopes, float *memories) {
  if (!adapt && !record && !each->kept)
    return each_steps(1, v, i, NULL, each, arriving, sources, upcoming, current, NULL, width,
                      neurons, slopes, memories);
  return each_steps(0, v, i, adapt, each, arriving, sources, upcoming, current, record, width,
                    neurons, slopes, memories);
}

// `ep_each_back`. `plain` is a literal: whether nothing drives it and all that is left is lI.
INLINE void each_back(int plain, float *lv, const float *li, float *result, float *la,
                      const ep_each *each, const float *drive, float *last, float *currents,
                      float *errors, const float *share, float *kept, size_t width) {
  for (size_t k = 0; k < width; k += EP_LANES) {
    f16 voltage = READ(lv, k), current = READ(li, k);
    if (!plain && drive) {
      f16 change = READ(last, k) - READ(drive, k);
      voltage += change;
      current += change;
      AT(last, k) = READ(drive, k);
    }
    current = READ(each->b, k) * current + READ(each->back, k) * voltage;
    voltage = READ(each->a, k) * voltage;
    AT(result, k) = current;
    AT(lv, k) = voltage;
    if (plain) continue;
    f16 whole = drive ? current + READ(drive, k) : current;
    if (kept) AT(kept, k) = READ(share, k) * whole;
    if (currents) AT(currents, k) = whole;
    if (errors) AT(errors, k) = voltage - current;
    if (la) AT(la, k) = READ(each->fall, k) * READ(la, k);
  }
}

CLONES void ep_each_back(float *lv, const float *li, float *result, float *la,
                         const ep_each *each, const float *drive, float *last, float *currents,
                         float *errors, const float *share, float *kept, size_t width) {
  if (!la && !drive && !currents && !errors && !kept)
    each_back(1, lv, li, result, NULL, each, NULL, NULL, NULL, NULL, NULL, NULL, width);
  else
    each_back(0, lv, li, result, la, each, drive, last, currents, errors, share, kept, width);
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
