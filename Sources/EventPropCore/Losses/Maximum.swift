// SPDX-License-Identifier: MIT

/// Cross-entropy of the maximum voltages (Wunderlich & Pehle 2021):
///
///     L = -log softmax(M)[label],   M_j = max_t V_j(t)
///     at t_max of output j:  lV_j -= (softmax(M)_j - y_j)/tau_m
///
/// Where the maximum is a kink (V_j rises until a spike with negative weight arrives), t_max moves
/// with that spike: the solvers add dL/dM_j dV_j/dt(t-) to the spike's own time derivative.
struct MaximumLoss: Loss {
  static let entry = LossEntry(
    kind: "max", title: "cross-entropy of the maximum voltages", readout: .maximum,
    make: { _ in MaximumLoss() })

  let readout = Readout.maximum

  func value(
    _ values: UnsafeBufferPointer<Double>, label: Int,
    gradient: UnsafeMutableBufferPointer<Double>
  ) -> Double {
    crossEntropy(values, scale: 1, label: label, gradient: gradient)
  }
}
