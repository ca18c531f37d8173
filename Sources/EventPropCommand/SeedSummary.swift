// SPDX-License-Identifier: MIT

import Charts
import Diagnosis
import Experiments
import Foundation
import Live
import Runs
import Training

/// Several seeds in a few lines: means, and whether one lane is better than another.
enum SeedSummary {
  /// After an epoch, a line for each lane: `epoch 3  shaped  loss 0.4120  test 71.2 ± 1.3 % (5
  /// seeds)  26 dead`, means over the seeds that have come to it together: those that catch up are
  /// fewer than all.
  /// - Parameter rows: per seed, the rows of its last epoch; empty where it has had none.
  static func lines(_ rows: [[EpochMetrics]], epoch: Int) -> [String] {
    let together = rows.filter { $0.first?.epoch == epoch }
    guard rows.count > 1, let first = together.first else { return [] }
    return first.indices.map { lane in
      let same = together.compactMap { $0.indices.contains(lane) ? $0[lane] : nil }
      let tests = same.compactMap(\.testAccuracy)
      let loss = same.reduce(0) { $0 + $1.trainLoss } / Double(same.count)
      let dead = same.reduce(0) { $0 + $1.dead.reduce(0, +) } / same.count
      return "epoch \(epoch)  \(first[lane].lane)  loss " + String(format: "%.4f", loss)
        + (tests.isEmpty ? "" : "  test \(spread(tests))") + "  \(dead) dead"
        + (same.count < rows.count ? ", \(same.count) of \(rows.count) seeds" : "")
    }
  }

  /// `71.2 ± 1.3 % (5 seeds)`: mean and standard deviation.
  static func spread(_ shares: [Double]) -> String {
    guard let all = SeedBand.Point(shares) else { return Text.unknown }
    guard let sd = all.sd else { return Console.percent(all.mean) }
    return String(format: "%.1f ± %.1f %% (%d seeds)", 100 * all.mean, 100 * sd, all.seeds)
  }

  /// At the end: mean and standard deviation of every lane's last test accuracy, and every lane
  /// against the first.
  /// - Parameters:
  ///   - runs: folders, the first seed's first.
  ///   - score: what the lanes are measured by.
  static func verdicts(_ preset: Preset, runs: [String], score: String) -> [String] {
    let results = SeedResults(preset, runs: runs)
    guard !results.lanes.isEmpty else { return [] }
    var lines = ["", "test \(score) of the last epoch, mean ± sd"]
    for lane in results.lanes {
      lines.append("  \(lane.letter) \(lane.name): \(spread(lane.accuracies))")
    }
    for lane in results.lanes.dropFirst() {
      guard
        let comparison = SeedComparison(
          first: results.lanes[0].accuracies.map { 100 * $0 },
          second: lane.accuracies.map { 100 * $0 }, looks: results.looks)
      else { continue }
      lines.append(
        "  " + comparison.verdict(first: results.lanes[0].letter, second: lane.letter))
    }
    return lines
  }
}
