// SPDX-License-Identifier: MIT

import CHDF5
import Foundation

/// Makes an HDF5 file that libraries from 1.8 on read: it is there when `finish` returns, or not at
/// all. On one thread only.
package final class HDF5Maker {
  private let path: String
  private let aside: String
  private var file: hid_t
  private var failure = false

  /// Begins a new file, in the place of what is there.
  /// - Throws: `FileError`.
  package init(_ path: String) throws {
    eventprop_h5_silence()
    self.path = path
    aside = path + ".tmp"
    unlink(aside)
    file = H5Fcreate(
      aside, eventprop_h5_truncate(), eventprop_h5_default(), eventprop_h5_default())
    guard file >= 0 else { throw FileError(path, "cannot be written") }
  }

  deinit {
    if file >= 0 {
      H5Fclose(file)
      unlink(aside)
    }
  }

  /// Ends the file and gives it its name.
  /// - Throws: `FileError` when something could not be written.
  package func finish() throws {
    failure = H5Fclose(file) < 0 || failure
    file = -1
    let handle = open(aside, O_RDONLY | O_CLOEXEC)
    if handle >= 0 {
      if fsync(handle) != 0 && errno != EINVAL { failure = true }
      close(handle)
    }
    guard !failure, rename(aside, path) == 0 else {
      unlink(aside)
      throw FileError(path, "cannot be written")
    }
  }

  /// An attribute of a group; "/" is the file.
  package func attribute(_ group: String, _ name: String, _ value: Double) {
    withUnsafeBytes(of: value) {
      attribute(group, name, eventprop_h5_native_double(), $0.baseAddress)
    }
  }

  /// The same, as int64.
  package func attribute(_ group: String, _ name: String, _ value: Int) {
    withUnsafeBytes(of: Int64(value)) {
      attribute(group, name, eventprop_h5_native_int64(), $0.baseAddress)
    }
  }

  /// The same, as text of variable length in UTF-8: h5py takes text of fixed length for bytes.
  package func attribute(_ group: String, _ name: String, _ text: String) {
    let type = HDF5Maker.textType()
    text.withCString { pointer in
      withUnsafeBytes(of: pointer) { attribute(group, name, type, $0.baseAddress) }
    }
    H5Tclose(type)
  }

  private func attribute(
    _ group: String, _ name: String, _ type: hid_t, _ value: UnsafeRawPointer?
  ) {
    let space = H5Screate(H5S_SCALAR)
    let attribute = H5Acreate_by_name(
      file, group, name, type, space, eventprop_h5_default(), eventprop_h5_default(),
      eventprop_h5_default())
    failure = failure || attribute < 0
    if attribute >= 0 {
      failure = H5Awrite(attribute, type, value) < 0 || failure
      H5Aclose(attribute)
    }
    H5Sclose(space)
  }

  private static func textType() -> hid_t {
    let type = H5Tcopy(eventprop_h5_c_string())
    H5Tset_size(type, eventprop_h5_variable())
    H5Tset_cset(type, H5T_CSET_UTF8)
    return type
  }

  package func group(_ name: String) {
    let id = H5Gcreate2(
      file, name, eventprop_h5_default(), eventprop_h5_default(), eventprop_h5_default())
    failure = failure || id < 0
    if id >= 0 { H5Gclose(id) }
  }

  /// Real numbers in C order; without dimensions a single one. As float32, or float64.
  package func write(_ name: String, _ values: [Double], shape: [Int], isDouble: Bool = false) {
    dataset(
      name, isDouble ? eventprop_h5_native_double() : eventprop_h5_native_float(), shape
    ) { id in
      values.withUnsafeBufferPointer {
        H5Dwrite(
          id, eventprop_h5_native_double(), eventprop_h5_all(), eventprop_h5_all(),
          eventprop_h5_default(), $0.baseAddress)
      }
    }
  }

  /// Whole numbers in C order, as int64.
  package func write(_ name: String, _ values: [Int], shape: [Int]) {
    dataset(name, eventprop_h5_native_int64(), shape) { id in
      values.map(Int64.init).withUnsafeBufferPointer {
        H5Dwrite(
          id, eventprop_h5_native_int64(), eventprop_h5_all(), eventprop_h5_all(),
          eventprop_h5_default(), $0.baseAddress)
      }
    }
  }

  /// Texts of variable length, UTF-8; without dimensions a single one.
  package func write(_ name: String, _ values: [String], shape: [Int]) {
    let type = HDF5Maker.textType()
    let texts = values.map { strdup($0) }
    dataset(name, type, shape) { id in
      texts.withUnsafeBufferPointer {
        H5Dwrite(
          id, type, eventprop_h5_all(), eventprop_h5_all(), eventprop_h5_default(),
          $0.baseAddress)
      }
    }
    for text in texts { free(text) }
    H5Tclose(type)
  }

  /// Lists of real numbers, of a length each, as float32.
  package func write(_ name: String, lists: [[Double]]) {
    write(
      name, lists: lists, eventprop_h5_native_float(), memory: eventprop_h5_native_double())
  }

  /// Lists of whole numbers, of a length each, as uint16.
  package func write(_ name: String, lists: [[UInt16]]) {
    write(
      name, lists: lists, eventprop_h5_native_uint16(), memory: eventprop_h5_native_uint16())
  }

  private func write<Element>(
    _ name: String, lists: [[Element]], _ stored: hid_t, memory: hid_t
  ) {
    let (type, memory) = (H5Tvlen_create(stored), H5Tvlen_create(memory))
    defer {
      H5Tclose(type)
      H5Tclose(memory)
    }
    let all = lists.flatMap { $0 }
    all.withUnsafeBufferPointer { all in
      var start = 0
      let pieces = lists.map { list -> hvl_t in
        defer { start += list.count }
        return hvl_t(
          len: list.count, p: UnsafeMutableRawPointer(mutating: all.baseAddress.map { $0 + start }))
      }
      dataset(name, type, [lists.count]) { id in
        pieces.withUnsafeBufferPointer {
          H5Dwrite(
            id, memory, eventprop_h5_all(), eventprop_h5_all(), eventprop_h5_default(),
            $0.baseAddress)
        }
      }
    }
  }

  private func dataset(
    _ name: String, _ type: hid_t, _ shape: [Int], _ body: (hid_t) -> herr_t
  ) {
    let sizes = shape.map { hsize_t($0) }
    let space =
      shape.isEmpty
      ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(shape.count), sizes, nil)
    defer { H5Sclose(space) }
    let id = H5Dcreate2(
      file, name, type, space, eventprop_h5_default(), eventprop_h5_default(),
      eventprop_h5_default())
    guard id >= 0 else {
      failure = true
      return
    }
    if !shape.contains(0) { failure = failure || body(id) < 0 }
    H5Dclose(id)
  }
}
