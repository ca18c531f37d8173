// SPDX-License-Identifier: MIT

/// Text from files as it may be shown: what would steer a terminal or turn the line around is
/// spelled out.
public enum VisibleText {
  /// Control characters, and those that change the direction of text.
  public static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x2069, 0xFEFF: true
    default: false
    }
  }

  /// The text with `\\u{1B}` in place of such characters.
  /// - Parameter keeping: those that may stay, as line ends of a message of ours.
  public static func of(_ text: String, keeping: String = "") -> String {
    let kept = keeping.unicodeScalars
    guard text.unicodeScalars.contains(where: { isHidden($0) && !kept.contains($0) }) else {
      return text
    }
    var result = ""
    for scalar in text.unicodeScalars {
      if isHidden(scalar) && !kept.contains(scalar) {
        result += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
