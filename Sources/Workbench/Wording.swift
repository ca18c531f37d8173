// SPDX-License-Identifier: MIT

import Experiments
import Live
import Foundation

/// Wording shared by the screens and the command line.
public enum Wording {
  static func percent(_ share: Double?) -> String {
    share.map { String(format: "%.1f %%", 100 * $0) } ?? unknown
  }

  /// `1:02:03` or `0:41`.
  public static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 360_000 else { return "-" }
    let whole = Int(seconds.rounded())
    return whole >= 3600
      ? String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
      : String(format: "%d:%02d", whole / 60, whole % 60)
  }

  /// `38,200`.
  public static func grouped(_ number: Double) -> String {
    guard number.isFinite, abs(number) < 1e12 else { return "-" }
    var digits = String(Int(number.rounded()))
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return ([digits] + groups).joined(separator: ",")
  }

  /// A sentence in lines of at most so many columns; words stay whole where they fit.
  static func wrapped(_ text: String, _ width: Int) -> [String] {
    var lines = [""]
    for word in text.split(separator: " ") {
      let last = lines[lines.count - 1]
      if last.isEmpty {
        lines[lines.count - 1] = String(word)
      } else if last.count + 1 + word.count <= width {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }

  static func letter(_ lane: Int) -> String { String(UnicodeScalar(UInt8(65 + lane % 26))) }

  static func className(_ index: Int, _ snapshot: Snapshot) -> String {
    snapshot.classNames.indices.contains(index)
      ? VisibleText.of(snapshot.classNames[index]) : "none"
  }

  static func pad(_ text: String, _ width: Int) -> String {
    text.count >= width
      ? String(text.prefix(width)) : text + String(repeating: " ", count: width - text.count)
  }
}
