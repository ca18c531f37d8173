// SPDX-License-Identifier: MIT

/// Everything a solver needs to know besides weights and samples.
public struct Problem: Sendable {
  /// Layers and their constants; of those that are trained, the solvers take the values of
  /// `Parameters` instead.
  public var network: Network
  /// Trial length T, ms.
  public var duration: Double
  /// Step of the grid, ms. The exact solver takes it for `mergesInput` alone.
  public var step: Double
  /// Its `readout` must suit the output layer: `.firstSpike` needs spikes, the others voltages
  /// (LI).
  public var loss: any Loss
  /// w(t/T) of the integral losses; `.maximum` and `.firstSpike` do without.
  public var shaping: Shaping
  /// At most one input spike per unit and step: further ones are merged into the first.
  public var mergesInput: Bool
  /// How the grid reads output voltages; the exact solver ignores it.
  public var rule: ReadoutRule

  /// Checks nothing; what the grid cannot run stops in `GridSolver.init`.
  public init(
    network: Network, duration: Double, step: Double, loss: any Loss, shaping: Shaping = .none,
    mergesInput: Bool = false, rule: ReadoutRule = .integrated
  ) {
    self.network = network
    self.duration = duration
    self.step = step
    self.loss = loss
    self.shaping = shaping
    self.mergesInput = mergesInput
    self.rule = rule
  }
}

/// How the integral losses read output voltages on the grid.
public enum ReadoutRule: String, Sendable, CaseIterable {
  /// Exactly over each step, w being constant in it.
  case integrated
  /// At the end of each step, as GeNN and the paper's code do; their adjoint is driven over the
  /// whole step, as under `integrated`. So the two rules differ in the value of the loss, and in
  /// the gradient by O(dt).
  case sampled
}

/// A way to run trials of a network forward and to carry their errors backward (EventProp).
///
/// A `Trial` keeps what one sample's forward pass found; a `Tape` what the backward passes of one
/// or more trials leave for the gradient; a `Workspace` is scratch memory. All are reused, and each
/// is touched by one thread at a time. Gradients are *added* to `gradient` without the common
/// factor -tau_s of the target layer: `gradientScales` says what to multiply by.
public protocol Solver: AnyObject, Sendable, SendableMetatype {
  associatedtype Scalar: NetworkScalar
  associatedtype Trial: SolvedTrial
  associatedtype Tape: AnyObject
  associatedtype Workspace: AnyObject

  init(_ problem: Problem)
  var problem: Problem { get }

  func makeTrial() -> Trial
  func makeTape() -> Tape
  func makeWorkspace() -> Workspace

  /// Hands a sample to a trial. Spikes at or beyond T are left out, on the grid also those that
  /// round to it.
  func load(_ input: SpikeTrainView, label: Int, into trial: Trial)

  /// Runs the loaded sample forward: spikes, loss and prediction are then in `trial`.
  func forward(_ trial: Trial, weights: Parameters<Scalar>, workspace: Workspace)

  /// Runs the loaded sample forward with one spike forced or suppressed; `backward` must not
  /// follow.
  func forward(
    _ trial: Trial, weights: Parameters<Scalar>, workspace: Workspace, with: Intervention)

  /// Runs the adjoint of the last `forward` and adds what the gradient needs of it to a tape.
  /// - Parameter push: per hidden layer and neuron, what rate regularisation adds to lV per spike.
  func backward(
    _ trial: Trial, weights: Parameters<Scalar>, push: [[Double]], tape: Tape,
    workspace: Workspace)

  /// Empties a tape.
  func rewind(_ tape: Tape)

  /// Adds some scalars of one array of the gradient, summed over the tapes in order.
  func gather(
    _ tapes: [Tape], array: Int, scalars: Range<Int>, into gradient: Parameters<Scalar>)

  /// What runs batches of this solver; `Batch` itself unless a solver has a better way.
  func makeBatch(weights: Parameters<Scalar>, capacity: Int, shards: Int) -> Batch<Self>
}

extension Solver {
  /// A plain `Batch`: each trial goes through all layers by itself.
  public func makeBatch(weights: Parameters<Scalar>, capacity: Int, shards: Int) -> Batch<Self> {
    Batch(self, weights: weights, capacity: capacity, shards: shards)
  }
}

extension Solver {
  /// Per array of parameters: what the sum over trials of what `backward` and `gather` added is
  /// multiplied by to be the mean gradient. For weights it holds -tau_s of the target (where it
  /// differs, of its first neuron: the solver sees to the rest).
  public func gradientScales(trials: Int) -> [Double] {
    problem.network.projections.map {
      -problem.network.layers[$0.target - 1].tauSyn[0] / Double(trials)
    } + problem.network.vectors.map { _ in 1 / Double(trials) }
  }

  /// Makes of what `backward` and `gather` added over some trials the gradient of the mean loss.
  public func finish(_ gradient: Parameters<Scalar>, trials: Int) {
    for (array, scale) in zip(gradient.arrays, gradientScales(trials: max(trials, 1))) {
      array.values = array.values.map { $0 * Scalar(scale) }
    }
  }

  /// Runs the adjoint of the last `forward` and adds the trial's gradient to `gradient`.
  /// - Parameters:
  ///   - push: as above.
  ///   - tape: taken over, and left as it is then; nil: one is made.
  public func backward(
    _ trial: Trial, weights: Parameters<Scalar>, push: [[Double]], gradient: Parameters<Scalar>,
    tape: Tape? = nil, workspace: Workspace
  ) {
    let tape = tape ?? makeTape()
    rewind(tape)
    backward(trial, weights: weights, push: push, tape: tape, workspace: workspace)
    for (index, array) in gradient.arrays.enumerated() {
      gather([tape], array: index, scalars: 0..<array.count, into: gradient)
    }
  }
}

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
  /// NaN when `problem` says why there is none.
  var loss: Double { get }
  /// The predicted class; -1 when no output spiked (first-spike losses).
  var prediction: Int { get }
  /// Whether the label's output was silent, so that `backward` injects a phantom spike.
  var needsPhantom: Bool { get }
  /// Whether the label's output was mute, so that its weights have no gradient at all: without a
  /// spike (`.firstSpike`), or with a voltage that never rose above 0 (`.maximum`).
  var isLabelMute: Bool { get }
  /// Makes the next `backward` leave the phantom spike out: then the gradient is the loss's own.
  func withholdPhantom()
  /// Why the forward pass was given up (weights have exploded); nil when all is well.
  var failure: String? { get }
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

extension Loss {
  /// The class that read-out values speak for; silent outputs (`.firstSpike`) are infinite. -1 when
  /// all are silent.
  func prediction(_ values: UnsafeBufferPointer<Double>) -> Int {
    var best = 0
    if readout == .firstSpike {
      for j in values.indices where values[j] < values[best] { best = j }
      return values[best] < .infinity ? best : -1
    }
    for j in values.indices where values[j] > values[best] { best = j }
    return best
  }

  /// From read-out values to prediction, loss and derivative; silent outputs then count as T.
  func conclude(
    _ values: inout [Double], label: Int, duration: Double, gradient: inout [Double]
  ) -> (prediction: Int, loss: Double, needsPhantom: Bool, isLabelMute: Bool) {
    values.withUnsafeMutableBufferPointer { values in
      let prediction = prediction(UnsafeBufferPointer(values))
      let needsPhantom = readout == .firstSpike && values[label] == .infinity
      let isLabelMute = needsPhantom || (readout == .maximum && values[label] <= 0)
      for j in values.indices where values[j] == .infinity { values[j] = duration }
      let loss = gradient.withUnsafeMutableBufferPointer {
        value(UnsafeBufferPointer(values), label: label, gradient: $0)
      }
      return (prediction, loss, needsPhantom, isLabelMute)
    }
  }
}
