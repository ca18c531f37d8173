// SPDX-License-Identifier: MIT

import ArgumentParser
import Charts
import Experiments
import Foundation
import SpikeData
import Sweeps

struct SweepShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "What came of a sweep so far: table, heat map, curves; also while it runs.")

  @Argument(help: "The folder of a sweep.", completion: .sweep)
  var folder: String

  @Option(help: "Column to sort by (default: the metric, the best first; a wrong name lists them).")
  var sort: String?

  @Flag(help: "The other way round.")
  var reverse = false

  @Option(help: "Rows of this lane alone.")
  var lane: String?

  @Option(help: "Column of metrics.csv in place of the sweep's metric.")
  var metric: String?

  @Option(help: "Write the table to this file.", completion: .file())
  var csv: String?

  @Option(
    name: .customLong("heatmap"), parsing: .upToNextOption,
    help: ArgumentHelp("The metric over two axes: of rows, of columns.", valueName: "axis"))
  var heatMap: [String] = []

  @Flag(help: "The metric by epoch, of the first six rows; all curves go to curves.csv.")
  var curves = false

  func validate() throws {
    guard heatMap.isEmpty || heatMap.count == 2 else {
      throw ValidationError("--heatmap takes the names of two axes")
    }
  }

  func run() throws {
    let folder = try SweepFolder(opening: folder)
    let state = SweepState(folder, curves: curves)
    try check(state)
    var table = SweepTable(state, lane: lane, metric: metric)
    let column = sort ?? metric ?? state.sweep.metric
    guard table.sort(by: column, reversed: reverse) else {
      throw FileError(
        "--sort", "is \(column), allowed are \(table.columns.joined(separator: ", "))")
    }
    Console.out(summary(state))
    if let line = queue(folder) { Console.out(line) }
    if !heatMap.isEmpty {
      guard let map = SweepHeatMap(state, table, rows: heatMap[0], columns: heatMap[1]) else {
        throw FileError(
          "--heatmap",
          "allowed are two of the axes \(state.sweep.axes.map(\.name).joined(separator: ", "))")
      }
      for line in map.text { Console.out(line) }
    } else if curves {
      for line in SweepCurves.text(state, table) { Console.out(line) }
    } else {
      for line in table.text { Console.out(line) }
    }
    if !table.verdict.isEmpty { Console.out("") }
    for line in table.verdict { Console.out(line) }
    try write(state, table)
  }

  private func check(_ state: SweepState) throws {
    let lanes = state.points.flatMap { $0.seeds.flatMap { $0.lanes.map(\.name) } }
    if let lane, !lanes.isEmpty, !lanes.contains(lane) {
      var names: [String] = []
      for name in lanes where !names.contains(name) { names.append(name) }
      throw FileError("--lane", "is \(lane), allowed are \(names.joined(separator: ", "))")
    }
    let columns = Set(
      state.points.flatMap { $0.seeds.flatMap { $0.lanes.flatMap { $0.values.keys } } })
    if let metric, !columns.isEmpty, !columns.contains(metric) {
      throw FileError(
        "--metric", "is \(metric), allowed are \(columns.sorted().joined(separator: ", "))")
    }
  }

  /// `learning-rates: 24 points, 20 done, 1 running, 3 waiting; 85 %`.
  private func summary(_ state: SweepState) -> String {
    let counts = SweepState.Status.allCases.reversed().compactMap { status -> String? in
      let count = state.count(status)
      return count > 0 ? "\(count) \(status.rawValue)" : nil
    }
    return "\(state.sweep.name): \(state.points.count) points, "
      + counts.joined(separator: ", ")
      + (state.isSettled ? "" : String(format: "; %.0f %%", 100 * state.share))
  }

  /// `Slurm job 12: 3 pending, 2 running`; nil where nothing was submitted.
  private func queue(_ folder: SweepFolder) -> String? {
    let job = SlurmJob(folder)
    guard let id = job.ids.last else { return nil }
    do {
      let tasks = try job.queue()
      let counts = Dictionary(grouping: tasks.values) { $0.lowercased() }.mapValues(\.count)
      return "Slurm job \(id): "
        + (counts.isEmpty
          ? "no longer in the queue"
          : counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            .joined(separator: ", "))
    } catch {
      return "Slurm job \(id): \(error)"
    }
  }

  private func write(_ state: SweepState, _ table: SweepTable) throws {
    if let csv {
      guard FileManager.default.createFile(atPath: csv, contents: Data(table.csv.utf8)) else {
        throw FileError(csv, "cannot be written")
      }
      Console.out("wrote \(csv)")
    }
    if curves { Console.out("wrote \(try state.folder.writeCurves())") }
    // Whoever trains a point now writes it himself. A folder of somebody else may be looked at.
    if state.count(.running) == 0, access(state.folder.path, W_OK) == 0 {
      var results = SweepResults(state.folder)
      try results.write()
    }
  }
}
