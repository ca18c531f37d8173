// SPDX-License-Identifier: MIT

import Foundation

/// Lines of comma-separated fields, as spreadsheets and pandas read them.
public enum CSV {
  /// A field, in quotes where it needs them; control characters as `\u{1B}`.
  public static func quoted(_ text: String) -> String {
    let field = VisibleText.of(text)
    guard field.unicodeScalars.contains(where: { ",\"".unicodeScalars.contains($0) }) else {
      return field
    }
    return "\"\(field.replacingOccurrences(of: "\"", with: "\"\""))\""
  }

  /// Fields of one line, quotes undone.
  package static func fields(_ line: String) -> [String] {
    var fields = [""]
    var isQuoted = false
    var previous: Character = ","
    for c in line {
      if c == "\"" {
        // Two quotes within quotes are one.
        if !isQuoted && previous == "\"" { fields[fields.count - 1].append(c) }
        isQuoted.toggle()
      } else if c == "," && !isQuoted {
        fields.append("")
      } else {
        fields[fields.count - 1].append(c)
      }
      previous = c
    }
    return fields
  }
}
