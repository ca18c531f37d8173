// SPDX-License-Identifier: MIT

import Foundation

/// w = exp(-x/scale); scale 1 is the best of Nowotny, Turner & Knight ("sum_weigh_exp").
public struct ExponentialShaping: ShapingCurve {
  public static let kind = "exponential"
  public static let title = "w = exp(-t/(scale T))"
  public static let keys = [ShapingKey.number("scale", standard: 1)]
  public static let usage = "exponential [SCALE]"
  public static let allowed = "allowed is a scale above 0"

  /// In trial lengths.
  public let scale: Double

  public init(scale: Double) { self.scale = scale }

  public init?(words: [String]) {
    guard words.count <= 1, let scale = words.isEmpty ? 1 : Double(words[0]), scale > 0,
      scale.isFinite
    else { return nil }
    self.scale = scale
  }

  public var words: [String] { ["\(scale)"] }

  public func weight(at x: Double) -> Double { exp(-x / scale) }
}

extension Shaping {
  public static func exponential(scale: Double) -> Shaping {
    Shaping(ExponentialShaping(scale: scale))
  }
}
