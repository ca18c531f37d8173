// SPDX-License-Identifier: MIT

import Foundation

/// w = 1.
public struct PlainShaping: ShapingCurve {
  /// `loss.shaping = "none"`; all that losses without an integral allow.
  public static let kind = "none"

  /// There is nothing to set.
  public init() {}
  /// nil where any word follows: it has no parameters.
  public init?(words: [String]) { if !words.isEmpty { return nil } }

  /// 1
  public func weight(at x: Double) -> Double { 1 }

  /// 0
  public var decayRate: Double? { 0 }
}

extension Shaping {
  /// The loss as it is.
  public static let none = Shaping(PlainShaping())
}
