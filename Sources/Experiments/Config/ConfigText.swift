// SPDX-License-Identifier: MIT

import Foundation

extension ConfigTable {
  /// The table as a TOML document: plain values first, then `[tables]` and `[[lists of tables]]`.
  public var text: String {
    var lines: [String] = []
    ConfigTable.write(self, path: [], into: &lines)
    return lines.joined(separator: "\n") + "\n"
  }

  private static func write(_ table: ConfigTable, path: [String], into lines: inout [String]) {
    func isSection(_ key: String) -> Bool {
      switch table[key]! {
      case .table: return path.isEmpty
      case .list(let items): return path.isEmpty && !items.isEmpty && items.allSatisfy(\.isTable)
      default: return false
      }
    }
    for key in table.keys where !isSection(key) {
      lines.append("\(quotedKey(key)) = \(table[key]!.text)")
    }
    for key in table.keys where isSection(key) {
      switch table[key]! {
      case .table(let inner):
        lines.append("\n[\(quotedKey(key))]")
        write(inner, path: path + [key], into: &lines)
      case .list(let items):
        for case .table(let inner) in items {
          lines.append("\n[[\(quotedKey(key))]]")
          write(inner, path: path + [key], into: &lines)
        }
      default: break
      }
    }
  }

  static func quotedKey(_ key: String) -> String {
    let isBare =
      !key.isEmpty
      && key.unicodeScalars.allSatisfy {
        ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0)
          || $0 == "_" || $0 == "-"
      }
    return isBare ? key : ConfigValue.quoted(key)
  }
}

extension ConfigValue {
  var isTable: Bool {
    if case .table = self { return true }
    return false
  }

  /// The value as TOML, on one line. Numbers read back to the same bits.
  package var text: String {
    switch self {
    case .string(let string): return ConfigValue.quoted(string)
    case .integer(let number): return String(number)
    case .real(let number):
      if number.isNaN { return "nan" }
      if number.isInfinite { return number > 0 ? "inf" : "-inf" }
      return number.description
    case .boolean(let flag): return flag ? "true" : "false"
    case .list(let items): return "[" + items.map(\.text).joined(separator: ", ") + "]"
    case .table(let table):
      if table.isEmpty { return "{}" }
      let entries = table.keys.map { "\(ConfigTable.quotedKey($0)) = \(table[$0]!.text)" }
      return "{ " + entries.joined(separator: ", ") + " }"
    case .unsupported(let name): return ConfigValue.quoted(name)
    }
  }

  package static func quoted(_ string: String) -> String {
    var result = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      default:
        if scalar.value < 0x20 || scalar.value == 0x7F {
          result += String(format: "\\u%04X", scalar.value)
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}

/// Finds the lines of keys in TOML text, for messages about values that are well-formed but wrong.
package struct ConfigLines {
  /// Dotted path (list elements by number) to line.
  private var lines: [String: Int] = [:]

  package init(_ text: String) {
    var section = ""
    var counts: [String: Int] = [:]
    let all = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, raw) in all.enumerated() {
      let line = raw.trimmingCharacters(in: .whitespaces)
      if line.hasPrefix("[[") {
        let name = ConfigLines.path(String(line.dropFirst(2).prefix { $0 != "]" }))
        section = "\(name).\(counts[name, default: 0])"
        counts[name, default: 0] += 1
        record(section, index + 1)
        record(name, index + 1)
      } else if line.hasPrefix("[") {
        section = ConfigLines.path(String(line.dropFirst().prefix { $0 != "]" }))
        record(section, index + 1)
      } else if !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") {
        let key = ConfigLines.path(String(line[..<equals]))
        record(section.isEmpty ? key : "\(section).\(key)", index + 1)
      }
    }
  }

  private mutating func record(_ path: String, _ line: Int) {
    if lines[path] == nil { lines[path] = line }
  }

  private static func path(_ key: String) -> String {
    key.split(separator: ".").map {
      $0.trimmingCharacters(in: CharacterSet(charactersIn: " \t\"'"))
    }.joined(separator: ".")
  }

  /// The line of a path, or of its nearest parent that has one.
  package func line(of path: String) -> Int? {
    var path = Substring(path)
    while !path.isEmpty {
      if let line = lines[String(path)] { return line }
      guard let dot = path.lastIndex(of: ".") else { return nil }
      path = path[..<dot]
    }
    return nil
  }
}
