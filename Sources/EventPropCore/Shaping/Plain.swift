// SPDX-License-Identifier: MIT

/// w = 1.
public struct PlainShaping: ShapingCurve {
  public static let kind = "none"
  public static let title = "w = 1"

  public init() {}
  public init?(words: [String]) { if !words.isEmpty { return nil } }

  public func weight(at x: Double) -> Double { 1 }
}

extension Shaping {
  public static let none = Shaping(PlainShaping())
}
