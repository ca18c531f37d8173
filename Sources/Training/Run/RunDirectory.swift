import EventPropCore
import Foundation

/// A run on disk: preset.toml, metrics.csv, commands.jsonl, checkpoints/, figures/ (DESIGN.md).
public final class RunDirectory {
  public let path: String
  private var metrics: AppendFile
  /// Of metrics.csv: a resumed run keeps those it has.
  private let columns: [String]
  private let network: Network
  private let commands: AppendFile
  private let isResumed: Bool

  func file(_ name: String) -> String { (path as NSString).appendingPathComponent(name) }

  /// Makes a new run.
  /// - Parameter path: the folder; nil makes `runs/<name>-<n>` with the first free n.
  public init(creating path: String?, preset: Preset, network: Network) throws {
    isResumed = false
    self.network = network
    columns = MetricsTable.columns(network)
    if let path {
      let content = try? FileManager.default.contentsOfDirectory(atPath: path)
      guard content?.isEmpty ?? true, content != nil || access(path, F_OK) != 0 else {
        throw RunError(
          path, "exists already; --resume goes on with a run, --out needs a new folder")
      }
      try AtomicFile.makeFolder(path)
      self.path = path
    } else {
      self.path = try RunDirectory.makeNumbered(preset.name)
    }
    let folder = self.path as NSString
    try AtomicFile.makeFolder(folder.appendingPathComponent("checkpoints"))
    try AtomicFile.write(
      Array(preset.resolvedText.utf8), to: folder.appendingPathComponent("preset.toml"))
    let header = columns.joined(separator: ",") + "\n"
    try AtomicFile.write(Array(header.utf8), to: folder.appendingPathComponent("metrics.csv"))
    metrics = try AppendFile(folder.appendingPathComponent("metrics.csv"))
    commands = try AppendFile(folder.appendingPathComponent("commands.jsonl"))
  }

  /// Opens a run to go on after `epoch`: later rows of metrics.csv, which a crash may have left, go.
  public init(resuming path: String, epoch: Int, network: Network) throws {
    isResumed = true
    self.network = network
    self.path = path
    let folder = path as NSString
    let csv = folder.appendingPathComponent("metrics.csv")
    guard let text = try? String(contentsOfFile: csv, encoding: .utf8) else {
      throw RunError(csv, "cannot be read: is this the folder of a run?")
    }
    columns = MetricsTable.header(of: text)
    let lines = text.split(whereSeparator: \.isNewline)
    let kept =
      lines.prefix(1)
      + lines.dropFirst().filter { line in
        Int(line.prefix { $0 != "," }).map { $0 <= epoch } ?? false
      }
    try AtomicFile.write(Array((kept.joined(separator: "\n") + "\n").utf8), to: csv)
    metrics = try AppendFile(csv)
    commands = try AppendFile(folder.appendingPathComponent("commands.jsonl"))
  }

  private static func makeNumbered(_ name: String) throws -> String {
    let words = name.lowercased().unicodeScalars.map {
      ("a"..."z").contains($0) || ("0"..."9").contains($0) ? Character($0) : "-"
    }
    let slug = String(words).split(separator: "-").joined(separator: "-")
    try AtomicFile.makeFolder("runs")
    var number = 1
    while true {
      let path = "runs/\(slug.isEmpty ? "run" : slug)-\(number)"
      if mkdir(path, 0o755) == 0 { return path }
      guard errno == EEXIST else { throw AtomicFile.failure(path) }
      number += 1
    }
  }

  /// Adds the rows of one epoch; its alarms go to the log.
  public func append(_ rows: [EpochMetrics]) throws {
    for row in rows {
      try metrics.append(line: MetricsTable.row(row, network, columns: columns))
      for alarm in row.alarms {
        try log(
          command: "alarm", lane: row.lane, epoch: row.epoch, batch: 0,
          detail: "\(alarm.kind.rawValue): \(alarm.text)")
      }
    }
  }

  /// Moves metrics.csv and checkpoints/ to before-restart-<n>/, and begins new ones.
  func setAside() throws {
    let files = FileManager.default
    var number = 1
    while files.fileExists(atPath: file("before-restart-\(number)")) { number += 1 }
    let aside = file("before-restart-\(number)")
    try AtomicFile.makeFolder(aside)
    let csv = file("metrics.csv")
    let header = (try? String(contentsOfFile: csv, encoding: .utf8))?.prefix { $0 != "\n" } ?? ""
    guard rename(csv, aside + "/metrics.csv") == 0 else { throw AtomicFile.failure(csv) }
    guard rename(file("checkpoints"), aside + "/checkpoints") == 0 else {
      let failure = AtomicFile.failure(file("checkpoints"))
      _ = rename(aside + "/metrics.csv", csv)
      throw failure
    }
    try AtomicFile.makeFolder(file("checkpoints"))
    try AtomicFile.write(Array((header + "\n").utf8), to: csv)
    metrics = try AppendFile(csv)
  }

  /// Logs that a session starts, or goes on from a checkpoint.
  public func logBeginning(of trainer: Trainer, detail: String = "") throws {
    try log(
      command: isResumed ? "resume" : "start", lane: nil, epoch: trainer.epoch,
      batch: trainer.batchInEpoch, detail: detail,
      commands: isResumed ? trainer.commandCount : nil)
  }

  /// Logs a command with the place where it took effect.
  /// - Parameter commands: at a resume, how many commands the checkpoint counts.
  public func log(
    command: String, lane: String?, epoch: Int, batch: Int, detail: String = "",
    commands count: Int? = nil
  ) throws {
    var entry = ["\"command\": \(ConfigValue.quoted(command))"]
    if let lane { entry.append("\"lane\": \(ConfigValue.quoted(lane))") }
    entry.append("\"epoch\": \(epoch)")
    entry.append("\"batch\": \(batch)")
    if let count { entry.append("\"commands\": \(count)") }
    if !detail.isEmpty { entry.append("\"detail\": \(ConfigValue.quoted(detail))") }
    try commands.append(line: "{" + entry.joined(separator: ", ") + "}")
  }
}
