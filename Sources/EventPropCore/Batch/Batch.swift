// SPDX-License-Identifier: MIT

/// The samples of one batch.
public protocol BatchSamples: AnyObject {
  var count: Int { get }
  /// Calls `body` with the samples of some slots, one after another.
  func forEach(_ slots: Range<Int>, _ body: (_ slot: Int, SpikeTrainView, _ label: Int) -> Void)
  /// The same, without the spikes.
  func forEachLabel(_ slots: Range<Int>, _ body: (_ slot: Int, _ label: Int) -> Void)
  /// What it depends on who is dropped in a slot's trial (`Layer.dropout`), for each hidden layer a
  /// stream of its own; nil: nobody is.
  func dropoutChance(_ slot: Int, layer: Int) -> Random?
}

extension BatchSamples {
  /// nil: nobody is dropped.
  public func dropoutChance(_ slot: Int, layer: Int) -> Random? { nil }
}

/// Samples in a list.
public final class SampleList: BatchSamples {
  private let samples: [(train: SpikeTrain, label: Int)]

  /// Slot k is `samples[k]`. Trains must be valid (`SpikeTrainView.isValid`); not checked here.
  public init(_ samples: [(train: SpikeTrain, label: Int)]) { self.samples = samples }

  /// Of the whole list: all of it is one batch.
  public var count: Int { samples.count }

  /// Views hold only within `body`. Threads may call it at once: the list is never written.
  public func forEach(
    _ slots: Range<Int>, _ body: (_ slot: Int, SpikeTrainView, _ label: Int) -> Void
  ) {
    for slot in slots {
      samples[slot].train.withView { body(slot, $0, samples[slot].label) }
    }
  }

  /// In order of slot; slots outside the list trap.
  public func forEachLabel(_ slots: Range<Int>, _ body: (_ slot: Int, _ label: Int) -> Void) {
    for slot in slots { body(slot, samples[slot].label) }
  }
}

/// Runs batches on the threads of a pool, with one solver and its weights. Three verbs, in the
/// order in which they come: `forward` (spikes and loss of every trial), `gradient` (the mean over
/// the batch), `update` (by an optimiser).
///
/// A batch is cut into fixed shards, whatever the number of threads; their gradients are added up
/// in order, so that the result does not depend on who ran what. How a solver runs its first layer
/// through the batch is up to a subclass (`BlockBatch`).
///
/// What all threads use has a local name before they start: a look at a property counts a
/// reference, and threads that count the same one wait for each other.
public class Batch<S: Solver> {
  /// `Float` for the grid, `Double` for the exact solver.
  public typealias Scalar = S.Scalar
  /// Says what network, loss and trial length the batches have (`problem`).
  public let solver: S
  /// The caller's own, not a copy: `OptimiserUpdate.apply` writes them.
  public let weights: Parameters<Scalar>
  /// Of the last batch: the mean over its trials, once `gradient` has finished.
  public let gradient: Parameters<Scalar>
  /// As many as `capacity`. Slot k's spikes and loss are in `trials[k]` until the next `forward`.
  public let trials: [S.Trial]
  /// The parts that the gradient is gathered and learned from in, those that take longest first.
  public let parts: [GradientPart]
  private let shards: [Shard]
  /// Whether the backward passes have been run with the forward ones.
  private var isBack = false
  private let dropout: Dropout<Scalar>?
  /// Whether the batch at hand drops neurons.
  final private(set) var isDropping = false
  /// The weights that its trials use.
  final var used: Parameters<Scalar> { isDropping ? dropout?.scaled ?? weights : weights }

  /// What one part of a batch writes to; in cache lines of its own, for the next shard is another
  /// thread's.
  private final class Shard {
    private let before = Lines()
    let tape: S.Tape
    let workspace: S.Workspace
    var tally: Tally
    var marks: Tally.Marks
    private let after = Lines()

    /// The length of two cache lines.
    private struct Lines {
      private let words = SIMD16<UInt64>()
    }

    init(_ solver: S) {
      tape = solver.makeTape()
      workspace = solver.makeWorkspace()
      tally = Tally(solver.problem.network)
      marks = Tally.Marks(solver.problem.network)
    }
  }

  /// - Parameters:
  ///   - capacity: the largest batch.
  ///   - count: how many shards a batch is cut into.
  ///   - inBlocks: whether the first layer is run in blocks.
  public init(
    _ solver: S, weights: Parameters<Scalar>, capacity: Int, shards count: Int,
    inBlocks: Bool = false
  ) {
    self.solver = solver
    self.weights = weights
    gradient = Parameters(solver.problem.network)
    dropout = Dropout(weights)
    trials = (0..<capacity).map { _ in solver.makeTrial() }
    shards = (0..<min(count, capacity)).map { _ in Shard(solver) }
    parts = GradientPart.parts(of: gradient, inBlocks: inBlocks)
  }

  /// The trials that a shard works on.
  final func range(of shard: Int, in count: Int) -> Range<Int> {
    (shard * count / shards.count)..<((shard + 1) * count / shards.count)
  }

  // MARK: Forward

  /// Runs the batch forward: what came of it is in `trials`, and summed up in what is returned.
  /// - Parameter goingBack: whether each trial goes back at once, while it is in the cache. Not
  ///   where the gradient depends on the whole batch's spikes (`gradient`'s `push`).
  public final func forward(
    _ samples: any BatchSamples, goingBack: Bool = false, pool: WorkerPool
  ) -> Tally {
    isBack = goingBack
    if let dropout { drop(samples, dropout, pool) }
    load(samples, pool: pool)
    run(samples, pool) { batch, trial, shard in
      batch.forward(trial, shard.workspace)
      shard.tally.add(trial, marks: &shard.marks)
      if goingBack { batch.backward(trial, push: [], shard.tape, shard.workspace) }
    } prepare: { solver, shard in
      shard.tally.clear()
      if goingBack { solver.rewind(shard.tape) }
    }
    var sum = Tally(solver.problem.network)
    for shard in shards { sum.add(shard.tally) }
    return sum
  }

  /// Chooses who is dropped in each trial.
  private func drop(_ samples: any BatchSamples, _ dropout: Dropout<Scalar>, _ pool: WorkerPool) {
    isDropping = samples.count > 0 && samples.dropoutChance(0, layer: 0) != nil
    if isDropping { dropout.take(weights) }
    let trials = trials
    pool.forEach(shards.count) { index in
      for slot in range(of: index, in: samples.count) {
        trials[slot].dropped = dropout.draw { samples.dropoutChance(slot, layer: $0) } ?? []
      }
    }
  }

  /// Hands the samples to the trials.
  func load(_ samples: any BatchSamples, pool: WorkerPool) {
    let (solver, trials) = (solver, trials)
    pool.forEach(shards.count) { index in
      samples.forEach(range(of: index, in: samples.count)) { slot, train, label in
        solver.load(train, label: label, into: trials[slot])
      }
    }
  }

  /// The forward pass of one trial, from where `load` has left it.
  func forward(_ trial: S.Trial, _ workspace: S.Workspace) {
    solver.forward(trial, weights: used, workspace: workspace)
  }

  /// Calls `body` for each trial, shard by shard. A trial that was given up ends its shard: others
  /// would take as long to say the same.
  private func run(
    _ samples: any BatchSamples, _ pool: WorkerPool,
    _ body: (Batch, S.Trial, Shard) -> Void, prepare: (S, Shard) -> Void
  ) {
    let (solver, trials, shards) = (solver, trials, shards)
    let count = samples.count
    pool.forEach(shards.count) { index in
      let shard = shards[index]
      prepare(solver, shard)
      samples.forEachLabel(range(of: index, in: count)) { slot, label in
        if shard.tally.failure != nil { return }
        let trial = trials[slot]
        trial.label = label
        body(self, trial, shard)
      }
    }
  }

  // MARK: Gradient

  /// The gradient of the mean loss over the batch that was last run forward, part by part: gathered
  /// from all shards, scaled, and handed to `whenDone` with its sum of squares while it is in the
  /// cache (on the pool's threads).
  /// - Parameter push: per hidden layer and neuron, what rate regularisation adds to lV per spike.
  /// - Returns: |dL/dw|^2 of each array of parameters.
  public final func gradient(
    of samples: any BatchSamples, push: [[Double]] = [], pool: WorkerPool,
    whenDone: (_ part: GradientPart, _ squares: Double) -> Void = { _, _ in }
  ) -> [Double] {
    if !isBack {
      run(samples, pool) { batch, trial, shard in
        batch.backward(trial, push: push, shard.tape, shard.workspace)
      } prepare: { solver, shard in
        solver.rewind(shard.tape)
      }
    }
    let (parts, gradient, count) = (parts, gradient, samples.count)
    let tapes = shards.map(\.tape)
    var factors = solver.gradientScales(trials: count)
    if isDropping, let dropout { factors = zip(factors, dropout.factors).map { $0 * $1 } }
    let scales = factors.map { Scalar($0) }
    let squaresOfParts = [Double](unsafeUninitializedCapacity: parts.count) { buffer, initialized in
      let results = buffer
      pool.forEach(parts.count) { index in
        let part = parts[index]
        let base = gradient.arrays[part.array].base + part.scalars.lowerBound
        Scalar.clear(base, width: part.scalars.count)
        gather(part, from: tapes, trials: count, push: push)
        let squares = Double(
          Scalar.scale(base, by: scales[part.array], width: part.scalars.count))
        results.initializeElement(at: index, to: squares)
        whenDone(part, squares)
      }
      initialized = parts.count
    }
    var squares = Array(repeating: 0.0, count: gradient.arrays.count)
    for (part, value) in zip(parts, squaresOfParts) { squares[part.array] += value }
    return squares
  }

  /// The backward pass of one trial, as far down as its shard's tape takes it.
  func backward(
    _ trial: S.Trial, push: [[Double]], _ tape: S.Tape, _ workspace: S.Workspace
  ) { solver.backward(trial, weights: used, push: push, tape: tape, workspace: workspace) }

  /// Adds one part of the gradient, summed over all trials, to `gradient`, where it is 0.
  func gather(
    _ part: GradientPart, from tapes: [S.Tape], trials count: Int, push: [[Double]]
  ) { solver.gather(tapes, array: part.array, scalars: part.scalars, into: gradient) }

  // MARK: Update

  /// What applies an update, part by part.
  /// - Parameter step: an update at a base rate, before the schedule; nil: that of the weights.
  public final func update(
    _ state: OptimiserState<Scalar>, _ step: (Double?) -> any OptimiserStep
  ) -> OptimiserUpdate<Scalar> {
    OptimiserUpdate(weights: weights, gradient: gradient, state, step)
  }
}
