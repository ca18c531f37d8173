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
    sum?.clear()
  }

  /// The tape of the next trial.
  func next() -> GridTrialTape {
    if sum != nil { count = 0 }
    if count == trials.count {
      // Short trials have few spikes per neuron: those are gathered by block, others by neuron.
      trials.append(
        GridTrialTape(
          network, steps: steps, neuronsPerGroup: sum == nil ? GradientBlock.rowsAtOnce : 1))
    }
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

  /// The spikes that reach a layer by one projection, sorted by groups of neurons: `index` in
  /// `starts[group] ..< starts[group + 1]` are the rows of the trace at them.
  struct SortedSpikes {
    let groups: Int
    let starts: UnsafeMutablePointer<UInt32>
    var index: UnsafeMutablePointer<UInt32>
    /// The neuron of each of `index`.
    var neurons: UnsafeMutablePointer<UInt32>
    private var capacity = 256

    init(groups: Int) {
      self.groups = groups
      starts = .allocate(capacity: groups + 2)
      index = .allocate(capacity: capacity)
      neurons = .allocate(capacity: capacity)
    }

    mutating func reserve(_ count: Int) {
      guard count > capacity else { return }
      index.deallocate()
      neurons.deallocate()
      capacity = 2 * count
      index = .allocate(capacity: capacity)
      neurons = .allocate(capacity: capacity)
    }
  }

  let traces: UnsafeMutableBufferPointer<Trace>
  let spikes: UnsafeMutableBufferPointer<SortedSpikes>
  private let steps: Int
  /// A group has 2^shift neurons.
  private let shift: Int

  init(_ network: Network, steps: Int, neuronsPerGroup: Int) {
    self.steps = steps
    shift = neuronsPerGroup.trailingZeroBitCount
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
        at: index,
        to: SortedSpikes(
          groups: (network.size(ofPopulation: projection.source) + neuronsPerGroup - 1) >> shift))
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
      sorted.neurons.deallocate()
    }
    traces.deallocate()
    spikes.deallocate()
  }

  func rows(of projection: Int, target: Int) -> ep_tape {
    let sorted = spikes[projection]
    return ep_tape(
      trace: traces[target].values, starts: sorted.starts, index: sorted.index,
      neurons: sorted.neurons, shift: UInt32(shift))
  }

  /// Sorts the spikes of a projection (counting sort); leaves out time index `steps`.
  func sort(_ train: GridSpikes, projection: Int, target: Int) {
    let count = Int(train.offsets[steps])
    spikes[projection].reserve(count)
    let sorted = spikes[projection]
    let (starts, index) = (sorted.starts, sorted.index)
    let (sources, times, rows) = (train.neurons, train.times, traces[target].rows)
    let shift = UInt32(shift)
    starts.update(repeating: 0, count: sorted.groups + 2)
    for k in 0..<count { starts[Int(sources[k] &>> shift) + 2] += 1 }
    for group in 0..<sorted.groups { starts[group + 2] += starts[group + 1] }
    // starts[group + 1] now is where the spikes of a group begin; it moves on to where they end.
    for k in 0..<count {
      let slot = Int(sources[k] &>> shift) + 1
      let place = starts[slot]
      index[Int(place)] = rows[Int(times[k])]
      sorted.neurons[Int(place)] = sources[k]
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
    let target = projections[block.projection].target - 1
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
    for (index, projection) in projections.enumerated() {
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
