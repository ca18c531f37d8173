// SPDX-License-Identifier: MIT

import Experiments
import SpikeData
import Training
import EventPropCore
import Foundation

/// A run on disk: preset.toml, metrics.csv, activity.csv, commands.jsonl, checkpoints/, best/,
/// results.csv, figures/.
public final class RunDirectory {
  /// The folder, as it was given, or `runs/<name>-<n>`.
  public let path: String
  private var metrics: AppendFile
  private var activity: AppendFile
  /// Of metrics.csv: a resumed run keeps those it has.
  private let columns: [String]
  private let commands: AppendFile
  private let isResumed: Bool
  private let lock: RunLock
  /// Followed at the ends of epochs.
  public let best: BestWeights
  /// At a resume: rows beyond the checkpoint, whose epochs are trained again.
  public private(set) var droppedRows = 0

  package func file(_ name: String) -> String { (path as NSString).appendingPathComponent(name) }

  static func presetFile(_ folder: String) -> String {
    (folder as NSString).appendingPathComponent("preset.toml")
  }

  /// Whether a folder is that of a run.
  public static func isRun(_ folder: String) -> Bool {
    FileManager.default.fileExists(atPath: presetFile(folder))
  }

  /// Whether a process of this machine trains into a folder at this moment.
  package static func isInUse(_ folder: String) -> Bool { RunLock.isHeld(folder) }

  /// Makes a new run.
  /// - Parameters:
  ///   - path: the folder; nil makes `runs/<name>-<n>` with the first free n.
  ///   - score: what lanes are measured by.
  public init(
    creating path: String?, preset: Preset, network: Network, score: ScoreName = .accuracy
  ) throws {
    isResumed = false
    columns = MetricsTable.columns(RunDirectory.networks(preset, network), score)
    if let path {
      guard RunDirectory.isFree(path) else {
        throw FileError(
          path, "exists already; --resume goes on with a run, --out needs a new folder")
      }
      try AtomicFile.makeFolder(path)
      self.path = path
    } else {
      self.path = try RunDirectory.makeNumbered(preset.name)
    }
    lock = try RunLock(self.path)
    best = BestWeights(ofRun: self.path)
    let folder = self.path as NSString
    try AtomicFile.makeInnerFolder(folder.appendingPathComponent("checkpoints"))
    try RunDirectory.keepStart(of: preset, network, in: self.path)
    try AtomicFile.write(
      Array((Version.line + preset.resolvedText).utf8), to: RunDirectory.presetFile(self.path))
    metrics = try RunDirectory.begin("metrics.csv", in: self.path, columns.joined(separator: ","))
    activity = try RunDirectory.begin(ActivityTable.file, in: self.path, ActivityTable.header)
    commands = try AppendFile(folder.appendingPathComponent("commands.jsonl"))
  }

  /// Where a run keeps the weights that its lanes began with, where these were given.
  static func start(_ folder: String) -> String {
    (folder as NSString).appendingPathComponent("start")
  }

  /// Before there is a preset: what is a run has them.
  private static func keepStart(of preset: Preset, _ network: Network, in path: String) throws {
    let lanes = zip(preset.lanes, networks(preset, network)).compactMap { lane, network in
      lane.startWeights.map { (name: lane.name, arrays: zip(network.parameterNames, $0)) }
    }
    guard !lanes.isEmpty else { return }
    try AsideFolder(path).put("start") { folder in
      for lane in lanes {
        try Checkpoint.write(
          lane.arrays.map { (name: $0, array: $1) },
          to: folder.appendingPathComponent(lane.name))
      }
    }
  }

  private static func begin(_ name: String, in path: String, _ header: String) throws -> AppendFile
  {
    let csv = (path as NSString).appendingPathComponent(name)
    try AtomicFile.write(Array((header + "\n").utf8), to: csv)
    return try AppendFile(csv)
  }

  /// A table as far as an epoch: rows beyond it, or not whole, go.
  private static func cut(_ text: String, to epoch: Int) -> (text: String, dropped: Int) {
    let lines = text.split(whereSeparator: \.isNewline)
    func isKept(_ line: Substring) -> Bool {
      Int(line.prefix { $0 != "," }).map { $0 <= epoch } ?? false
    }
    let kept = lines.prefix(1) + lines.dropFirst().filter(isKept)
    return (kept.joined(separator: "\n") + "\n", lines.count - kept.count)
  }

  /// Whether a new run may take a folder: it is not there, is empty, or holds only what a start
  /// leaves that was killed before it trained anything.
  private static func isFree(_ path: String) -> Bool {
    guard access(path, F_OK) == 0 else { return true }
    guard let content = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      return false
    }
    let ofStart = [
      ".lock", "checkpoints", "preset.toml", "preset.toml.tmp", "metrics.csv", "metrics.csv.tmp",
      "metrics.csv.next", "checkpoints.next", "commands.jsonl", "activity.csv", "activity.csv.tmp",
      "start", ".writing-start", ".old-start",
    ]
    if content.isEmpty { return true }
    let seeds = content.filter { $0.hasPrefix("seed-") }
    guard seeds.allSatisfy({ isFree((path as NSString).appendingPathComponent($0)) }) else {
      return false
    }
    // Something of ours must be there: a checkpoints folder alone may be anybody's.
    guard content.contains(".lock"),
      content.allSatisfy({ ofStart.contains($0) || seeds.contains($0) })
    else { return false }
    let folder = path as NSString
    let inside =
      (try? FileManager.default.contentsOfDirectory(
        atPath: folder.appendingPathComponent("checkpoints"))) ?? []
    return rows(of: folder.appendingPathComponent("metrics.csv")).isEmpty
      && inside.allSatisfy { $0.hasPrefix(".writing-") }
  }

  /// The rows of a metrics.csv below its header; none where there is no file.
  static func rows(of csv: String) -> [Substring] {
    guard let text = try? FileText.read(csv) else { return [] }
    return Array(text.split(whereSeparator: \.isNewline).dropFirst())
  }

  /// Those of all lanes.
  private static func networks(_ preset: Preset, _ network: Network) -> [Network] {
    preset.lanes.map { $0.network(inputs: network.inputs, outputs: network.output.size) }
  }

  /// Opens a run to go on from where `trainer` is. Later rows of metrics.csv, which a kill may have
  /// left, go: their epochs are trained again. What the run was told anew, as the number of epochs,
  /// is kept in its preset.toml.
  public init(resuming run: RunToResume, _ trainer: Trainer) throws {
    isResumed = true
    path = run.path
    lock = try run.lock ?? RunLock(run.path)
    let folder = path as NSString
    // What is put in place now and then would otherwise stay until the next time.
    for parent in [path, BestWeights.folder(path), folder.appendingPathComponent("checkpoints")] {
      AsideFolder(parent).removeLeftovers()
    }
    best = BestWeights(ofRun: run.path)
    let csv = folder.appendingPathComponent("metrics.csv")
    if FileManager.default.fileExists(atPath: csv) {
      let text = try FileText.read(csv)
      columns = MetricsTable.header(of: text)
      let kept = RunDirectory.cut(text, to: trainer.epoch)
      droppedRows = kept.dropped
      try AtomicFile.write(Array(kept.text.utf8), to: csv)
      metrics = try AppendFile(csv)
    } else {
      // Killed while it began.
      columns = MetricsTable.columns(trainer.lanes.map(\.network), trainer.score)
      metrics = try RunDirectory.begin("metrics.csv", in: path, columns.joined(separator: ","))
    }
    let table = folder.appendingPathComponent(ActivityTable.file)
    // Runs of before have none, or it is damaged: its rows are pictures, not results.
    let rows = try? FileText.read(table)
    let known = rows.flatMap { $0.hasPrefix(ActivityTable.header) ? $0 : nil }
    let kept = RunDirectory.cut(known ?? ActivityTable.header, to: trainer.epoch)
    try AtomicFile.write(Array(kept.text.utf8), to: table)
    activity = try AppendFile(table)
    // Of several seeds one may have been ahead of the others: what it trained is trained again.
    for place in try Checkpoint.all(in: path)
    where (place.epoch, place.batch) > (trainer.epoch, trainer.batchInEpoch) {
      AtomicFile.remove(place.path)
    }
    let presetFile = RunDirectory.presetFile(path)
    let text = Version.line + run.preset.resolvedText
    if (try? String(contentsOfFile: presetFile, encoding: .utf8)) != text {
      try AtomicFile.write(Array(text.utf8), to: presetFile)
    }
    commands = try AppendFile(folder.appendingPathComponent("commands.jsonl"))
    try best.follow(trainer)
  }

  /// A name as folders have it: small letters, digits and hyphens.
  package static func slug(_ name: String) -> String {
    let words = name.lowercased().unicodeScalars.map {
      ("a"..."z").contains($0) || ("0"..."9").contains($0) ? Character($0) : "-"
    }
    return String(words).split(separator: "-").joined(separator: "-")
  }

  /// Makes `<folder>/<name>-<n>` with the first free n.
  package static func makeNumbered(_ name: String, under folder: String = "runs") throws -> String {
    let slug = slug(name)
    try AtomicFile.makeFolder(folder)
    var number = 1
    while true {
      let path = "\(folder)/\(slug.isEmpty ? "run" : slug)-\(number)"
      if mkdir(path, 0o755) == 0 { return path }
      guard errno == EEXIST else { throw AtomicFile.failure(path) }
      number += 1
    }
  }

  /// Writes the preset anew, as it is told otherwise while it trains.
  package func write(_ preset: Preset) throws {
    try check()
    try AtomicFile.write(
      Array((Version.line + preset.resolvedText).utf8), to: RunDirectory.presetFile(path))
  }

  /// Adds the rows of one epoch; its alarms go to the log.
  public func append(_ rows: [EpochMetrics]) throws {
    try check()
    for row in rows {
      try metrics.append(line: MetricsTable.row(row, columns: columns))
      for line in ActivityTable.rows(row) { try activity.append(line: line) }
      for alarm in row.alarms {
        try log(
          command: "alarm", lane: row.lane, epoch: row.epoch, batch: 0,
          detail: "\(alarm.kind.rawValue): \(alarm.text)")
      }
    }
  }

  /// - Throws: `FileError` when the folder is no longer where it was.
  package func check() throws { try lock.check() }

  /// Moves tables, checkpoints/ and best/ to before-restart-<n>/, and begins new ones.
  package func setAside() throws { try setAside(as: "before-restart", rows: 0) { _ in } }

  /// Moves them to before-rewind-<n>/ and goes on from where a trainer is: rows to its epoch stay,
  /// and there is a checkpoint of it.
  package func setAside(rewindingTo trainer: Trainer) throws {
    try syncLogs()
    try setAside(as: "before-rewind", rows: trainer.epoch) {
      try Checkpoint.put(trainer, in: $0 as NSString)
    }
  }

  private func setAside(as name: String, rows: Int, fill: (String) throws -> Void) throws {
    try check()
    try RunDirectory.setAside(path, as: name, rows: rows, fill: fill)
    best.forget()
    metrics = try AppendFile(file("metrics.csv"))
    activity = try AppendFile(file(ActivityTable.file))
  }

  /// What is to be there afterwards is made first; when a step fails, all is put back.
  /// - Parameters:
  ///   - name: of the folder, before its number.
  ///   - rows: of the tables those to this epoch stay.
  ///   - fill: puts into the new folder of checkpoints what is to be there.
  static func setAside(
    _ path: String, as name: String = "before-restart", rows: Int = 0,
    fill: (String) throws -> Void = { _ in }
  ) throws {
    func file(_ name: String) -> String { (path as NSString).appendingPathComponent(name) }
    let files = FileManager.default
    var number = 1
    while files.fileExists(atPath: file("\(name)-\(number)")) { number += 1 }
    let aside = file("\(name)-\(number)")
    let folder = file("checkpoints")
    let tables = ["metrics.csv", ActivityTable.file].compactMap { name -> (String, String)? in
      (try? FileText.read(file(name))).map { (name, cut($0, to: rows).text) }
    }
    var undo: [() -> Void] = []
    func move(_ from: String, _ to: String) throws {
      if rename(from, to) == 0 {
        undo.append { _ = rename(to, from) }
      } else if errno != ENOENT {
        throw AtomicFile.failure(from)
      }
    }
    do {
      try AtomicFile.makeInnerFolder(aside)
      undo.append { rmdir(aside) }
      try? files.removeItem(atPath: folder + ".next")
      try AtomicFile.makeInnerFolder(folder + ".next")
      undo.append { try? files.removeItem(atPath: folder + ".next") }
      try fill(folder + ".next")
      for (name, text) in tables {
        let next = file(name) + ".next"
        try AtomicFile.write(Array(text.utf8), to: next)
        undo.append { unlink(next) }
      }
      try move(folder, aside + "/checkpoints")
      for (name, _) in tables { try move(file(name), aside + "/" + name) }
      try move(BestWeights.folder(path), aside + "/best")
      try move(file(ResultsTable.file), aside + "/" + ResultsTable.file)
      try move(folder + ".next", folder)
      for (name, _) in tables { try move(file(name) + ".next", file(name)) }
      try AtomicFile.syncFolder(path)
    } catch {
      for step in undo.reversed() { step() }
      throw error
    }
  }

  /// What a kill has left half done of `setAside`: once the old checkpoints are aside, the rest
  /// follows.
  static func finishSettingAside(_ path: String) throws {
    func file(_ name: String) -> String { (path as NSString).appendingPathComponent(name) }
    guard access(file("checkpoints"), F_OK) != 0, access(file("checkpoints.next"), F_OK) == 0 else {
      return
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let aside = names.filter { $0.hasPrefix("before-") }
      .map { (name: $0, time: modified(file($0))) }.max { $0.time < $1.time }?.name
    for name in ["metrics.csv", ActivityTable.file] where access(file(name + ".next"), F_OK) == 0 {
      // Where the old table is still in its place, it belongs aside.
      if let aside { _ = renameIfFree(file(name), file("\(aside)/\(name)")) }
      guard rename(file(name + ".next"), file(name)) == 0 else {
        throw AtomicFile.failure(file(name))
      }
    }
    guard rename(file("checkpoints.next"), file("checkpoints")) == 0 else {
      throw AtomicFile.failure(file("checkpoints"))
    }
    try AtomicFile.syncFolder(path)
  }

  private static func modified(_ path: String) -> Date {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return attributes?[.modificationDate] as? Date ?? .distantPast
  }

  private static func renameIfFree(_ from: String, _ to: String) -> Bool {
    access(to, F_OK) != 0 && rename(from, to) == 0
  }

  /// What the logs hold is on disk.
  func syncLogs() throws {
    try metrics.sync()
    try activity.sync()
    try commands.sync()
  }

  /// Logs that a session starts, or goes on from a checkpoint.
  public func logBeginning(of trainer: Trainer, detail: String = "") throws {
    try log(
      command: isResumed ? "resume" : "start", lane: nil, epoch: trainer.epoch,
      batch: trainer.batchInEpoch, detail: detail,
      commands: isResumed ? trainer.commandCount : nil)
  }

  /// Logs with how many seeds the lanes are trained from here on, where that is another number.
  package func log(seeds: Int, of trainer: Trainer, before: Int?) throws {
    guard seeds != before ?? 1 else { return }
    try log(
      command: "seeds", lane: nil, epoch: trainer.epoch, batch: trainer.batchInEpoch,
      detail: "\(seeds)")
  }

  /// Logs that a session ends, where, and why.
  public func logEnd(of trainer: Trainer, detail: String) throws {
    try log(
      command: "stop", lane: nil, epoch: trainer.epoch, batch: trainer.batchInEpoch,
      detail: detail)
  }

  /// Logs a command with the place where it took effect.
  /// - Parameter commands: at a resume, how many commands the checkpoint counts.
  public func log(
    command: String, lane: String?, epoch: Int, batch: Int, detail: String = "",
    commands count: Int? = nil
  ) throws {
    try check()
    var entry = ["\"command\": \(ConfigValue.quoted(command))"]
    if let lane { entry.append("\"lane\": \(ConfigValue.quoted(lane))") }
    entry.append("\"epoch\": \(epoch)")
    entry.append("\"batch\": \(batch)")
    if let count { entry.append("\"commands\": \(count)") }
    if !detail.isEmpty { entry.append("\"detail\": \(ConfigValue.quoted(detail))") }
    try commands.append(line: "{" + entry.joined(separator: ", ") + "}")
  }
}
