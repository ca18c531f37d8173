// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import Runs
import SpikeData
import Training

/// What the seeds of a run came to, read from their metrics.csv.
public struct SeedResults {
  /// A lane under all seeds.
  public struct Lane {
    /// As in files.
    public var name: String
    /// A, B, ...
    public var letter: String
    /// Share 0...1, per seed, by the rule of `ComparedTests`.
    public var accuracies: [Double]
    /// That epoch, or the first of them.
    public var epoch: Int
  }

  /// Lanes that all seeds have, with an epoch that all have evaluated.
  public var lanes: [Lane] = []
  /// With how many numbers of seeds the results were looked at.
  public var looks = 1

  /// - Parameter runs: folders, the first seed's first. What cannot be read is left out.
  public init(_ preset: Preset, runs: [String]) {
    func file(_ folder: String, _ name: String) -> String {
      (folder as NSString).appendingPathComponent(name)
    }
    let tables = runs.map { MetricsTable.rows(file($0, "metrics.csv")) }
    let accuracies = tables.map { rows in
      var found: [String: [Int: Double]] = [:]
      for row in rows {
        guard let lane = row["lane"], let epoch = row["epoch"].flatMap({ Int($0) }),
          let accuracy = row["test_accuracy"].flatMap({ Double($0) })
        else { continue }
        found[lane, default: [:]][epoch] = accuracy
      }
      return found
    }
    guard let first = runs.first else { return }
    let session = try? LoggedSession(contentsOf: file(first, "commands.jsonl"))
    looks = LoggedSession.looks((session?.seedCounts ?? []) + [runs.count])
    var names: [String] = []
    for row in tables[0] {
      if let name = row["lane"], !names.contains(name) { names.append(name) }
    }
    for (index, name) in names.enumerated() {
      let curves = accuracies.compactMap { $0[name] }
      guard curves.count == runs.count else { continue }
      let isOver = curves.map { _ in preset.training.stop != nil }
      guard let (values, epoch) = ComparedTests.accuracies(curves, isOver: isOver) else { continue }
      lanes.append(
        Lane(name: name, letter: Trainer.letter(index), accuracies: values, epoch: epoch))
    }
  }
}
