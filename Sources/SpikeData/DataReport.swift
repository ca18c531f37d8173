// SPDX-License-Identifier: MIT

import Foundation

/// What `data info` says about a file or a folder.
public struct DataReport {
  /// For the terminal: a line for each file, indented ones below it for what it holds.
  public let lines: [String]

  /// - Throws: `FileError` when there is nothing to report on, or a file is damaged.
  public init(path: String, units: Int) throws {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw FileError(path, "no such file or folder")
    }
    guard isDirectory.boolValue else {
      lines = try DataReport.describe(path, units)
      return
    }
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
      .filter { SHDFile.isName($0) || IDXImages.isName($0) }.sorted()
    guard !names.isEmpty else {
      throw FileError(path, "holds no files *.h5, *.hdf5, *ubyte or *idx*, with or without .gz")
    }
    var all: [String] = []
    for name in names {
      all += try DataReport.describe((path as NSString).appendingPathComponent(name), units)
    }
    lines = all
  }

  private static func describe(_ path: String, _ units: Int) throws -> [String] {
    SHDFile.isName(path) ? try spikes(path, units) : try images(path)
  }

  private static func spikes(_ path: String, _ units: Int) throws -> [String] {
    let data = try SHDFile(units: units).read(path)
    let counts = (0..<data.count).map { data.offsets[$0 + 1] - data.offsets[$0] }
    let latest = data.times.max() ?? 0
    var merged = 0
    var last = Array(repeating: -1, count: units)
    for sample in 0..<data.count {
      for k in data.offsets[sample]..<data.offsets[sample + 1] {
        let step = Int(data.times[k].rounded()) + sample * 1_000_000
        if last[Int(data.units[k])] == step { merged += 1 }
        last[Int(data.units[k])] = step
      }
    }
    let used = Set(data.units).count
    let mean = Double(data.times.count) / Double(data.count)
    var lines = [
      "\(path): SHD layout, \(data.count) samples, \(data.classNames.count) classes, \(units) units"
        + " (\(used) of them fire)",
      String(
        format:
          "  spikes per sample: mean %.0f, %d to %d; latest %.1f ms; %.2f %% share unit and 1 ms step",
        mean, counts.min() ?? 0, counts.max() ?? 0, latest,
        100 * Double(merged) / Double(max(data.times.count, 1))),
      "  samples per class: " + classes(data),
    ]
    if !data.speakers.isEmpty {
      let speakers = Dictionary(grouping: data.speakers) { $0 }.sorted { $0.key < $1.key }
      lines.append(
        "  samples per speaker: "
          + speakers.map { "\($0.key): \($0.value.count)" }.joined(separator: ", "))
    }
    return lines
  }

  private static func classes(_ data: SpikeDataSet) -> String {
    var counts = Array(repeating: 0, count: data.classNames.count)
    for label in data.labels { counts[label] += 1 }
    return zip(data.classNames, counts).map { "\($0) \($1)" }.joined(separator: ", ")
  }

  private static func images(_ path: String) throws -> [String] {
    let file = try IDXFile(path)
    let size = file.dimensions.map(String.init).joined(separator: " x ")
    var lines = ["\(path): IDX, unsigned bytes, \(size)"]
    guard !file.values.isEmpty else { return lines + ["  no values"] }
    if file.dimensions.count == 1 {
      var counts: [UInt8: Int] = [:]
      for value in file.values { counts[value, default: 0] += 1 }
      lines.append(
        "  labels: "
          + counts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
          .joined(separator: ", "))
    } else {
      let lit = file.values.count { $0 > 0 }
      let mean = file.values.reduce(0) { $0 + Int($1) }
      lines.append(
        String(
          format: "  values: mean %.4f of 1, above 0: %.1f per item",
          Double(mean) / 255 / Double(file.values.count),
          Double(lit) / Double(max(file.dimensions[0], 1))))
    }
    return lines
  }
}
