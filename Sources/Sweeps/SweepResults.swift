// SPDX-License-Identifier: MIT

import Training
import Experiments
import Foundation
import Runs

/// results.csv: a row for every finished point, seed and lane, with the values of the axes and the
/// last epoch's numbers. Made from the run folders alone; holds no times and no paths.
public struct SweepResults {
  /// Columns that every table has, beside those of the axes.
  static let ownColumns = ["point", "seed", "lane", "epoch"]

  /// Whether a column of metrics.csv goes into the tables.
  static func isKept(_ column: String) -> Bool {
    column.hasSuffix("_loss") || ScoreName.isScore(column) || layer(column) != nil
  }

  /// The hidden layer of `spikes_hidden2`, and of its like.
  private static func layer(_ column: String) -> Int? {
    let parts = column.components(separatedBy: "_hidden")
    guard parts.count == 2, ["spikes", "spread", "silent", "dead"].contains(parts[0]) else {
      return nil
    }
    return Int(parts[1])
  }

  typealias Row = (seed: Int, values: [String: String])

  let folder: SweepFolder
  /// Rows of points that are done: they do not change any more.
  private var finished: [Int: [Row]] = [:]
  private var columns: [String] = []
  private var lastWrite: (end: Date, seconds: Double)?

  /// - Parameter folder: of the sweep.
  public init(_ folder: SweepFolder) { self.folder = folder }

  /// Rows of a point's metrics.csv, by seed.
  private mutating func rows(_ point: Int, isEachEpoch: Bool) -> [Row] {
    let sweep = folder.sweep
    return (0..<sweep.seeds).flatMap { index -> [Row] in
      let seed = sweep.firstSeed + index
      let run = folder.run(point)
      let own = index == 0 ? run : SeedFolder.path(run, seed: seed)
      let (header, all) = MetricsTable.table(
        (own as NSString).appendingPathComponent("metrics.csv"))
      for column in header where SweepResults.isKept(column) && !columns.contains(column) {
        columns.append(column)
      }
      var lanes: [String] = []
      for row in all {
        if let lane = row["lane"], !lanes.contains(lane) { lanes.append(lane) }
      }
      return lanes.flatMap { lane -> [Row] in
        let own = all.filter { $0["lane"] == lane }
        return (isEachEpoch ? own : own.suffix(1)).map { (seed, $0) }
      }
    }
  }

  /// The text of results.csv.
  public mutating func text() -> String {
    let done = PointMarks(folder: folder).all().filter { $0.value.contains(.done) }.keys.sorted()
    for point in done where finished[point] == nil {
      finished[point] = rows(point, isEachEpoch: false)
    }
    return text(done.map { ($0, finished[$0]!) })
  }

  /// The text of curves.csv: all epochs of all points, as far as they are trained.
  public mutating func curves() -> String {
    text(folder.sweep.points.indices.map { ($0, rows($0, isEachEpoch: true)) })
  }

  private func text(_ points: [(point: Int, rows: [Row])]) -> String {
    let sweep = folder.sweep
    // Those of layers last, layer by layer: points may have other numbers of them.
    let whole = columns.filter { SweepResults.layer($0) == nil }
    let layered = columns.filter { SweepResults.layer($0) != nil }
    let layers = Set(layered.compactMap { SweepResults.layer($0) }).sorted()
    let kept =
      whole + layers.flatMap { layer in layered.filter { SweepResults.layer($0) == layer } }
    let own = ["lane", "epoch"]
    var lines = [(["point"] + sweep.axes.map(\.name) + ["seed"] + own + kept).map(CSV.quoted)]
    for (point, rows) in points {
      let place = [String(point)] + sweep.points[point].map(\.plainText)
      for row in rows {
        let fields = place + [String(row.seed)] + (own + kept).map { row.values[$0] ?? "" }
        lines.append(fields.map(CSV.quoted))
      }
    }
    return lines.map { $0.joined(separator: ",") }.joined(separator: "\n") + "\n"
  }

  /// Writes results.csv where it is not so already.
  /// - Parameter isLast: otherwise it may be left for later, where it would take long for what it
  ///   is: in a large sweep of small points.
  /// - Throws: `FileError`.
  public mutating func write(isLast: Bool = true) throws {
    if !isLast, let lastWrite,
      -lastWrite.end.timeIntervalSinceNow < 20 * lastWrite.seconds
    {
      return
    }
    let start = Date()
    let text = text()
    // Without a row the columns are not known either.
    guard !finished.isEmpty else { return }
    if (try? FileText.read(folder.file("results.csv"))) != text {
      try folder.write(text, to: "results.csv")
    }
    lastWrite = (Date(), -start.timeIntervalSinceNow)
  }
}

extension SweepFolder {
  /// Writes results.csv when no point is left to train: of several processes that end together one
  /// sees all.
  /// - Throws: `FileError`.
  public func writeResultsIfSettled() throws {
    let all = PointMarks(folder: self).all()
    let isSettled = sweep.points.indices.allSatisfy {
      all[$0].map { $0.contains(.done) || $0.contains(.failed) } ?? false
    }
    guard isSettled else { return }
    var results = SweepResults(self)
    try results.write()
  }
}

extension SweepFolder {
  /// Writes all epochs of all points to curves.csv.
  /// - Returns: its path.
  public func writeCurves() throws -> String {
    var results = SweepResults(self)
    try write(results.curves(), to: "curves.csv")
    return file("curves.csv")
  }
}
