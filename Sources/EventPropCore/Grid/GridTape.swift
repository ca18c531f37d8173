// SPDX-License-Identifier: MIT

import Kernels

/// What the adjoint leaves for the gradient: its sum over some trials, and of the last one, per
/// layer, lI at the time indices at which spikes arrive, and for each pre-synaptic neuron the rows
/// of that trace at its spikes.
public final class GridTape {
  /// lI of one layer.
  struct Trace {
    /// Scalars from one row to the next: a vector more than the layer has, for strips of rows a
    /// power of two apart would share few lines of the cache.
    let stride: Int
    /// Rows in the order in which they come going back; room for `steps + 1`.
    let values: UnsafeMutablePointer<Float>
    /// Per time index its row, where it has one.
    let rows: UnsafeMutablePointer<UInt32>
  }

  /// The spikes that reach a layer by one projection, sorted by neuron: `index` in `starts[j] ..<
  /// starts[j + 1]` are the rows of the trace at those of neuron j.
  struct SortedSpikes {
    let neurons: Int
    let starts: UnsafeMutablePointer<UInt32>
    var index: UnsafeMutablePointer<UInt32>
    private var capacity = 256

    init(neurons: Int) {
      self.neurons = neurons
      starts = .allocate(capacity: neurons + 2)
      index = .allocate(capacity: capacity)
    }

    mutating func reserve(_ count: Int) {
      guard count > capacity else { return }
      index.deallocate()
      capacity = 2 * count
      index = .allocate(capacity: capacity)
    }
  }

  let traces: UnsafeMutableBufferPointer<Trace>
  let spikes: UnsafeMutableBufferPointer<SortedSpikes>
  let sum: Parameters<Float>
  /// Per array of `sum`, whether it may be other than 0.
  private var isUsed: [Bool]
  private let network: Network
  private let steps: Int

  init(network: Network, steps: Int) {
    self.network = network
    self.steps = steps
    traces = .allocate(capacity: network.layers.count)
    for (index, layer) in network.layers.enumerated() {
      let stride = paddedWidth(layer.size) + 16
      traces.initializeElement(
        at: index,
        to: Trace(
          stride: stride, values: allocate((steps + 1) * stride),
          rows: .allocate(capacity: steps + 1))
      )
    }
    let projections = network.projections
    spikes = .allocate(capacity: projections.count)
    for (index, projection) in projections.enumerated() {
      spikes.initializeElement(
        at: index, to: SortedSpikes(neurons: network.size(ofPopulation: projection.source)))
    }
    sum = Parameters(network)
    isUsed = sum.arrays.map { _ in false }
  }

  deinit {
    for trace in traces {
      trace.values.deallocate()
      trace.rows.deallocate()
    }
    for sorted in spikes {
      sorted.starts.deallocate()
      sorted.index.deallocate()
    }
    traces.deallocate()
    spikes.deallocate()
  }

  func rewind() {
    for (index, matrix) in sum.arrays.enumerated() where isUsed[index] {
      Float.clear(matrix.base, width: matrix.count)
      isUsed[index] = false
    }
  }

  /// Something is about to be added to arrays of `sum` that `add` does not add to.
  func useAll() { for index in isUsed.indices { isUsed[index] = true } }

  /// lI, times tau_s over the layer's unit of gradients, of a layer's neurons at a time index n <
  /// steps at which spikes reach it, after any jump of I, in the last trial.
  public func adjointCurrent(ofLayer layer: Int, at n: Int) -> UnsafeBufferPointer<Float> {
    let trace = traces[layer]
    return UnsafeBufferPointer(
      start: trace.values + Int(trace.rows[n]) * trace.stride, count: network.layers[layer].size)
  }

  /// Adds to the gradient of a projection what the trace of its target holds for the spikes of its
  /// source.
  func add(_ train: GridSpikes, projection: Int, target: Int) {
    sort(train, projection: projection, target: target)
    isUsed[projection] = true
    let (matrix, trace) = (sum.matrices[projection], traces[target])
    // A strip of columns of the trace stays in the cache while all rows take from it.
    let strip = 64
    for (index, panel) in matrix.panels.enumerated() {
      let panelSum = matrix.base + matrix.range(ofPanel: index).lowerBound
      for first in stride(from: 0, to: panel.count, by: strip) {
        ep_gather(
          panelSum + first, panel.count, trace.values + panel.lowerBound + first, trace.stride,
          spikes[projection].starts, spikes[projection].index, matrix.rows,
          min(strip, panel.count - first))
      }
    }
  }

  /// Sorts the spikes of a projection (counting sort); leaves out time index `steps`.
  private func sort(_ train: GridSpikes, projection: Int, target: Int) {
    let count = Int(train.offsets[steps])
    spikes[projection].reserve(count)
    let sorted = spikes[projection]
    let (starts, index) = (sorted.starts, sorted.index)
    let (sources, times, rows) = (train.neurons, train.times, traces[target].rows)
    starts.update(repeating: 0, count: sorted.neurons + 2)
    for k in 0..<count { starts[Int(sources[k]) + 2] += 1 }
    for neuron in 0..<sorted.neurons { starts[neuron + 2] += starts[neuron + 1] }
    // starts[j + 1] now is where the spikes of neuron j begin; it moves on to where they end.
    for k in 0..<count {
      let slot = Int(sources[k]) + 1
      index[Int(starts[slot])] = rows[Int(times[k])]
      starts[slot] += 1
    }
  }
}

extension GridSolver {
  /// As large as the parameters, and `(steps + 1) x neurons` scalars for the traces of lI.
  public func makeTape() -> GridTape { GridTape(network: problem.network, steps: steps) }

  /// Clears only those projections that a backward pass has added to.
  public func rewind(_ tape: GridTape) { tape.rewind() }

  /// The tapes hold the sums over their trials already; what `BlockBatch` does for the first
  /// layer's blocks is not among it.
  public func gather(
    _ tapes: [GridTape], array: Int, scalars: Range<Int>, into gradient: Parameters<Float>
  ) {
    let sum = gradient.arrays[array].base + scalars.lowerBound
    for tape in tapes {
      ep_add(sum, tape.sum.arrays[array].base + scalars.lowerBound, scalars.count)
    }
  }
}
