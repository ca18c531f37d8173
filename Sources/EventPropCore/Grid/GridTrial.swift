import Foundation
import Kernels

/// The spikes of one population of one trial, by time index: spike k has index `times[k]` (time n dt), and n for k in
/// `offsets[n] ..< offsets[n + 1]`. Plain memory; its owner frees it.
struct GridSpikes {
  /// `steps + 2` entries, and one for counting.
  let offsets: UnsafeMutablePointer<UInt32>
  private(set) var neurons: UnsafeMutablePointer<UInt32>
  private(set) var times: UnsafeMutablePointer<UInt32>
  /// tau_m dV/dt just before each spike.
  private(set) var slopes: UnsafeMutablePointer<Float>
  private var capacity: Int
  var count = 0

  init(steps: Int) {
    offsets = .allocate(capacity: steps + 3)
    offsets.initialize(repeating: 0, count: steps + 3)
    capacity = 256
    neurons = .allocate(capacity: capacity)
    times = .allocate(capacity: capacity)
    slopes = .allocate(capacity: capacity)
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
  }

  @inline(__always)
  func range(at index: Int) -> Range<Int> { Int(offsets[index])..<Int(offsets[index + 1]) }

  func deallocate() {
    offsets.deallocate()
    neurons.deallocate()
    times.deallocate()
    slopes.deallocate()
  }
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
  public internal(set) var label = 0
  public internal(set) var loss = Double.nan
  public internal(set) var prediction = -1
  public internal(set) var needsPhantom = false
  public var failure: String? { nil }

  let steps: Int
  let dt: Double
  /// Input spikes; index n lies in the step from n dt to (n + 1) dt.
  var input: GridSpikes
  /// Per layer; empty for LI layers.
  let layers: UnsafeMutableBufferPointer<GridSpikes>
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
  /// A spike forced or suppressed in the pass that runs, and whether its neuron is mute at the moment.
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

  public func withholdPhantom() { needsPhantom = false }

  public var inputSpikes: [LayerSpike] {
    (0..<steps).flatMap { index in
      input.range(at: index).map {
        LayerSpike(neuron: Int(input.neurons[$0]), time: Double(index) * dt, slope: 0)
      }
    }
  }

  public func spikes(ofLayer layer: Int) -> [LayerSpike] {
    let list = layers[layer]
    return (0...steps).flatMap { index in
      list.range(at: index).map {
        LayerSpike(
          neuron: Int(list.neurons[$0]), time: Double(index) * dt, slope: Double(list.slopes[$0]))
      }
    }
  }

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

  /// Puts input spikes on the grid: a spike belongs to the step whose start it rounds to.
  /// In Double, so that long trials with small steps lose none.
  func load(_ train: SpikeTrainView, merging: Bool, last: UnsafeMutablePointer<Int32>, units: Int) {
    input.count = 0
    input.reserve(train.count)
    if merging { last.update(repeating: -1, count: units) }
    guard let times = train.times.baseAddress, let ids = train.units.baseAddress else {
      input.offsets.update(repeating: 0, count: steps + 2)
      return
    }
    let (neurons, indices, offsets) = (input.neurons, input.times, input.offsets)
    ep_time_indices(indices, times, train.count, 1 / dt, UInt32(steps))
    offsets.update(repeating: 0, count: steps + 2)
    var count = 0
    for k in 0..<train.count {
      let index = indices[k]
      if index == UInt32(steps) { break }
      let unit = Int(ids[k])
      if merging {
        if last[unit] == Int32(truncatingIfNeeded: index) { continue }
        last[unit] = Int32(truncatingIfNeeded: index)
      }
      neurons[count] = UInt32(truncatingIfNeeded: unit)
      indices[count] = index
      count += 1
      offsets[Int(index) + 1] = UInt32(truncatingIfNeeded: count)
    }
    // Steps without spikes end where the one before them ended.
    for index in 1..<(steps + 2) { offsets[index] = max(offsets[index], offsets[index - 1]) }
    input.count = count
  }
}
