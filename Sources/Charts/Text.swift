// SPDX-License-Identifier: MIT

import Foundation

/// Numbers and texts as charts, screens and the command line write them.
public enum Text {
  /// Three significant digits: `0.412`, `12.3`, `3.2e-5`.
  public static func short(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value > 0 ? "inf" : "-inf" }
    let size = abs(value)
    if size == 0 { return "0" }
    if size < 1e-3 || size >= 1e5 { return String(format: "%.1e", value) }
    let digits = max(0, 2 - Int(floor(log10(size))))
    return String(format: "%.\(digits)f", value)
  }

  /// A value of an axis of some length: as many digits as tell its ends apart, seven at the most.
  public static func short(_ value: Double, span: Double) -> String {
    let size = abs(value)
    guard span > 0, span < 0.03 * size, size >= 1e-3, size < 1e5, value.isFinite else {
      return short(value)
    }
    let digits = min(7, max(0, 1 - Int(floor(log10(span)))))
    return String(format: "%.\(digits)f", value)
  }

  /// `97.2 %`, or a dash for what is not known.
  public static func percent(_ share: Double?) -> String {
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
  public static func wrapped(_ text: String, _ width: Int) -> [String] {
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

  /// A text in exactly so many columns: cut, or with spaces after it.
  public static func pad(_ text: String, _ width: Int) -> String {
    text.count >= width
      ? String(text.prefix(width)) : text + String(repeating: " ", count: width - text.count)
  }

  /// What is not known yet, or not at all.
  public static let unknown = "–"

  /// Three significant digits; `inf`, or a dash for what is not known.
  public static func number(_ value: Double?) -> String {
    guard let value, value.isFinite else { return value == nil || value!.isNaN ? unknown : "inf" }
    return short(value)
  }

  /// So many digits after the point; a dash for what is not known or not finite.
  public static func fixed(_ value: Double?, _ digits: Int) -> String {
    value.flatMap { $0.isFinite ? String(format: "%.\(digits)f", $0) : nil } ?? unknown
  }

  /// Whole numbers without a point: `85`, `7.5`.
  package static func plain(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e9 ? "\(Int(value))" : "\(value)"
  }

  /// `5.0e-3`.
  public static func rate(_ rate: Double) -> String {
    guard rate > 0, rate.isFinite else { return rate == 0 ? "0" : unknown }
    let exponent = Int(floor(log10(rate)))
    return String(format: "%.2ge%d", rate / pow(10, Double(exponent)), exponent)
  }

  /// `+1.20e-3`.
  public static func signed(_ value: Double) -> String {
    value.isFinite ? String(format: "%+.2e", value) : "\(value)"
  }

  /// A text cut to a width, with a mark that it was.
  public static func fit(_ text: String, _ width: Int) -> String {
    text.count <= width ? text : width > 0 ? text.prefix(width - 1) + "…" : ""
  }

  /// A text moved to the right end of its columns.
  public static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
