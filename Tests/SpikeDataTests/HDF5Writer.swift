import CHDF5

/// Writes small files in the SHD layout for the tests: seconds as float16 lists, as the real ones.
enum HDF5Writer {
  static func write(
    _ path: String, times: [[Double]], units: [[Int]], labels: [Int], speakers: [Int]? = nil,
    labelRank: Int = 1, timesAsIntegers: Bool = false, timesAsDoubles: Bool = false,
    omitting: String? = nil
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
    if let speakers {
      let extra = H5Gcreate2(
        file, "extra", eventprop_h5_default(), eventprop_h5_default(), eventprop_h5_default())
      integers(file, "extra/speaker", speakers, rank: 1)
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
