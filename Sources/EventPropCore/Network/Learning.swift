// SPDX-License-Identifier: MIT

import Foundation

/// How numbers beside the weights begin and are trained: delays, or a constant that each neuron of
/// a layer has.
public struct Learning: Sendable, Equatable {
  /// Base learning rate, in the numbers' own unit, which the schedule multiplies as it does that of
  /// the weights. nil: they stay as they begin.
  public var rate: Double?
  /// They are held within it after every update.
  public var range: ClosedRange<Double>
  /// What they are drawn from; nil: they begin as the layer has them.
  public var initial: Distribution?

  /// Nothing is checked here.
  public init(rate: Double?, range: ClosedRange<Double>, initial: Distribution? = nil) {
    (self.rate, self.range, self.initial) = (rate, range, initial)
  }

  /// Whether updates change them.
  public var isTrained: Bool { rate != nil }

  /// `count` numbers to begin with, within the range.
  func draw(_ count: Int, standard: [Double], using random: inout Random) -> [Double] {
    (0..<count).map { index in
      let value = initial.map { $0.draw(using: &random) } ?? standard[index]
      return min(max(value, range.lowerBound), range.upperBound)
    }
  }
}

/// What numbers are drawn from.
public enum Distribution: Sendable, Equatable {
  /// Mean and standard deviation.
  case normal(Double, Double)
  /// From the one to the other.
  case uniform(Double, Double)
  /// Shape and scale, both above 0: mean shape x scale, standard deviation sqrt(shape) x scale.
  case gamma(Double, Double)

  /// One of them.
  public func draw(using random: inout Random) -> Double {
    switch self {
    case .normal(let mean, let sd): return mean + sd * random.normal()
    case .uniform(let low, let high): return random.uniform(low, high)
    case .gamma(let shape, let scale): return scale * Distribution.gamma(shape, using: &random)
    }
  }

  /// Marsaglia & Tsang, ACM Transactions on Mathematical Software 26 (2000) 363.
  private static func gamma(_ shape: Double, using random: inout Random) -> Double {
    if shape < 1 {
      return gamma(shape + 1, using: &random) * pow(1 - random.uniform(), 1 / shape)
    }
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = random.normal()
      let v = 1 + c * x
      if v <= 0 { continue }
      let cube = v * v * v
      if log(1 - random.uniform()) < x * x / 2 + d - d * cube + d * log(cube) { return d * cube }
    }
  }
}
