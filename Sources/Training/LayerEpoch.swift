// SPDX-License-Identifier: MIT

/// A hidden layer over one epoch: who spiked how much, and from when in the trial its gradient
/// came.
public struct LayerEpoch: Sendable, Equatable {
  /// Per neuron: spikes per trial, mean over the epoch's training trials.
  public let rates: [Float]
  /// Norms of the gradient of the weights into it by tenth of the trial, on the probe; empty: not
  /// looked at.
  public var gradientByTenth: [Double]
  /// Its spikes on the probe by tenth of the trial, as shares; empty: not looked at.
  public var spikesByTenth: [Double]

  /// Spikes per neuron and trial.
  public let mean: Double

  /// As read from a file or made by a trainer.
  public init(rates: [Float], gradientByTenth: [Double] = [], spikesByTenth: [Double] = []) {
    (self.rates, self.gradientByTenth, self.spikesByTenth) = (rates, gradientByTenth, spikesByTenth)
    mean = rates.isEmpty ? 0 : Double(rates.reduce(0, +)) / Double(rates.count)
  }

  /// Share of the gradient from the last three tenths of the trial; nil where there is none.
  public var lateShare: Double? {
    let all = gradientByTenth.reduce(0, +)
    return all > 0 && all.isFinite ? gradientByTenth.suffix(3).reduce(0, +) / all : nil
  }
}
