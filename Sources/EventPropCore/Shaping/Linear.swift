// SPDX-License-Identifier: MIT

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
}

extension Shaping {
  /// From 1 at the start of the trial to 0 at its end.
  public static let linear = Shaping(LinearShaping())
}
