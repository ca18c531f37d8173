// SPDX-License-Identifier: MIT

import Foundation
import Kernels

/// The spikes of one population of one trial, by time index: spike k has index `times[k]` (time n
/// dt), and n for k in `offsets[n] ..< offsets[n + 1]`. Plain memory; its owner frees it.
struct GridSpikes {
  /// `steps + 2` entries, and one for counting.
  let offsets: UnsafeMutablePointer<UInt32>
  private(set) var neurons: UnsafeMutablePointer<UInt32>
  private(set) var times: UnsafeMutablePointer<UInt32>
  /// tau_m dV/dt just before each spike.
  private(set) var slopes: UnsafeMutablePointer<Float>
  /// What the jump of lV at each spike takes from the layers that it reaches, and from dl/dt.
  private(set) var errors: UnsafeMutablePointer<Float>
  /// Of neurons that adapt: a just before each spike.
  private(set) var memories: UnsafeMutablePointer<Float>
  private var capacity: Int
  var count = 0

  init(steps: Int) {
    offsets = .allocate(capacity: steps + 3)
    offsets.initialize(repeating: 0, count: steps + 3)
    capacity = 256
    neurons = .allocate(capacity: capacity)
    times = .allocate(capacity: capacity)
    slopes = .allocate(capacity: capacity)
    errors = .allocate(capacity: capacity)
    memories = .allocate(capacity: capacity)
  }

  /// Makes room for `more` spikes: no spike is ever dropped for lack of it.
  @inline(__always)
  mutating func reserve(_ more: Int) {
    if count + more > capacity { grow(count + more) }
  }

  private mutating func grow(_ needed: Int) {
    capacity = max(needed, 2 * capacity)
    neurons = neurons.moved(count, toRoomFor: capacity)
    times = times.moved(count, toRoomFor: capacity)
    slopes = slopes.moved(count, toRoomFor: capacity)
    errors = errors.moved(count, toRoomFor: capacity)
    memories = memories.moved(count, toRoomFor: capacity)
  }

  @inline(__always)
  func range(at index: Int) -> Range<Int> { Int(offsets[index])..<Int(offsets[index + 1]) }

  func deallocate() {
    offsets.deallocate()
    neurons.deallocate()
    times.deallocate()
    slopes.deallocate()
    errors.deallocate()
    memories.deallocate()
  }
}

/// The spikes of a block of neurons of one trial, in the order in which the kernel finds them: by
/// time, then neuron. Plain memory; its owner frees it. Each list has cache lines of its own, for
/// it is another thread's that reads it.
struct BlockSpikes {
  /// Number of the block's first neuron.
  let first: Int
  private var memory: UnsafeMutableRawPointer
  private var capacity: Int

  init(first: Int) {
    self.first = first
    capacity = 63
    memory = Self.allocate(capacity)
    count = 0
  }

  private static func bytes(_ capacity: Int) -> Int { (4 * (capacity + 1) + 127) / 128 * 128 }

  private static func allocate(_ capacity: Int) -> UnsafeMutableRawPointer {
    .allocate(byteCount: 3 * bytes(capacity), alignment: 128)
  }

  private func list<T>(_ index: Int, as: T.Type) -> UnsafeMutablePointer<T> {
    (memory + index * Self.bytes(capacity)).assumingMemoryBound(to: T.self)
  }

  /// How many spikes there are; stands before the codes, so that another thread finds all it needs
  /// in few cache lines.
  var count: Int {
    get { Int(list(0, as: UInt32.self)[0]) }
    nonmutating set { list(0, as: UInt32.self)[0] = UInt32(truncatingIfNeeded: newValue) }
  }
  /// Each spike as `ep_code`.
  var codes: UnsafeMutablePointer<UInt32> { list(0, as: UInt32.self) + 1 }
  /// tau_m dV/dt just before each spike.
  var slopes: UnsafeMutablePointer<Float> { list(1, as: Float.self) }
  /// What the jump of lV at each spike takes from elsewhere.
  var errors: UnsafeMutablePointer<Float> { list(2, as: Float.self) }

  /// Asks for what another thread may have written, without waiting for it.
  func prefetchCodes() { ep_prefetch(memory, min(capacity, 127) + 1) }
  func prefetchErrors() { ep_prefetch(errors, count) }

  func hasRoom(for count: Int) -> Bool { count <= capacity }

  /// Makes room; what was there is lost.
  mutating func reserve(_ count: Int) {
    if hasRoom(for: count) { return }
    deallocate()
    capacity = max(count, 2 * capacity)
    memory = Self.allocate(capacity)
  }

  /// Takes over spikes that there is room for.
  func put(_ codes: UnsafePointer<UInt32>, _ slopes: UnsafePointer<Float>, count: Int) {
    self.codes.update(from: codes, count: count)
    self.slopes.update(from: slopes, count: count)
    self.count = count
  }

  func deallocate() { memory.deallocate() }
}

extension UnsafeMutablePointer {
  /// A larger copy of the first `count` elements, which are plain numbers; frees the old ones.
  func moved(_ count: Int, toRoomFor capacity: Int) -> Self {
    let larger = Self.allocate(capacity: capacity)
    larger.moveInitialize(from: self, count: count)
    deallocate()
    return larger
  }
}

/// What the grid solver keeps of one sample: its input on the grid, its spikes, its read-out.
public final class GridTrial: SolvedTrial {
  /// Set by `load`; `Batch` sets it again before it runs the trial.
  public var label = 0
  /// Without regularisation; NaN before the first pass.
  public internal(set) var loss = Double.nan
  /// -1 also before the first pass.
  public internal(set) var prediction = -1
  /// Of the last pass.
  public internal(set) var fit: Fit?
  /// Of the last pass, unless `withholdPhantom` was called after it.
  public internal(set) var needsPhantom = false
  /// With `.maximum`, the voltages at ends of steps decide.
  public internal(set) var isLabelMute = false
  /// The grid never gives up: a neuron spikes at most once a step.
  public var failure: String? { nil }

  /// Of `Batch`, which sets it before each pass; empty in other trials unless set.
  public var dropped: [[Bool]] = []

  let steps: Int
  let dt: Double
  /// Input spikes; index n lies in the step from n dt to (n + 1) dt.
  var input: GridSpikes
  /// Per layer; empty for LI layers.
  let layers: UnsafeMutableBufferPointer<GridSpikes>
  /// Per block of the first layer its spikes.
  let blocks: UnsafeMutableBufferPointer<BlockSpikes>
  /// Per projection with axonal delays, its spikes as they arrive; empty where there is none.
  let arrivals: UnsafeMutableBufferPointer<GridArrivals>
  /// Per output: dL/dm_j, dL/dM_j or dL/dt_j, by the loss's read-out.
  var readoutGradient: [Double]
  /// Per output: the read-out value itself.
  public internal(set) var readout: [Double]
  /// `.maximum`: time index of each output's maximum, and its tau_m dV/dt just before it.
  var peakIndex: [Int]
  var peakSlope: [Float]
  /// `steps x width` voltages of the output layer at the end of each step; kept when asked for.
  var voltages: UnsafeMutablePointer<Float>?
  /// `.instantaneous`: `steps x width`, first the mean voltages over each step, then dl/dV there.
  var drive: UnsafeMutablePointer<Float>?
  let outputWidth: Int
  /// A spike forced or suppressed in the pass that runs, and whether its neuron is mute at the
  /// moment.
  var intervention: Intervention?
  var isMuted = false

  init(network: Network, steps: Int, dt: Double) {
    self.steps = steps
    self.dt = dt
    input = GridSpikes(steps: steps)
    layers = .allocate(capacity: network.layers.count)
    for index in network.layers.indices {
      layers.initializeElement(at: index, to: GridSpikes(steps: steps))
    }
    // Apart from what the thread that runs the rest of the trial writes.
    let bytes = (network.blocks.count * MemoryLayout<BlockSpikes>.stride + 127) / 128 * 128
    blocks = UnsafeMutableBufferPointer(
      start: UnsafeMutableRawPointer.allocate(byteCount: max(bytes, 128), alignment: 128)
        .bindMemory(to: BlockSpikes.self, capacity: network.blocks.count),
      count: network.blocks.count)
    for (index, block) in network.blocks.enumerated() {
      blocks.initializeElement(at: index, to: BlockSpikes(first: block.lowerBound))
    }
    let hasAxons = network.layers.contains {
      $0.delays?.form == .axonal || $0.loopDelays?.form == .axonal
    }
    arrivals = .allocate(capacity: hasAxons ? network.projections.count : 0)
    for index in arrivals.indices {
      arrivals.initializeElement(at: index, to: GridArrivals(steps: steps))
    }
    let outputs = network.output.size
    readoutGradient = Array(repeating: 0, count: outputs)
    readout = Array(repeating: 0, count: outputs)
    peakIndex = Array(repeating: 0, count: outputs)
    peakSlope = Array(repeating: 0, count: outputs)
    outputWidth = paddedWidth(outputs)
  }

  deinit {
    input.deallocate()
    for layer in layers { layer.deallocate() }
    layers.deallocate()
    for block in blocks { block.deallocate() }
    blocks.deallocate()
    for spikes in arrivals { spikes.deallocate() }
    arrivals.deallocate()
    voltages?.deallocate()
    drive?.deallocate()
  }

  /// Output voltages are kept by the next forward pass (`outputVoltages`).
  public func keepVoltages() {
    if voltages == nil { voltages = allocateZeroed(steps * outputWidth) }
  }

  /// `steps x outputs` voltages at the end of each step; empty unless kept.
  public var outputVoltages: [[Float]] {
    guard let voltages else { return [] }
    return (0..<steps).map { step in
      Array(UnsafeBufferPointer(start: voltages + step * outputWidth, count: readout.count))
    }
  }

  /// Until the next `forward`, which decides anew.
  public func withholdPhantom() { needsPhantom = false }

  /// At the starts of their steps, in ms. Empty for trials of a `BlockBatch`, which keeps the input
  /// elsewhere.
  public var inputSpikes: [LayerSpike] {
    (0..<steps).flatMap { index in
      input.range(at: index).map {
        LayerSpike(neuron: Int(input.neurons[$0]), time: Double(index) * dt, slope: 0)
      }
    }
  }

  /// A copy, at multiples of dt; a spike found in the last step stands at T. Empty for LI layers.
  /// For trials of a `BlockBatch`, slopes of the first layer are not valid.
  public func spikes(ofLayer layer: Int) -> [LayerSpike] {
    let list = layers[layer]
    return (0...steps).flatMap { index in
      list.range(at: index).map {
        LayerSpike(
          neuron: Int(list.neurons[$0]), time: Double(index) * dt, slope: Double(list.slopes[$0]))
      }
    }
  }

  /// Allocates nothing. Spikes at T count; LI layers have none.
  public func addSpikeCounts(
    ofLayer layer: Int, to counts: inout [Int], marks: inout [Int], mark: Int
  ) -> Int {
    let list = layers[layer]
    return counts.withUnsafeMutableBufferPointer { counts in
      marks.withUnsafeMutableBufferPointer { marks in
        var marked = 0
        for k in 0..<list.count {
          let neuron = Int(list.neurons[k])
          counts[neuron] += 1
          marked += marks[neuron] == mark ? 0 : 1
          marks[neuron] = mark
        }
        return marked
      }
    }
  }

}

extension GridSpikes {
  /// Puts input spikes on the grid: a spike belongs to the step whose start it rounds to.
  /// In Double, so that long trials with small steps lose none.
  mutating func load(_ train: SpikeTrainView, _ problem: Problem, steps: Int) {
    assert(train.isValid(inputs: problem.network.inputs))
    count = 0
    reserve(train.count)
    offsets.update(repeating: 0, count: steps + 2)
    guard let trainTimes = train.times.baseAddress, let units = train.units.baseAddress else {
      return
    }
    ep_time_indices(times, trainTimes, train.count, 1 / problem.step, UInt32(steps))
    let (merges, inputs) = (problem.mergesInput, problem.network.inputs)
    // Per unit: the last step with a spike.
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: merges ? max(inputs, 1) : 1) { last in
      if merges { last.update(repeating: .max) }
      let (neurons, indices, offsets) = (neurons, times, offsets)
      var count = 0
      for k in 0..<train.count {
        let index = indices[k]
        if index == UInt32(steps) { break }
        let unit = Int(units[k])
        if merges {
          if last[unit] == index { continue }
          last[unit] = index
        }
        neurons[count] = UInt32(truncatingIfNeeded: unit)
        indices[count] = index
        count += 1
        offsets[Int(index) + 1] = UInt32(truncatingIfNeeded: count)
      }
      self.count = count
    }
    // Steps without spikes end where the one before them ended.
    for index in 1..<(steps + 2) { offsets[index] = max(offsets[index], offsets[index - 1]) }
  }
}
