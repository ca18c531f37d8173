// SPDX-License-Identifier: MIT

import CHDF5
import Experiments
import Foundation
import SpikeData

/// An HDF5 file that is being written; it is there when `finish` returns, or not at all.
final class HDF5Output {
  private let path: String
  private let aside: String
  private var file: hid_t
  private var hasFailed = false

  /// - Throws: `FileError` when it cannot be created.
  init(_ path: String) throws {
    self.path = path
    aside = path + ".tmp"
    unlink(aside)
    eventprop_h5_silence()
    file = H5Fcreate(
      aside, eventprop_h5_truncate(), eventprop_h5_default(), eventprop_h5_default())
    guard file >= 0 else { throw FileError(path, "cannot be written") }
  }

  deinit { close() }

  private func close() {
    if file >= 0 { check(H5Fclose(file)) }
    file = -1
    unlink(aside)
  }

  /// Closes it and gives it its name.
  /// - Throws: `FileError` when any of it could not be written.
  func finish() throws {
    check(H5Fflush(file, H5F_SCOPE_LOCAL))
    check(H5Fclose(file))
    file = -1
    let handle = open(aside, O_RDONLY | O_CLOEXEC)
    if handle >= 0 {
      if fsync(handle) != 0 && errno != EINVAL { hasFailed = true }
      Foundation.close(handle)
    }
    guard !hasFailed, rename(aside, path) == 0 else {
      unlink(aside)
      throw FileError(path, "cannot be written")
    }
    try AtomicFile.syncFolder((path as NSString).deletingLastPathComponent)
  }

  private func check(_ status: some SignedInteger) { if status < 0 { hasFailed = true } }

  /// Makes a group; those above it must be there.
  func group(_ name: String) {
    let group = H5Gcreate2(
      file, name, eventprop_h5_default(), eventprop_h5_default(), eventprop_h5_default())
    check(group)
    if group >= 0 { H5Gclose(group) }
  }

  /// A dataset in C order. That values and shape agree is not checked.
  func put(_ name: String, _ values: [Double], shape: [Int]) {
    dataset(name, eventprop_h5_native_double(), shape, values)
  }

  func put(_ name: String, _ values: [Int64], shape: [Int]) {
    dataset(name, eventprop_h5_native_int64(), shape, values)
  }

  private func dataset<Value: BitwiseCopyable>(
    _ name: String, _ type: hid_t, _ shape: [Int], _ values: [Value]
  ) {
    let sizes = shape.map { hsize_t($0) }
    let space = H5Screate_simple(Int32(sizes.count), sizes, nil)
    let set = H5Dcreate2(
      file, name, type, space, eventprop_h5_default(), eventprop_h5_default(),
      eventprop_h5_default())
    check(set)
    if set >= 0 {
      values.withUnsafeBytes {
        check(
          H5Dwrite(
            set, type, eventprop_h5_all(), eventprop_h5_all(), eventprop_h5_default(),
            $0.baseAddress))
      }
      H5Dclose(set)
    }
    H5Sclose(space)
  }

  /// An attribute of a group; "/" is the file.
  func attribute(_ group: String, _ name: String, _ value: Double) {
    withUnsafeBytes(of: value) {
      attribute(group, name, eventprop_h5_native_double(), $0.baseAddress!)
    }
  }

  func attribute(_ group: String, _ name: String, _ value: Int) {
    withUnsafeBytes(of: Int64(value)) {
      attribute(group, name, eventprop_h5_native_int64(), $0.baseAddress!)
    }
  }

  /// As text of variable length in UTF-8: h5py takes text of fixed length for bytes.
  func attribute(_ group: String, _ name: String, _ text: String) {
    let type = H5Tcopy(eventprop_h5_c_string())
    // H5T_VARIABLE is -1.
    H5Tset_size(type, -1)
    H5Tset_cset(type, H5T_CSET_UTF8)
    text.withCString { pointer in
      withUnsafeBytes(of: pointer) { attribute(group, name, type, $0.baseAddress!) }
    }
    H5Tclose(type)
  }

  private func attribute(
    _ group: String, _ name: String, _ type: hid_t, _ value: UnsafeRawPointer
  ) {
    var one: hsize_t = 1
    let space = H5Screate_simple(0, &one, nil)
    let attribute = H5Acreate_by_name(
      file, group, name, type, space, eventprop_h5_default(), eventprop_h5_default(),
      eventprop_h5_default())
    check(attribute)
    if attribute >= 0 {
      check(H5Awrite(attribute, type, value))
      H5Aclose(attribute)
    }
    H5Sclose(space)
  }
}
