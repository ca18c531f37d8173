// SPDX-License-Identifier: MIT

import Foundation

/// An array as any program may have left it in a `.npy` file: whole and real numbers of every size
/// and byte order, in C or Fortran order, also records with named fields.
public struct NumPyArray: Sendable {
  /// A number within a record, or the whole of an entry that is no record.
  struct Field: Sendable {
    /// Empty where entries are no records.
    var name: String
    /// `i`, `u`, `f` or `b`, as in `descr`.
    var kind: Character
    /// Bytes.
    var size: Int
    var isBigEndian: Bool
    /// Where it lies in a record, bytes.
    var offset: Int
  }

  /// For messages.
  public let file: String
  /// Sizes by dimension; empty for a single number.
  public let shape: [Int]
  let fields: [Field]
  private let stride: Int
  private let isFortran: Bool
  private let bytes: [UInt8]

  /// Entries; 1 where the shape is empty.
  public var count: Int { shape.reduce(1, *) }
  /// Those of records; empty for plain numbers.
  public var names: [String] { fields.map(\.name).filter { !$0.isEmpty } }

  /// Real numbers in C order, as if they had been read.
  init(_ values: [Double], shape: [Int], file: String) {
    self.file = file
    self.shape = shape
    fields = [Field(name: "", kind: "f", size: 8, isBigEndian: false, offset: 0)]
    stride = 8
    isFortran = false
    bytes = values.withUnsafeBytes { Array($0) }
  }

  /// Records of real numbers, row by row.
  init(records values: [Double], names: [String], file: String) {
    self.file = file
    shape = [values.count / names.count]
    fields = names.enumerated().map {
      Field(name: $1, kind: "f", size: 8, isBigEndian: false, offset: 8 * $0)
    }
    stride = 8 * names.count
    isFortran = false
    bytes = values.withUnsafeBytes { Array($0) }
  }

  /// - Throws: `FileError` that says what is wrong and what is allowed.
  public init(contentsOf path: String) throws {
    let data = try RegularFile.contents(path, limit: 1 << 34) { FileError(path, $0) }
    try self.init(fileBytes: [UInt8](data), path: path)
  }

  init(fileBytes file: [UInt8], path: String) throws {
    let header = try NumPyHeader(file, path: path)
    self.file = path
    shape = header.shape
    (fields, stride) = try NumPyHeader.fields(header.description, path)
    isFortran = header.isFortran
    let (expected, overflow) = header.count.multipliedReportingOverflow(by: stride)
    guard !overflow, file.count - header.end == expected else {
      throw FileError(
        path,
        "shape \(shape) of \(header.description) needs \(overflow ? "too many" : "\(expected)") bytes, "
          + "the file has \(file.count - header.end)")
    }
    bytes = Array(file[header.end...])
  }

  /// All entries as real numbers, in C order.
  /// - Parameter name: of a field; nil where entries are no records.
  /// - Throws: `FileError` when there is no such field.
  public func doubles(_ name: String? = nil) throws -> [Double] {
    guard let field = fields.first(where: { $0.name == name ?? "" }) else {
      throw FileError(
        file,
        name == nil
          ? "holds records of \(names.joined(separator: ", ")); allowed are plain numbers"
          : "has no field \(name ?? "") but \(names.joined(separator: ", "))")
    }
    let values = bytes.withUnsafeBytes { raw in
      (0..<count).map { Self.number(raw, $0 * stride + field.offset, field) }
    }
    return isFortran && shape.count > 1 ? reordered(values) : values
  }

  /// Records as rows of numbers, one for each field.
  func withoutNames() throws -> NumPyArray {
    guard !names.isEmpty else { return self }
    let columns = try names.map { try doubles($0) }
    return NumPyArray(
      (0..<count).flatMap { row in columns.map { $0[row] } }, shape: [count, columns.count],
      file: file)
  }

  /// From Fortran's order to that of C.
  private func reordered(_ values: [Double]) -> [Double] {
    var steps = [1]
    for size in shape.dropLast() { steps.append(steps[steps.count - 1] * size) }
    var place = Array(repeating: 0, count: shape.count)
    return (0..<count).map { _ in
      let value = values[zip(place, steps).reduce(0) { $0 + $1.0 * $1.1 }]
      for axis in shape.indices.reversed() {
        place[axis] += 1
        if place[axis] < shape[axis] { break }
        place[axis] = 0
      }
      return value
    }
  }

  private static func number(_ raw: UnsafeRawBufferPointer, _ offset: Int, _ field: Field) -> Double
  {
    var bits: UInt64 = 0
    for k in 0..<field.size {
      let byte = raw[offset + (field.isBigEndian ? field.size - 1 - k : k)]
      bits |= UInt64(byte) << (8 * UInt64(k))
    }
    switch (field.kind, field.size) {
    case ("f", 2): return half(UInt16(truncatingIfNeeded: bits))
    case ("f", 4): return Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case ("f", _): return Double(bitPattern: bits)
    case ("i", let size):
      let unused = UInt64(64 - 8 * size)
      return Double(Int64(bitPattern: bits << unused) >> Int64(unused))
    default: return Double(bits)
    }
  }

  /// IEEE half precision.
  private static func half(_ bits: UInt16) -> Double {
    let sign = bits >> 15 == 1 ? -1.0 : 1.0
    let (exponent, fraction) = (Int(bits >> 10 & 31), Double(bits & 1023))
    switch exponent {
    case 0: return sign * scalbn(fraction, -24)
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * scalbn(1024 + fraction, exponent - 25)
    }
  }
}

/// What stands before the values in a `.npy` file.
package struct NumPyHeader {
  /// The type: `'<f4'` without its quotes, or a list of fields.
  package let description: String
  /// `True` or `False`, as the file says of Fortran's order; nil: nothing.
  private let order: String?
  package let shape: [Int]
  /// Entries.
  package let count: Int
  /// Where the values begin, bytes.
  package let end: Int

  /// Whether the file says that values are in Fortran's order, or in that of C.
  var isFortran: Bool { order?.hasPrefix("True") == true }
  package var isC: Bool { order?.hasPrefix("False") == true }

  /// A whole file (format version 1.0) of values in C order.
  package static func file(_ type: String, _ shape: [Int], _ bytes: [UInt8]) -> [UInt8] {
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sizes)), }"
    header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
    let length = header.utf8.count
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
      + Array(header.utf8) + bytes
  }

  /// - Throws: `FileError` for what is no header.
  package init(_ file: [UInt8], path: String) throws {
    guard file.count >= 10, file.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      throw FileError(
        path, file.isEmpty ? "is empty; a .npy file was expected" : "is not a .npy file")
    }
    let isLong = file[6] >= 2
    let start = isLong ? 12 : 10
    guard file.count >= start else { throw FileError(path, "is truncated in its header") }
    let length = (0..<(isLong ? 4 : 2)).reduce(0) { $0 | Int(file[8 + $1]) << (8 * $1) }
    guard file.count - start >= length else { throw FileError(path, "is truncated in its header") }
    let header = String(decoding: file[start..<start + length], as: UTF8.self)
    guard let rest = NumPyHeader.field("descr", header) else {
      throw FileError(path, "header has no descr: \(header.prefix(80))")
    }
    if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
      description = String(rest[...end])
    } else if let name = rest.split(separator: "'").first, !rest.hasPrefix("[") {
      description = String(name)
    } else {
      throw FileError(path, "header has no descr: \(header.prefix(80))")
    }
    order = NumPyHeader.field("fortran_order", header)
    // Field lists have brackets of their own: the shape's come last.
    guard let text = NumPyHeader.field("shape", header), let open = text.firstIndex(of: "("),
      let close = text.firstIndex(of: ")"), open < close
    else { throw FileError(path, "header has no shape") }
    var shape: [Int] = []
    var total = 1
    for part in text[text.index(after: open)..<close].split(separator: ",") {
      let text = part.trimmingCharacters(in: .whitespaces)
      if text.isEmpty { continue }
      guard let size = Int(text), size >= 0, shape.count < 32 else {
        throw FileError(path, "has shape entry \(text.prefix(40))")
      }
      let (product, overflow) = total.multipliedReportingOverflow(by: size)
      guard !overflow, product < 1 << 48 else {
        throw FileError(path, "header: shape is too large")
      }
      total = product
      shape.append(size)
    }
    self.shape = shape
    count = total
    end = start + length
  }

  private static func field(_ name: String, _ header: String) -> String? {
    guard let range = header.range(of: "'\(name)':") else { return nil }
    return header[range.upperBound...].trimmingCharacters(in: .whitespaces)
  }

  /// The fields of a type, and the bytes of an entry.
  static func fields(_ description: String, _ path: String) throws -> ([NumPyArray.Field], Int) {
    func field(_ type: String, _ name: String, _ offset: Int) throws -> NumPyArray.Field {
      let order = type.first ?? "?"
      let plain = "<>|=".contains(order) ? String(type.dropFirst()) : type
      guard let kind = plain.first, let size = Int(plain.dropFirst()),
        ["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"].contains(plain)
      else {
        throw FileError(
          path,
          "has type \(type.prefix(40)); allowed are whole and real numbers (i1 to i8, u1 to u8, "
            + "f2 to f8), bool, and records of them")
      }
      return NumPyArray.Field(
        name: name, kind: kind, size: size, isBigEndian: order == ">", offset: offset)
    }
    guard description.hasPrefix("[") else {
      let only = try field(description, "", 0)
      return ([only], only.size)
    }
    // [('x', '<i2'), ('t', '<i8')]: the quoted words are names and types in turn.
    let words = description.split(separator: "'", omittingEmptySubsequences: false)
      .enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
    guard !words.isEmpty, words.count % 2 == 0, words.count <= 64,
      description.count(where: { $0 == "(" }) == words.count / 2
    else {
      throw FileError(
        path, "has records \(description.prefix(80)); allowed are pairs of a name and a number type"
      )
    }
    var fields: [NumPyArray.Field] = []
    var offset = 0
    for pair in Swift.stride(from: 0, to: words.count, by: 2) {
      fields.append(try field(words[pair + 1], words[pair], offset))
      offset += fields[fields.count - 1].size
    }
    return (fields, offset)
  }
}
