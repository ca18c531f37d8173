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
      lines =
        path.hasSuffix(".npz")
        ? try DataReport.arrays(path) : try DataReport.describe(path, units)
      return
    }
    if NMNIST.isFolder(path) {
      lines = try ["Train", "Test"].flatMap { part in
        DataReport.describe(
          try NMNIST().read(path, part: part, count: nil, key: "data.\(part.lowercased())"),
          "\(path)/\(part): N-MNIST")
      }
      return
    }
    if ["spikes.npy", "spikes.csv", "spikes", "train", "train.npz"].contains(where: {
      FileManager.default.fileExists(atPath: (path as NSString).appendingPathComponent($0))
    }) {
      lines = try DataReport.arrays(path)
      return
    }
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
      .filter { SHDFile.isName($0) || IDXImages.isName($0) }.sorted()
    guard !names.isEmpty else {
      throw FileError(
        path,
        "holds no files *.h5, *.hdf5, *ubyte or *idx*, with or without .gz, no spikes.npy or "
          + "spikes.csv, and no folders Train and Test of N-MNIST")
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
    describe(try SHDFile(units: units).read(path), "\(path): SHD layout")
  }

  private static func arrays(_ path: String) throws -> [String] {
    // Without word of a sensor, the largest x, y and p say how large it is.
    let parts = try SpikeArrays(guessesSensor: true).read(path)
    return [("", parts.train), ("/test", parts.test), ("/validate", parts.validate)].flatMap {
      name, data in
      data.map { describe($0, "\(path)\(name): arrays") } ?? []
    }
  }

  /// What any set of spikes is like, and what is unusual about it.
  private static func describe(_ data: SpikeDataSet, _ title: String) -> [String] {
    let units = data.unitCount
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
      "\(title), \(data.count) samples, "
        + (data.targets.map { "target series of \($0.outputs) outputs x \($0.points) points" }
          ?? "\(data.classNames.count) classes") + ", \(units) units (\(used) of them fire)",
      String(
        format:
          "  spikes per sample: mean %.0f, %d to %d; latest %.1f ms; %.2f %% share unit and 1 ms step",
        mean, counts.min() ?? 0, counts.max() ?? 0, latest,
        100 * Double(merged) / Double(max(data.times.count, 1))),
      rates(data, counts),
    ]
    if data.targets == nil { lines.append("  samples per class: " + classes(data)) }
    if !data.speakers.isEmpty {
      let speakers = Dictionary(grouping: data.speakers) { $0 }.sorted { $0.key < $1.key }
      lines.append(
        "  samples per speaker: "
          + speakers.map { "\($0.key): \($0.value.count)" }.joined(separator: ", "))
    }
    return lines + unusual(data, counts).map { "  ! " + $0 }
  }

  /// How long samples last, and how often units fire in them.
  private static func rates(_ data: SpikeDataSet, _ counts: [Int]) -> String {
    let ends = (0..<data.count).compactMap { sample -> Double? in
      counts[sample] > 0 ? data.times[data.offsets[sample + 1] - 1] : nil
    }.sorted()
    guard let last = ends.last else { return "  no spikes" }
    let total = ends.reduce(0, +)
    return String(
      format: "  last spikes: median %.1f ms, %.1f to %.1f; %.2f Hz per unit until then",
      ends[ends.count / 2], ends[0], last,
      total > 0 ? 1000 * Double(data.times.count) / total / Double(data.unitCount) : 0)
  }

  private static func unusual(_ data: SpikeDataSet, _ counts: [Int]) -> [String] {
    var found: [String] = []
    let empty = counts.count { $0 == 0 }
    if empty > 0 { found.append("\(empty) samples without a spike") }
    if data.targets == nil {
      var sizes = Array(repeating: 0, count: data.classNames.count)
      for label in data.labels { sizes[label] += 1 }
      let missing = sizes.indices.filter { sizes[$0] == 0 }
      if !missing.isEmpty {
        let names = missing.prefix(8).map { data.classNames[$0] }.joined(separator: ", ")
        found.append("no samples of \(names)\(missing.count > 8 ? " and others" : "")")
      }
      let present = sizes.filter { $0 > 0 }
      if let least = present.min(), let most = present.max(), most >= 3 * least {
        found.append("the largest class has \(most) samples, the smallest \(least)")
      }
    }
    let latest = data.times.max() ?? 0
    if latest > 0, latest < 2 {
      found.append("all spikes within \(latest) ms: are the times in seconds? (data.time_unit)")
    } else if latest > 60_000 {
      found.append("spikes to \(latest) ms: are the times in microseconds? (data.time_unit)")
    }
    let silent = data.unitCount - Set(data.units).count
    if 2 * silent > data.unitCount {
      found.append("\(silent) of \(data.unitCount) units never fire")
    }
    var same = 0
    for sample in 0..<data.count {
      for k in data.offsets[sample]..<max(data.offsets[sample + 1] - 1, data.offsets[sample]) {
        if data.times[k] == data.times[k + 1], data.units[k] == data.units[k + 1] { same += 1 }
      }
    }
    if same > 0 { found.append("\(same) spikes of the same unit at the same time") }
    return found
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
