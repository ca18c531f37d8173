// SPDX-License-Identifier: MIT

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
  /// differs, of its first neuron, or 1: the solver sees to the rest).
  public func gradientScales(trials: Int) -> [Double] {
    problem.network.gradientFactors.map { $0 / Double(trials) }
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
