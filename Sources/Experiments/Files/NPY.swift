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
    NumPyHeader.file(element.rawValue, shape, bytes)
  }

  /// - Throws: `FileError` that says what is wrong and what is allowed.
  public init(contentsOf path: String) throws {
    let data = try RegularFile.contents(path, limit: 1 << 34) { FileError(path, $0) }
    try self.init(fileBytes: [UInt8](data), path: path)
  }

  init(fileBytes file: [UInt8], path: String) throws {
    let header = try NumPyHeader(file, path: path)
    let name = header.description
    guard let element = Element(rawValue: name.replacingOccurrences(of: "=", with: "<")) else {
      throw FileError(path, "has type \(name.prefix(40)), allowed are <f4, <f8, <i4, <i8")
    }
    guard header.isC else {
      throw FileError(path, "is in Fortran order, allowed is C order (numpy.ascontiguousarray)")
    }
    let expected = header.count * element.size
    guard file.count - header.end == expected else {
      throw FileError(
        path,
        "shape \(header.shape) of \(element.rawValue) needs \(expected) bytes, "
          + "the file has \(file.count - header.end)")
    }
    self.init(shape: header.shape, element: element, Array(file[header.end...]))
    self.file = path
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
    throw FileError(
      file, "entry \(place(bad)) is \(values[bad]), allowed are finite numbers")
  }

  /// Where a value stands, by its number in C order: `[1, 0]`.
  package func place(_ index: Int) -> String {
    var (rest, places) = (index, [Int]())
    for length in shape.reversed() {
      places.insert(rest % max(length, 1), at: 0)
      rest /= max(length, 1)
    }
    return "\(places)"
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
