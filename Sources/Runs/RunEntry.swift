// SPDX-License-Identifier: MIT

import Training
import Experiments
import Foundation
import SpikeData

/// What the folder of a run holds, for a list of runs. It reads what can be read, and says of the
/// rest that it cannot; it writes nothing.
public struct RunEntry: Sendable {
  /// What is going on with a run.
  public enum State: String, Sendable, CaseIterable {
    /// A process of this machine trains it.
    case training
    /// All its epochs are done, or a rule has ended it.
    case finished
    /// It can be gone on with.
    case stopped
    /// Nothing has been trained yet.
    case new
    /// Something of it cannot be read.
    case damaged
  }

  /// Test accuracy, or R^2, 0...1: the mean over seeds, of the lane where it is highest.
  public struct Test: Sendable, Equatable {
    /// The lane's name.
    public var lane: String
    /// Of the weights.
    public var epoch: Int
    /// Mean over seeds.
    public var accuracy: Double
  }

  /// The folder, as it was given.
  public let folder: String
  /// Name of its preset; empty: not known.
  public private(set) var preset = ""
  /// Names of its lanes; those of metrics.csv where there are other ones.
  public private(set) var lanes: [String] = []
  /// Epochs that all seeds have behind them by metrics.csv, and those they are to train.
  public private(set) var epoch = 0
  /// nil: not known.
  public private(set) var epochs: Int?
  /// Those that have a folder.
  public private(set) var seeds = 0
  /// Those of its preset: some may have no folder yet.
  public private(set) var allSeeds = 0
  /// What tests are measured by.
  public private(set) var score = ScoreName.accuracy
  /// The highest of all epochs; nil: there was no test.
  public private(set) var best: Test?
  /// Of the last epoch that was tested.
  public private(set) var last: Test?
  /// What is going on.
  public private(set) var state = State.new
  /// Number of the process that trains it, where known.
  public private(set) var process: Int?
  /// When a row or a command was written last.
  public private(set) var changed = Date.distantPast
  /// What cannot be read; empty: all is well.
  public private(set) var problem = ""

  /// Whether a folder is that of a run, or what is left of one; a report is none.
  public static func isAny(_ folder: String) -> Bool {
    func has(_ name: String) -> Bool {
      access((folder as NSString).appendingPathComponent(name), F_OK) == 0
    }
    return has("checkpoints") || (has("preset.toml") || has("metrics.csv")) && !has("README.md")
  }

  /// Looks at a folder.
  public init(_ folder: String) {
    self.folder = folder
    changed =
      ["preset.toml", "commands.jsonl", "metrics.csv"].map { RunEntry.modified(folder, $0) }.max()!
    var folders = [folder]
    var isOver = false
    do {
      let own = try Preset(ofRun: folder)
      preset = own.name
      lanes = own.lanes.map(\.name)
      epochs = own.training.epochs
      folders = SeedFolder.all(of: folder, own).map(\.folder)
      allSeeds = own.seeds
    } catch {
      note(error)
    }
    seeds = folders.count
    allSeeds = max(allSeeds, seeds)
    let tables = folders.compactMap { rows($0) }
    if !tables.isEmpty { take(tables, of: folders) }
    do {
      let places = try folders.map { try Checkpoint.all(in: $0).last }
      if epoch > 0, places.contains(where: { $0 == nil }) { note("a checkpoint is missing") }
      isOver = places.allSatisfy { $0.map(RunEntry.isStopped) ?? false }
    } catch {
      note(error)
    }
    if let user = folders.first(where: RunDirectory.isInUse) {
      state = .training
      process = RunLock.process(user)
    } else if !problem.isEmpty {
      state = .damaged
    } else if isOver || epoch >= epochs ?? .max {
      state = .finished
    } else if epoch > 0 || (try? Checkpoint.all(in: folder).last?.batch ?? 0) ?? 0 > 0 {
      state = .stopped
    }
  }

  private mutating func note(_ error: any Error) { note("\(error)") }
  private mutating func note(_ words: String) {
    problem += (problem.isEmpty ? "" : "; ") + words.replacingOccurrences(of: "\n", with: " ")
  }

  private static func modified(_ folder: String, _ name: String) -> Date {
    let file = (folder as NSString).appendingPathComponent(name)
    let attributes = try? FileManager.default.attributesOfItem(atPath: file)
    return attributes?[.modificationDate] as? Date ?? .distantPast
  }

  /// By `training.stop`.
  private static func isStopped(_ place: Checkpoint.Place) -> Bool {
    let file = (place.path as NSString).appendingPathComponent("state.toml")
    return (try? FileText.read(file))?.contains("\nstopped = true") ?? false
  }

  private mutating func rows(_ folder: String) -> [[String: String]]? {
    let file = (folder as NSString).appendingPathComponent("metrics.csv")
    do {
      let lines = RunDirectory.rows(of: file).count
      _ = try FileText.read(file)
      let (columns, rows) = MetricsTable.table(file)
      guard columns.contains("epoch"), columns.contains("lane") else {
        throw FileError(file, "has no columns epoch and lane")
      }
      if columns.contains(ScoreName.r2.named("test_accuracy")) { score = .r2 }
      let whole = rows.filter { $0["epoch"].flatMap(Int.init) != nil }
      if whole.count < lines { note("\(file): \(lines - whole.count) rows are not whole") }
      return whole
    } catch {
      note(error)
      return nil
    }
  }

  /// - Parameter tables: of the seeds whose metrics.csv can be read.
  private mutating func take(_ tables: [[[String: String]]], of folders: [String]) {
    func number(_ row: [String: String], _ key: String) -> Int { row[key].flatMap(Int.init) ?? 0 }
    epoch = tables.map { $0.map { number($0, "epoch") }.max() ?? 0 }.min() ?? 0
    var names: [String] = []
    for row in tables[0] where row["epoch"] == tables[0].last?["epoch"] {
      if let lane = row["lane"], !names.contains(lane) { names.append(lane) }
    }
    if !names.isEmpty { lanes = names }
    func means(_ found: [[(lane: String, epoch: Int, accuracy: Double)]]) -> [Test] {
      let all = Dictionary(grouping: found.joined()) { "\($0.epoch) \($0.lane)" }
      // An epoch that some seeds have still before them says nothing of the mean.
      return all.values.filter { $0.count == tables.count }.map { tests in
        Test(
          lane: tests[0].lane, epoch: tests[0].epoch,
          accuracy: tests.reduce(0) { $0 + $1.accuracy } / Double(tests.count))
      }
    }
    var tests = means(
      tables.map { rows in
        rows.compactMap { row in
          row["test_accuracy"].flatMap(Double.init).map {
            (row["lane"] ?? "", number(row, "epoch"), $0)
          }
        }
      })
    if tests.isEmpty {
      // With training.test = "end" they are in results.csv.
      tests = means(
        folders.map { folder in
          ResultsTable(ofRun: folder).rows.filter { $0.which == "last" }.compactMap { row in
            row.testAccuracy.map { (row.lane, row.epoch, $0) }
          }
        })
    }
    let order = { [lanes] (test: Test) in lanes.firstIndex(of: test.lane) ?? lanes.count }
    func isLower(_ a: Test, _ b: Test) -> Bool {
      (a.accuracy, -a.epoch, -order(a)) < (b.accuracy, -b.epoch, -order(b))
    }
    best = tests.max(by: isLower)
    let latest = tests.map(\.epoch).max()
    last = tests.filter { $0.epoch == latest }.max(by: isLower)
  }
}
