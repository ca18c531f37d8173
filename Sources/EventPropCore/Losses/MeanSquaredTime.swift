// SPDX-License-Identifier: MIT

/// The label's first spike is to come `delta` before that of every other output, whenever that is
/// (Meszaros, Knight & Nowotny 2025; Goeltz et al. 2025):
///
///     L = 1/2 sum over j != label of (t_j - t_label - delta)^2
///     dl/dt_j = t_j - t_label - delta,  dl/dt_label = minus their sum
///
/// A silent output counts as a spike at T, and has no gradient. A silent label gets a phantom push
/// of delta: what the loss would have by its time for each other output that is silent too.
struct MeanSquaredTimeLoss: Loss {
  static let delta = LossKey("delta", standard: 2)

  static let entry = LossEntry(
    kind: "mse_time", title: "squared differences of first spike times", readout: .firstSpike,
    keys: [delta], make: { MeanSquaredTimeLoss(delta: $0[delta]) })

  let readout = Readout.firstSpike
  /// ms.
  let delta: Double

  func value(
    _ values: UnsafeBufferPointer<Double>, label: Int,
    gradient: UnsafeMutableBufferPointer<Double>
  ) -> Double {
    var (loss, sum) = (0.0, 0.0)
    for j in values.indices where j != label {
      let off = values[j] - values[label] - delta
      gradient[j] = off
      sum += off
      loss += off * off / 2
    }
    gradient[label] = -sum
    return loss
  }

  var phantomPush: Double { delta }
}
