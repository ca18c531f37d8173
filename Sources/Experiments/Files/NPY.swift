// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import SpikeData

/// A NumPy array file (`.npy`), little-endian, C order: what checkpoints, cases and their results
/// are made of.
public struct NPYArray: Sendable, Equatable {
  /// Types of values, as `descr` in the header spells them.
  public enum Element: String, Sendable {
    case float32 = "<f4"
    case float64 = "<f8"
    case int32 = "<i4"
    case int64 = "<i8"

    var size: Int { self == .float32 || self == .int32 ? 4 : 8 }
  }

  /// Sizes by dimension; empty for a single number.
  public var shape: [Int]
  /// Type of the values in `bytes`.
  public var element: Element
  /// The values in C order, as they lie in the file.
  public var bytes: [UInt8]
  /// The file it comes from, for messages; empty for one made here.
  public var file = ""

  /// Values, not bytes; 1 where the shape is empty.
  public var count: Int { shape.reduce(1, *) }

  /// Equal content, from whatever file.
  public static func == (a: NPYArray, b: NPYArray) -> Bool {
    a.shape == b.shape && a.element == b.element && a.bytes == b.bytes
  }

  /// As float64, in C order. That values and shape agree is not checked.
  public init(_ values: [Double], shape: [Int]) {
    self.init(shape: shape, element: .float64, values.withUnsafeBytes { Array($0) })
  }

  /// As float32, in C order. That values and shape agree is not checked.
  public init(_ values: [Float], shape: [Int]) {
    self.init(shape: shape, element: .float32, values.withUnsafeBytes { Array($0) })
  }

  /// As int64, in C order. That values and shape agree is not checked.
  public init(_ values: [Int], shape: [Int]) {
    self.init(shape: shape, element: .int64, values.withUnsafeBytes { Array($0) })
  }

  /// `rows x columns`, in the matrix's own precision.
  public init<Scalar>(_ matrix: Matrix<Scalar>) {
    let values = matrix.values
    self.init(
      shape: [matrix.rows, matrix.columns],
      element: Scalar.self == Float.self ? .float32 : .float64,
      values.withUnsafeBytes { Array($0) })
  }

  private init(shape: [Int], element: Element, _ bytes: [UInt8]) {
    self.shape = shape
    self.element = element
    self.bytes = bytes
  }

  /// The file's bytes (format version 1.0).
  public var fileBytes: [UInt8] {
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header =
      "{'descr': '\(element.rawValue)', 'fortran_order': False, 'shape': (\(sizes)), }"
    header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
    let length = header.utf8.count
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
      + Array(header.utf8) + bytes
  }

  /// - Throws: `FileError` that says what is wrong and what is allowed.
  public init(contentsOf path: String) throws {
    let data = try RegularFile.contents(path, limit: 1 << 34) { FileError(path, $0) }
    try self.init(fileBytes: [UInt8](data), path: path)
  }

  init(fileBytes file: [UInt8], path: String) throws {
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
    guard let description = NPYArray.field("descr", header)?.split(separator: "'").first else {
      throw FileError(path, "header has no descr: \(header.prefix(80))")
    }
    guard let element = Element(rawValue: description.replacingOccurrences(of: "=", with: "<"))
    else {
      throw FileError(path, "has type \(description), allowed are <f4, <f8, <i4, <i8")
    }
    guard NPYArray.field("fortran_order", header)?.hasPrefix("False") == true else {
      throw FileError(path, "is in Fortran order, allowed is C order (numpy.ascontiguousarray)")
    }
    guard let open = header.firstIndex(of: "("), let close = header.firstIndex(of: ")"),
      open < close
    else { throw FileError(path, "header has no shape") }
    var shape: [Int] = []
    var total = 1
    for part in header[header.index(after: open)..<close].split(separator: ",") {
      let text = part.trimmingCharacters(in: .whitespaces)
      if text.isEmpty { continue }
      guard let size = Int(text), size >= 0 else {
        throw FileError(path, "has shape entry \(text)")
      }
      let (product, overflow) = total.multipliedReportingOverflow(by: size)
      guard !overflow, product < 1 << 48 else {
        throw FileError(path, "header: shape is too large")
      }
      total = product
      shape.append(size)
    }
    let expected = total * element.size
    guard file.count - start - length == expected else {
      throw FileError(
        path,
        "shape \(shape) of \(element.rawValue) needs \(expected) bytes, "
          + "the file has \(file.count - start - length)")
    }
    self.init(shape: shape, element: element, Array(file[(start + length)...]))
    self.file = path
  }

  private static func field(_ name: String, _ header: String) -> String? {
    guard let range = header.range(of: "'\(name)':") else { return nil }
    return header[range.upperBound...].trimmingCharacters(in: .whitespaces)
  }

  /// The values as Double, whatever the type.
  public var doubles: [Double] {
    bytes.withUnsafeBytes { raw in
      (0..<count).map { k in
        switch element {
        case .float32: Double(raw.loadUnaligned(fromByteOffset: 4 * k, as: Float.self))
        case .float64: raw.loadUnaligned(fromByteOffset: 8 * k, as: Double.self)
        case .int32: Double(raw.loadUnaligned(fromByteOffset: 4 * k, as: Int32.self))
        case .int64: Double(raw.loadUnaligned(fromByteOffset: 8 * k, as: Int64.self))
        }
      }
    }
  }

  /// The values as Double.
  /// - Throws: `FileError` for the first that is not finite.
  package func finite(_ file: String) throws -> [Double] {
    let values = doubles
    guard let bad = values.firstIndex(where: { !$0.isFinite }) else { return values }
    let columns = max(shape.last ?? 1, 1)
    throw FileError(
      file,
      "entry [\(bad / columns), \(bad % columns)] is \(values[bad]), allowed are finite numbers")
  }

  /// Copies into a matrix of the same shape; into one of a single row also a list.
  /// - Throws: `FileError` for another shape or a value that is not finite.
  package func copy<Scalar>(to matrix: Matrix<Scalar>, name: String) throws {
    let file = self.file.isEmpty ? "\(name).npy" : self.file
    let isVector = matrix.rows == 1 && shape == [matrix.columns]
    guard isVector || shape == [matrix.rows, matrix.columns] else {
      throw FileError(
        file,
        "has shape \(shape), allowed is [\(matrix.rows), \(matrix.columns)] (pre x post)")
    }
    matrix.values = try finite(file).map { Scalar($0) }
  }
}
