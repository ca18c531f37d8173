// SPDX-License-Identifier: MIT

import EventPropCore

/// The Yin-Yang problem (Kriener, Göltz & Petrovici 2022): points in a yin-yang sign, three
/// classes.
///
/// Units 0 to 3 spike at `early + value (late - early)` for x, y, 1 - x, 1 - y; unit 4 is a bias
/// spike.
public struct YinYang: Sendable, Equatable {
  /// Spike times of the values 0 and 1, and of the bias, ms.
  public var early: Double
  /// Spike time of the value 1, ms.
  public var late: Double
  /// Spike time of unit 4 in every sample, ms.
  public var bias: Double

  /// Labels index them; both small circles are the dot.
  public static let classNames = ["yin", "yang", "dot"]
  /// x, y, 1 - x, 1 - y, and the bias.
  public static let unitCount = 5
  static let bigRadius = 0.5
  static let smallRadius = 0.1

  /// Times in ms; a trial leaves out spikes at or beyond its end.
  public init(early: Double, late: Double, bias: Double) {
    self.early = early
    self.late = late
    self.bias = bias
  }

  /// `count` samples with balanced classes, reproducible by seed and purpose.
  public func generate(_ count: Int, seed: Int, purpose: StaticString) -> SpikeDataSet {
    var random = Random(seed: seed, purpose)
    var data = SpikeDataSet(
      name: "yin-yang", unitCount: Self.unitCount, classNames: Self.classNames)
    data.reserve(samples: count, spikes: count * Self.unitCount)
    for _ in 0..<count {
      let goal = random.index(below: 3)
      while true {
        let x = random.uniform()
        let y = random.uniform()
        if Self.label(x, y) == goal {
          data.append(encode(x, y), label: goal)
          break
        }
      }
    }
    return data
  }

  /// The class of a point of the unit square; nil outside the sign.
  static func label(_ x: Double, _ y: Double) -> Int? {
    func distance(_ cx: Double) -> Double {
      ((x - cx) * (x - cx) + (y - bigRadius) * (y - bigRadius)).squareRoot()
    }
    guard distance(bigRadius) <= bigRadius else { return nil }
    let right = distance(1.5 * bigRadius)
    let left = distance(0.5 * bigRadius)
    if right < smallRadius || left < smallRadius { return 2 }
    let isYin =
      right <= smallRadius || (left > smallRadius && left <= 0.5 * bigRadius)
      || (y > bigRadius && right > 0.5 * bigRadius)
    return isYin ? 0 : 1
  }

  func encode(_ x: Double, _ y: Double) -> SpikeTrain {
    let times = [x, y, 1 - x, 1 - y].map { early + $0 * (late - early) } + [bias]
    var train = SpikeTrain(
      times: times, units: (0..<5).map { UInt16($0) })
    train.sort()
    return train
  }
}
