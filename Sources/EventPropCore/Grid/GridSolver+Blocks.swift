// SPDX-License-Identifier: MIT

import Kernels

/// The first layer where its neurons do not reach each other, block by block of neurons through a
/// whole batch. A block's weights, what the optimiser keeps of them and the gradient can then stay
/// in the cache of the core that it is given to: cores share spikes alone. (A core that writes what
/// another has read waits about 8 ns a line on the machines we know.)
extension GridSolver {
  /// Per step n of a trial:
  ///
  ///     I_j += sum of w_ij over spikes of i at n dt
  ///     V <- a V + rise I,  I <- b I
  ///     V_j >= theta: spike at (n + 1) dt, slope = I_start - V_end, V_j is reset
  func forward(
    block: Int, of batch: GridBlockSpikes, count: Int, copy: Int, weights: Parameters<Float>
  ) { forward(block: block, batch.inputs(count, copy: copy), batch.blocks, weights, batch.dropped) }

  /// One trial for each of `inputs`, and for each of `dropped` unless that is empty.
  func forward(
    block: Int, _ inputs: UnsafeMutableBufferPointer<GridSpikes>,
    _ spikes: UnsafeMutableBufferPointer<UnsafeMutablePointer<BlockSpikes>>,
    _ weights: Parameters<Float>, _ dropped: [[Bool]]
  ) {
    let layer = problem.network.layers[0]
    let decay = layer.decay(over: problem.step)
    let reset = layer.reset(step: problem.step)
    let width = blocks[block].count
    let rows = weights.matrices[0].base + weights.matrices[0].range(ofPanel: block).lowerBound
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: width * steps) { codes in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: width * steps) { slopes in
        guard let codes = codes.baseAddress, let slopes = slopes.baseAddress else { return }
        for (slot, input) in inputs.enumerated() {
          var count = ep_lif_block(
            Float(decay.a), Float(decay.b), Float(decay.rise), Float(layer.threshold[0]), reset,
            rows, width,
            input.neurons, input.offsets, steps, width, codes, slopes)
          if !dropped.isEmpty {
            let first = blocks[block].lowerBound
            count = dropped[slot].removeDropped(from: codes, slopes, count: count) {
              first + Int(ep_code_lane($0))
            }
          }
          if !spikes[slot][block].hasRoom(for: count) { spikes[slot][block].reserve(count) }
          spikes[slot][block].put(codes, slopes, count: count)
        }
      }
    }
  }

  /// Adjoint of `forward(block:of:)`, from T back:
  ///
  ///     over a gap between spikes: lI <- b lI + adjointRise lV,  lV <- a lV
  ///     at a spike of input i: dL/dw_ij -= tau_s lI_j
  ///     at a spike of neuron k:
  ///         lV_k += [theta lV_k + sum_j w_kj (lV_j - lI_j)] / (I_start - V_end) + push_k
  func backward(
    block: Int, of batch: GridBlockSpikes, count: Int, copy: Int, push: [[Double]],
    into gradient: Parameters<Float>
  ) {
    let range = blocks[block]
    let sum = gradient.matrices[0].base + gradient.matrices[0].range(ofPanel: block).lowerBound
    let threshold = Float(problem.network.layers[0].threshold[0])
    let push = push.first.map { push in range.map { $0 < push.count ? Float(push[$0]) : 0 } }
    firstGaps.withUnsafeBufferPointer { gaps in
      for (slot, input) in batch.inputs(count, copy: copy).enumerated() {
        if slot + 1 < count { batch.blocks[slot + 1][block].prefetchErrors() }
        var arriving = ep_spikes(input)
        let own = batch.blocks[slot][block]
        ep_lif_block_adjoint(
          gaps.baseAddress, threshold, &arriving, own.codes, own.slopes, own.errors, own.count,
          push, steps, sum, range.count)
      }
    }
  }
}

/// What blocks need of the trials of a batch, apart from the trials themselves: those belong to the
/// threads that run the rest of them, and looking at one that another thread writes costs as much
/// as some steps of a block.
final class GridBlockSpikes {
  /// Per trial the spikes of its blocks.
  let blocks: UnsafeMutableBufferPointer<UnsafeMutablePointer<BlockSpikes>>
  /// Per trial, whether each neuron of the layer is dropped; empty: none in any.
  var dropped: [[Bool]] = []
  private let inputs: UnsafeMutableBufferPointer<GridSpikes>
  private let trials: [GridTrial]

  init(_ trials: [GridTrial], steps: Int, copies: Int) {
    self.trials = trials
    blocks = .allocate(capacity: trials.count)
    for (slot, trial) in trials.enumerated() {
      blocks.initializeElement(at: slot, to: trial.blocks.baseAddress!)
    }
    inputs = .allocate(capacity: trials.count * copies)
    for index in inputs.indices {
      inputs.initializeElement(at: index, to: GridSpikes(steps: steps))
    }
  }

  deinit {
    for input in inputs { input.deallocate() }
    inputs.deallocate()
    blocks.deallocate()
  }

  /// A copy of the input of the first `count` trials.
  func inputs(_ count: Int = .max, copy: Int) -> UnsafeMutableBufferPointer<GridSpikes> {
    let first = copy * trials.count
    return UnsafeMutableBufferPointer(
      rebasing: inputs[first..<(first + min(count, trials.count))])
  }
}

extension ep_spikes {
  init(_ spikes: GridSpikes) {
    self.init(neurons: spikes.neurons, times: spikes.times, count: spikes.count)
  }
}

extension GridTrial {
  /// Gives the spikes of each block the errors that those of the whole layer have.
  func handErrorsToBlocks() {
    let own = layers[0]
    withUnsafeTemporaryAllocation(of: Int.self, capacity: blocks.count) { next in
      next.update(repeating: 0)
      var block = 0
      for k in 0..<own.count {
        // Blocks are in order of neurons, and so are the spikes of a time index.
        let neuron = Int(own.neurons[k])
        while block > 0 && neuron < blocks[block].first { block -= 1 }
        while block + 1 < blocks.count && neuron >= blocks[block + 1].first { block += 1 }
        blocks[block].errors[next[block]] = own.errors[k]
        next[block] += 1
      }
    }
  }
}
