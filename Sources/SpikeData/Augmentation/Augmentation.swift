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
  /// Blended samples of an epoch that come in addition to the originals, which then stay as they
  /// are, as a share of the originals' number; 0: every sample of the epoch is blended.
  public var blendAdded = 0.0
  /// Where blended samples are moved to.
  public var blendTo = Alignment.first
  /// Times are multiplied by a factor drawn from this range.
  public var dilate = (low: 1.0, high: 1.0)
  /// Every spike moves by a normal time with this standard deviation, ms.
  public var jitter = 0.0
  /// Every spike moves by a normal number of channels with this standard deviation, rounded; what
  /// leaves the range is lost.
  public var channelJitter = 0.0
  /// Every spike is dropped with this probability.
  public var drop = 0.0
  /// Rate of random spikes that are added to every channel over the whole trial, Hz.
  public var noise = 0.0

  /// How two samples that are blended are brought to one mean time and unit.
  public enum Alignment: String, Sendable, CaseIterable {
    /// The other is moved to where the sample is.
    case first
    /// Both are moved to the middle between them, as in the code of the paper.
    case common
  }

  /// Changes nothing.
  public init() {}

  /// Whether everything is off.
  public var isNone: Bool { self == Augmentation() }

  /// By hand: tuples, as `dilate` is one, are not `Equatable`.
  public static func == (a: Augmentation, b: Augmentation) -> Bool {
    a.shift == b.shift && a.blend == b.blend && a.blendAdded == b.blendAdded
      && a.blendTo == b.blendTo && a.dilate == b.dilate && a.jitter == b.jitter
      && a.channelJitter == b.channelJitter && a.drop == b.drop && a.noise == b.noise
  }

  /// Blended samples that an epoch has beside the originals.
  /// - Parameter originals: how many samples the data have.
  public func added(to originals: Int) -> Int {
    blend > 0 ? Int((blendAdded * Double(originals)).rounded()) : 0
  }

  /// The augmented sample, in order of time.
  /// - Parameters:
  ///   - other: a sample of the same class, read only when `blend` is not 0; nil: not blended.
  ///   - units: number of input units.
  ///   - duration: of the trial, ms, over which noise comes.
  public func apply(
    _ train: SpikeTrainView, other: SpikeTrainView?, units: Int, duration: Double,
    random: inout Random, into result: inout SpikeTrain
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
    if stretch != 1 || move != 0 || jitter != 0 || channelJitter != 0 || drop != 0 {
      change(&result, stretch, move, units, &random)
    }
    if noise > 0 { addNoise(&result, units, duration, &random) }
    if jitter > 0 || noise > 0 { result.sortByTime() }
  }

  private func change(
    _ result: inout SpikeTrain, _ stretch: Double, _ move: Int, _ units: Int,
    _ random: inout Random
  ) {
    var kept = 0
    for k in result.times.indices {
      if drop > 0 && random.uniform() < drop { continue }
      var unit = Int(result.units[k]) + move
      if channelJitter > 0 { unit += Int((channelJitter * random.normal()).rounded()) }
      guard unit >= 0, unit < units else { continue }
      var time = result.times[k] * stretch
      if jitter > 0 { time = max(0, time + jitter * random.normal()) }
      result.times[kept] = time
      result.units[kept] = UInt16(unit)
      kept += 1
    }
    result.times.removeLast(result.times.count - kept)
    result.units.removeLast(result.units.count - kept)
  }

  /// A Poisson process over all channels together, its intervals exponential.
  private func addNoise(
    _ result: inout SpikeTrain, _ units: Int, _ duration: Double, _ random: inout Random
  ) {
    let perMs = noise * Double(units) / 1000
    var time = -log(1 - random.uniform()) / perMs
    while time < duration {
      result.times.append(time)
      result.units.append(UInt16(random.index(below: units)))
      time -= log(1 - random.uniform()) / perMs
    }
  }

  private func mix(
    _ train: SpikeTrainView, _ other: SpikeTrainView, _ units: Int, _ random: inout Random,
    _ result: inout SpikeTrain
  ) {
    var later = mean(train.times) - mean(other.times)
    var apart = mean(train.units) - mean(other.units)
    var (ownLater, ownHigher) = (0.0, 0)
    if blendTo == .common {
      (later, apart) = (later / 2, apart / 2)
      (ownLater, ownHigher) = (-later, -Int(apart.rounded()))
    }
    let higher = Int(apart.rounded())
    func add(_ time: Double, _ unit: Int) {
      guard unit >= 0, unit < units, time >= 0 else { return }
      result.times.append(time)
      result.units.append(UInt16(unit))
    }
    for k in 0..<train.count where random.uniform() >= blend {
      add(train.times[k] + ownLater, Int(train.units[k]) + ownHigher)
    }
    for k in 0..<other.count where random.uniform() < blend {
      add(other.times[k] + later, Int(other.units[k]) + higher)
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
