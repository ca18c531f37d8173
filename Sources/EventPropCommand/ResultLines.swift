// SPDX-License-Identifier: MIT

import Diagnosis
import Charts
import Foundation
import Runs

/// results.csv in a few lines.
enum ResultLines {
  /// - Parameter seeds: what each of them has come to; the same lanes in the same order.
  static func lines(_ seeds: [ResultsTable]) -> [String] {
    guard let first = seeds.first, !first.rows.isEmpty else { return [] }
    let width = max(4, first.rows.map(\.lane.count).max() ?? 0)
    var lines = ["", Console.pad("lane", width) + "  weights  epoch    validation          test"]
    for (index, row) in first.rows.enumerated() {
      let same = seeds.compactMap { $0.rows.indices.contains(index) ? $0.rows[index] : nil }
        .filter { $0.lane == row.lane && $0.which == row.which }
      let epochs = Set(same.map(\.epoch)).sorted()
      let epoch = epochs.count > 1 ? "\(epochs[0])-\(epochs[epochs.count - 1])" : "\(row.epoch)"
      lines.append(
        Console.pad(row.lane, width) + "  " + Console.pad(row.which, 7)
          + Text.right(epoch, 7) + Text.right(spread(same.map(\.validationAccuracy)), 14)
          + Text.right(spread(same.map(\.testAccuracy)), 14))
    }
    if seeds.count > 1 { lines.append("mean ± sd over \(seeds.count) seeds") }
    return lines
  }

  /// `71.2 ± 1.3 %`; `–` where one is not known.
  static func spread(_ shares: [Double?]) -> String {
    let known = shares.compactMap { $0 }
    guard known.count == shares.count, !known.isEmpty else { return "–" }
    guard let all = SeedBand.Point(known), let sd = all.sd else { return Console.percent(known[0]) }
    return String(format: "%.1f ± %.1f %%", 100 * all.mean, 100 * sd)
  }
}
