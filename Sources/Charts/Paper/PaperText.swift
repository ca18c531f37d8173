// SPDX-License-Identifier: MIT

/// Widths of text before any viewer has chosen a font: those of DejaVu Sans, which is wider than
/// Helvetica and Arial, so that nothing is cut with either.
enum PaperText {
  /// pt.
  static func width(_ text: String, _ font: Double) -> Double {
    text.unicodeScalars.reduce(0) { $0 + width($1) } * font
  }

  private static func width(_ scalar: Unicode.Scalar) -> Double {
    switch scalar {
    case "i", "j", "l", "I", ".", ",", ":", ";", "'", "|", "!", " ", "·": 0.34
    case "f", "t", "r", "(", ")", "[", "]", "/", "-", "\"": 0.41
    case "m", "w", "M", "W", "%", "@", "…": 1
    case "A"..."Z", "+", "=", "<", ">", "−", "η", "Δ": 0.8
    case _ where scalar.value >= 0x1100:
      scalar.value < 0x2E80 && scalar.value >= 0x2000 ? 0.84 : 1.1
    default: 0.64
    }
  }

  /// Cut to a width, with a mark that it was.
  static func fit(_ text: String, _ room: Double, _ font: Double) -> String {
    guard width(text, font) > room else { return text }
    var cut = text
    while !cut.isEmpty, width(cut + "…", font) > room { cut.removeLast() }
    return cut.isEmpty ? "" : cut + "…"
  }

  /// In lines of at most that width, words whole where they fit; what is left over after the last
  /// line is cut.
  static func wrapped(_ text: String, _ room: Double, _ font: Double, lines most: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ").map(String.init) {
      if let last = lines.last, lines.count == most || width(last + " " + word, font) <= room {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(word)
      }
    }
    return lines.map { fit($0, room, font) }
  }
}
