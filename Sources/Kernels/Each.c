// SPDX-License-Identifier: MIT

// Layers whose neurons have constants of their own, or adapt: step by step, and back.
#include "Vectors.h"

typedef _Bool e16 __attribute__((ext_vector_type(16)));
INLINE uint32_t mask16(const i16 *lanes) {
  e16 packed = __builtin_convertvector(*lanes & 1, e16);
  uint16_t mask;
  memcpy(&mask, &packed, sizeof mask);
  return mask;
}

INLINE void add_arrivals(size_t k, f16 *start, const ep_rows *arriving, size_t sources,
                         const float *current) {
  if (current) *start += READ(current, k);
  for (size_t s = 0; s < sources; ++s)
    add_rows(1, start, arriving[s].rows + k, arriving[s].stride, arriving[s].index, 0,
             arriving[s].count);
}

CLONES size_t ep_each_step(float *v, float *i, float *adapt, const ep_each *each,
                           const ep_rows *arriving, size_t sources, const float *current,
                           const ep_each_record *record, size_t width, uint32_t *neurons,
                           float *slopes, float *memories) {
  size_t count = 0;
  for (size_t k = 0; k < width; k += EP_LANES) {
    f16 start = READ(i, k), before = READ(v, k), theta = READ(each->theta, k);
    add_arrivals(k, &start, arriving, sources, current);
    if (record) {
      AT(record->v, k) = before;
      AT(record->i, k) = start;
    }
    f16 end = READ(each->a, k) * before + READ(each->c, k) * start;
    f16 slope = start - end, raised = {0};
    AT(i, k) = READ(each->b, k) * start;
    if (adapt) {
      if (record) AT(record->adapt, k) = READ(adapt, k);
      raised = READ(each->fall, k) * READ(adapt, k);
      theta += READ(each->beta, k) * raised;
      slope += READ(each->lift, k) * raised;
    }
    i16 spikes = end >= theta;
    uint32_t mask = mask16(&spikes);
    if (mask) {
      i16 left = {0};
      if (each->kept) {
        // The largest number below theta, which is above 0.
        f16 most = (f16)((i16)theta - 1), rest = end - theta * READ(each->late, k);
        left = (i16)__builtin_elementwise_min(rest, most);
      }
      end = (f16)(((i16)end & ~spikes) | (left & spikes));
      for (uint32_t m = mask; m; m &= m - 1) {
        int lane = __builtin_ctz(m);
        neurons[count] = (uint32_t)k + (uint32_t)lane;
        slopes[count] = slope[lane];
        if (adapt) memories[count] = raised[lane];
        ++count;
      }
    }
    AT(v, k) = end;
    if (adapt) AT(adapt, k) = raised - __builtin_convertvector(spikes, f16);
  }
  return count;
}

CLONES void ep_each_back(float *lv, float *li, float *la, const ep_each *each, const float *drive,
                         const float *last, size_t width) {
  for (size_t k = 0; k < width; k += EP_LANES) {
    f16 voltage = READ(lv, k), current = READ(li, k);
    if (drive) {
      f16 change = READ(last, k) - READ(drive, k);
      voltage += change;
      current += change;
    }
    AT(li, k) = READ(each->b, k) * current + READ(each->back, k) * voltage;
    AT(lv, k) = READ(each->a, k) * voltage;
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
    add_arrivals(k, &start, arriving, 1, current);
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

// Delays of synapses, in whole steps.
//
// All spikes of a trial go to one neuron after the other: its own series of steps stays in the
// first-level cache.
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
