// SPDX-License-Identifier: MIT

import ArgumentParser
import Charts
import Experiments
import Foundation
import Runs
import SpikeData
import Sweeps

struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "The runs of a folder: preset, lanes, epochs, seeds, test accuracy, who trains them.",
    discussion: """
      best and last are means over seeds, of the lane where they are highest. Runs that are damaged are listed with what
      is wrong; sweeps are named below. Nothing is changed.
      """)

  enum Key: String, ExpressibleByArgument, CaseIterable {
    case time, name, preset, epoch, best, last, state
  }

  @Argument(help: "A folder of runs, or a run.")
  var folder: String = "runs"

  @Option(help: ArgumentHelp("Runs of this preset alone.", valueName: "name"))
  var preset: String?

  @Option(help: "Numbers begin with the highest, names with the first, time with the newest.")
  var sort: Key = .time

  @Flag(help: "Print CSV, with all that is known.")
  var csv = false

  func run() throws {
    let folders = try self.folders()
    let sweeps = folders.filter(SweepFolder.isSweep)
    let found = folders.filter { !SweepFolder.isSweep($0) && RunEntry.isAny($0) }
      .map { RunEntry($0) }
    let wanted = preset.map(RunDirectory.slug)
    let entries = sorted(
      found.filter { entry in
        wanted.map { RunDirectory.slug(entry.preset).contains($0) } ?? true
      })
    if csv {
      for line in RunsTable.csv(entries) { Console.out(line) }
      return
    }
    guard !entries.isEmpty else {
      Console.out(
        preset == nil || found.isEmpty
          ? "no runs in \(folder)" : "no runs of \(preset!) in \(folder)")
      return hint(entries, sweeps)
    }
    for line in RunsTable.text(entries, under: folder) { Console.out(line) }
    hint(entries, sweeps)
  }

  /// Those in the folder, or the folder itself where it is a run.
  private func folders() throws -> [String] {
    if RunDirectory.isRun(folder), !SweepFolder.isSweep(folder) { return [folder] }
    guard let list = opendir(folder) else {
      throw FileError(folder, "cannot be read: \(String(cString: strerror(errno)))")
    }
    closedir(list)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    return names.filter { !$0.hasPrefix(".") }.sorted()
      .map { (folder as NSString).appendingPathComponent($0) }
  }

  private func sorted(_ entries: [RunEntry]) -> [RunEntry] {
    func isBefore(_ a: RunEntry, _ b: RunEntry) -> Bool? {
      func first<Value: Comparable>(_ x: Value, _ y: Value) -> Bool? { x == y ? nil : x < y }
      switch sort {
      case .time: return first(b.changed, a.changed)
      case .name: return nil
      case .preset: return first(a.preset, b.preset)
      case .epoch: return first(b.epoch, a.epoch)
      case .best: return first(b.best?.accuracy ?? -.infinity, a.best?.accuracy ?? -.infinity)
      case .last: return first(b.last?.accuracy ?? -.infinity, a.last?.accuracy ?? -.infinity)
      case .state: return first(a.state.rawValue, b.state.rawValue)
      }
    }
    return entries.sorted { a, b in
      isBefore(a, b) ?? (a.folder.compare(b.folder, options: .numeric) == .orderedAscending)
    }
  }

  private func hint(_ entries: [RunEntry], _ sweeps: [String]) {
    for sweep in sweeps {
      Console.out("\(sweep) is a sweep: eventprop sweep show \(Console.shellQuoted(sweep))")
    }
    if let run = entries.first(where: { $0.state == .training }) {
      Console.out("look on with: eventprop watch \(Console.shellQuoted(run.folder))")
    }
    if let run = entries.first(where: { $0.state != .training && $0.state != .damaged }) {
      Console.out("open one with: eventprop open \(Console.shellQuoted(run.folder))")
    }
    if entries.count > 1 {
      Console.out("choose on a screen with: eventprop open \(Console.shellQuoted(folder))")
    }
  }
}

/// The list as text and as CSV.
enum RunsTable {
  private static let titles = [
    "run", "preset", "lanes", "epoch", "seeds", "best test", "last test", "state",
  ]

  static func text(_ entries: [RunEntry], under folder: String) -> [String] {
    let prefix = folder.hasSuffix("/") ? folder : folder + "/"
    let rows = entries.map { entry -> [String] in
      let name =
        entry.folder.hasPrefix(prefix) ? String(entry.folder.dropFirst(prefix.count)) : entry.folder
      let state =
        entry.state == .training
        ? "training" + (entry.process.map { " (\($0))" } ?? "") : "\(entry.state)"
      return [
        name, cut(entry.preset, 26), cut(entry.lanes.joined(separator: " "), 22),
        "\(entry.epoch)/" + (entry.epochs.map(String.init) ?? "?"),
        entry.seeds < entry.allSeeds ? "\(entry.seeds)/\(entry.allSeeds)" : "\(entry.seeds)",
        entry.score.prefix + Console.percent(entry.best?.accuracy),
        entry.score.prefix + Console.percent(entry.last?.accuracy),
        state + (entry.problem.isEmpty ? "" : ": " + entry.problem),
      ].map { VisibleText.of($0) }
    }
    let all = [titles] + rows
    let widths = titles.indices.map { column in all.map { $0[column].count }.max()! }
    return all.map { row in
      let cells = row.enumerated().map { column, text in
        (3...6).contains(column)
          ? Text.right(text, widths[column])
          : column == row.count - 1 ? text : Console.pad(text, widths[column])
      }
      return cells.joined(separator: "  ")
    }
  }

  private static func cut(_ text: String, _ width: Int) -> String {
    text.count <= width ? text : text.prefix(width - 1) + "…"
  }

  static func csv(_ entries: [RunEntry]) -> [String] {
    let dates = ISO8601DateFormatter()
    return [
      "run,preset,lanes,epoch,epochs,seeds,score,best_test,best_lane,best_epoch,last_test,last_lane,last_epoch,"
        + "state,process,changed,problem"
    ]
      + entries.map { entry in
        func test(_ test: RunEntry.Test?) -> [String] {
          test.map { ["\($0.accuracy)", $0.lane, "\($0.epoch)"] } ?? ["", "", ""]
        }
        let fields =
          [
            entry.folder, entry.preset, entry.lanes.joined(separator: "; "), "\(entry.epoch)",
            entry.epochs.map(String.init) ?? "", "\(entry.seeds)", entry.score.rawValue,
          ] + test(entry.best) + test(entry.last) + [
            entry.state.rawValue, entry.process.map(String.init) ?? "",
            entry.changed == .distantPast ? "" : dates.string(from: entry.changed), entry.problem,
          ]
        return fields.map(CSV.quoted).joined(separator: ",")
      }
  }
}
