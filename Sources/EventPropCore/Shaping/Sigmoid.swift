// SPDX-License-Identifier: MIT

import Foundation

/// w = 1/(1 + exp((x - 0.5)/0.2)).
public struct SigmoidShaping: ShapingCurve {
  /// `loss.shaping = "sigmoid"`.
  public static let kind = "sigmoid"

  /// There is nothing to set.
  public init() {}
  /// nil where any word follows: it has no parameters.
  public init?(words: [String]) { if !words.isEmpty { return nil } }

  /// 1/(1 + exp((x - 0.5)/0.2))
  public func weight(at x: Double) -> Double { 1 / (1 + exp((x - 0.5) / 0.2)) }
}

extension Shaping {
  /// 0.92 at the start of the trial, 0.5 in its middle, 0.08 at its end.
  public static let sigmoid = Shaping(SigmoidShaping())
}
