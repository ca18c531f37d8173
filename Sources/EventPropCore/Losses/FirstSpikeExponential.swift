// SPDX-License-Identifier: MIT

import Foundation

/// Time to first spike with an exponential penalty (Nowotny, Turner & Knight 2025,
/// "first_spike_exp"):
///
///     L = -log softmax(-t/tau0)[label] + alpha (exp(t_label/tau1) - 1)
///     dl/dt_j = (y_j - z_j)/tau0,  label also + alpha/tau1 exp(t_label/tau1)
///
/// A silent output counts as a spike at T; a silent label gets a phantom push alpha/tau1
/// exp(T/tau1).
struct FirstSpikeExponentialLoss: Loss {
  static let entry = LossEntry(
    kind: "first_spike_exp", title: "time to first spike, exponential penalty",
    readout: .firstSpike, keys: [.tau0, .tau1, .alpha],
    make: { FirstSpikeExponentialLoss($0) })

  let readout = Readout.firstSpike
  private let tau0, tau1, alpha, duration: Double

  init(_ parameters: LossParameters) {
    (tau0, tau1, alpha) = (parameters[.tau0], parameters[.tau1], parameters[.alpha])
    duration = parameters.duration
  }

  func value(
    _ values: UnsafeBufferPointer<Double>, label: Int,
    gradient: UnsafeMutableBufferPointer<Double>
  ) -> Double {
    let loss = crossEntropy(values, scale: -1 / tau0, label: label, gradient: gradient)
    let growth = exp(values[label] / tau1)
    gradient[label] += alpha / tau1 * growth
    return loss + alpha * (growth - 1)
  }

  var phantomPush: Double {
    alpha / tau1 * exp(duration / tau1)
  }
}
