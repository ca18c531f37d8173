// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation

/// Random changes of training samples (Nowotny, Turner & Knight 2025). Zero or [1, 1] turns one
/// off.
public struct Augmentation: Sendable, Equatable {
  /// All units move together by up to this many channels, up or down; what leaves the range is
  /// lost.
  public var shift = 0
  /// Mixes in another sample of the same class, moved to the same mean time and unit: own spikes
  /// are kept with probability 1 - blend, the other's with blend.
  public var blend = 0.0
  /// Times are multiplied by a factor drawn from this range.
  public var dilate = (low: 1.0, high: 1.0)
  /// Every spike moves by a normal time with this standard deviation, ms.
  public var jitter = 0.0
  /// Every spike is dropped with this probability.
  public var drop = 0.0

  /// Changes nothing.
  public init() {}

  /// Whether everything is off.
  public var isNone: Bool { self == Augmentation() }

  /// By hand: tuples, as `dilate` is one, are not `Equatable`.
  public static func == (a: Augmentation, b: Augmentation) -> Bool {
    a.shift == b.shift && a.blend == b.blend && a.dilate == b.dilate && a.jitter == b.jitter
      && a.drop == b.drop
  }

  /// The augmented sample, in order of time.
  /// - Parameters:
  ///   - other: a sample of the same class, read only when `blend` is not 0.
  ///   - units: number of input units.
  public func apply(
    _ train: SpikeTrainView, other: SpikeTrainView?, units: Int, random: inout Random,
    into result: inout SpikeTrain
  ) {
    result.times.removeAll(keepingCapacity: true)
    result.units.removeAll(keepingCapacity: true)
    if blend > 0, let other {
      mix(train, other, units, &random, &result)
    } else {
      result.times.append(contentsOf: train.times)
      result.units.append(contentsOf: train.units)
    }
    let stretch = dilate.low == dilate.high ? dilate.low : random.uniform(dilate.low, dilate.high)
    let move = shift > 0 ? random.index(below: 2 * shift + 1) - shift : 0
    if stretch == 1 && move == 0 && jitter == 0 && drop == 0 { return }
    var kept = 0
    for k in result.times.indices {
      if drop > 0 && random.uniform() < drop { continue }
      let unit = Int(result.units[k]) + move
      guard unit >= 0, unit < units else { continue }
      var time = result.times[k] * stretch
      if jitter > 0 { time = max(0, time + jitter * random.normal()) }
      result.times[kept] = time
      result.units[kept] = UInt16(unit)
      kept += 1
    }
    result.times.removeLast(result.times.count - kept)
    result.units.removeLast(result.units.count - kept)
    if jitter > 0 { result.sortByTime() }
  }

  private func mix(
    _ train: SpikeTrainView, _ other: SpikeTrainView, _ units: Int, _ random: inout Random,
    _ result: inout SpikeTrain
  ) {
    let later = mean(train.times) - mean(other.times)
    let higher = Int((mean(train.units) - mean(other.units)).rounded())
    for k in 0..<train.count where random.uniform() >= blend {
      result.times.append(train.times[k])
      result.units.append(train.units[k])
    }
    for k in 0..<other.count where random.uniform() < blend {
      let unit = Int(other.units[k]) + higher
      let time = other.times[k] + later
      guard unit >= 0, unit < units, time >= 0 else { continue }
      result.times.append(time)
      result.units.append(UInt16(unit))
    }
    result.sortByTime()
  }

  private func mean<C: Collection>(_ values: C) -> Double where C.Element: BinaryInteger {
    values.isEmpty ? 0 : values.reduce(0) { $0 + Double($1) } / Double(values.count)
  }

  private func mean(_ values: UnsafeBufferPointer<Double>) -> Double {
    values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
  }
}

/// Copies of the input on further units, each later than the one before: memory without recurrence.
public struct DelayLine: Sendable, Equatable {
  /// Number of copies, the undelayed one included; 1 is no delay line.
  public var copies: Int
  /// Delay from one copy to the next, ms.
  public var step: Double

  /// One copy is no delay line; `step` is in ms.
  public init(copies: Int = 1, step: Double = 0) {
    self.copies = copies
    self.step = step
  }

  /// Adds the delayed copies; spikes at or after `duration` are left out.
  public func apply(to train: inout SpikeTrain, units: Int, duration: Double) {
    guard copies > 1 else { return }
    let count = train.count
    for copy in 1..<copies {
      let delay = Double(copy) * step
      for k in 0..<count {
        let time = train.times[k] + delay
        if time >= duration { break }
        train.times.append(time)
        train.units.append(UInt16(Int(train.units[k]) + copy * units))
      }
    }
    train.sortByTime()
  }
}

extension SpikeTrain {
  /// A stable sort by time in linear time: buckets of equal width, then insertion.
  mutating func sortByTime() {
    let count = times.count
    guard count > 1, let last = times.max(), last > 0 else { return }
    let scale = Double(count - 1) / last
    var starts = Array(repeating: 0, count: count + 1)
    for time in times { starts[Int(time * scale) + 1] += 1 }
    for bucket in 0..<count { starts[bucket + 1] += starts[bucket] }
    var sortedTimes = times
    var sortedUnits = units
    for k in 0..<count {
      let bucket = Int(times[k] * scale)
      sortedTimes[starts[bucket]] = times[k]
      sortedUnits[starts[bucket]] = units[k]
      starts[bucket] += 1
    }
    for k in 1..<count {
      let (time, unit) = (sortedTimes[k], sortedUnits[k])
      var slot = k
      while slot > 0, sortedTimes[slot - 1] > time {
        sortedTimes[slot] = sortedTimes[slot - 1]
        sortedUnits[slot] = sortedUnits[slot - 1]
        slot -= 1
      }
      sortedTimes[slot] = time
      sortedUnits[slot] = unit
    }
    times = sortedTimes
    units = sortedUnits
  }
}
