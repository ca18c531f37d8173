// SPDX-License-Identifier: MIT

/// Mean of the instantaneous cross-entropy (Nowotny, Turner & Knight 2025, "avg_xentropy"):
///
///     L = -1/T int_0^T w(t) log softmax(V(t))[label] dt
///     dl/dV_j(t) = (softmax(V(t))_j - y_j) w(t)/T
///
/// `value` is the integrand at one time; the solvers integrate.
struct AverageCrossEntropyLoss: Loss {
  static let entry = LossEntry(
    kind: "avg_xentropy", title: "mean of the instantaneous cross-entropy",
    readout: .instantaneous, make: { _ in AverageCrossEntropyLoss() })

  let readout = Readout.instantaneous

  func value(
    _ values: UnsafeBufferPointer<Double>, label: Int,
    gradient: UnsafeMutableBufferPointer<Double>
  ) -> Double {
    crossEntropy(values, scale: 1, label: label, gradient: gradient)
  }
}
