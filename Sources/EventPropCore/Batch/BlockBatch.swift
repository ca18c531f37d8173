// SPDX-License-Identifier: MIT

/// Runs batches on the grid with the first layer cut into blocks of neurons, each through all
/// trials: a block's weights, what the optimiser keeps of them and the gradient then stay in the
/// cache of the core that it is given to.
///
/// So a trial does not pass through its first layer when the others do: `load` runs the blocks
/// forward through the whole batch, `gather` runs them backward.
final class BlockBatch: Batch<GridSolver> {
  /// What blocks are run on, and how many copies of the input it has: one for each thread, for
  /// threads that write what others read wait for each other. Made anew for a pool of another size.
  private var spikes: (ofBlocks: GridBlockSpikes, copies: Int)?

  /// Block b is run on copy b % copies of the input, which the same thread tends to do.
  override func load(_ samples: any BatchSamples, pool: WorkerPool) {
    let (solver, weights) = (solver, used)
    let (count, blocks) = (samples.count, solver.blocks.count)
    let copies = min(pool.threads, blocks)
    if spikes?.copies != copies {
      spikes = (GridBlockSpikes(trials, steps: solver.steps, copies: copies), copies)
    }
    guard let (spikes, copies) = spikes else { return }
    spikes.dropped = isDropping ? trials[..<count].map { $0.dropped(inLayer: 0) } : []
    pool.forEach(copies) { copy in
      samples.forEach(0..<count) { slot, train, _ in
        spikes.inputs(copy: copy)[slot].load(train, solver.problem, steps: solver.steps)
      }
      for block in stride(from: copy, to: blocks, by: copies) {
        solver.forward(block: block, of: spikes, count: count, copy: copy, weights: weights)
      }
    }
  }

  override func forward(_ trial: GridTrial, _ workspace: GridWorkspace) {
    solver.forwardBeyondBlocks(trial, weights: used, workspace: workspace)
  }

  override func backward(
    _ trial: GridTrial, push: [[Double]], _ tape: GridTape, _ workspace: GridWorkspace
  ) {
    solver.backwardToBlocks(trial, weights: used, push: push, tape: tape, workspace: workspace)
  }

  override func gather(
    _ part: GradientPart, from tapes: [GridTape], trials count: Int, push: [[Double]]
  ) {
    guard let block = part.panel else {
      return super.gather(part, from: tapes, trials: count, push: push)
    }
    guard let (spikes, copies) = spikes else { preconditionFailure("`forward` comes first") }
    solver.backward(
      block: block, of: spikes, count: count, copy: block % copies, push: push, into: gradient)
  }
}
