// The inner loops of the grid solver, and nothing else: no allocation, no threads, no checks.
//
// Conventions
// - A width counts floats and is a multiple of 16 (EP_LANES); rows start at multiples of the stride.
// - Buffers need no alignment beyond that of float, and do not overlap unless a line says so.
// - The order of every sum is fixed by the source (16 lanes, then a fixed tree), and contraction to
//   fused multiply-add is off: each CPU level gives the same bits.
#ifndef EVENTPROP_KERNELS_H
#define EVENTPROP_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#define EP_LANES 16

/// sum[0..<width] += rows[index[0]*stride...] + rows[index[1]*stride...] + ... (in that order).
void ep_sum_rows(float *sum, const float *rows, size_t stride, const uint32_t *index, size_t count,
                 size_t width);

/// One step of LIF neurons: V <- a V + c I, I <- b I; every V >= theta spikes and resets to 0.
/// Writes, in ascending order, the spiking neurons and their slopes tau_m dV/dt = I_start - V_end.
/// Returns how many spiked; `neurons` and `slopes` need room for `width`.
size_t ep_lif_step(float *v, float *i, float a, float b, float c, float theta, size_t width,
                   uint32_t *neurons, float *slopes);

/// One step of LI neurons. The mean voltage over the step is m = p V + q I (before the step); then
/// V <- a V + c I, I <- b I, mean += weight m; m is copied to `means` when that is not NULL.
void ep_li_step(float *v, float *i, float a, float b, float c, float p, float q, float weight,
                float *mean, float *means, size_t width);

/// One step of the adjoint, backwards in time, under a constant drive u = -scale drive (0 when drive is
/// NULL): lI <- u + b (lI - u) + c (lV - u), lV <- u + a (lV - u); the new lI is copied to `trace`.
void ep_adjoint_step(float *lv, float *li, float a, float b, float c, const float *drive,
                     float scale, float *trace, size_t width);

/// sum_j w_j (lV_j - lI_j).
float ep_dot_difference(const float *w, const float *lv, const float *li, size_t width);

/// sum[k] = scale (parts[0][k] + parts[1][k] + ...); the parts are set to 0.
/// Returns the sum of squares of the result.
float ep_reduce(float *sum, float *const *parts, size_t count, float scale, size_t width);

/// Adam with bias correction folded into `rate` and `epsilon` (Kingma & Ba 2015, section 2):
/// m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2, w -= rate m / (sqrt(v) + epsilon), g = gain g.
void ep_adam(float *w, float *m, float *v, const float *g, float gain, float rate, float beta1,
             float beta2, float epsilon, size_t width);

#endif
