// SPDX-License-Identifier: MIT

import CHDF5
import Foundation

/// Makes an HDF5 file that libraries from 1.8 on read. On one thread only.
package final class HDF5Maker {
  private let path: String
  private let file: hid_t
  private var failure = false

  /// Begins a new file, in the place of what is there.
  /// - Throws: `FileError`.
  package init(_ path: String) throws {
    eventprop_h5_silence()
    self.path = path
    file = H5Fcreate(
      path, eventprop_h5_truncate(), eventprop_h5_default(), eventprop_h5_default())
    guard file >= 0 else { throw FileError(path, "cannot be written") }
  }

  /// Ends the file.
  /// - Throws: `FileError` when something could not be written.
  package func finish() throws {
    guard H5Fclose(file) >= 0, !failure else { throw FileError(path, "cannot be written") }
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
    let type = H5Tcopy(eventprop_h5_c_string())
    H5Tset_size(type, eventprop_h5_variable())
    H5Tset_cset(type, H5T_CSET_UTF8)
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
