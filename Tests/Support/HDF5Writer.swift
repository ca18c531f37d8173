// SPDX-License-Identifier: MIT

import CHDF5
import Foundation

/// Writes small files in the SHD layout for the tests: seconds as float16 lists, as the real ones.
public enum HDF5Writer {
  public static func write(
    _ path: String, times: [[Double]], units: [[Int]], labels: [Int], speakers: [Int]? = nil,
    labelRank: Int = 1, timesAsIntegers: Bool = false, timesAsDoubles: Bool = false,
    names: [String]? = nil, padded: Int? = nil, omitting: String? = nil
  ) {
    let file = H5Fcreate(
      path, eventprop_h5_truncate(), eventprop_h5_default(), eventprop_h5_default())
    let group = H5Gcreate2(
      file, "spikes", eventprop_h5_default(), eventprop_h5_default(), eventprop_h5_default())
    let half = eventprop_h5_float16()
    if omitting != "spikes/times" {
      lists(
        file, "spikes/times",
        timesAsIntegers
          ? eventprop_h5_native_int64() : timesAsDoubles ? eventprop_h5_native_double() : half,
        memory: eventprop_h5_native_double(), times)
    }
    lists(
      file, "spikes/units", eventprop_h5_native_uint16(), memory: eventprop_h5_native_int64(),
      units.map { $0.map { Int64($0) } })
    if omitting != "labels" { integers(file, "labels", labels, rank: labelRank) }
    if speakers != nil || names != nil {
      let extra = H5Gcreate2(
        file, "extra", eventprop_h5_default(), eventprop_h5_default(), eventprop_h5_default())
      if let speakers { integers(file, "extra/speaker", speakers, rank: 1) }
      if let names { strings(file, "extra/keys", names, padded: padded) }
      H5Gclose(extra)
    }
    H5Tclose(half)
    H5Gclose(group)
    H5Fclose(file)
  }

  private static func lists<T>(
    _ file: hid_t, _ name: String, _ stored: hid_t, memory: hid_t, _ rows: [[T]]
  ) {
    let type = H5Tvlen_create(stored)
    let memoryType = H5Tvlen_create(memory)
    var size = hsize_t(rows.count)
    let space = H5Screate_simple(1, &size, nil)
    let set = H5Dcreate2(
      file, name, type, space, eventprop_h5_default(), eventprop_h5_default(),
      eventprop_h5_default())
    let copies = rows.map { row in
      let buffer = UnsafeMutableBufferPointer<T>.allocate(capacity: max(row.count, 1))
      _ = buffer.initialize(from: row)
      return buffer
    }
    let entries = zip(rows, copies).map { hvl_t(len: $0.count, p: $1.baseAddress) }
    H5Dwrite(
      set, memoryType, eventprop_h5_all(), eventprop_h5_all(), eventprop_h5_default(), entries)
    for buffer in copies { buffer.deallocate() }
    H5Dclose(set)
    H5Sclose(space)
    H5Tclose(type)
    H5Tclose(memoryType)
  }

  /// A file whose labels lie in another one, or are a link into it.
  public static func writeReachingOut(_ path: String, to other: String, byLink: Bool) {
    write(path, times: [[0.5]], units: [[1]], labels: [0], omitting: "labels")
    let file = H5Fopen(path, eventprop_h5_read_write(), eventprop_h5_default())
    if byLink {
      H5Lcreate_external(
        other, "/labels", file, "labels", eventprop_h5_default(), eventprop_h5_default())
    } else {
      let plist = H5Pcreate(eventprop_h5_dataset_create())
      H5Pset_external(plist, other, 0, 8)
      var size: hsize_t = 1
      let space = H5Screate_simple(1, &size, nil)
      let set = H5Dcreate2(
        file, "labels", eventprop_h5_native_int64(), space, eventprop_h5_default(), plist,
        eventprop_h5_default())
      H5Dclose(set)
      H5Sclose(space)
      H5Pclose(plist)
    }
    H5Fclose(file)
  }

  /// As h5py writes a list of str; or filled up with blanks, as Fortran does.
  private static func strings(
    _ file: hid_t, _ name: String, _ values: [String], padded: Int?
  ) {
    let type = H5Tcopy(eventprop_h5_c_string())
    // H5T_VARIABLE is -1.
    H5Tset_size(type, padded ?? -1)
    if padded != nil { H5Tset_strpad(type, H5T_STR_SPACEPAD) }
    var size = hsize_t(values.count)
    let space = H5Screate_simple(1, &size, nil)
    let set = H5Dcreate2(
      file, name, type, space, eventprop_h5_default(), eventprop_h5_default(),
      eventprop_h5_default())
    func write(_ buffer: UnsafeRawPointer) {
      H5Dwrite(
        set, type, eventprop_h5_all(), eventprop_h5_all(), eventprop_h5_default(), buffer)
    }
    if let padded {
      write(
        values.flatMap { Array($0.utf8) + Array(repeating: 0x20, count: padded - $0.utf8.count) })
    } else {
      let copies = values.map { strdup($0) }
      write(copies)
      for copy in copies { free(copy) }
    }
    H5Dclose(set)
    H5Sclose(space)
    H5Tclose(type)
  }

  private static func integers(_ file: hid_t, _ name: String, _ values: [Int], rank: Int) {
    var sizes = [hsize_t(values.count)] + Array(repeating: 1, count: rank - 1)
    let space = H5Screate_simple(Int32(rank), &sizes, nil)
    let set = H5Dcreate2(
      file, name, eventprop_h5_native_uint16(), space, eventprop_h5_default(),
      eventprop_h5_default(), eventprop_h5_default())
    H5Dwrite(
      set, eventprop_h5_native_int64(), eventprop_h5_all(), eventprop_h5_all(),
      eventprop_h5_default(), values.map { Int64($0) })
    H5Dclose(set)
    H5Sclose(space)
  }
}
