// SPDX-License-Identifier: MIT

// Times of events to steps.
#include "Vectors.h"

CLONES void ep_time_indices(uint32_t *index, const double *times, size_t count,
                            double steps_per_time, uint32_t last) {
  for (size_t k = 0; k < count; ++k) {
    double n = times[k] * steps_per_time + 0.5;
    index[k] = n < (double)last ? (uint32_t)n : last;
  }
}
