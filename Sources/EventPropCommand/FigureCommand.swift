// SPDX-License-Identifier: MIT

import SpikeData
import Experiments
import Live
import Runs
import Training
import ArgumentParser
import Foundation
import Workbench

struct FigureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "figure",
    abstract: "A screen of the workbench as SVG or CSV, from a run's checkpoint.")

  @Argument(help: ArgumentHelp("The folder of a run.", valueName: "run"))
  var folder: String

  @Option(help: "Which screen: \(ScreenKind.allCases.map { "\($0)" }.joined(separator: ", ")).")
  var panel: String = "overview"

  @Option(
    help:
      "Checkpoint of this epoch, 12, or 12+40 for one after 40 more batches (default: the last).")
  var epoch: String?

  @Option(help: "Lane by number, 0 for the first.")
  var lane: Int = 0

  @Option(help: "Probe sample by number.")
  var probe: Int = 0

  @Option(help: "Columns and rows of the figure.")
  var columns: Int = 120
  @Option var rows: Int = 40

  @Option(help: "File to write; its ending, .svg, .csv or .txt, says what.")
  var out: String

  @Option(
    help: "Which of the panel's tables a .csv gets (default: the first; a wrong name lists them).")
  var table: String?

  @Option(name: .customLong("set"), help: "Override a key, as data.path=FOLDER.")
  var settings: [String] = []

  func validate() throws {
    let panels = ScreenKind.allCases.map { "\($0)" }
    guard panels.contains(panel) else {
      throw ValidationError("--panel is \(panel), allowed are \(panels.joined(separator: ", "))")
    }
    guard ["svg", "csv", "txt"].contains((out as NSString).pathExtension) else {
      throw ValidationError("--out must end in .svg, .csv or .txt")
    }
    guard (20...400).contains(columns), (5...200).contains(rows) else {
      throw ValidationError("--columns 20 to 400, --rows 5 to 200")
    }
  }

  func run() throws {
    let preset = try Preset(ofRun: folder, settings: settings)
    let place = try Checkpoint.find(in: folder, named: epoch)
    let screen = ScreenKind.allCases.first { "\($0)" == panel }!
    var state = WorkbenchState()
    state.lane = lane
    state.screen = screen
    let still = try FinishedRuns(
      [.init(preset: preset, folder: folder, place: place)], probe: probe, detail: state.detail)
    let snapshot = still.snapshot(after: 0)!
    guard (0..<snapshot.probes).contains(probe) else {
      throw FileError(
        "--probe", "is \(probe); the samples shown are 0 to \(snapshot.probes - 1)")
    }
    guard snapshot.lanes.indices.contains(lane) else {
      throw FileError(folder, "has no lane \(lane); there are 0 to \(snapshot.lanes.count - 1)")
    }
    let text: String
    switch (out as NSString).pathExtension {
    case "csv":
      let tables = FigureFiles.tables(state, snapshot)
      let wanted = table ?? tables[0].name
      guard let found = tables.first(where: { $0.name == wanted }) else {
        let names = tables.map(\.name).joined(separator: ", ")
        throw FileError("--table", "\(panel) has no table \(wanted); there are \(names)")
      }
      text = found.csv
    case "txt":
      text = Workbench.frame(state, snapshot, width: columns, height: rows).plainText + "\n"
    default: text = Workbench.svg(state, snapshot, width: columns, height: rows)
    }
    guard FileManager.default.createFile(atPath: out, contents: Data(text.utf8)) else {
      throw FileError(out, "cannot be written")
    }
    Console.out("wrote \(out)")
  }
}
