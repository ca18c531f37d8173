// SPDX-License-Identifier: MIT

import Foundation

/// w = 1/(1 + exp((x - 0.5)/0.2)).
public struct SigmoidShaping: ShapingCurve {
  public static let kind = "sigmoid"
  public static let title = "w = 1/(1 + exp((t/T - 0.5)/0.2))"

  public init() {}
  public init?(words: [String]) { if !words.isEmpty { return nil } }

  public func weight(at x: Double) -> Double { 1 / (1 + exp((x - 0.5) / 0.2)) }
}

extension Shaping {
  public static let sigmoid = Shaping(SigmoidShaping())
}
