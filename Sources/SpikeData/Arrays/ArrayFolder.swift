// SPDX-License-Identifier: MIT

import Foundation

/// Arrays by name: those of a folder (`.npy`, else `.csv`), or of an archive (`.npz`).
struct ArrayFolder {
  /// For messages.
  let path: String
  private let archive: ZipArchive?
  /// Before names in the archive: `test/`.
  private let prefix: String

  /// A folder or an archive.
  /// - Throws: `FileError` when there is neither.
  init(_ path: String) throws {
    self.path = path
    prefix = ""
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw FileError(path, "no such file or folder (data.path)")
    }
    archive = isDirectory.boolValue ? nil : try ZipArchive(path)
  }

  private init(_ path: String, _ archive: ZipArchive?, prefix: String) {
    (self.path, self.archive, self.prefix) = (path, archive, prefix)
  }

  private func file(_ name: String) -> String { (path as NSString).appendingPathComponent(name) }

  /// A folder within; also an archive of that name beside. nil where there is none.
  func inner(_ name: String) throws -> ArrayFolder? {
    if let archive {
      let prefix = prefix + name + "/"
      guard archive.names.contains(where: { $0.hasPrefix(prefix) }) else { return nil }
      return ArrayFolder(path, archive, prefix: prefix)
    }
    for candidate in [name, name + ".npz"] {
      if FileManager.default.fileExists(atPath: file(candidate)) {
        return try ArrayFolder(file(candidate))
      }
    }
    return nil
  }

  /// nil where there is none of that name.
  /// - Throws: `FileError` for a damaged one.
  func array(_ name: String) throws -> NumPyArray? {
    if let archive {
      let entry = prefix + name + ".npy"
      return try archive.contents(entry).map {
        try NumPyArray(fileBytes: $0, path: path + ":" + entry)
      }
    }
    if FileManager.default.fileExists(atPath: file(name + ".npy")) {
      return try NumPyArray(contentsOf: file(name + ".npy"))
    }
    if FileManager.default.fileExists(atPath: file(name + ".csv")) {
      return try NumberTable.array(file(name + ".csv"))
    }
    return nil
  }

  /// - Throws: `FileError` when there is none.
  func required(_ name: String) throws -> NumPyArray {
    guard let array = try array(name) else {
      throw FileError(
        prefix.isEmpty ? path : path + ":" + prefix,
        archive == nil ? "holds no \(name).npy or \(name).csv" : "holds no \(name)")
    }
    return array
  }

  /// A line of text each; nil where there is no such file.
  func lines(_ name: String) throws -> [String]? {
    let bytes: [UInt8]?
    if let archive {
      bytes = try archive.contents(prefix + name)
    } else {
      guard FileManager.default.fileExists(atPath: file(name)) else { return nil }
      let path = file(name)
      bytes = [UInt8](
        try RegularFile.contents(path, limit: 1 << 24) { FileError(path, $0) })
    }
    return bytes.map {
      String(decoding: $0, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
    }
  }

  /// The arrays of a folder within, in the order of the numbers in their names.
  func arrays(in name: String) throws -> [NumPyArray]? {
    guard let inner = try inner(name) else { return nil }
    let names =
      inner.archive.map { archive in
        archive.names.filter { $0.hasPrefix(inner.prefix) }.map {
          String($0.dropFirst(inner.prefix.count))
        }
      } ?? ((try? FileManager.default.contentsOfDirectory(atPath: inner.path)) ?? [])
    let stems = names.filter { $0.hasSuffix(".npy") && !$0.contains("/") }.map {
      String($0.dropLast(4))
    }
    let ordered = stems.sorted { a, b in
      switch (Int(a), Int(b)) {
      case (let a?, let b?): a < b
      default: a < b
      }
    }
    return try ordered.map { try inner.required($0) }
  }
}

/// Numbers in a CSV file: a line of names, then rows of so many numbers.
enum NumberTable {
  /// One column is a list; several are rows x columns, their names being the fields of records.
  static func array(_ path: String) throws -> NumPyArray {
    var data = try RegularFile.contents(path, limit: 1 << 32) { FileError(path, $0) }
    // The mark by which some programs say that they write UTF-8.
    if data.starts(with: [0xEF, 0xBB, 0xBF]) { data = Data(data.dropFirst(3)) }
    let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    func fields(_ line: Data) -> [Substring] {
      let text = Substring(String(decoding: line, as: UTF8.self))
      return text.split(separator: ",", omittingEmptySubsequences: false).map {
        Substring($0.trimmingCharacters(in: .whitespacesAndNewlines))
      }
    }
    guard let first = lines.first, !first.isEmpty else {
      throw FileError(path, "is empty; a line of names was expected")
    }
    let names = fields(first)
    let hasNames = names.contains { Double($0) == nil }
    let columns = names.count
    var values: [Double] = []
    for (index, line) in lines.enumerated().dropFirst(hasNames ? 1 : 0) {
      if line.allSatisfy({ $0 == 32 || $0 == 13 }) { continue }
      let row = fields(line)
      guard row.count == columns else {
        throw FileError(
          path, line: index + 1, "has \(row.count) fields; allowed are \(columns), as above it")
      }
      for field in row {
        guard let value = Double(field) else {
          throw FileError(path, line: index + 1, "\"\(field.prefix(40))\" is no number")
        }
        values.append(value)
      }
    }
    let rows = values.count / max(columns, 1)
    if columns == 1 { return NumPyArray(values, shape: [rows], file: path) }
    return hasNames
      ? NumPyArray(records: values, names: names.map(String.init), file: path)
      : NumPyArray(values, shape: [rows, columns], file: path)
  }
}
