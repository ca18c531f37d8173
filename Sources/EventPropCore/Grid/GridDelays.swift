// SPDX-License-Identifier: MIT

import Foundation
import Kernels

/// Delays of one projection on the grid that differ from synapse to synapse, or from target to
/// target: in steps, with the weights beside them, the synapses of a neuron next to each other.
/// Taken over anew only where they have changed. For one thread.
final class GridDelays {
  let form: Delays.Form
  let projection: Int
  /// The longest delay, in steps.
  let reach: Int
  let rows: Int
  let columns: Int
  /// By source, then target: rows of `width`.
  let stepsBySource: UnsafeMutablePointer<UInt32>
  let width: Int
  /// By target, then source: rows of `height`.
  private let weights: UnsafeMutablePointer<Float>
  private let stepsByTarget: UnsafeMutablePointer<UInt32>
  private let height: Int
  private let step: Double
  private let steps: Int
  /// What was taken over, as `Parameters` has it.
  private var taken: (weights: UnsafeMutablePointer<Float>, delays: UnsafeMutablePointer<Float>)?
  private var spikes: SortedBySource
  private var sortedErrors: UnsafeMutablePointer<Float>
  private var capacity = 256
  /// Of 16 targets: a series of steps, or of pairs; then four times one number for each source.
  private let scratch: UnsafeMutablePointer<Float>
  private let length: Int

  init(
    _ delays: Delays, projection: Int, rows: Int, columns: Int, _ step: Double, steps: Int
  ) {
    (form, self.projection, self.rows, self.columns) = (delays.form, projection, rows, columns)
    (self.step, self.steps) = (step, steps)
    reach = Int((delays.longest / step).rounded(.up)) + 1
    width = paddedWidth(columns)
    height = paddedWidth(rows)
    length = paddedWidth(steps + reach + 1)
    weights = allocateZeroed(width * height)
    stepsByTarget = .allocate(capacity: width * height)
    stepsBySource = .allocate(capacity: width * height)
    stepsBySource.initialize(repeating: 0, count: width * height)
    spikes = SortedBySource(rows)
    sortedErrors = .allocate(capacity: capacity)
    scratch = allocateZeroed(16 * (2 * length + 4 * height))
  }

  deinit {
    weights.deallocate()
    stepsByTarget.deallocate()
    stepsBySource.deallocate()
    taken?.weights.deallocate()
    taken?.delays.deallocate()
    spikes.deallocate()
    sortedErrors.deallocate()
    scratch.deallocate()
  }

  func take(_ parameters: Parameters<Float>) {
    let matrix = parameters.matrices[projection]
    guard let delays = parameters.delays(ofProjection: projection) else { return }
    if taken == nil {
      taken = (allocateZeroed(width * height), allocateZeroed(delays.count))
      // Never like weights and delays that are there.
      taken!.delays[0] = .nan
    }
    guard let taken else { return }
    let size = MemoryLayout<Float>.stride
    if memcmp(taken.weights, matrix.base, size * matrix.count) != 0 {
      taken.weights.update(from: matrix.base, count: matrix.count)
      ep_transpose(weights, height, taken.weights, width, height, width)
    }
    if memcmp(taken.delays, delays.base, size * delays.count) != 0 {
      taken.delays.update(from: delays.base, count: delays.count)
      for i in 0..<rows {
        ep_delay_steps(
          stepsBySource + i * width, taken.delays + (form == .dendritic ? 0 : i * width),
          Float(1 / step), Float(reach), width)
      }
      stepsBySource.withMemoryRebound(to: Float.self, capacity: width * height) { from in
        stepsByTarget.withMemoryRebound(to: Float.self, capacity: width * height) { to in
          ep_transpose(to, height, from, width, height, width)
        }
      }
    }
  }

  private func synapses(of target: Int) -> ep_delays {
    ep_delays(weights: weights + target * height, steps: stepsByTarget + target * height)
  }

  /// What spikes bring to the rows of steps at which they arrive.
  /// - Parameter adds: to what is there; else it is written over.
  func spread(
    _ train: GridSpikes, to current: UnsafeMutablePointer<Float>, width: Int, adds: Bool
  ) {
    spikes.sort(train, steps: steps)
    let (spikes, scratch, length, steps) = (spikes, scratch, length, steps)
    let turned = scratch + 16 * length
    for first in stride(from: 0, to: columns, by: 16) {
      scratch.update(repeating: 0, count: 16 * length)
      for lane in 0..<min(16, columns - first) {
        var synapses = synapses(of: first + lane)
        ep_delay_spread(
          scratch + lane * length, &synapses, spikes.starts, spikes.times, rows)
      }
      if adds {
        ep_transpose(turned, 16, scratch, length, 16, length)
        for n in 0..<steps { ep_add(current + n * width + first, turned + n * 16, 16) }
      } else {
        // Up to 15 rows beyond the last step, which are there.
        ep_transpose(current + first, width, scratch, length, 16, paddedWidth(steps))
      }
    }
  }

  /// The adjoint: from lI and lV - lI of every step (0 after the last) to the gradients of weights
  /// and delays, and to the errors of the spikes.
  func gather(
    _ train: GridSpikes, _ currents: UnsafePointer<Float>, _ errors: UnsafePointer<Float>,
    width: Int, share: UnsafePointer<Float>, weights sum: Matrix<Float>,
    delays delaySum: Matrix<Float>?, spikeErrors: UnsafeMutablePointer<Float>?
  ) {
    self.spikes.sort(train, steps: steps)
    let (spikes, scratch, length, height) = (spikes, scratch, length, height)
    let count = spikes.count
    if count > capacity {
      self.sortedErrors.deallocate()
      capacity = 2 * count
      self.sortedErrors = .allocate(capacity: capacity)
    }
    let sortedErrors = sortedErrors
    if spikeErrors != nil { sortedErrors.update(repeating: 0, count: count) }
    let (pairs, ofWeights) = (scratch, scratch + 32 * length)
    let ofDelays = ofWeights + 16 * height
    for first in stride(from: 0, to: columns, by: 16) {
      let lanes = min(16, columns - first)
      ep_delay_pairs(
        pairs, 2 * length, currents + first, errors + first, width, steps + reach + 1)
      for lane in 0..<lanes {
        var synapses = synapses(of: first + lane)
        let trace = pairs + lane * 2 * length
        ep_delay_gather(
          trace, &synapses, spikes.starts, spikes.times, rows, ofWeights + lane * height,
          ofDelays + lane * height)
        if spikeErrors != nil {
          ep_delay_errors(trace, &synapses, spikes.starts, spikes.times, rows, sortedErrors)
        }
      }
      add(first, lanes, ofWeights, ofDelays, share, sum, delaySum)
    }
    if let spikeErrors {
      for k in 0..<count { spikeErrors[Int(spikes.places[k])] += sortedErrors[k] }
    }
  }

  /// Sums of 16 targets by source to the rows of the gradients.
  private func add(
    _ first: Int, _ lanes: Int, _ ofWeights: UnsafeMutablePointer<Float>,
    _ ofDelays: UnsafeMutablePointer<Float>, _ share: UnsafePointer<Float>, _ sum: Matrix<Float>,
    _ delaySum: Matrix<Float>?
  ) {
    let (height, rows) = (height, rows)
    // lanes x sources to sources x lanes.
    let rowsOfWeights = ofDelays + 16 * height
    let rowsOfDelays = rowsOfWeights + 16 * height
    for lane in 0..<lanes {
      let (factor, column) = (share[first + lane], ofWeights + lane * height)
      let (delays, weights) = (ofDelays + lane * height, weights + (first + lane) * height)
      for i in 0..<rows {
        column[i] *= factor
        delays[i] *= weights[i]
      }
    }
    ep_transpose(rowsOfWeights, 16, ofWeights, height, 16, height)
    let (base, stride) = (sum.base + first, sum.stride)
    for i in 0..<rows {
      let (row, part) = (base + i * stride, rowsOfWeights + i * 16)
      for lane in 0..<lanes { row[lane] += part[lane] }
    }
    guard let delaySum else { return }
    if form == .dendritic {
      for lane in 0..<lanes {
        for i in 0..<rows { delaySum.base[first + lane] += ofDelays[lane * height + i] }
      }
      return
    }
    ep_transpose(rowsOfDelays, 16, ofDelays, height, 16, height)
    let (delayBase, delayStride) = (delaySum.base + first, delaySum.stride)
    for i in 0..<rows {
      let (row, part) = (delayBase + i * delayStride, rowsOfDelays + i * 16)
      for lane in 0..<lanes { row[lane] += part[lane] }
    }
  }
}

/// Delays of one projection on the grid that all synapses of a source share: its spikes come later,
/// and that is all. For one thread.
final class GridAxons {
  let projection: Int
  /// The longest delay, in steps.
  let reach: Int
  private let rows: Int
  private let step: Double
  /// By source.
  let delays: UnsafeMutablePointer<UInt32>
  /// As spikes are sent, how many arrive at each step, and the sources of these: room for all.
  private let lists: (counts: UnsafeMutablePointer<Int>, sources: UnsafeMutablePointer<UInt32>)
  private let listed: Int

  init(_ delays: Delays, projection: Int, rows: Int, _ step: Double, steps: Int) {
    (self.projection, self.rows, self.step) = (projection, rows, step)
    reach = Int((delays.longest / step).rounded(.up)) + 1
    self.delays = .allocate(capacity: rows)
    // A source spikes once in a step, and all its delays are the same.
    listed = steps + reach + 1
    lists = (.allocate(capacity: listed), .allocate(capacity: listed * rows))
    lists.counts.initialize(repeating: 0, count: listed)
  }

  deinit {
    delays.deallocate()
    lists.counts.deallocate()
    lists.sources.deallocate()
  }

  func take(_ parameters: Parameters<Float>) {
    guard let matrix = parameters.delays(ofProjection: projection) else { return }
    for i in 0..<rows {
      let n = matrix.base[i * matrix.stride] * Float(1 / step) + 0.5
      delays[i] = UInt32(min(max(n, 0), Float(reach)))
    }
  }

  /// Nothing is under way.
  func begin() { lists.counts.update(repeating: 0, count: listed) }

  /// Sources spike at a time index.
  @inline(__always)
  func send(_ sources: UnsafePointer<UInt32>, _ count: Int, at n: Int) {
    let (delays, lists, rows) = (delays, lists, rows)
    for k in 0..<count {
      let at = n + Int(delays[Int(sources[k])])
      lists.sources[at * rows + lists.counts[at]] = sources[k]
      lists.counts[at] += 1
    }
  }

  /// The rows of those that arrive at a step.
  @inline(__always)
  func rows(_ weights: UnsafePointer<Float>, _ stride: Int, at n: Int) -> ep_rows {
    ep_rows(
      rows: weights, stride: stride, index: lists.sources + n * rows, count: lists.counts[n])
  }
}

/// The spikes of a projection with axonal delays as they arrive in a trial: those that do not are
/// left out. Plain memory; its owner frees it.
struct GridArrivals {
  private(set) var spikes: GridSpikes
  /// Of each of them, the index among those that were sent.
  private var places: UnsafeMutablePointer<UInt32>
  private var capacity = 256

  init(steps: Int) {
    spikes = GridSpikes(steps: steps)
    places = .allocate(capacity: capacity)
  }

  func deallocate() {
    spikes.deallocate()
    places.deallocate()
  }

  /// Sorts spikes by the time at which they arrive, equal times in the order in which they were
  /// sent.
  mutating func take(_ sent: GridSpikes, _ axons: GridAxons, steps: Int) {
    let count = Int(sent.offsets[steps])
    if count > capacity {
      places.deallocate()
      capacity = 2 * count
      places = .allocate(capacity: capacity)
    }
    spikes.beginTrial()
    spikes.reserve(count)
    let (offsets, neurons, times) = (spikes.offsets, spikes.neurons, spikes.times)
    offsets.update(repeating: 0, count: steps + 3)
    let (delays, places) = (axons.delays, places)
    let (sentAt, sources) = (sent.times, sent.neurons)
    // When each that was sent arrives; T: it does not.
    let arrival = times
    let end = UInt32(truncatingIfNeeded: steps)
    for k in 0..<count {
      let n = min(sentAt[k] &+ delays[Int(sources[k])], end)
      arrival[k] = n
      offsets[Int(n) + 2] += 1
    }
    let late = offsets[steps + 2]
    for n in 1..<(steps + 3) { offsets[n] += offsets[n - 1] }
    for k in 0..<count {
      let slot = Int(arrival[k]) + 1
      let place = Int(offsets[slot])
      offsets[slot] += 1
      neurons[place] = sources[k]
      places[place] = UInt32(truncatingIfNeeded: k)
    }
    // Those that do not arrive stand at the end.
    offsets[steps + 1] -= late
    spikes.count = Int(offsets[steps + 1])
    for n in 0..<steps {
      for k in spikes.range(at: n) { times[k] = UInt32(truncatingIfNeeded: n) }
    }
  }

  func clearErrors() { spikes.errors.update(repeating: 0, count: spikes.count) }

  /// Hands errors of spikes, known now, to where they were sent.
  @inline(__always)
  func hand(_ range: Range<Int>, to errors: UnsafeMutablePointer<Float>) {
    let (own, places) = (spikes.errors, places)
    for k in range { errors[Int(places[k])] += own[k] }
  }

  /// Adds the errors of all spikes to the gradients of their sources' delays.
  func add(to sum: Matrix<Float>?) {
    guard let sum else { return }
    let (base, stride, errors, neurons) = (sum.base, sum.stride, spikes.errors, spikes.neurons)
    for k in 0..<spikes.count { base[Int(neurons[k]) * stride] += errors[k] }
  }
}

/// Spikes of a trial sorted by source; in order of time for each. Plain memory; its owner frees it.
struct SortedBySource {
  private let sources: Int
  let starts: UnsafeMutablePointer<UInt32>
  private(set) var times: UnsafeMutablePointer<UInt32>
  /// Of each its index in the order of time.
  private(set) var places: UnsafeMutablePointer<UInt32>
  private var capacity = 256

  init(_ sources: Int) {
    self.sources = sources
    starts = .allocate(capacity: sources + 2)
    times = .allocate(capacity: capacity)
    places = .allocate(capacity: capacity)
  }

  var count: Int { Int(starts[sources]) }

  /// Leaves out those at T.
  mutating func sort(_ spikes: GridSpikes, steps: Int) {
    let count = Int(spikes.offsets[steps])
    if count > capacity {
      times.deallocate()
      places.deallocate()
      capacity = 2 * count
      times = .allocate(capacity: capacity)
      places = .allocate(capacity: capacity)
    }
    let (times, places) = (times, places)
    starts.update(repeating: 0, count: sources + 2)
    for k in 0..<count { starts[Int(spikes.neurons[k]) + 2] += 1 }
    for source in 0..<sources { starts[source + 2] += starts[source + 1] }
    for k in 0..<count {
      let slot = Int(spikes.neurons[k]) + 1
      times[Int(starts[slot])] = spikes.times[k]
      places[Int(starts[slot])] = UInt32(truncatingIfNeeded: k)
      starts[slot] += 1
    }
  }

  func deallocate() {
    starts.deallocate()
    times.deallocate()
    places.deallocate()
  }
}
