// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import Runs
import SpikeData

/// The folder of a sweep: `sweep.toml`, `preset.toml`, `points.csv`, `runs/<point>/`, `state/`,
/// `results.csv`; with Slurm, `slurm/`.
public struct SweepFolder: Sendable {
  /// As it was given, or `sweeps/<name>-<n>`.
  public let path: String
  /// What it is to train.
  public let sweep: Sweep

  /// A file or folder in it.
  public func file(_ name: String) -> String {
    (path as NSString).appendingPathComponent(name)
  }

  /// The folder of a point's run.
  public func run(_ point: Int) -> String { file("runs/\(name(point))") }

  /// Points by number, as wide as the last one's.
  func name(_ point: Int) -> String {
    let digits = String(max(sweep.points.count - 1, 0)).count
    return String(repeating: "0", count: digits - String(point).count) + String(point)
  }

  /// Whether a folder is that of a sweep.
  public static func isSweep(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: (path as NSString).appendingPathComponent("sweep.toml"))
  }

  /// Opens one that exists.
  /// - Throws: `FileError` when it is no sweep, or not whole.
  public init(opening path: String) throws {
    guard SweepFolder.isSweep(path) else {
      throw FileError(path, "is not the folder of a sweep: it has no sweep.toml")
    }
    let folder = path as NSString
    let file = folder.appendingPathComponent("sweep.toml")
    let preset = folder.appendingPathComponent("preset.toml")
    sweep = try Sweep(text: Sweep.text(file, missing: "no such file"), file: file) { _ in
      (try Sweep.text(preset, missing: "no such file"), preset)
    }
    let points = folder.appendingPathComponent("points.csv")
    guard try Sweep.text(points, missing: "no such file") == sweep.pointsText else {
      throw FileError(points, "its points are not those of sweep.toml: one of them was changed")
    }
    self.path = path
  }

  /// Makes the folder of a sweep, or opens it when it is there already.
  /// - Parameter path: nil makes `sweeps/<name>-<n>` with the first free n.
  /// - Throws: `FileError` for a folder of something else, or of another sweep.
  public init(_ sweep: Sweep, at path: String?) throws {
    if let path, SweepFolder.isSweep(path) {
      let there = try SweepFolder(opening: path)
      if let difference = there.sweep.difference(from: sweep) {
        throw FileError(
          path, "holds another sweep: \(difference). --out NAME makes a new folder")
      }
      self = there
      return
    }
    if let path {
      // What a kill in the midst of the lines below leaves.
      let own = ["preset.toml", "points.csv", "runs", "state"]
      let files = FileManager.default
      let found = (try? files.contentsOfDirectory(atPath: path)) ?? []
      let isOurs =
        found.allSatisfy { own.contains($0) || $0.hasSuffix(".tmp") }
        && ["runs", "state"].allSatisfy {
          let inside = (path as NSString).appendingPathComponent($0)
          return ((try? files.contentsOfDirectory(atPath: inside)) ?? []).isEmpty
        }
      guard isOurs, access(path, F_OK) != 0 || files.isDirectory(path) else {
        throw FileError(path, "exists already, and is no sweep; --out needs a new folder")
      }
      try AtomicFile.makeFolder(path)
      self.path = path
    } else {
      self.path = try RunDirectory.makeNumbered(sweep.name, under: "sweeps")
    }
    self.sweep = sweep
    for folder in ["runs", "state"] { try AtomicFile.makeInnerFolder(file(folder)) }
    try AtomicFile.write(Array(sweep.presetText.utf8), to: file("preset.toml"))
    try AtomicFile.write(Array(sweep.pointsText.utf8), to: file("points.csv"))
    // Last: with it the folder is a sweep.
    try AtomicFile.write(
      Array("# eventprop \(Version.text)\n\(sweep.resolvedText)".utf8), to: file("sweep.toml"))
  }

  /// Writes a file that several processes may write at once, of several machines: it is either
  /// there as a whole or not at all.
  func write(_ text: String, to name: String) throws {
    let path = file(name)
    let folder = (path as NSString).deletingLastPathComponent as NSString
    let last = (path as NSString).lastPathComponent
    let aside = folder.appendingPathComponent(".\(last)-\(UUID().uuidString)")
    do {
      try AtomicFile.writeSynced(Array(text.utf8), to: aside)
      guard rename(aside, path) == 0 else { throw AtomicFile.failure(path) }
    } catch {
      unlink(aside)
      throw error
    }
  }

  /// Removes what kills in the midst of `write` have left; of an hour ago, as others may write now.
  public func removeLeftovers() {
    for name in ["results.csv", "state"] {
      let folder = name == "state" ? file(name) : path
      let hour = Date(timeIntervalSinceNow: -3600)
      for entry in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      where entry.hasPrefix(".") && entry.count > 36 {
        let path = (folder as NSString).appendingPathComponent(entry)
        let date = (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate]
        if let date = date as? Date, date < hour { unlink(path) }
      }
    }
  }
}

extension FileManager {
  fileprivate func isDirectory(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }
}

extension Sweep {
  /// The sweep as TOML: reads back to the same points.
  public var resolvedText: String {
    var root = ConfigTable()
    root["name"] = .string(name)
    root["preset"] = .string((presetName as NSString).lastPathComponent)
    root["seeds"] = .integer(seeds)
    root["mode"] = .string(mode.rawValue)
    if let samples {
      root["samples"] = .integer(samples)
      root["seed"] = .integer(seed)
    }
    root["metric"] = .string(metric)
    root["goal"] = .string(goal.rawValue)
    var set = ConfigTable()
    for setting in settings {
      let key = String(setting.prefix { $0 != "=" })
      guard key != "seeds",
        let table = try? ConfigTable(
          parsing: "value = \(setting.dropFirst(key.count + 1))", file: "")
      else { continue }
      set[key] = table["value"]
    }
    if !set.isEmpty { root["set"] = .table(set) }
    root["axis"] = .list(axes.map { .table($0.table) })
    return root.text
  }

  /// What another sweep has otherwise, in words; nil where it trains the same.
  func difference(from other: Sweep) -> String? {
    if presetText != other.presetText { return "its preset is not the \(other.presetName) of now" }
    func flat(_ text: String) -> [(String, String)] {
      guard let table = try? ConfigTable(parsing: text, file: "") else { return [] }
      return table.keys.flatMap { key -> [(String, String)] in
        switch table[key]! {
        case .table(let inner): inner.keys.map { ("\(key).\($0)", inner[$0]!.text) }
        case .list(let items) where key == "axis":
          items.enumerated().map { ("axis \($0 + 1)", $1.text) }
        default: [(key, table[key]!.text)]
        }
      }
    }
    let (own, others) = (flat(resolvedText), flat(other.resolvedText))
    // How points are called and compared does not change what is trained, but results.csv.
    for (key, text) in own {
      let new = others.first { $0.0 == key }?.1
      if new != text { return "\(key) is \(text) there, \(new ?? "not given") here" }
    }
    if let (key, text) = others.first(where: { pair in !own.contains { $0.0 == pair.0 } }) {
      return "\(key) is not given there, \(text) here"
    }
    return nil
  }
}

extension SweepAxis {
  fileprivate var table: ConfigTable {
    var table = ConfigTable()
    table["key"] = .string(key)
    table["name"] = .string(name)
    switch source {
    case .values(let values): table["values"] = .list(values)
    case .range(let low, let high, let isLog):
      table[isLog ? "log_range" : "range"] = .list([low, high])
      if let steps { table["steps"] = .integer(steps) }
      if isInteger { table["integer"] = .boolean(true) }
    }
    return table
  }
}
