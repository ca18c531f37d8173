// SPDX-License-Identifier: MIT

import CHDF5
import EventPropCore
import Foundation

/// Files in the layout of the Spiking Heidelberg Digits and Commands (Cramer et al. 2020): HDF5
/// with `spikes/times` (lists of seconds), `spikes/units` (lists of channels), `labels`, and, when
/// there, `extra/speaker` and `extra/keys`.
public struct SHDFile {
  /// Channels; a unit at or above it is an error.
  public var units: Int
  /// Times at or above it are an error: seconds are expected, and milliseconds are a common slip.
  public static let longest = 60.0

  /// 700 is the number of channels of SHD and SSC; at most 65 535.
  public init(units: Int = 700) { self.units = units }

  /// - Throws: `FileError` with file, dataset, sample and what is allowed.
  public func read(_ path: String) throws -> SpikeDataSet {
    if let helper = HDF5Helper.executable {
      return try HDF5Helper.read(path, units: units, by: helper)
    }
    return try readHere(path)
  }

  /// Reads in this process: where libhdf5 crashes or hangs on a damaged file, so does all.
  func readHere(_ path: String) throws -> SpikeDataSet {
    let file = try HDF5File(path)
    let times = try file.dataset("spikes/times")
    let channels = try file.dataset("spikes/units")
    try times.requireLists(of: H5T_FLOAT, named: "floating-point")
    try channels.requireLists(of: H5T_INTEGER, named: "integer")
    let labelSet = try file.dataset("labels")
    let labels = try labelSet.integers()
    guard times.count > 0 else { throw times.error("holds no samples") }
    for other in [channels, labelSet] where other.count != times.count {
      throw other.error("has \(other.count) entries, but spikes/times has \(times.count)")
    }
    let speakers = try readSpeakers(file, count: times.count)
    let classes = try readClasses(file, labels, labelSet)
    var data = SpikeDataSet(
      name: (path as NSString).lastPathComponent, unitCount: units, classNames: classes)
    var train = SpikeTrain()
    let chunk = 256
    for first in stride(from: 0, to: times.count, by: chunk) {
      let rows = first..<min(first + chunk, times.count)
      var trains: [SpikeTrain] = []
      try times.readLists(rows, as: Double.self) { sample, list in
        train.times.removeAll(keepingCapacity: true)
        for (k, seconds) in list.enumerated() {
          guard seconds >= 0, seconds < Self.longest else {
            throw times.error(
              "sample \(sample), spike \(k): time \(seconds.isNaN ? "nan" : String(seconds)) s; allowed is 0 to \(Self.longest) s"
            )
          }
          train.times.append(seconds * 1000)
        }
        train.units = Array(repeating: 0, count: train.times.count)
        trains.append(train)
      }
      try channels.readLists(rows, as: Int64.self) { sample, list in
        let slot = sample - first
        guard list.count == trains[slot].count else {
          throw channels.error(
            "sample \(sample): \(list.count) units for \(trains[slot].count) times")
        }
        for (k, unit) in list.enumerated() {
          guard unit >= 0, unit < units else {
            throw channels.error(
              "sample \(sample), spike \(k): unit \(unit); allowed is 0 to \(units - 1) (data.units, --units)"
            )
          }
          trains[slot].units[k] = UInt16(unit)
        }
        let isAscending = zip(trains[slot].times, trains[slot].times.dropFirst())
          .allSatisfy { $0 <= $1 }
        if !isAscending { trains[slot].sort() }
      }
      for (slot, train) in trains.enumerated() {
        data.append(train, label: labels[first + slot], speaker: speakers?[first + slot])
      }
    }
    return data
  }

  private func readSpeakers(_ file: HDF5File, count: Int) throws -> [Int]? {
    guard try file.contains("extra/speaker") else { return nil }
    let set = try file.dataset("extra/speaker")
    let speakers = try set.integers()
    guard speakers.count == count else {
      throw set.error("has \(speakers.count) entries, but spikes/times has \(count)")
    }
    return speakers
  }

  private func readClasses(_ file: HDF5File, _ labels: [Int], _ set: HDF5Dataset) throws -> [String]
  {
    var keys: [String] = []
    if try file.contains("extra/keys") { keys = try file.dataset("extra/keys").strings() }
    for (sample, label) in labels.enumerated() {
      guard label >= 0, label < 10_000, keys.isEmpty || label < keys.count else {
        let highest = keys.isEmpty ? 9_999 : keys.count - 1
        throw set.error("sample \(sample): label \(label); allowed is 0 to \(highest)")
      }
    }
    return keys.isEmpty ? (0...(labels.max() ?? 0)).map(String.init) : keys
  }

  /// Whether a file name ends as those of HDF5 files do.
  public static func isName(_ name: String) -> Bool {
    [".h5", ".hdf5", ".h5.gz", ".hdf5.gz"].contains { name.hasSuffix($0) }
  }

  /// The one file in a folder whose name holds `part` and ends in `.h5` or `.hdf5`, with or without
  /// `.gz`.
  /// - Throws: `FileError` when there is none, or several.
  public static func path(in folder: String, part: String, key: String) throws -> String {
    guard let path = try onlyPath(in: folder, part: part, key: key) else {
      throw several([], folder, part, key)
    }
    return path
  }

  /// As above; nil when there is none.
  public static func onlyPath(in folder: String, part: String, key: String) throws -> String? {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory) else {
      throw FileError(folder, "no such folder (data.path)")
    }
    guard isDirectory.boolValue else {
      throw FileError(folder, "is a file; data.path names the folder that holds the files")
    }
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter { $0.contains(part) && SHDFile.isName($0) }.sorted()
    guard names.count < 2 else { throw several(names, folder, part, key) }
    return names.first.map { (folder as NSString).appendingPathComponent($0) }
  }

  private static func several(
    _ names: [String], _ folder: String, _ part: String, _ key: String
  ) -> FileError {
    let found = names.isEmpty ? "none" : names.joined(separator: ", ")
    return FileError(
      folder, "needs one file *\(part)*.h5, .hdf5 or .gz of it, found \(found); name it with \(key)"
    )
  }
}
