// SPDX-License-Identifier: MIT

import Foundation

/// w = exp(-x/scale); scale 1 is the best of Nowotny, Turner & Knight ("sum_weigh_exp").
public struct ExponentialShaping: ShapingCurve {
  /// `loss.shaping = "exponential"`.
  public static let kind = "exponential"
  /// `loss.scale`, in trial lengths; 1 where the preset does not say.
  public static let keys = [ShapingKey.number("scale", standard: 1)]
  /// Without SCALE: 1.
  public static let usage = "exponential [SCALE]"
  /// Finite, too: `init(words:)` fails otherwise.
  public static let allowed = "allowed is a scale above 0"

  /// In trial lengths.
  public let scale: Double

  /// In trial lengths, above 0; not checked.
  public init(scale: Double) { self.scale = scale }

  /// One word at most, a finite scale above 0; without any it is 1.
  public init?(words: [String]) {
    guard words.count <= 1, let scale = words.isEmpty ? 1 : Double(words[0]), scale > 0,
      scale.isFinite
    else { return nil }
    self.scale = scale
  }

  /// The scale, also where it is the standard one.
  public var words: [String] { ["\(scale)"] }

  /// exp(-x/scale)
  public func weight(at x: Double) -> Double { exp(-x / scale) }

  /// 1/scale
  public var decayRate: Double? { 1 / scale }
}

extension Shaping {
  /// `scale` in trial lengths, above 0; not checked.
  public static func exponential(scale: Double) -> Shaping {
    Shaping(ExponentialShaping(scale: scale))
  }
}
