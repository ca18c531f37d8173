// SPDX-License-Identifier: MIT

/// The result of running a data set forward.
public struct Evaluation: Sendable {
  /// Mean over samples.
  public var loss: Double
  /// Share 0...1.
  public var accuracy: Double
  /// Predicted class per sample; -1 for none.
  public var predictions: [Int]
  /// Class per sample, in the order of the data set.
  public var labels: [Int]
  /// Spikes per neuron and trial, per hidden layer.
  public var meanSpikes: [Double]
  /// Neurons without any spike, per hidden layer.
  public var dead: [Int]

  /// Accuracy over the samples for which `include` holds; nil when there are none.
  public func accuracy(where include: (Int) -> Bool) -> Double? {
    let chosen = labels.indices.filter(include)
    guard !chosen.isEmpty else { return nil }
    return Double(chosen.count { predictions[$0] == labels[$0] }) / Double(chosen.count)
  }
}
