// SPDX-License-Identifier: MIT

import SpikeData
import Foundation
import TOMLKit

/// A TOML value as plain data, so that presets can be merged, overridden and written out again.
public indirect enum ConfigValue: Sendable, Equatable {
  case string(String)
  case integer(Int)
  case real(Double)
  case boolean(Bool)
  case list([ConfigValue])
  case table(ConfigTable)
  /// Dates and times, which no key of ours takes.
  case unsupported(String)

  /// What messages call the type.
  package var typeName: String {
    switch self {
    case .string: "a string"
    case .integer: "an integer"
    case .real: "a number"
    case .boolean: "a boolean"
    case .list: "an array"
    case .table: "a table"
    case .unsupported(let name): name
    }
  }
}

/// Keys and values in the order in which they were put in.
public struct ConfigTable: Sendable, Equatable {
  /// A key that gets another value keeps its place.
  public private(set) var keys: [String] = []
  private var values: [String: ConfigValue] = [:]

  /// Without any key.
  public init() {}

  /// One key, not a dotted path. nil: not there; setting nil removes it.
  public subscript(key: String) -> ConfigValue? {
    get { values[key] }
    set {
      if values[key] == nil && newValue != nil { keys.append(key) }
      if newValue == nil { keys.removeAll { $0 == key } }
      values[key] = newValue
    }
  }

  /// Whether it has no key.
  public var isEmpty: Bool { keys.isEmpty }

  /// Parses a TOML document.
  /// - Throws: `FileError` with line and column.
  public init(parsing text: String, file: String) throws {
    try TOMLGuard.check(text, file: file)
    do {
      self.init(try TOMLTable(string: text))
    } catch let error as TOMLParseError {
      let start = error.source.begin
      let reason = error.description.split(separator: "\n").first.map(String.init) ?? "not TOML"
      throw FileError(file, line: start.line, "column \(start.column): \(reason)")
    }
  }

  private init(_ table: TOMLTable) {
    for key in table.keys {
      if let value = table[key] { self[key] = ConfigTable.convert(value) }
    }
  }

  private static func convert(_ value: any TOMLValueConvertible) -> ConfigValue {
    switch value.type {
    case .string: return .string(value.string ?? "")
    case .int: return .integer(value.int ?? 0)
    case .double: return .real(value.double ?? .nan)
    case .bool: return .boolean(value.bool ?? false)
    case .array: return .list((value.array ?? []).map { convert($0) })
    case .table: return .table(ConfigTable(value.table ?? TOMLTable()))
    default: return .unsupported("a \(value.type)")
    }
  }

  /// This table with another laid over it: tables merge key by key, lists of tables of the same
  /// length element by element; everything else is replaced.
  public func overlaid(with other: ConfigTable) -> ConfigTable {
    var merged = self
    for key in other.keys {
      merged[key] = ConfigTable.overlay(self[key], other[key]!)
    }
    return merged
  }

  private static func overlay(_ base: ConfigValue?, _ top: ConfigValue) -> ConfigValue {
    switch (base, top) {
    case (.table(let a), .table(let b)):
      return .table(a.overlaid(with: b))
    case (.list(let a), .list(let b)) where a.count == b.count && !a.isEmpty:
      return .list(
        zip(a, b).map { pair in
          if case (.table, .table) = pair { return overlay(pair.0, pair.1) }
          return pair.1
        })
    default:
      return top
    }
  }

  /// Sets the value at a dotted path; numbers index lists (`hidden.0.size`, `lane.1.loss.kind`).
  /// - Returns: false when the path leads through something that is no table or list.
  mutating func set(_ path: [String], to value: ConfigValue) -> Bool {
    guard let key = path.first else { return false }
    if path.count == 1 {
      self[key] = value
      return true
    }
    let rest = Array(path.dropFirst())
    switch self[key] {
    case nil:
      var inner = ConfigTable()
      guard inner.set(rest, to: value) else { return false }
      self[key] = .table(inner)
      return true
    case .table(var inner):
      guard inner.set(rest, to: value) else { return false }
      self[key] = .table(inner)
      return true
    case .list(var items):
      guard let index = Int(rest[0]), items.indices.contains(index) else { return false }
      if rest.count == 1 {
        items[index] = value
      } else {
        guard case .table(var inner) = items[index],
          inner.set(Array(rest.dropFirst()), to: value)
        else { return false }
        items[index] = .table(inner)
      }
      self[key] = .list(items)
      return true
    default:
      return false
    }
  }
}
