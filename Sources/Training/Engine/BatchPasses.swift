import EventPropCore

/// The passes of a lane's solver over one batch, shared out to the threads of a pool. First the blocks of the first layer
/// where there are any, each through the whole batch; then what is left of each trial, in fixed shards; then back.
///
/// What all threads use has a local name before they start: a look at a property counts a reference, and threads that count
/// the same one wait for each other.
final class BatchPasses<S: Solver> {
  typealias Scalar = S.Scalar
  let solver: S
  let weights: Parameters<Scalar>
  /// Of the last batch.
  let gradient: Parameters<Scalar>
  let trials: [S.Trial]
  private let shards: [Shard]
  /// What blocks are run on, and how many copies of the input it has.
  private var blockBatch: (batch: S.Batch, copies: Int)?

  /// What one part of a batch writes to; in cache lines of its own, for the next shard is another thread's.
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

  /// - Parameter capacity: the largest batch.
  init(_ solver: S, weights: Parameters<Scalar>, capacity: Int, shards count: Int) {
    self.solver = solver
    self.weights = weights
    gradient = Parameters(solver.problem.network)
    trials = (0..<capacity).map { _ in solver.makeTrial() }
    shards = (0..<min(count, capacity)).map { _ in Shard(solver) }
  }

  /// The part of a batch that a shard works on: fixed, whatever the number of threads.
  private func range(of shard: Int, in count: Int) -> Range<Int> {
    (shard * count / shards.count)..<((shard + 1) * count / shards.count)
  }

  /// Hands the samples to the trials, and runs blocks forward. Block b is run on copy b % copies of the input, which the
  /// same thread tends to do.
  func begin(_ batch: SampleBatch, pool: WorkerPool) {
    let (solver, weights, trials) = (solver, weights, trials)
    let (count, blocks) = (batch.samples.count, solver.blocks.count)
    if blocks == 0 {
      pool.forEach(shards.count) { index in
        batch.forEach(range(of: index, in: count)) { slot, train, label in
          solver.load(train, label: label, into: trials[slot])
        }
      }
      return
    }
    if blockBatch == nil {
      let copies = min(pool.threads, blocks)
      blockBatch = (solver.makeBatch(trials, copies: copies), copies)
    }
    guard let (blockBatch, copies) = blockBatch else { return }
    pool.forEach(copies) { copy in
      batch.forEach(0..<count) { slot, train, _ in
        solver.load(train, into: blockBatch, slot: slot, copy: copy)
      }
      for block in stride(from: copy, to: blocks, by: copies) {
        solver.forward(block: block, of: blockBatch, count: count, copy: copy, weights: weights)
      }
    }
  }

  /// Runs what is left of the forward passes; their results are in trials and tallies.
  func forward(_ batch: SampleBatch, pool: WorkerPool) {
    run(batch, pool, .forward) { solver, weights, trial, shard in
      solver.forwardRest(trial, weights: weights, workspace: shard.workspace)
      shard.tally.add(trial, marks: &shard.marks)
    }
  }

  /// Runs the backward passes down to the blocks onto the tapes.
  func backward(_ batch: SampleBatch, push: [[Double]], pool: WorkerPool) {
    run(batch, pool, .backward) { solver, weights, trial, shard in
      solver.backwardRest(
        trial, weights: weights, push: push, tape: shard.tape, workspace: shard.workspace)
    }
  }

  /// `forward` and `backward`, trial by trial.
  func forwardAndBack(_ batch: SampleBatch, pool: WorkerPool) {
    run(batch, pool, [.forward, .backward]) { solver, weights, trial, shard in
      solver.forwardRest(trial, weights: weights, workspace: shard.workspace)
      shard.tally.add(trial, marks: &shard.marks)
      solver.backwardRest(
        trial, weights: weights, push: [], tape: shard.tape, workspace: shard.workspace)
    }
  }

  private struct Direction: OptionSet {
    let rawValue: Int
    static var forward: Direction { Direction(rawValue: 1) }
    static var backward: Direction { Direction(rawValue: 2) }
  }

  private func run(
    _ batch: SampleBatch, _ pool: WorkerPool, _ direction: Direction,
    _ pass: (S, Parameters<Scalar>, S.Trial, Shard) -> Void
  ) {
    let (solver, weights, trials, shards) = (solver, weights, trials, shards)
    let count = batch.samples.count
    pool.forEach(shards.count) { index in
      let shard = shards[index]
      if direction.contains(.forward) { shard.tally.clear() }
      if direction.contains(.backward) { solver.rewind(shard.tape) }
      batch.forEachLabel(range(of: index, in: count)) { slot, label in
        // One that was given up ends the batch: others would take as long to say the same.
        if shard.tally.failure != nil { return }
        let trial = trials[slot]
        trial.label = label
        pass(solver, weights, trial, shard)
      }
    }
  }

  /// The sum of the shards' tallies since the last `forward`.
  var tally: Tally {
    var sum = Tally(solver.problem.network)
    for shard in shards { sum.add(shard.tally) }
    return sum
  }

  /// Gathers parts of the gradient, the mean over `count` trials, and calls `body` with each and its sum of squares.
  func gather(
    _ parts: [GradientPart], trials count: Int, push: [[Double]], pool: WorkerPool,
    _ body: (_ part: Int, Double) -> Void
  ) {
    let (solver, gradient, blockBatch) = (solver, gradient, blockBatch)
    let tapes = shards.map(\.tape)
    let scales = solver.gradientScales(trials: count).map { Scalar($0) }
    pool.forEach(parts.count) { index in
      let part = parts[index]
      let base = gradient.matrices[part.projection].base + part.scalars.lowerBound
      let width = part.scalars.count
      Scalar.clear(base, width: width)
      if let block = part.block {
        guard let (batch, copies) = blockBatch else { preconditionFailure("`begin` comes first") }
        solver.backward(
          block: block, of: batch, count: count, copy: block % copies, push: push,
          into: gradient)
      } else {
        solver.gather(tapes, projection: part.projection, scalars: part.scalars, into: gradient)
      }
      body(index, Double(Scalar.scale(base, by: scales[part.projection], width: width)))
    }
  }
}
