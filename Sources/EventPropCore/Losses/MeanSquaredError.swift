// SPDX-License-Identifier: MIT

/// Output voltages are to follow target series (Wunderlich & Pehle 2021's l_V):
///
///     L = 1/T int_0^T w(t) 1/2 sum_j (V_j - Y_j(t))^2 dt
///     dl/dV_j(t) = (V_j - Y_j(t)) w(t)/T
///
/// Of classes the label's Y is 1 throughout, all others 0. `value` is given V - Y at one time.
struct MeanSquaredErrorLoss: Loss {
  static let entry = LossEntry(
    kind: "mse", title: "squared distance of voltages from their targets",
    readout: .instantaneous, readsTargets: true, make: { _ in MeanSquaredErrorLoss() })

  let readout = Readout.instantaneous
  var readsTargets: Bool { true }

  func value(
    _ values: UnsafeBufferPointer<Double>, label: Int,
    gradient: UnsafeMutableBufferPointer<Double>
  ) -> Double {
    var loss = 0.0
    for j in values.indices {
      gradient[j] = values[j]
      loss += values[j] * values[j] / 2
    }
    return loss
  }
}
