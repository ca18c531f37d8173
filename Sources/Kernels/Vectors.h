// SPDX-License-Identifier: MIT

// What the kernels share: vectors of EP_LANES floats, levels of CPU, and two sums.
#ifndef EVENTPROP_VECTORS_H
#define EVENTPROP_VECTORS_H

#include "Kernels.h"

#include <string.h>

// In the whole file that includes this: no fused multiply-add, so all levels give the same bits.
#pragma STDC FP_CONTRACT OFF

// The resolvers of clones run before a sanitizer is ready, and would crash under it.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
// EP_ONE_LEVEL: for the compiler's own level of CPU alone, as .ci/levels asks for to compare them.
#if defined(__x86_64__) && defined(__linux__) && !defined(SANITIZED) && !defined(EP_ONE_LEVEL)
#define CLONES                                                                 \
  __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4"), \
                 min_vector_width(512)))
#else
#define CLONES
#endif

// A function of a number of vectors, or of rows, gets it as a literal and becomes a part of each
// clone: there every loop over that number is unrolled, and its arrays of vectors are registers.
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

typedef float f16 __attribute__((vector_size(64), aligned(4)));
typedef int32_t i16 __attribute__((vector_size(64), aligned(4)));

typedef double d8 __attribute__((vector_size(64), aligned(8)));
enum { DOUBLES = 8 };

// A vector as a place in memory. Macros, since to pass or return a vector of 64 bytes is another
// calling convention at each level.
#define AT(p, k) (*(f16 *)((p) + (k)))
#define READ(p, k) (*(const f16 *)((p) + (k)))
#define AT8(p, k) (*(d8 *)((p) + (k)))
#define READ8(p, k) (*(const d8 *)((p) + (k)))

// One bit per lane of a comparison.
typedef _Bool b16 __attribute__((ext_vector_type(16)));
INLINE uint32_t bits(const i16 *lanes) {
  b16 packed = __builtin_convertvector(*lanes & 1, b16);
  uint16_t mask;
  memcpy(&mask, &packed, sizeof mask);
  return mask;
}

// sum += the rows index[from ..< to], in order.
INLINE void add_rows(int vectors, f16 *sum, const float *rows, size_t stride, const uint32_t *index,
                     size_t from, size_t to) {
  for (size_t r = from; r < to; ++r) {
    const float *row = rows + index[r] * stride;
    UNROLL for (int u = 0; u < vectors; ++u) sum[u] += READ(row, u * EP_LANES);
  }
}

// How many vectors' masks make one word.
enum { WORD = 4 };

// Appends number + lane and the slope of each spiking lane, and its memory unless that is NULL, in
// order of lanes, to lists that hold `count`. Returns their new count. Masks after the last vector
// up to a whole word are 0.
INLINE size_t append_spikes(int vectors, const uint16_t *masks, const f16 *slope,
                            const f16 *memory, uint32_t number, uint32_t *numbers, float *slopes,
                            float *memories, size_t count) {
  for (int w = 0; w < vectors; w += WORD) {
    uint64_t word = masks[w];  // The only one of one vector: a fact that saves instructions.
    if (vectors > 1) memcpy(&word, masks + w, sizeof word);
    for (; word; word &= word - 1) {
      int lane = w * EP_LANES + __builtin_ctzll(word);
      numbers[count] = number + (uint32_t)lane;
      slopes[count] = ((const float *)slope)[lane];
      if (memory) memories[count] = ((const float *)memory)[lane];
      ++count;
    }
  }
  return count;
}

// The sum of the lanes, as a tree: lane 0 with 8, 1 with 9, ..., then 0 with 4, ....
INLINE float total(const f16 *s) {
  float t[EP_LANES];
  memcpy(t, s, sizeof t);
  for (int half = EP_LANES / 2; half > 0; half /= 2)
    for (int u = 0; u < half; ++u) t[u] += t[u + half];
  return t[0];
}

#endif
