// SPDX-License-Identifier: MIT

import Charts
import Diagnosis
import Experiments
import Foundation
import Live
import Runs
import SpikeData
import Training

/// A run in a folder of its own that explains it and makes it again elsewhere: README.md, figures,
/// tables, preset and commands.
public struct Report {
  private let run: String
  private let out: String
  private let preset: Preset
  private let place: Checkpoint.Place
  private let data: DataSplits

  /// - Parameters:
  ///   - run: its folder.
  ///   - out: a new folder, or one that holds an older report; nil: `report` in the run.
  ///   - epoch: name of the checkpoint; nil: the last.
  ///   - settings: `key=value`, as places of data files.
  /// - Throws: `FileError` when the run cannot be read, or `out` is something else.
  public init(
    run: String, out: String? = nil, epoch: String? = nil, settings: [String] = []
  ) throws {
    self.run = run
    self.out = out ?? (run as NSString).appendingPathComponent("report")
    let files = FileManager.default
    let content = (try? files.contentsOfDirectory(atPath: self.out)) ?? []
    guard content.isEmpty || content.contains("README.md") && content.contains("preset.toml") else {
      throw FileError(self.out, "holds other files; a report needs a new folder")
    }
    preset = try Preset(ofRun: run, settings: settings)
    place = try Checkpoint.find(in: run, named: epoch)
    data = try preset.loadData()
  }

  /// Writes all of it.
  /// - Parameter progress: told what is being made.
  /// - Returns: the folder.
  public func write(progress: (String) -> Void = { _ in }) throws -> String {
    let runs = try FinishedRuns(
      [.init(preset: preset, folder: run, place: place, data: data)], detail: nil)
    let figures = makeFigures(runs, progress)
    progress("words and tables")
    let still = snapshot(runs, .ledger)
    try put(text(still, figures), "README.md")
    for (name, made) in figures {
      try put(made.svg, "figures/\(name).svg")
      try put(made.csv, "figures/\(name).csv")
    }
    try put(FigureFiles.tables(state(.ledger), still)[0].csv, "ledger.csv")
    let silence = snapshot(runs, .silence)
    try put(DiagnosisFiles.silence(silence), "silence.csv")
    for (seed, folder) in SeedFolder.all(of: run, preset) {
      let prefix = folder == run ? "" : "seed-\(seed)/"
      for name in ["preset.toml", "commands.jsonl", "metrics.csv", "activity.csv"] {
        let path = (folder as NSString).appendingPathComponent(name)
        guard FileManager.default.fileExists(atPath: path) else { continue }
        try put(try FileText.read(path), prefix + name)
      }
    }
    return out
  }

  private func put(_ text: String, _ name: String) throws {
    let path = (out as NSString).appendingPathComponent(name)
    let folder = (path as NSString).deletingLastPathComponent
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    } catch {
      throw FileError(path, "cannot be written: \((error as NSError).localizedDescription)")
    }
  }

  private func state(_ screen: ScreenKind) -> WorkbenchState {
    var state = WorkbenchState()
    state.screen = screen
    return state
  }

  /// The run with what a screen or figure needs.
  private func snapshot(_ runs: FinishedRuns, _ detail: Detail?) -> Snapshot {
    runs.send(.detail(detail))
    return runs.snapshot(after: 0)!
  }

  /// Every figure that there are numbers for, one of each lane where it shows one.
  private func makeFigures(
    _ runs: FinishedRuns, _ progress: (String) -> Void
  ) -> [(String, PaperFigure)] {
    var made: [(String, PaperFigure)] = []
    var known: [(detail: Detail?, snapshot: Snapshot)] = []
    for kind in FigureKind.allCases {
      progress("figure \(kind)")
      let found = known.first { $0.detail == kind.detail }?.snapshot
      let snapshot = found ?? self.snapshot(runs, kind.detail)
      if found == nil { known.append((kind.detail, snapshot)) }
      for lane in snapshot.lanes.indices where lane == 0 || kind.isOfOneLane {
        var options = FigureOptions()
        options.lane = lane
        (options.style.width, options.style.height) = (120, 75)
        guard let figure = try? kind.make(options, snapshot) else { continue }
        let letter =
          kind.isOfOneLane && snapshot.lanes.count > 1
          ? "-" + snapshot.lanes[lane].letter : ""
        made.append(("\(kind)" + letter, figure))
      }
    }
    return made
  }

  // MARK: Words

  private func text(_ snapshot: Snapshot, _ figures: [(String, PaperFigure)]) -> String {
    var lines = ["# \(VisibleText.of(preset.name))", ""]
    lines += [
      "\((run as NSString).lastPathComponent), seed \(preset.seed)"
        + (preset.seeds > 1 ? " and \(preset.seeds - 1) more" : "")
        + ", \(place.words) of \(preset.training.epochs). \(RunSource.program).", "",
    ]
    let card = preset.card
    for (title, said) in [
      ("", card.shows), ("Look at: ", card.lookAt), ("Healed by: ", card.healedBy),
    ]
    where !said.isEmpty {
      lines += ["> \(title)\(VisibleText.of(said))", ""]
    }
    lines += ["## What came of it", ""] + table(snapshot) + [""]
    for lane in snapshot.lanes {
      if let verdict = lane.verdict { lines.append("- \(lane.letter): \(verdict)") }
    }
    lines += verdicts(snapshot) + [""]
    lines += alarms(snapshot) + ledger(snapshot)
    lines += ["## Figures", ""]
    for (name, figure) in figures {
      lines += ["![\(figure.metadata.title)](figures/\(name).svg)", "", figure.metadata.title, ""]
    }
    return (lines + again(snapshot)).joined(separator: "\n") + "\n"
  }

  private func table(_ snapshot: Snapshot) -> [String] {
    var lines = [
      "| lane | trained on | train loss | test \(Wording.score(snapshot)) | spikes per neuron and trial | dead |",
      "| --- | --- | --- | --- | --- | --- |",
    ]
    for lane in snapshot.lanes {
      let test =
        lane.seeds.count > 1
        ? "\(lane.seedAccuracy), \(lane.seeds.count) seeds" : Text.percent(lane.testAccuracy)
      let spikes = lane.layers.map { Text.fixed($0.mean, 2) }.joined(separator: ", ")
      let dead = lane.layers.map { layer in
        (layer.dead.map(String.init) ?? Text.unknown) + " of \(layer.size)"
      }.joined(separator: ", ")
      lines.append(
        "| \(lane.letter) \(cell(lane.name)) | \(cell(lane.description + Wording.past(lane))) | "
          + "\(Text.number(lane.trainLoss)) | \(test) | \(spikes) | \(dead) |")
    }
    return lines
  }

  private func cell(_ text: String) -> String {
    VisibleText.of(text).replacingOccurrences(of: "|", with: "\\|")
  }

  private func verdicts(_ snapshot: Snapshot) -> [String] {
    snapshot.lanes.indices.dropFirst().compactMap { index in
      var state = WorkbenchState()
      state.lane = index
      let words = CompareScreen.verdict(state, snapshot, width: 1000)
      return words.isEmpty ? nil : "- " + words
    }
  }

  private func alarms(_ snapshot: Snapshot) -> [String] {
    let list = snapshot.alarmList.reversed()
    guard !list.isEmpty else { return [] }
    return ["## Alarms", "", "| epochs | lane | alarm | last seen |", "| --- | --- | --- | --- |"]
      + list.map { lane, record in
        let letter = snapshot.lanes[lane].letter
        let epochs =
          record.first == record.last ? "\(record.first)" : "\(record.first) to \(record.last)"
        return
          "| \(epochs) | \(letter) | \(record.alarm.kind.rawValue) | \(cell(record.alarm.text)) |"
      } + [""]
  }

  /// The update after the checkpoint, and the sums over those that were observed.
  private func ledger(_ snapshot: Snapshot) -> [String] {
    var lines = [
      "## Spikes and loss", "",
      "Of all observed updates together, and of the one after the checkpoint (ledger.csv):", "",
      "| lane | updates | created | deleted | predicted | actual | next update: created, deleted | actual |",
      "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for lane in snapshot.lanes {
      let sums = lane.totals
      let next = lane.ledger.map { "\($0.created), \($0.deleted)" } ?? Text.unknown
      let actual = lane.ledger.map { String(format: "%+.2e", $0.actual) } ?? Text.unknown
      lines.append(
        "| \(lane.letter) | \(sums.updates) | \(sums.created) | \(sums.deleted) | "
          + String(format: "%+.2e | %+.2e", sums.predicted, sums.actual)
          + " | \(next) | \(actual) |")
    }
    return lines + [""]
  }

  private func again(_ snapshot: Snapshot) -> [String] {
    var lines = ["## Again", ""]
    let hasCommands = !snapshot.marks.isEmpty
    lines.append("    eventprop train preset.toml --replay commands.jsonl --out again")
    lines += [
      "",
      "makes the same weights, bit by bit, for any number of threads: `cmp metrics.csv "
        + "again/metrics.csv` says nothing as far as both go. With "
        + "`eventprop open again` it is on the screens.", "",
    ]
    if preset.seeds > 1 {
      lines += [
        "That is the first seed; every other one has its preset and commands in `seed-<n>/`, from "
          + "which it comes again in the same way.", "",
      ]
    }
    if let data = preset.data, !data.isGenerated {
      lines += [
        "The samples are read from files (`data.path` in preset.toml): they are not in this folder.",
        "",
      ]
    }
    guard hasCommands else { return lines }
    lines += ["| epoch | batch | lane | command |", "| --- | --- | --- | --- |"]
    return lines
      + snapshot.marks.map { "| \($0.epoch) | \($0.batch) | \(cell($0.lane)) | \(cell($0.text)) |" }
      + [""]
  }
}
