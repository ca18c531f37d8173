import EventPropCore
import Foundation

/// A run on disk: preset.toml, metrics.csv, commands.jsonl, checkpoints/, figures/ (DESIGN.md).
public final class RunDirectory {
  public let path: String
  private var metrics: AppendFile
  private let commands: AppendFile
  private let isResumed: Bool

  func file(_ name: String) -> String { (path as NSString).appendingPathComponent(name) }

  /// Makes a new run.
  /// - Parameter path: the folder; nil makes `runs/<name>-<n>` with the first free n.
  public init(creating path: String?, preset: Preset, network: Network) throws {
    isResumed = false
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
    let header = EpochMetrics.columns(network).joined(separator: ",") + "\n"
    try AtomicFile.write(Array(header.utf8), to: folder.appendingPathComponent("metrics.csv"))
    metrics = try AppendFile(folder.appendingPathComponent("metrics.csv"))
    commands = try AppendFile(folder.appendingPathComponent("commands.jsonl"))
  }

  /// Opens a run to go on after `epoch`: later rows of metrics.csv, which a crash may have left, go.
  public init(resuming path: String, epoch: Int) throws {
    isResumed = true
    self.path = path
    let folder = path as NSString
    let csv = folder.appendingPathComponent("metrics.csv")
    guard let text = try? String(contentsOfFile: csv, encoding: .utf8) else {
      throw RunError(csv, "cannot be read: is this the folder of a run?")
    }
    let lines = text.split(separator: "\n")
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
      try metrics.append(line: row.fields.joined(separator: ","))
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

extension EpochMetrics {
  /// Columns of metrics.csv.
  static func columns(_ network: Network) -> [String] {
    let hidden = (1...max(network.hiddenCount, 1)).prefix(network.hiddenCount).map { "hidden\($0)" }
    return [
      "epoch", "lane", "rate", "train_loss", "train_accuracy", "validation_loss",
      "validation_accuracy", "test_loss", "test_accuracy", "phantom_spikes",
    ] + hidden.flatMap { ["spikes_\($0)", "silent_\($0)", "dead_\($0)"] }
      + network.projections.map { "gradient_\(network.name(of: $0))" } + [
        "observed_updates", "spikes_created", "spikes_deleted", "spikes_moved", "predicted_change",
        "actual_change", "change_by_creation_and_deletion", "alarms",
      ]
  }

  var fields: [String] {
    func number(_ x: Double?) -> String { x.map { $0.description } ?? "" }
    let quoted = lane.contains(where: { ",\"\n".contains($0) })
    let name = quoted ? "\"\(lane.replacingOccurrences(of: "\"", with: "\"\""))\"" : lane
    var fields = [
      String(epoch), name, number(rate), number(trainLoss), number(trainAccuracy),
      number(validationLoss), number(validationAccuracy), number(testLoss), number(testAccuracy),
      String(phantoms),
    ]
    for layer in spikes.indices {
      fields += [number(spikes[layer]), number(silent[layer]), String(dead[layer])]
    }
    fields += gradientNorms.map { number($0) }
    return fields + [
      String(ledger.updates), String(ledger.created), String(ledger.deleted), String(ledger.moved),
      number(ledger.predicted), number(ledger.actual), number(ledger.byCreationAndDeletion),
      alarms.map(\.kind.rawValue).joined(separator: "; "),
    ]
  }
}
