// SPDX-License-Identifier: MIT

import CHDF5
import Foundation

/// The little of libhdf5 that spike files need, with errors that name file and dataset.
///
/// libhdf5 is not thread-safe: files are read on one thread only.
final class HDF5File {
  let path: String
  private let file: hid_t
  var id: hid_t { file }
  /// Backs an unpacked image for as long as the file is open.
  private var image: [UInt8]

  /// Opens a plain or gzip-compressed file.
  init(_ path: String) throws {
    eventprop_h5_silence()
    self.path = path
    image = try Gzip.read(path)
    guard !image.isEmpty else { throw FileError(path, "is empty; an HDF5 file was expected") }
    guard HDF5File.hasSignature(image) else {
      throw FileError(
        path, "byte 0: not an HDF5 file (its signature is missing, there and at 512, 1024, ...)")
    }
    let access = H5Pcreate(eventprop_h5_file_access())
    defer { H5Pclose(access) }
    H5Pset_fapl_core(access, 1 << 20, false)
    let status = image.withUnsafeMutableBytes {
      H5Pset_file_image(access, $0.baseAddress, $0.count)
    }
    guard status >= 0 else { throw FileError(path, "is too large to be read into memory") }
    image = []
    // With an image, the name must not be that of a file.
    file = H5Fopen("image of \(path)", eventprop_h5_read_only(), access)
    guard file >= 0 else {
      throw FileError(path, "is a damaged or truncated HDF5 file")
    }
  }

  deinit { if file >= 0 { H5Fclose(file) } }

  /// At the beginning, or behind a user block of 512 bytes or a doubling of that (as MATLAB
  /// writes).
  private static func hasSignature(_ image: [UInt8]) -> Bool {
    let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
    var offset = 0
    while offset + signature.count <= image.count {
      if image[offset...].starts(with: signature) { return true }
      offset = max(512, 2 * offset)
    }
    return false
  }

  /// - Throws: `FileError` when it is a link into another file, which is not followed.
  func contains(_ name: String) throws -> Bool {
    let parts = name.split(separator: "/")
    for end in 1...parts.count {
      let prefix = parts[..<end].joined(separator: "/")
      if H5Lexists(file, prefix, eventprop_h5_default()) <= 0 { return false }
      if eventprop_h5_is_external_link(file, prefix) != 0 {
        throw FileError(path, "\(prefix) is a link into another file; such are not followed")
      }
    }
    return true
  }

  /// An opened one-dimensional dataset.
  func dataset(_ name: String) throws -> HDF5Dataset {
    guard try contains(name) else { throw FileError(path, "has no dataset \(name)") }
    let id = H5Dopen2(file, name, eventprop_h5_default())
    guard id >= 0 else { throw FileError(path, "\(name) is not a dataset, or is damaged") }
    if eventprop_h5_reads_other_files(id) != 0 {
      H5Dclose(id)
      throw FileError(path, "\(name) keeps its values in other files; such are not read")
    }
    var filter = [CChar](repeating: 0, count: 64)
    let missing = eventprop_h5_missing_filter(id, &filter, filter.count)
    if missing >= 0 {
      H5Dclose(id)
      let known = String(
        decoding: filter.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw FileError(
        path,
        "\(name) is compressed by a filter that this libhdf5 lacks (\(missing)\(known.isEmpty ? "" : ", " + known)); "
          + "write it with gzip, or without")
    }
    return try HDF5Dataset(path, name, id)
  }
}

/// A one-dimensional dataset.
final class HDF5Dataset {
  let path: String
  let name: String
  let count: Int
  private let id: hid_t
  private let space: hid_t
  /// More samples than this are taken for damage.
  private static let longest: hsize_t = 50_000_000

  fileprivate init(_ path: String, _ name: String, _ id: hid_t) throws {
    self.path = path
    self.name = name
    self.id = id
    space = H5Dget_space(id)
    let rank = H5Sget_simple_extent_ndims(space)
    var size: hsize_t = 0
    if rank == 1 { H5Sget_simple_extent_dims(space, &size, nil) }
    count = Int(clamping: size)
    guard rank == 1 else { throw error("has rank \(rank), allowed is 1") }
    guard size <= Self.longest else {
      throw error("claims \(size) entries, allowed are \(Self.longest): the file is damaged")
    }
  }

  deinit {
    if space >= 0 { H5Sclose(space) }
    H5Dclose(id)
  }

  func error(_ message: String) -> FileError { FileError(path, "\(name) \(message)") }

  private func typeClass() -> (isList: Bool, element: H5T_class_t, size: Int) {
    let type = H5Dget_type(id)
    defer { H5Tclose(type) }
    guard H5Tget_class(type) == H5T_VLEN else {
      return (false, H5Tget_class(type), H5Tget_size(type))
    }
    let base = H5Tget_super(type)
    defer { H5Tclose(base) }
    return (true, H5Tget_class(base), H5Tget_size(base))
  }

  /// Integers of any width.
  func integers() throws -> [Int] {
    let type = typeClass()
    guard !type.isList, type.element == H5T_INTEGER else {
      throw error("is not of an integer type")
    }
    var values = Array(repeating: Int64(0), count: count)
    guard count > 0 else { return [] }
    let status = H5Dread(
      id, eventprop_h5_native_int64(), eventprop_h5_all(), eventprop_h5_all(),
      eventprop_h5_default(), &values)
    guard status >= 0 else { throw error("cannot be read: the file is damaged or truncated") }
    return values.map { Int($0) }
  }

  /// Requires lists of floats or of integers.
  func requireLists(of kind: H5T_class_t, named: String) throws {
    let type = typeClass()
    guard type.isList, type.element == kind else {
      throw error("is not of variable-length \(named) type")
    }
  }

  /// Calls `body` with the lists of `rows`, converted to `Element`, one after the other.
  func readLists<Element>(
    _ rows: Range<Int>, as element: Element.Type,
    _ body: (Int, UnsafeBufferPointer<Element>) throws -> Void
  ) throws {
    let base: hid_t
    if element == Double.self {
      base = eventprop_h5_native_double()
    } else {
      base = eventprop_h5_native_int64()
    }
    let memoryType = H5Tvlen_create(base)
    var start = hsize_t(rows.lowerBound)
    var size = hsize_t(rows.count)
    let memory = H5Screate_simple(1, &size, nil)
    let selection = H5Scopy(space)
    defer {
      H5Tclose(memoryType)
      H5Sclose(memory)
      H5Sclose(selection)
    }
    H5Sselect_hyperslab(selection, H5S_SELECT_SET, &start, nil, &size, nil)
    var lists = Array(repeating: hvl_t(), count: rows.count)
    guard H5Dread(id, memoryType, memory, selection, eventprop_h5_default(), &lists) >= 0 else {
      throw error(
        "cannot be read near sample \(rows.lowerBound): the file is damaged or truncated")
    }
    defer { H5Dvlen_reclaim(memoryType, memory, eventprop_h5_default(), &lists) }
    for (offset, list) in lists.enumerated() {
      let typed = list.p?.assumingMemoryBound(to: Element.self)
      try body(rows.lowerBound + offset, UnsafeBufferPointer(start: typed, count: Int(list.len)))
    }
  }

  /// Strings of fixed length, without the zeros or blanks they are filled up with, or of variable
  /// length.
  /// - Throws: `FileError` for anything else.
  func strings() throws -> [String] {
    let type = H5Dget_type(id)
    defer { H5Tclose(type) }
    guard H5Tget_class(type) == H5T_STRING else { throw error("is not of string type") }
    if count == 0 { return [] }
    guard count <= Self.mostStrings else {
      throw error("claims \(count) names; allowed are \(Self.mostStrings)")
    }
    return H5Tis_variable_str(type) > 0 ? try variableStrings(type) : try fixedStrings(type)
  }

  private static let mostStrings = 10_000
  private static let longestString = 4096

  private func fixedStrings(_ type: hid_t) throws -> [String] {
    let size = H5Tget_size(type)
    guard size <= Self.longestString else {
      throw error("claims names of \(size) bytes; allowed are \(Self.longestString)")
    }
    var bytes = Array(repeating: UInt8(0), count: size * count)
    guard
      H5Dread(id, type, eventprop_h5_all(), eventprop_h5_all(), eventprop_h5_default(), &bytes) >= 0
    else { throw error("cannot be read: the file is damaged or truncated") }
    let isSpacePadded = eventprop_h5_is_space_padded(type) != 0
    return (0..<count).map { row in
      var text = bytes[row * size..<(row + 1) * size].prefix { $0 != 0 }
      while isSpacePadded, text.last == 0x20 { text = text.dropLast() }
      return String(decoding: text, as: UTF8.self)
    }
  }

  private func variableStrings(_ type: hid_t) throws -> [String] {
    var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    guard
      H5Dread(id, type, eventprop_h5_all(), eventprop_h5_all(), eventprop_h5_default(), &pointers)
        >= 0
    else { throw error("cannot be read: the file is damaged or truncated") }
    defer { H5Dvlen_reclaim(type, space, eventprop_h5_default(), &pointers) }
    return try pointers.map { pointer in
      guard let pointer else { return "" }
      let length = strnlen(pointer, Self.longestString + 1)
      guard length <= Self.longestString else {
        throw error("holds a name of over \(Self.longestString) bytes")
      }
      return String(
        decoding: UnsafeBufferPointer(start: pointer, count: length).map { UInt8(bitPattern: $0) },
        as: UTF8.self)
    }
  }
}
