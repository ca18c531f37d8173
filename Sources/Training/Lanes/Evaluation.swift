// SPDX-License-Identifier: MIT

import EventPropCore

/// The result of running a data set forward.
public struct Evaluation: Sendable {
  /// Mean over samples.
  public var loss: Double
  /// Share 0...1; of target series R^2, at most 1.
  public var accuracy: Double
  /// Predicted class per sample; -1 for none. Empty where outputs follow target series.
  public var predictions: [Int]
  /// Of target series, per sample; empty where labels are classes.
  public var fits: [Fit] = []
  /// Class per sample, in the order of the data set; or the number of its target series.
  public var labels: [Int]
  /// Spikes per neuron and trial, per hidden layer.
  public var meanSpikes: [Double]
  /// Neurons without any spike, per hidden layer.
  public var dead: [Int]

  /// Accuracy over the samples for which `include` holds; nil when there are none.
  public func accuracy(where include: (Int) -> Bool) -> Double? {
    let chosen = labels.indices.filter(include)
    guard !chosen.isEmpty else { return nil }
    if !fits.isEmpty {
      return chosen.reduce(Fit(error: 0, spread: 0)) { $0 + fits[$1] }.explained
    }
    return Double(chosen.count { predictions[$0] == labels[$0] }) / Double(chosen.count)
  }
}
