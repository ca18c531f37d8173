// SPDX-License-Identifier: MIT

import Foundation

/// w = 1 - x.
public struct LinearShaping: ShapingCurve {
  /// `loss.shaping = "linear"`.
  public static let kind = "linear"

  /// There is nothing to set.
  public init() {}
  /// nil where any word follows: it has no parameters.
  public init?(words: [String]) { if !words.isEmpty { return nil } }

  /// 1 - x
  public func weight(at x: Double) -> Double { 1 - x }

  /// That of 1 - end, and that of end - x.
  public func integral(from start: Double, to end: Double, rate: Double) -> Double? {
    let length = end - start
    let decay = -expm1(-rate * length) / rate
    return (1 - end) * decay + (length - decay) / rate
  }
}

extension Shaping {
  /// From 1 at the start of the trial to 0 at its end.
  public static let linear = Shaping(LinearShaping())
}
