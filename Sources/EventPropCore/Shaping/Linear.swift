// SPDX-License-Identifier: MIT

/// w = 1 - x.
public struct LinearShaping: ShapingCurve {
  public static let kind = "linear"
  public static let title = "w = 1 - t/T"

  public init() {}
  public init?(words: [String]) { if !words.isEmpty { return nil } }

  public func weight(at x: Double) -> Double { 1 - x }
}

extension Shaping {
  public static let linear = Shaping(LinearShaping())
}
