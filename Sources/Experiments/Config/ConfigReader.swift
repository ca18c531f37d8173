// SPDX-License-Identifier: MIT

import SpikeData
import Foundation

/// Bounds of a number, for checking and for saying what is allowed.
package enum Bound {
  case any
  case above(Double)
  case atLeast(Double)
  case within(Double, Double)

  func contains(_ x: Double) -> Bool {
    switch self {
    case .any: x.isFinite
    case .above(let low): x.isFinite && x > low
    case .atLeast(let low): x.isFinite && x >= low
    case .within(let low, let high): x >= low && x <= high
    }
  }

  /// A number within.
  var example: Double {
    switch self {
    case .any: 0
    case .above(let low): low + 1
    case .atLeast(let low), .within(let low, _): low
    }
  }

  var words: String {
    switch self {
    case .any: "a finite number"
    case .above(let low): "a number above \(Bound.short(low))"
    case .atLeast(let low): "a number of at least \(Bound.short(low))"
    case .within(let low, let high): "a number from \(Bound.short(low)) to \(Bound.short(high))"
    }
  }

  static func short(_ x: Double) -> String { Int(exactly: x).map(String.init) ?? String(x) }
}

/// Reads one table key by key, with types and bounds checked. Every key it is asked for counts as
/// known and goes, default or not, into `resolved`; `finish` refuses the rest.
package final class ConfigReader {
  package let table: ConfigTable
  let path: String
  private let locate: (String) -> (file: String, line: Int?)
  package private(set) var resolved = ConfigTable()
  /// Is told of every key that is asked for.
  private let survey: KeySurvey?

  package init(
    _ table: ConfigTable, path: String = "", survey: KeySurvey? = nil,
    locate: @escaping (String) -> (file: String, line: Int?)
  ) {
    self.table = table
    self.path = path
    self.survey = survey
    self.locate = locate
  }

  func full(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  package func error(_ key: String, _ message: String) -> FileError {
    let (file, line) = locate(full(key))
    return FileError(file, line: line, "\(full(key)): \(message)")
  }

  private func wrongType(_ key: String, _ value: ConfigValue, _ allowed: String) -> FileError {
    error(key, "is \(value.typeName) (\(value.text)), allowed is \(allowed)")
  }

  package func number(_ key: String, default standard: Double?, _ bound: Bound) throws -> Double {
    survey?.note(full(key))
    let standard = standard ?? survey.map { _ in bound.example }
    let value: Double
    switch table[key] {
    case .integer(let number): value = Double(number)
    case .real(let number): value = number
    case nil:
      guard let standard else { throw error(key, "is missing; needed is \(bound.words)") }
      value = standard
    case .some(let other): throw wrongType(key, other, bound.words)
    }
    guard bound.contains(value) else {
      throw error(key, "is \(ConfigValue.real(value).text), allowed is \(bound.words)")
    }
    resolved[key] = .real(value)
    return value
  }

  package func integer(_ key: String, default standard: Int?, _ range: ClosedRange<Int>) throws
    -> Int
  {
    survey?.note(full(key))
    let standard = standard ?? survey.map { _ in range.lowerBound }
    let allowed = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    let value: Int
    switch table[key] {
    case .integer(let number): value = number
    case nil:
      guard let standard else { throw error(key, "is missing; needed is \(allowed)") }
      value = standard
    case .some(let other): throw wrongType(key, other, allowed)
    }
    guard range.contains(value) else { throw error(key, "is \(value), allowed is \(allowed)") }
    resolved[key] = .integer(value)
    return value
  }

  /// nil when the key is absent.
  package func optionalInteger(_ key: String, _ range: ClosedRange<Int>) throws -> Int? {
    table[key] == nil
      ? {
        survey?.note(full(key))
        known(key)
        return nil
      }() : try integer(key, default: nil, range)
  }

  package func boolean(_ key: String, default standard: Bool) throws -> Bool {
    survey?.note(full(key), words: ["true", "false"])
    survey?.note(full(key), mayBe: [.boolean(!standard)])
    switch table[key] {
    case nil:
      resolved[key] = .boolean(standard)
      return standard
    case .boolean(let flag):
      resolved[key] = .boolean(flag)
      return flag
    case .some(let other): throw wrongType(key, other, "true or false")
    }
  }

  package func string(_ key: String, default standard: String?) throws -> String {
    survey?.note(full(key))
    let standard = standard ?? survey.map { _ in key }
    switch table[key] {
    case nil:
      guard let standard else { throw error(key, "is missing; needed is a string") }
      resolved[key] = .string(standard)
      return standard
    case .string(let string):
      resolved[key] = .string(string)
      return string
    case .some(let other): throw wrongType(key, other, "a string")
    }
  }

  /// A path of a file or folder; `~` and relative ones become absolute, so that the preset means
  /// the same from anywhere.
  func path(_ key: String) throws -> String {
    let text = try string(key, default: "")
    guard !text.isEmpty else { return "" }
    let expanded = (text as NSString).expandingTildeInPath
    let absolute =
      expanded.hasPrefix("/")
      ? expanded
      : (FileManager.default.currentDirectoryPath as NSString).appendingPathComponent(expanded)
    resolved[key] = .string(absolute)
    return absolute
  }

  package func choice(_ key: String, default standard: String?, _ choices: [String]) throws
    -> String
  {
    survey?.note(full(key), words: choices)
    survey?.note(full(key), mayBe: choices.map { .string($0) })
    let standard = standard ?? survey.flatMap { _ in choices.first }
    let allowed = choices.map { "\"\($0)\"" }.joined(separator: ", ")
    if table[key] == nil && standard == nil {
      throw error(key, "is missing; needed is one of \(allowed)")
    }
    if let value = table[key] {
      guard case .string = value else { throw wrongType(key, value, "one of \(allowed)") }
    }
    let value = try string(key, default: standard)
    guard choices.contains(value) else {
      throw error(key, "is \"\(value)\", allowed is one of \(allowed)")
    }
    return value
  }

  /// A list whose elements `read` understands.
  package func list<Element>(
    _ key: String, _ allowed: String, _ read: (ConfigValue) -> Element?
  ) throws -> [Element]? {
    survey?.note(full(key))
    switch table[key] {
    case nil:
      known(key)
      return nil
    case .list(let items):
      resolved[key] = .list(items)
      return try items.enumerated().map { index, item in
        guard let element = read(item) else {
          throw error(key, "entry \(index) is \(item.text), allowed is \(allowed)")
        }
        return element
      }
    case .some(let other): throw wrongType(key, other, "an array of \(allowed)")
    }
  }

  /// Reads an inner table (an absent one as empty).
  package func section<Result>(_ key: String, _ read: (ConfigReader) throws -> Result) throws
    -> Result
  {
    survey?.note(full(key), isTable: true)
    let inner: ConfigTable
    switch table[key] {
    case nil: inner = ConfigTable()
    case .table(let table): inner = table
    case .some(let other): throw wrongType(key, other, "a table")
    }
    let reader = ConfigReader(inner, path: full(key), survey: survey, locate: locate)
    let result = try read(reader)
    try reader.finish()
    resolved[key] = .table(reader.resolved)
    return result
  }

  /// Reads an inner table, nil when it is absent.
  package func optionalSection<Result>(_ key: String, _ read: (ConfigReader) throws -> Result)
    throws
    -> Result?
  {
    if table[key] == nil {
      survey?.note(full(key), isTable: true)
      mayBeTable(key)
      known(key)
      return nil
    }
    return try section(key, read)
  }

  /// Reads a list of tables (an absent one as empty).
  package func sections<Result>(_ key: String, _ read: (ConfigReader) throws -> Result) throws
    -> [Result]
  {
    let items: [ConfigValue]
    switch table[key] {
    case nil: items = []
    case .list(let list): items = list
    case .some(let other): throw wrongType(key, other, "a list of tables ([[\(key)]])")
    }
    var written: [ConfigValue] = []
    let results = try items.enumerated().map { index, item in
      guard case .table(let inner) = item else {
        throw error("\(key).\(index)", "is \(item.typeName), allowed is a table")
      }
      let reader = ConfigReader(
        inner, path: full("\(key).\(index)"), survey: survey, locate: locate)
      let result = try read(reader)
      try reader.finish()
      written.append(.table(reader.resolved))
      return result
    }
    if !written.isEmpty { resolved[key] = .list(written) } else { known(key) }
    return results
  }

  /// Lets a key through unread.
  package func keep(_ key: String) {
    survey?.note(full(key))
    if let value = table[key] { resolved[key] = value } else { known(key) }
  }

  /// Says that a key that is something else here may be a table with keys of its own.
  func mayBeTable(_ key: String) {
    survey?.note(full(key), mayBe: [.table(ConfigTable())])
  }

  private var absent: Set<String> = []
  private func known(_ key: String) { absent.insert(key) }

  /// - Throws: `FileError` for the first key that nothing asked for.
  package func finish() throws {
    for key in table.keys where resolved[key] == nil {
      let allowed = Set(resolved.keys).union(absent).sorted()
      let hint = Spelling.hint(key, allowed)
      throw error(
        key,
        "is not a key here\(hint.isEmpty ? "." : hint) Allowed are \(allowed.joined(separator: ", "))"
      )
    }
  }
}
