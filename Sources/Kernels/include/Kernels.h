// SPDX-License-Identifier: MIT

// The inner loops of the solvers, and nothing else: no allocation, no threads, no checks.
//
// Conventions
// - A width counts floats, or doubles, and is a multiple of 16 (EP_LANES), without limit unless a
//   line says so.
// - Row n of a matrix starts `stride` floats after row n - 1.
// - Buffers need no alignment beyond that of float, and do not overlap unless a line says so.
// - Indices, counts and room are the caller's to get right: one out of range is read or written.
// - Numbers that are not finite go through like others: no kernel looks for them.
// - The order of every sum is fixed by the source (16 lanes, then a fixed tree), and contraction to
//   fused multiply-add is off: each CPU level gives the same bits.
#ifndef EVENTPROP_KERNELS_H
#define EVENTPROP_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#define EP_LANES 16

/// Asks for `count` numbers of four bytes, without waiting for them. Reads none of them.
static inline void ep_prefetch(const void *numbers, size_t count) {
  for (size_t byte = 0; byte < 4 * count; byte += 64)
    __builtin_prefetch((const char *)numbers + byte);
}

/// index[k] = the step whose start times[k] rounds to, at most `last`, which infinity and NaN get
/// too. Times are not negative: those below 0 have no defined index.
void ep_time_indices(uint32_t *index, const double *times, size_t count, double steps_per_time,
                     uint32_t last);

/// Rows of a matrix by number: the weights of arriving spikes. A number may come more than once.
typedef struct {
  const float *rows;
  size_t stride;
  const uint32_t *index;
  size_t count;
} ep_rows;

/// What a spike leaves of V: 0 where `kept` is 0; where it is -1 (all bits), V - taken, but at most
/// `most`.
typedef struct {
  float taken, most;
  int32_t kept;
} ep_reset;

/// One step of LIF neurons: I += all rows of `arriving`, source by source; V <- a V + c I, then
/// I <- b I; every V >= theta spikes and is reset.
/// Writes, in ascending order, the spiking neurons and their slopes tau_m dV/dt = I_start - V_end.
/// Returns how many spiked; `neurons` and `slopes` need room for `width`. The first neuron has
/// number `first`.
/// The rows of `upcoming`, which will arrive in the next step, are fetched into the cache meanwhile
/// and not added.
/// V is compared at the end of the step only, so a neuron spikes at most once in it, and one that
/// is above theta within the step alone does not. There is no refractory time.
size_t ep_lif_step(float *v, float *i, float a, float b, float c, float theta, ep_reset reset,
                   const ep_rows *arriving, size_t sources, const ep_rows *upcoming, size_t first,
                   size_t width, uint32_t *neurons, float *slopes);

/// The most neurons of a block.
#define EP_BLOCK 128

/// A spike of a block of neurons as one number: its time index, below 2^25, and its neuron in the
/// block. Does not check either.
static inline uint32_t ep_code(size_t time, size_t lane) {
  return (uint32_t)(time * EP_BLOCK + lane);
}
static inline uint32_t ep_code_time(uint32_t code) { return code / EP_BLOCK; }
static inline uint32_t ep_code_lane(uint32_t code) { return code % EP_BLOCK; }

/// A whole trial, from rest, of a block of `width` LIF neurons whose arriving spikes are all known:
/// the steps are those of `ep_lif_step` and give the same bits. In step n the rows
/// index[offsets[n] ..< offsets[n + 1]] arrive.
/// Writes the spikes, those of step n with time index n + 1, in order of time, then neuron: codes
/// and slopes. Returns how many there are; the lists need room for `width` times `steps`.
/// Does nothing and returns 0 above a width of EP_BLOCK. Takes fewer than 2^25 steps. The block's
/// own spikes do not arrive in it. V and I of the end are not given out.
size_t ep_lif_block(float a, float b, float c, float theta, ep_reset reset, const float *rows,
                    size_t stride, const uint32_t *index, const uint32_t *offsets, size_t steps, size_t width,
                    uint32_t *codes, float *slopes);

/// Constants of one step for each neuron of a layer, `width` of each.
typedef struct {
  /// V <- a V + c I, I <- b I; backward lI <- b lI + back lV, lV <- a lV.
  const float *a, *b, *c, *back;
  /// Of spiking neurons.
  const float *theta;
  /// What of theta a spike takes where V is carried over a spike (`kept` not 0).
  const float *late;
  int32_t kept;
  /// Of neurons that adapt: the threshold is theta + beta a, a <- fall a in a step, and the slope
  /// at a spike has lift a more.
  const float *beta, *fall, *lift;
  /// What the read-out takes of a step: mean_v V + mean_i I.
  const float *mean_v, *mean_i;
  /// The gradients of time constants: see `ep_each_collect`.
  const float *mem_i, *mem_v, *syn_i, *syn_v, *fall_a;
} ep_each;

/// V, I and a of every neuron at the start of a step, after what arrives in it.
typedef struct {
  float *v, *i, *adapt;
} ep_each_record;

/// One step of spiking neurons with constants of their own: I += `current` unless that is NULL, and
/// all rows of `arriving`; V <- a V + c I, then I <- b I, adapt <- fall adapt; every V >= theta +
/// beta adapt spikes and is reset; then adapt += 1. `adapt` is NULL where neurons do not adapt.
/// Writes, in ascending order, the spiking neurons, their slopes I_start - V_end + lift adapt, and
/// where they adapt what adapt was before the spike. Returns how many spiked; the lists need room
/// for `width`. With `record`, writes the state at the start. The rows of `upcoming`, unless that
/// is NULL, are fetched into the cache meanwhile and not added.
size_t ep_each_step(float *v, float *i, float *adapt, const ep_each *each, const ep_rows *arriving,
                    size_t sources, const ep_rows *upcoming, const float *current,
                    const ep_each_record *record, size_t width, uint32_t *neurons, float *slopes,
                    float *memories);

/// The adjoint of a step, backwards in time: b lI + back lV goes to `result`, which may be `li`; lV
/// <- a lV, la <- fall la unless that is NULL. With `drive`, the u of this step, and `last`, that
/// of the step gone through last: what is kept is lV - u and lI - u, as `ep_adjoint_driven` has it;
/// `last` becomes u. lI itself goes to `currents`, lV - lI to `errors`, share lI to `kept`, unless
/// they are NULL.
void ep_each_back(float *lv, const float *li, float *result, float *la, const ep_each *each,
                  const float *drive, float *last, float *currents, float *errors,
                  const float *share, float *kept, size_t width);

/// What a step adds to the gradients of time constants, before `ep_each_back` goes through it:
/// mem += lV (mem_i I - mem_v V), syn -= I (syn_i lI + syn_v lV), fall -= fall_a a la; V, I and a
/// from `record`. With a drive u: mem += u (V_end - V), syn += u (I_end - I), and lV and lI stand
/// for lV - u and lI - u.
void ep_each_collect(float *mem, float *syn, float *fall, const ep_each *each,
                     const ep_each_record *record, const float *lv, const float *li,
                     const float *la, const float *drive, const float *last, size_t width);

/// One step of LI neurons with constants of their own, as a step of `ep_li_trial`: the rows of
/// `means`, `voltages` and `currents` are those of this step.
void ep_each_li(float *v, float *i, const ep_each *each, const ep_rows *arriving,
                const float *current, const ep_each_record *record, float weight, float *mean,
                float *means, float *voltages, float *currents, size_t width);

/// steps[k] = delays[k] rounded to steps, at most `most`.
void ep_delay_steps(uint32_t *steps, const float *delays, float steps_per_time, float most,
                    size_t width);

/// The synapses of one neuron, by source: weights, and delays in whole steps.
typedef struct {
  const float *weights;
  const uint32_t *steps;
} ep_delays;

/// Spikes of sources on their way to one neuron: series[times[k] + steps[s]] += weights[s] for k in
/// starts[s] ..< starts[s + 1], in order. `series` has room for the longest delay after the last
/// step.
void ep_delay_spread(float *series, const ep_delays *delays, const uint32_t *starts,
                     const uint32_t *times, size_t sources);

/// The adjoint of `ep_delay_spread`: of a trace of pairs, lI and lV - lI of the neuron at each step
/// (0 after the last), their sums over where the spikes of each source arrive.
void ep_delay_gather(const float *trace, const ep_delays *delays, const uint32_t *starts,
                     const uint32_t *times, size_t sources, float *currents, float *errors);

/// errors[k] += weight (lV - lI) where spike k arrives.
void ep_delay_errors(const float *trace, const ep_delays *delays, const uint32_t *starts,
                     const uint32_t *times, size_t sources, float *errors);

/// A spike is sent to `count` neurons: weights[j] is added to column j of the row steps[j] on from
/// `rows`, and of the rows of lV - lI there the sum is taken, times the weights.
void ep_delay_send(float *rows, size_t stride, const float *weights, const uint32_t *steps,
                   size_t count);
float ep_delay_sum(const float *rows, size_t stride, const float *weights, const uint32_t *steps,
                   size_t count);

/// The transpose of a matrix; `rows` and `columns` are multiples of 16. What is no float is moved
/// like one.
void ep_transpose(float *to, size_t to_stride, const float *from, size_t from_stride, size_t rows,
                  size_t columns);

/// Of 16 columns over `steps` rows, each a row of pairs: lI and lV - lI at every step. Writes, and
/// reads, up to a whole number of 8 steps.
void ep_delay_pairs(float *pairs, size_t stride, const float *currents, const float *errors,
                    size_t from_stride, size_t steps);

/// The adjoint over a gap of some steps, backwards in time: lI <- b lI + c lV, lV <- a lV.
typedef struct {
  float a, b, c;
} ep_gap;

/// Spikes in order of time: who, and at which time index.
typedef struct {
  const uint32_t *neurons;
  const uint32_t *times;
  size_t count;
} ep_spikes;

/// The adjoint of `ep_lif_block`, from lV = lI = 0 at time index `steps` back, from spike to spike;
/// gaps[d] is that of d steps, for d = 0 ... steps.
/// At each of the `arriving` spikes, of neuron i: row i of `gradient`, whose rows are `width` apart
/// and which is the block's alone, += lI.
/// At each of the `count` spikes s of the block, of neuron j in it: lV_j += (theta lV_j +
/// errors[s]) / slopes[s], then += push[j] unless `push` is NULL. Where both are at one time, the
/// arriving ones come first.
/// Does nothing above a width of EP_BLOCK. A slope of 0 is divided by like any other. It finds no
/// errors of the arriving spikes: that is `ep_dot_rows`. lV and lI of the end are not given out.
void ep_lif_block_adjoint(const ep_gap *gaps, float theta, const ep_spikes *arriving,
                          const uint32_t *codes, const float *slopes, const float *errors,
                          size_t count, const float *push, size_t steps, float *gradient,
                          size_t width);

/// A whole trial, from rest, of LI neurons. Per step n: I += the rows
/// index[offsets[n] ..< offsets[n + 1]]; the mean voltage over the step is m = p V + q I; then
/// V <- a V + c I, I <- b I, mean += weights[n] m. Where they are not NULL, m goes to row n of
/// `means` and the new V and I to row n of `voltages` and `currents` (rows of `width`).
/// `mean` is added to, and not cleared before. There is no threshold, hence no spike.
void ep_li_trial(float a, float b, float c, float p, float q, const float *rows, size_t stride,
                 const uint32_t *index, const uint32_t *offsets, size_t steps,
                 const float *weights, float *mean, float *means, float *voltages, float *currents,
                 size_t width);

/// The adjoint over a gap. The new lV goes to `lv`, the new lI to `result`, which may be `li`
/// itself. There is no drive in it.
void ep_adjoint_gap(float *lv, const float *li, float *result, ep_gap gap, size_t width);

/// The adjoint through the steps to - 1, ..., from, backwards in time, of a trial of `steps` steps,
/// under the drive u = -held weights[n] d over step n, d being row n of `drive` (rows of `stride`
/// floats; 0 where all steps share one): lI <- u + b (lI - u) + c (lV - u), lV <- u + a (lV - u).
/// What is kept in `lv` and `li` is lV - u and lI - u, u being that of the step gone through last
/// (0 at T): lV - lI, which goes to 0 where u stays the same, is then right to its own last digits
/// and not to those of u. lI itself goes to `result` unless that is NULL; lV itself is not given
/// out. Here a, b and c are those of one step: there is no larger gap under a drive.
void ep_adjoint_driven(float *lv, float *li, float *result, float a, float b, float c,
                       const float *drive, size_t stride, const float *weights, float held,
                       size_t from, size_t to, size_t steps, size_t width);

/// errors[k] += sum_j w_kj (lV_j - lI_j), w_k being row index[k], for k < count. The sum is one of
/// floats: the even and the odd vectors of a row apart, then both, then the lanes.
void ep_dot_rows(float *errors, const float *rows, size_t stride, const uint32_t *index,
                 size_t count, const float *lv, const float *li, size_t width);

/// For every neuron j < count: row j of `sum` (rows `stride` apart) += the rows
/// index[starts[j] ..< starts[j + 1]] of `trace`, in order. A neuron without any stays as it is.
void ep_gather(float *sum, size_t stride, const float *trace, size_t trace_stride,
               const uint32_t *starts, const uint32_t *index, size_t count, size_t width);

/// sum += part.
void ep_add(float *sum, const float *part, size_t width);

/// values <- scale values; returns the sum of squares of the result. That sum is one of floats: it
/// is infinite where it exceeds them, about 3e38.
float ep_scale(float *values, float scale, size_t width);

/// Adam with bias correction folded into `rate` and `epsilon` (Kingma & Ba 2015, section 2):
/// m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2, w -= rate m / (sqrt(v) + epsilon), g = gain g.
/// Counts no updates and decays no weights.
void ep_adam(float *w, float *m, float *v, const float *g, float gain, float rate, float beta1,
             float beta2, float epsilon, size_t width);
/// The same in Double.
void ep_adam_double(double *w, double *m, double *v, const double *g, double gain, double rate,
                    double beta1, double beta2, double epsilon, size_t width);

/// Gradient descent: b <- momentum b + (gain g + decay w), w -= rate b, or with `nesterov`
/// w -= rate (gain g + decay w + momentum b), w on the right being the one before. `b` may be NULL:
/// then b = gain g + decay w, and nothing is kept.
void ep_sgd(float *w, float *b, const float *g, float gain, float rate, float momentum,
            float decay, int nesterov, size_t width);

/// values <- gain values, of those beyond -size ... size the nearer end. NaN stays.
void ep_limit(float *values, float gain, float size, size_t width);

/// What the dynamics of LIF neurons do over a gap. Forward: V <- a V + c I, I <- b I; backward:
/// lI <- b lI + c lV, lV <- a lV.
typedef struct {
  double a, b, c;
} ep_flow;

/// Rows of a matrix of doubles by number. A number may come more than once.
typedef struct {
  const double *rows;
  size_t stride;
  const uint32_t *index;
  size_t count;
} ep_exact_rows;

/// Some neurons of a layer, ascending, with their V, I and threshold. All arrays have room for the
/// layer's width.
typedef struct {
  uint32_t *index;
  double *v, *i, *theta;
  size_t count;
} ep_exact_few;

/// One event of a recurrent layer of LIF neurons: over the gap that has `past`, V <- a V + c I and
/// I <- b I; V of neuron `spiking` is reset to 0 (none where it is at or beyond `width`); I += all
/// rows of `arriving`, in order.
/// Then looks over the gap that lies `ahead`: `few` gets every neuron whose V may reach its
/// threshold theta there while it rises, and some that do not. `reach` is the gap ahead over tau_m,
/// or a little more. A threshold of infinity is never reached. The rows of `upcoming` are fetched
/// into the cache meanwhile.
void ep_exact_step(double *v, double *i, const double *theta, const ep_flow *past,
                   const ep_exact_rows *arriving, const ep_exact_rows *upcoming, size_t spiking,
                   const ep_flow *ahead, double reach, size_t width, ep_exact_few *few);

/// The place of the one whose V, rising along its tangent, would be at its threshold first; of
/// equals the first.
size_t ep_exact_likeliest(const ep_exact_few *few);

/// The places of those whose V may reach their thresholds in a gap that has flow `until` while it
/// rises: of no other does it. Returns how many; `places` has room for all.
size_t ep_exact_within(const ep_exact_few *few, const ep_flow *until, uint32_t *places);

/// Its adjoint: lI <- b lI + c lV and lV <- a lV over the gap before the event, then the rows
/// index[0 ..< count] of `gradient` (rows of `stride`; one at least) += lI. Where `weights` is not
/// NULL, returns sum_j weights_j (lV_j - lI_j), in 16 lanes and then a tree; else 0.
double ep_exact_back(double *lv, double *li, const ep_flow *gap, const double *weights,
                     double *gradient, size_t stride, const uint32_t *index, size_t count,
                     size_t width);

/// The same for neurons with time constants of their own: numbers of each, in arrays of `width`.
typedef struct {
  /// What `ep_exact_flows` writes: V <- a V + c I, I <- b I.
  double *a, *b, *c;
  /// 1/tau_m and 1/tau_s, not negative.
  const double *rate_mem, *rate_syn;
  /// tau_s/(tau_m - tau_s), or 0 where the two are near each other.
  const double *rise;
  /// tau_m/tau_s, and tau_s over that of the first neuron.
  const double *ratio, *share;
  /// The largest of the rates.
  double fastest;
} ep_exact_flow;

/// exp(-gap/tau) of each gap, right to two units in the last place; below exp(-700) that.
void ep_exact_exps(const double *gaps, size_t count, double tau, double *result);
/// 1 - exp(-gap/tau) of each gap, right to some units in the last place also where it is small.
void ep_exact_rises(const double *gaps, size_t count, double tau, double *result);

/// a, b and c over a gap. The exponentials are right to two units in the last place; those below
/// exp(-700) are that.
void ep_exact_flows(const ep_exact_flow *flow, double gap, size_t width);

/// As `ep_exact_step`, for neurons with time constants of their own. The gap ahead is `gap` long,
/// or a little more; the look ahead is by tangents alone, with more candidates.
void ep_exact_step_each(double *v, double *i, const double *theta, const ep_exact_flow *past,
                        const ep_exact_rows *arriving, const ep_exact_rows *upcoming,
                        size_t spiking, double gap, size_t width, ep_exact_few *few);

/// As `ep_exact_back`, for such neurons: lI <- b lI + ratio c lV, lV <- a lV; rows += share lI,
/// which is left in a.
double ep_exact_back_each(double *lv, double *li, const ep_exact_flow *gap, const double *weights,
                          double *gradient, size_t stride, const uint32_t *index, size_t count,
                          size_t width);

/// tau_m = n tau_s: of each exp(-s/tau_m) where V first reaches theta, after a time s, if it does
/// before its maximum. The steps are those of `Crossing.solvePolynomial`, bit for bit. `x` has room
/// for a multiple of 8.
void ep_exact_roots(ep_exact_few *few, int n, double *x);

/// x <- a x + c y and y <- b y: V and I over a gap, or lI and lV back over it.
void ep_exact_gap(double *x, double *y, double a, double c, double b, size_t width);

/// LI neurons over a gap, in Double: mean += decay V + rise I, with what rounding cuts off from it
/// kept in `lost`; then V <- a V + c I, I <- b I, and I += `row` unless that is NULL.
void ep_exact_li(double *v, double *i, const ep_flow *over, double decay, double rise,
                 const double *row, double *mean, double *lost, size_t width);

/// Its adjoint: lI <- b lI + c lV - rise slope, lV <- a lV - decay slope. Unless `weights` is NULL:
/// `gradient` += lI, and returns sum_j weights_j (lV_j - lI_j); else 0.
double ep_exact_li_back(double *lv, double *li, const ep_flow *over, const double *slope,
                        double decay, double rise, const double *weights, double *gradient,
                        size_t width);

#endif
