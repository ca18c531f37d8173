// SPDX-License-Identifier: MIT

/// Cross-entropy of the weighted mean voltage (Nowotny, Turner & Knight 2025, "sum"):
///
///     L = -log softmax(m)[label],   m_j = 1/T int_0^T w(t) V_j dt
///     dl/dV_j(t) = (softmax(m)_j - y_j) w(t)/T
struct SumLoss: Loss {
  static let entry = LossEntry(
    kind: "sum", title: "cross-entropy of the weighted mean voltage", readout: .weightedMean,
    make: { _ in SumLoss() })

  let readout = Readout.weightedMean

  func value(
    _ values: UnsafeBufferPointer<Double>, label: Int,
    gradient: UnsafeMutableBufferPointer<Double>
  ) -> Double {
    crossEntropy(values, scale: 1, label: label, gradient: gradient)
  }
}
