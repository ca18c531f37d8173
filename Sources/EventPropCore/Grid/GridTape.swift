import Kernels

/// What the adjoint of some trials leaves for the gradient: per trial and layer, lI at the time indices at which spikes
/// arrive, and for each pre-synaptic neuron the rows of that trace at its spikes.
///
/// While traces are short, all are kept, and each row of the gradient is summed over a whole batch at once. A long trace
/// is best used while it is in the cache: then the tape holds the sum over its trials, and the last trial's trace.
public final class GridTape {
  private(set) var trials: [GridTrialTape] = []
  private(set) var count = 0
  let sum: Parameters<Float>?
  private let network: Network
  private let steps: Int

  init(network: Network, steps: Int) {
    self.network = network
    self.steps = steps
    let traceBytes = network.layers.reduce(0) { $0 + (steps + 1) * paddedWidth($1.size) * 4 }
    sum = traceBytes > 16 << 10 ? Parameters(network) : nil
  }

  func rewind() {
    count = 0
    for matrix in sum?.matrices ?? [] {
      Float.clear(matrix.base, width: matrix.rows * matrix.stride)
    }
  }

  /// The tape of the next trial.
  func next() -> GridTrialTape {
    if sum != nil { count = 0 }
    if count == trials.count { trials.append(GridTrialTape(network, steps: steps)) }
    count += 1
    return trials[count - 1]
  }

  /// lI of a layer's neurons at a time index n < steps at which spikes reach it, after any jump of I, in the last trial.
  public func adjointCurrent(ofLayer layer: Int, at n: Int) -> UnsafeBufferPointer<Float> {
    let trace = trials[count - 1].traces[layer]
    return UnsafeBufferPointer(
      start: trace.values + Int(trace.rows[n]) * trace.width, count: network.layers[layer].size)
  }
}

/// The tape of one trial.
final class GridTrialTape {
  /// lI of one layer.
  struct Trace {
    let width: Int
    /// Rows of `width` in the order in which they come going back; room for `steps + 1`.
    let values: UnsafeMutablePointer<Float>
    /// Per time index its row, where it has one.
    let rows: UnsafeMutablePointer<UInt32>
  }

  /// The spikes that reach a layer by one projection, sorted by neuron: `index` in `starts[neuron] ..< starts[neuron + 1]`
  /// are the rows of the trace at them.
  struct SortedSpikes {
    let starts: UnsafeMutablePointer<UInt32>
    var index: UnsafeMutablePointer<UInt32>
    var capacity = 256

    init(neurons: Int) {
      starts = .allocate(capacity: neurons + 2)
      index = .allocate(capacity: capacity)
    }
  }

  let traces: UnsafeMutableBufferPointer<Trace>
  let spikes: UnsafeMutableBufferPointer<SortedSpikes>
  private let steps: Int

  init(_ network: Network, steps: Int) {
    self.steps = steps
    traces = .allocate(capacity: network.layers.count)
    for (index, layer) in network.layers.enumerated() {
      let width = paddedWidth(layer.size)
      traces.initializeElement(
        at: index,
        to: Trace(
          width: width, values: allocate((steps + 1) * width), rows: .allocate(capacity: steps + 1))
      )
    }
    spikes = .allocate(capacity: network.projections.count)
    for (index, projection) in network.projections.enumerated() {
      spikes.initializeElement(
        at: index, to: SortedSpikes(neurons: network.size(ofPopulation: projection.source)))
    }
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

  func rows(of projection: Int, target: Int) -> ep_tape {
    ep_tape(
      trace: traces[target].values, starts: spikes[projection].starts,
      index: spikes[projection].index)
  }

  /// Sorts the spikes of a projection (counting sort); leaves out time index `steps`.
  func sort(_ train: GridSpikes, neurons: Int, projection: Int, target: Int) {
    let count = Int(train.offsets[steps])
    if count > spikes[projection].capacity {
      spikes[projection].index.deallocate()
      spikes[projection].capacity = 2 * count
      spikes[projection].index = .allocate(capacity: 2 * count)
    }
    let (starts, index) = (spikes[projection].starts, spikes[projection].index)
    let (sources, times, rows) = (train.neurons, train.times, traces[target].rows)
    starts.update(repeating: 0, count: neurons + 2)
    for k in 0..<count { starts[Int(sources[k]) + 2] += 1 }
    for neuron in 0..<neurons { starts[neuron + 2] += starts[neuron + 1] }
    // starts[neuron + 1] now is where the spikes of a neuron begin; it moves on to where they end.
    for k in 0..<count {
      let slot = Int(sources[k]) + 1
      let place = starts[slot]
      index[Int(place)] = rows[Int(times[k])]
      starts[slot] = place + 1
    }
  }
}

extension GridSolver {
  public func makeTape() -> GridTape { GridTape(network: problem.network, steps: steps) }

  public func rewind(_ tape: GridTape) { tape.rewind() }

  public func gather(_ tapes: [GridTape], _ block: GradientBlock, into gradient: Parameters<Float>)
  {
    let matrix = gradient.matrices[block.projection]
    let (offset, width) = (block.rows.lowerBound * matrix.stride, block.rows.count * matrix.stride)
    if tapes.first?.sum != nil {
      for tape in tapes {
        guard let part = tape.sum?.matrices[block.projection] else { continue }
        ep_add(matrix.base + offset, part.base + offset, width)
      }
      return
    }
    let count = tapes.reduce(0) { $0 + $1.count }
    let target = problem.network.projections[block.projection].target - 1
    withUnsafeTemporaryAllocation(of: ep_tape.self, capacity: count) { list in
      var next = 0
      for tape in tapes {
        for trial in tape.trials.prefix(tape.count) {
          list[next] = trial.rows(of: block.projection, target: target)
          next += 1
        }
      }
      ep_gather(
        matrix.base, matrix.stride, list.baseAddress, count, block.rows.lowerBound,
        block.rows.upperBound, 0, matrix.stride)
    }
  }

  /// Adds one trial's gradient. A strip of columns of its trace stays in the cache while all rows take from it.
  func gather(_ trial: GridTrialTape, into gradient: Parameters<Float>) {
    for (index, projection) in problem.network.projections.enumerated() {
      let matrix = gradient.matrices[index]
      var rows = trial.rows(of: index, target: projection.target - 1)
      let strip = 128
      for column in stride(from: 0, to: matrix.stride, by: strip) {
        ep_gather(
          matrix.base, matrix.stride, &rows, 1, 0, matrix.rows, column,
          min(strip, matrix.stride - column))
      }
    }
  }
}
