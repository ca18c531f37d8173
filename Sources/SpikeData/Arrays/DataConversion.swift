// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation

/// Writes data sets in the forms that `SpikeArrays` and `SHDFile` read.
public enum DataConversion {
  /// What is written.
  public enum Form: String, Sendable, CaseIterable {
    /// A folder of `.npy` files.
    case npy
    /// One archive.
    case npz
    /// A folder of tables.
    case csv
    /// A folder with train.h5, test.h5 and valid.h5 in the layout of SHD.
    case shd
  }

  /// Parts without samples are left out.
  /// - Throws: `FileError`; in the form of SHD also for target series, which it has no place for.
  public static func write(_ data: DataSplits, as form: Form, to path: String) throws {
    let parts = [("", data.train), ("validate", data.validate), ("test", data.test)]
      .filter { $0.1.count > 0 }
    // What an older conversion has left would be read with the new samples.
    let folders = form == .npz ? [] : ["spikes.npy", "spikes.csv", "train.h5", "test", "validate"]
    if let old = folders.first(where: {
      FileManager.default.fileExists(atPath: (path as NSString).appendingPathComponent($0))
    }) {
      throw FileError(path, "holds \(old) already; allowed is a folder without data")
    }
    switch form {
    case .npy:
      for (name, set) in parts {
        let folder = name.isEmpty ? path : (path as NSString).appendingPathComponent(name)
        for (file, bytes) in files(set) { try write(bytes, file, in: folder) }
      }
    case .npz:
      let entries = parts.flatMap { name, set in
        files(set).map { ((name.isEmpty ? "" : name + "/") + $0.name, $0.bytes) }
      }
      guard entries.reduce(0, { $0 + $1.1.count + 1024 }) < 0xFFFF_FFFF else {
        throw FileError(path, "would be larger than 4 GB: --format npy has no limit")
      }
      try write(
        ZipArchive.bytes(of: entries), (path as NSString).lastPathComponent,
        in: (path as NSString).deletingLastPathComponent)
    case .csv:
      for (name, set) in parts {
        let folder = name.isEmpty ? path : (path as NSString).appendingPathComponent(name)
        guard set.targets == nil else {
          throw FileError(path, "\(set.name) has target series, which are no table: --format npy")
        }
        for (file, bytes) in tables(set) { try write(bytes, file, in: folder) }
      }
    case .shd:
      try makeFolder(path)
      for (name, set) in parts {
        let file = name.isEmpty ? "train" : name == "validate" ? "valid" : name
        try writeSHD(set, to: (path as NSString).appendingPathComponent(file + ".h5"))
      }
    }
  }

  private static func makeFolder(_ folder: String) throws {
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw FileError(folder, "cannot be made: \(error.localizedDescription)")
    }
  }

  private static func write(_ bytes: [UInt8], _ name: String, in folder: String) throws {
    if !folder.isEmpty { try makeFolder(folder) }
    let path = (folder as NSString).appendingPathComponent(name)
    do {
      try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw FileError(path, "cannot be written: \(error.localizedDescription)")
    }
  }

  /// Of one part: names and contents.
  private static func files(_ data: SpikeDataSet) -> [(name: String, bytes: [UInt8])] {
    var rows: [Double] = []
    rows.reserveCapacity(3 * data.times.count)
    for sample in 0..<data.count {
      for k in data.offsets[sample]..<data.offsets[sample + 1] {
        rows += [Double(sample), Double(data.units[k]), data.times[k]]
      }
    }
    func bytes<T>(_ values: [T]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }
    var files = [("spikes.npy", NumPyHeader.file("<f8", [data.times.count, 3], bytes(rows)))]
    if let targets = data.targets {
      let (points, outputs) = (targets.points, targets.outputs)
      var values: [Double] = []
      for label in data.labels {
        for point in 0..<points {
          for j in 0..<outputs {
            values.append(targets.values[(label * outputs + j) * points + point])
          }
        }
      }
      files.append(
        ("targets.npy", NumPyHeader.file("<f8", [data.count, points, outputs], bytes(values))))
    } else {
      files.append(("labels.npy", NumPyHeader.file("<i8", [data.count], bytes(data.labels))))
    }
    if !data.speakers.isEmpty {
      files.append(("speakers.npy", NumPyHeader.file("<i8", [data.count], bytes(data.speakers))))
    }
    files.append(("classes.txt", Array((data.classNames.joined(separator: "\n") + "\n").utf8)))
    return files
  }

  private static func tables(_ data: SpikeDataSet) -> [(name: String, bytes: [UInt8])] {
    var rows = "sample,unit,time\n"
    for sample in 0..<data.count {
      for k in data.offsets[sample]..<data.offsets[sample + 1] {
        rows += "\(sample),\(data.units[k]),\(data.times[k])\n"
      }
    }
    func list(_ name: String, _ values: [Int]) -> [UInt8] {
      Array((([name] + values.map(String.init)).joined(separator: "\n") + "\n").utf8)
    }
    var files = [("spikes.csv", Array(rows.utf8)), ("labels.csv", list("label", data.labels))]
    if !data.speakers.isEmpty { files.append(("speakers.csv", list("speaker", data.speakers))) }
    files.append(("classes.txt", Array((data.classNames.joined(separator: "\n") + "\n").utf8)))
    return files
  }

  private static func writeSHD(_ data: SpikeDataSet, to path: String) throws {
    guard data.targets == nil else {
      throw FileError(path, "\(data.name) has target series, which SHD has no place for")
    }
    let file = try HDF5Maker(path)
    file.group("spikes")
    file.group("extra")
    let samples = (0..<data.count).map { data.offsets[$0]..<data.offsets[$0 + 1] }
    file.write("spikes/times", lists: samples.map { data.times[$0].map { $0 / 1000 } })
    file.write("spikes/units", lists: samples.map { Array(data.units[$0]) })
    file.write("labels", data.labels, shape: [data.count])
    file.write("extra/keys", data.classNames, shape: [data.classNames.count])
    if !data.speakers.isEmpty {
      file.write("extra/speaker", data.speakers, shape: [data.speakers.count])
    }
    try file.finish()
  }
}
