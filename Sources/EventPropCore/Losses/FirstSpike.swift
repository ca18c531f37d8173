// SPDX-License-Identifier: MIT

/// Time to first spike (Wunderlich & Pehle 2021; Nowotny, Turner & Knight 2025, "first_spike"):
///
///     L = -log softmax(-t/tau0)[label] + alpha/(1.01 T - t_label)
///     dl/dt_j = (y_j - z_j)/tau0,  label also + alpha/(1.01 T - t_label)^2
///
/// A silent output counts as a spike at T; a silent label gets a phantom push alpha/(0.01 T)^2.
struct FirstSpikeLoss: Loss {
  static let entry = LossEntry(
    kind: "first_spike", title: "time to first spike", readout: .firstSpike,
    keys: [.tau0, .alpha], make: { FirstSpikeLoss($0) })

  let readout = Readout.firstSpike
  private let tau0, alpha, duration: Double

  init(_ parameters: LossParameters) {
    (tau0, alpha, duration) = (parameters[.tau0], parameters[.alpha], parameters.duration)
  }

  func value(
    _ values: UnsafeBufferPointer<Double>, label: Int,
    gradient: UnsafeMutableBufferPointer<Double>
  ) -> Double {
    let loss = crossEntropy(values, scale: -1 / tau0, label: label, gradient: gradient)
    let slack = 1.01 * duration - values[label]
    gradient[label] += alpha / (slack * slack)
    return loss + alpha / slack
  }

  var phantomPush: Double {
    let slack = 0.01 * duration
    return alpha / (slack * slack)
  }
}
