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
    readout: .firstSpike, parameters: ["tau0", "tau1", "alpha"],
    make: { FirstSpikeExponentialLoss(parameters: $0) })

  let parameters: LossParameters
  let readout = Readout.firstSpike

  func value(
    _ values: UnsafeBufferPointer<Double>, label: Int,
    gradient: UnsafeMutableBufferPointer<Double>
  ) -> Double {
    let loss = crossEntropy(values, scale: -1 / parameters.tau0, label: label, gradient: gradient)
    let growth = exp(values[label] / parameters.tau1)
    gradient[label] += parameters.alpha / parameters.tau1 * growth
    return loss + parameters.alpha * (growth - 1)
  }

  var phantomPush: Double {
    parameters.alpha / parameters.tau1 * exp(parameters.duration / parameters.tau1)
  }
}
