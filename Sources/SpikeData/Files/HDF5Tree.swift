// SPDX-License-Identifier: MIT

import CHDF5
import Foundation

/// All of an HDF5 file: groups within groups, numbers and texts.
package indirect enum HDF5Node: Sendable {
  case group([String: HDF5Node])
  /// In C order; a single number has no dimensions. Whole numbers of any type too.
  case numbers(shape: [Int], [Double])
  case text(shape: [Int], [String])

  /// nil where there is none of that name, or this is no group.
  package subscript(name: String) -> HDF5Node? {
    if case .group(let members) = self { return members[name] }
    return nil
  }

  /// The members of a group by name; empty for anything else.
  package var members: [String: HDF5Node] {
    if case .group(let members) = self { return members }
    return [:]
  }

  /// A single text; nil for anything else.
  package var string: String? {
    if case .text(_, let values) = self, values.count == 1 { return values[0] }
    return nil
  }

  /// nil for anything but numbers.
  package var doubles: (shape: [Int], values: [Double])? {
    if case .numbers(let shape, let values) = self { return (shape, values) }
    return nil
  }

  /// Reads a file, where there is a helper process in that.
  /// - Throws: `FileError`.
  package static func read(_ path: String) throws -> HDF5Node {
    if let helper = HDF5Helper.executable { return try HDF5Helper.readTree(path, by: helper) }
    return try readHere(path)
  }

  static func readHere(_ path: String) throws -> HDF5Node { try HDF5Walk(path).root() }
}

/// Goes through a file once, within limits that only damaged files reach.
private final class HDF5Walk {
  private let file: HDF5File
  private var objects = 0
  private var values = 0
  private static let mostObjects = 20_000
  private static let mostValues = 1 << 27

  init(_ path: String) throws { file = try HDF5File(path) }

  private func error(_ place: String, _ message: String) -> FileError {
    FileError(file.path, "\(place.isEmpty ? "/" : place) \(message)")
  }

  func root() throws -> HDF5Node { try node("", depth: 0) }

  private func node(_ place: String, depth: Int) throws -> HDF5Node {
    objects += 1
    guard depth < 16, objects < Self.mostObjects else {
      throw error(place, "is one group too many: the file is damaged")
    }
    if !place.isEmpty, try !file.contains(place) { throw error(place, "is not there") }
    let id = H5Oopen(file.id, place.isEmpty ? "/" : place, eventprop_h5_default())
    guard id >= 0 else { throw error(place, "cannot be opened: the file is damaged") }
    defer { H5Oclose(id) }
    switch H5Iget_type(id) {
    case H5I_GROUP:
      var members: [String: HDF5Node] = [:]
      for name in try names(id, place) {
        members[name] = try node(place.isEmpty ? name : place + "/" + name, depth: depth + 1)
      }
      return .group(members)
    case H5I_DATASET: return try dataset(id, place)
    default: return .group([:])
    }
  }

  private func names(_ group: hid_t, _ place: String) throws -> [String] {
    var info = H5G_info_t()
    guard H5Gget_info(group, &info) >= 0, info.nlinks < Self.mostObjects else {
      throw error(place, "cannot be listed: the file is damaged")
    }
    return try (0..<info.nlinks).map { index in
      var name = [CChar](repeating: 0, count: 1024)
      let length = H5Lget_name_by_idx(
        group, ".", H5_INDEX_NAME, H5_ITER_INC, index, &name, name.count, eventprop_h5_default())
      guard length > 0, length < name.count else {
        throw error(place, "has a name that cannot be read: the file is damaged")
      }
      return String(
        decoding: name.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }

  private func dataset(_ id: hid_t, _ place: String) throws -> HDF5Node {
    guard eventprop_h5_reads_other_files(id) == 0 else {
      throw error(place, "keeps its values in other files; such are not read")
    }
    let space = H5Dget_space(id)
    let type = H5Dget_type(id)
    defer {
      H5Sclose(space)
      H5Tclose(type)
    }
    let rank = H5Sget_simple_extent_ndims(space)
    guard rank >= 0, rank <= 8 else { throw error(place, "has rank \(rank), allowed is 0 to 8") }
    var sizes = [hsize_t](repeating: 1, count: max(Int(rank), 1))
    if rank > 0 { H5Sget_simple_extent_dims(space, &sizes, nil) }
    let shape = sizes.prefix(Int(rank)).map { Int(clamping: $0) }
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow, product <= Self.mostValues else {
        throw error(place, "claims more values than are allowed: the file is damaged")
      }
      count = product
    }
    values += count
    guard values <= Self.mostValues else {
      throw error(place, "is one array too many: over \(Self.mostValues) values")
    }
    func check(_ status: herr_t) throws {
      guard status >= 0 else { throw error(place, "cannot be read: the file is damaged") }
    }
    let all = eventprop_h5_all()
    switch H5Tget_class(type) {
    case H5T_INTEGER, H5T_FLOAT:
      var numbers = Array(repeating: 0.0, count: count)
      if count > 0 {
        try check(
          H5Dread(id, eventprop_h5_native_double(), all, all, eventprop_h5_default(), &numbers))
      }
      return .numbers(shape: shape, numbers)
    case H5T_STRING where count == 0: return .text(shape: shape, [])
    case H5T_STRING where H5Tis_variable_str(type) > 0:
      var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
      try check(H5Dread(id, type, all, all, eventprop_h5_default(), &pointers))
      defer { H5Dvlen_reclaim(type, space, eventprop_h5_default(), &pointers) }
      return .text(
        shape: shape,
        pointers.map { pointer in
          guard let pointer else { return "" }
          let length = strnlen(pointer, 1 << 16)
          return String(
            decoding: UnsafeBufferPointer(start: pointer, count: length).map {
              UInt8(bitPattern: $0)
            }, as: UTF8.self)
        })
    case H5T_STRING:
      let size = H5Tget_size(type)
      guard size > 0, size <= 1 << 16, size * count <= 1 << 28 else {
        throw error(place, "claims texts of \(size) bytes: the file is damaged")
      }
      var bytes = [UInt8](repeating: 0, count: size * count)
      try check(H5Dread(id, type, all, all, eventprop_h5_default(), &bytes))
      return .text(
        shape: shape,
        (0..<count).map {
          String(decoding: bytes[$0 * size..<($0 + 1) * size].prefix { $0 != 0 }, as: UTF8.self)
        })
    default: return .numbers(shape: [0], [])
    }
  }
}
