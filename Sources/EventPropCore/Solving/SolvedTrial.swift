// SPDX-License-Identifier: MIT

/// One spike of a layer: neuron within the layer, time in ms, and tau_m dV/dt just before it.
public struct LayerSpike: Sendable, Equatable {
  /// Index within the layer, or of the input unit.
  public var neuron: Int
  /// ms; on the grid a multiple of dt.
  public var time: Double
  /// The jump of lV at the spike is divided by it; 0 for input spikes, which have none.
  public var slope: Double
}

/// The forward results that both solvers share.
public protocol SolvedTrial: AnyObject {
  var label: Int { get set }
  /// NaN when `failure` says why there is none, and before the first pass.
  var loss: Double { get }
  /// The predicted class; -1 when no output spiked (first-spike losses).
  var prediction: Int { get }
  /// How well the outputs follow their targets; nil where labels are classes, and before the first
  /// pass.
  var fit: Fit? { get }
  /// Whether the label's output was silent, so that `backward` injects a phantom spike.
  var needsPhantom: Bool { get }
  /// Whether the label's output was mute, so that its weights have no gradient at all: without a
  /// spike (`.firstSpike`), or with a voltage that never rose above 0 (`.maximum`).
  var isLabelMute: Bool { get }
  /// Makes the next `backward` leave the phantom spike out: then the gradient is the loss's own.
  func withholdPhantom()
  /// Why the forward pass was given up (weights have exploded); nil when all is well.
  var failure: String? { get }
  /// Per hidden layer: whether each neuron has no spikes in the passes to come, whatever its
  /// voltage; empty, or an empty layer: none is held back. Slopes and times of others are as ever.
  var dropped: [[Bool]] { get set }
  /// Input spikes as the solver used them, in order of time; slopes are 0.
  var inputSpikes: [LayerSpike] { get }
  /// Spikes of a layer (`0` is hidden1) in order of time.
  func spikes(ofLayer layer: Int) -> [LayerSpike]
  /// Adds each neuron's number of spikes to `counts`, and sets the marks of those that spiked to
  /// `mark`.
  /// - Returns: how many had another mark before.
  func addSpikeCounts(
    ofLayer layer: Int, to counts: inout [Int], marks: inout [Int], mark: Int
  ) -> Int
}

extension SolvedTrial {
  /// Adds each neuron's number of spikes to `counts`.
  public func addSpikeCounts(ofLayer layer: Int, to counts: inout [Int]) {
    var marks = counts.map { _ in 0 }
    _ = addSpikeCounts(ofLayer: layer, to: &counts, marks: &marks, mark: 1)
  }
}
