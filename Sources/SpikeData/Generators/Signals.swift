// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation

/// A regression task: random smooth signals as spikes of tuned units, to be read as they were a
/// while ago, and how fast they rose then.
///
/// A signal is a sum of three sines of random frequency, amplitude and phase, scaled to reach 1 or
/// -1. Unit u fires at the rate `peak exp(-(s - c_u)^2/2 sd^2)`, c_u being evenly spaced over
/// -1...1 and sd the distance of two units: regularly, from a random phase on.
public struct Signals: Sendable, Equatable {
  /// Of a trial, ms.
  public var duration: Double
  /// Input units, at least 2.
  public var units: Int
  /// The highest rate of a unit, Hz.
  public var peak: Double
  /// How far back outputs look, ms.
  public var lag: Double
  /// The highest frequency of a sine, Hz; the lowest is a quarter of it.
  public var highest: Double

  /// Names of the outputs: the signal, and its slope in units of that of the fastest sine.
  public static let outputNames = ["signal", "slope"]
  /// Of each target series.
  static let points = 101

  /// All times in ms, all rates in Hz.
  public init(duration: Double, units: Int, peak: Double, lag: Double, highest: Double) {
    (self.duration, self.units, self.peak) = (duration, units, peak)
    (self.lag, self.highest) = (lag, highest)
  }

  /// Amplitude, angular frequency in 1/ms and phase of each sine.
  typealias Sines = [(amplitude: Double, omega: Double, phase: Double)]

  /// `count` samples, reproducible by seed and purpose; each with targets of its own.
  public func generate(_ count: Int, seed: Int, purpose: StaticString) -> SpikeDataSet {
    var random = Random(seed: seed, purpose)
    var trains: [SpikeTrain] = []
    var values: [Double] = []
    for _ in 0..<count {
      let sines = draw(&random)
      trains.append(encode(sines, &random))
      let steepest = slopeLimit
      let times = (0..<Self.points).map {
        Double($0) / Double(Self.points - 1) * duration - lag
      }
      // Before the trial there was nothing.
      values += times.map { $0 < 0 ? 0 : signal(sines, $0) }
      values += times.map { $0 < 0 ? 0 : slope(sines, $0) / steepest }
    }
    guard count > 0 else {
      return SpikeDataSet(name: "signals", unitCount: units, classNames: Self.outputNames)
    }
    var data = SpikeDataSet(
      name: "signals", unitCount: units, classNames: Self.outputNames,
      targets: Targets(outputs: 2, points: Self.points, values: values))
    data.reserve(samples: count, spikes: trains.reduce(0) { $0 + $1.times.count })
    for (sample, train) in trains.enumerated() { data.append(train, label: sample) }
    return data
  }

  /// The unit of slopes: that of the fastest sine of amplitude 1, per ms.
  private var slopeLimit: Double { 2 * Double.pi * highest / 1000 }

  private func draw(_ random: inout Random) -> Sines {
    var sines: Sines = (0..<3).map { _ in
      (
        random.uniform(0.3, 1), 2 * Double.pi * random.uniform(highest / 4, highest) / 1000,
        random.uniform(0, 2 * Double.pi)
      )
    }
    let largest = (0...1000).map { abs(signal(sines, Double($0) / 1000 * duration)) }.max() ?? 1
    for k in sines.indices { sines[k].amplitude /= max(largest, 1e-9) }
    return sines
  }

  func signal(_ sines: Sines, _ time: Double) -> Double {
    sines.reduce(0) { $0 + $1.amplitude * sin($1.omega * time + $1.phase) }
  }

  func slope(_ sines: Sines, _ time: Double) -> Double {
    sines.reduce(0) { $0 + $1.amplitude * $1.omega * cos($1.omega * time + $1.phase) }
  }

  private func encode(_ sines: Sines, _ random: inout Random) -> SpikeTrain {
    var train = SpikeTrain(times: [], units: [])
    let spacing = 2 / Double(units - 1)
    let step = 0.1
    var filled = (0..<units).map { _ in random.uniform() }
    for n in 0..<Int(duration / step) {
      let s = signal(sines, (Double(n) + 0.5) * step)
      for u in 0..<units {
        let off = (s - (-1 + Double(u) * spacing)) / spacing
        filled[u] += peak / 1000 * step * exp(-off * off / 2)
        if filled[u] >= 1 {
          filled[u] -= 1
          train.times.append((Double(n) + 0.5) * step)
          train.units.append(UInt16(u))
        }
      }
    }
    return train
  }
}
