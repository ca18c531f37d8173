// SPDX-License-Identifier: MIT

/// Follows the low-pass filtered input of the training samples.
public struct InputShaping: ShapingCurve {
  /// `loss.shaping = "input"`.
  public static let kind = "input"
  /// Chosen by its name only.
  public static let isInTurn = false
  /// Its profile comes by `following`.
  public static let followsInput = true

  /// nil until the data are known: w = 1.
  public let profile: InputProfile?

  /// nil: w = 1, until `following`.
  public init(_ profile: InputProfile? = nil) { self.profile = profile }
  /// nil where any word follows; the profile is not among them, but computed anew from the data.
  public init?(words: [String]) {
    if !words.isEmpty { return nil }
    profile = nil
  }

  /// The bin edges of the profile; none without one.
  public var kinks: [Double] { profile?.points.map(\.x) ?? [] }

  /// Linear between the profile's points; 1 without one.
  public func weight(at x: Double) -> Double { profile?.points.weight(at: x) ?? 1 }
  /// Any profile it had is replaced.
  public func following(_ input: InputProfile) -> InputShaping { InputShaping(input) }
}

extension Shaping {
  /// nil: w = 1, until `following`.
  public static func input(_ profile: InputProfile? = nil) -> Shaping {
    Shaping(InputShaping(profile))
  }
}
