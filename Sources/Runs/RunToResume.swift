// SPDX-License-Identifier: MIT

import Experiments
import SpikeData
import Foundation

extension Preset {
  /// The preset of a run.
  /// - Throws: `FileError` when the folder is no run's, or the preset is not as it should be.
  public init(ofRun folder: String, settings: [String] = []) throws {
    try self.init(contentsOf: Preset.file(ofRun: folder), settings: settings)
    let start = RunDirectory.start(folder)
    if FileManager.default.fileExists(atPath: start) { begin(with: start) }
  }

  static func file(ofRun folder: String) throws -> String {
    guard RunDirectory.isRun(folder) else {
      throw FileError(folder, "is not the folder of a run: it has no preset.toml")
    }
    return RunDirectory.presetFile(folder)
  }
}

/// A run that this process is to go on with: locked, looked through, its last checkpoint found.
public struct RunToResume: Sendable {
  /// Folder of the run, as it was given.
  public let path: String
  /// The run's preset.toml with the settings applied.
  public let preset: Preset
  /// Where to go on; nil when nothing has been trained yet.
  public private(set) var place: Checkpoint.Place?
  /// nil: looked at only.
  let lock: RunLock?
  private let settings: [String]

  /// - Parameters:
  ///   - settings: `key=value`; a run goes on as it is, so that only places of data files and
  ///     `training.epochs` and `training.stop.patience` are allowed.
  ///   - isKept: nothing of the session is written, so that the run may be another's.
  ///   - startingOver: what there is moves to before-restart-n/, and the training begins anew.
  /// - Throws: `FileError` for a folder that is no run, is in use, or has lost its checkpoints;
  ///   `FileError`.
  public init(
    _ path: String, settings: [String] = [], startingOver: Bool = false, isKept: Bool = true
  ) throws {
    self.path = path
    _ = try Preset.file(ofRun: path)
    try RunToResume.check(settings)
    lock = isKept ? try RunLock(path) : nil
    preset = try Preset(ofRun: path, settings: settings)
    self.settings = settings
    if isKept { try RunDirectory.finishSettingAside(path) }
    if startingOver {
      try RunDirectory.setAside(path)
      for (_, folder) in SeedFolder.all(of: path, preset).dropFirst() {
        let other = try RunLock(folder)
        try RunDirectory.setAside(folder)
        _ = other
      }
      return
    }
    place = try Checkpoint.all(in: path).last
    if place == nil { try checkNothingTrained() }
  }

  /// The run of another of its seeds, to go on with too; nil: it has none yet.
  /// - Parameter isKept: nil: as this one's.
  package func ofSeed(_ index: Int, isKept: Bool? = nil) throws -> RunToResume? {
    let folder = SeedFolder.path(path, seed: preset.seed + index)
    guard RunDirectory.isRun(folder) else { return nil }
    // What is said of the number of seeds is the first one's.
    return try RunToResume(
      folder, settings: settings.filter { !$0.hasPrefix("seeds") },
      isKept: isKept ?? (lock != nil))
  }

  private static func check(_ settings: [String]) throws {
    let allowed = [
      "data.path", "data.train_file", "data.test_file", "data.validate_file", "training.epochs",
      "training.stop.patience", "seeds",
    ]
    for setting in settings {
      let key = setting.prefix { $0 != "=" }.trimmingCharacters(in: .whitespaces)
      let isFile = ["_file", "_images", "_labels"].contains { key.hasSuffix($0) }
      guard allowed.contains(key) || key.hasPrefix("data.") && isFile else {
        throw FileError(
          "--set",
          "\(key): a run goes on as it is; allowed are \(allowed.joined(separator: ", ")), all else needs a new run"
        )
      }
    }
  }

  /// Rows without a checkpoint are results that a new beginning would drop.
  private func checkNothingTrained() throws {
    let csv = (path as NSString).appendingPathComponent("metrics.csv")
    let rows = RunDirectory.rows(of: csv)
    guard let last = rows.compactMap({ Int($0.prefix { $0 != "," }) }).max() else { return }
    let folder = (path as NSString).appendingPathComponent("checkpoints")
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
    let seen =
      names.map {
        $0.isEmpty ? "is empty" : "holds only \($0.sorted().prefix(5).joined(separator: ", "))"
      } ?? "is not there"
    throw FileError(
      path,
      "metrics.csv has results to epoch \(last), but there is no checkpoint to go on from: \(folder) \(seen). "
        + "To begin anew, and keep what there is in before-restart-1/: eventprop train --resume \(path) --start-over"
    )
  }
}
