// SPDX-License-Identifier: MIT

/// Follows the low-pass filtered input of the training samples.
public struct InputShaping: ShapingCurve {
  public static let kind = "input"
  public static let title = "as the low-pass filtered number of input spikes"
  public static let isInTurn = false
  public static let followsInput = true

  /// nil until the data are known: w = 1.
  public let profile: InputProfile?

  public init(_ profile: InputProfile? = nil) { self.profile = profile }
  public init?(words: [String]) {
    if !words.isEmpty { return nil }
    profile = nil
  }

  public var kinks: [Double] { profile?.points.map(\.x) ?? [] }

  public func weight(at x: Double) -> Double { profile?.points.weight(at: x) ?? 1 }
  public func following(_ input: InputProfile) -> InputShaping { InputShaping(input) }
}

extension Shaping {
  public static func input(_ profile: InputProfile? = nil) -> Shaping {
    Shaping(InputShaping(profile))
  }
}
