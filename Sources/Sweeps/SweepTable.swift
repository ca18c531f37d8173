// SPDX-License-Identifier: MIT

import Training
import Charts
import Diagnosis
import Experiments
import Foundation

/// What came of a sweep, a row for every point and lane.
public struct SweepTable: Sendable {
  /// A lane at a point.
  public struct Row: Sendable {
    /// Number of the point.
    public var point: Int
    /// Values of the axes.
    public var values: [ConfigValue]
    /// Its name.
    public var lane: String
    /// Of the point.
    public var status: SweepState.Status
    /// Share of the point's batches that are done.
    public var share: Double
    /// How many seeds are at their end, and all.
    public var seedsDone: (done: Int, all: Int)
    /// The least of all seeds.
    public var epochs: Int
    /// By seed: the metric's last value; without those that have none, or one that is not finite.
    public var metric: [(seed: Int, value: Double)]
    /// By hidden layer: mean over seeds of the last epoch's spikes per neuron and trial.
    public var spikes: [Double]
    /// By hidden layer: mean over seeds of the last epoch's dead neurons.
    public var dead: [Double]
    /// Why the point failed.
    public var message: String

    /// Mean of the metric over seeds; nil: none has it.
    public var mean: Double? {
      metric.isEmpty ? nil : metric.reduce(0) { $0 + $1.value } / Double(metric.count)
    }

    /// Standard deviation of the metric over seeds; nil below two.
    public var sd: Double? { SeedBand.Point(metric.map(\.value))?.sd }

    /// All seeds are trained and have a value.
    var isWhole: Bool { status == .done && metric.count == seedsDone.all }
  }

  /// In the order of the table.
  public private(set) var rows: [Row]
  let sweep: Sweep
  /// Whether rows are of several lanes.
  let hasLanes: Bool

  /// - Parameters:
  ///   - lane: its rows alone; nil: of all lanes.
  ///   - metric: a column of metrics.csv; nil: the sweep's.
  public init(_ state: SweepState, lane: String? = nil, metric: String? = nil) {
    var sweep = state.sweep
    if let metric, metric != sweep.metric {
      sweep.metric = metric
      sweep.goal = Sweep.standardGoal(metric)
    }
    self.sweep = sweep
    rows = state.points.flatMap { point -> [Row] in
      var lanes: [String] = []
      for seed in point.seeds {
        for own in seed.lanes where !lanes.contains(own.name) { lanes.append(own.name) }
      }
      if lanes.isEmpty { lanes = [""] }
      return lanes.filter { lane == nil || $0 == lane || $0.isEmpty }.map {
        Row(point, lane: $0, sweep.metric)
      }
    }
    let names = Set(rows.map(\.lane)).subtracting([""])
    hasLanes = names.count > 1
  }

  /// The row of the best mean, of points that are done; nil before there is one.
  public var best: Row? { ranked.first }

  /// Rows of points that are done, the best first.
  private var ranked: [Row] {
    rows.filter(\.isWhole).enumerated().sorted { a, b in
      let (x, y) = (a.element.mean!, b.element.mean!)
      if x != y { return sweep.goal == .max ? x > y : x < y }
      return a.offset < b.offset
    }.map(\.element)
  }

  /// Names that `sort` takes.
  public var columns: [String] {
    ["point"] + sweep.axes.map(\.name) + ["lane", "seeds", "epoch", sweep.metric, "spikes", "dead"]
      + ["status"]
  }

  /// Sorts the rows: numbers and texts rise, the metric begins with the best; what is not known
  /// comes last.
  /// - Returns: false where there is no such column.
  public mutating func sort(by column: String, reversed: Bool = false) -> Bool {
    guard columns.contains(column) else { return false }
    let sign = column == sweep.metric && sweep.goal == .max ? -1.0 : 1.0
    func key(_ row: Row) -> (Double?, String) {
      if let axis = sweep.axes.firstIndex(where: { $0.name == column }) {
        return (row.values[axis].number, row.values[axis].plainText)
      }
      return switch column {
      case "point": (Double(row.point), "")
      case "lane": (nil, row.lane)
      case "seeds": (Double(row.seedsDone.done), "")
      case "epoch": (Double(row.epochs), "")
      case "spikes": (row.spikes.isEmpty ? nil : row.spikes.reduce(0, +), "")
      case "dead": (row.dead.isEmpty ? nil : row.dead.reduce(0, +), "")
      case "status": (nil, row.status.rawValue)
      default: (row.mean.map { sign * $0 }, "")
      }
    }
    let keyed = rows.enumerated().map { (index: $0, row: $1, key: key($1)) }
    rows = keyed.sorted { a, b in
      switch (a.key.0, b.key.0) {
      case (let x?, let y?) where x != y: return reversed ? x > y : x < y
      case (nil, _?): return false
      case (_?, nil): return true
      default:
        if a.key.1 != b.key.1 { return reversed ? a.key.1 > b.key.1 : a.key.1 < b.key.1 }
        return a.index < b.index
      }
    }.map(\.row)
    return true
  }
}

extension SweepTable.Row {
  fileprivate init(_ point: SweepState.Point, lane: String, _ column: String) {
    let own = point.seeds.compactMap { seed in
      seed.lanes.first { $0.name == lane }.map { (seed: seed.seed, lane: $0) }
    }
    func means(_ kind: String) -> [Double] {
      var means: [Double] = []
      while true {
        let values = own.compactMap { $0.lane.last("\(kind)_hidden\(means.count + 1)") }
        guard !values.isEmpty else { return means }
        means.append(values.reduce(0, +) / Double(values.count))
      }
    }
    self.point = point.index
    values = point.values
    self.lane = lane
    status = point.status
    share = point.share
    seedsDone = (point.seeds.count { $0.status == .done }, point.seeds.count)
    epochs = point.seeds.map(\.epochs).min() ?? 0
    metric = own.compactMap { seed, lane in
      lane.last(column).flatMap { $0.isFinite ? (seed, $0) : nil }
    }
    spikes = means("spikes")
    dead = means("dead")
    message = point.message
  }
}

extension SweepTable {
  /// `97.12 ± 0.31 %`: mean and standard deviation over seeds.
  public static func spread(_ values: [(seed: Int, value: Double)], _ sweep: Sweep) -> String {
    let scale = sweep.isAccuracy ? 100.0 : 1
    guard let point = SeedBand.Point(values.map { scale * $0.value }) else {
      return Text.unknown
    }
    func number(_ value: Double) -> String {
      sweep.isAccuracy ? String(format: "%.2f", value) : Text.short(value)
    }
    return number(point.mean) + (point.sd.map { " ± \(number($0))" } ?? "")
      + (sweep.isAccuracy ? " %" : "")
  }

  /// The table as text, the best row marked, failures below.
  public var text: [String] {
    let best = best
    var cells = [
      [""] + ["point"] + sweep.axes.map(\.name) + (hasLanes ? ["lane"] : [])
        + ["seeds", "epoch", sweep.metric, "spikes", "dead", "status"]
    ]
    for row in rows {
      let isBest = row.point == best?.point && row.lane == best?.lane
      var cell = [isBest ? "*" : "", "\(row.point)"]
      cell += row.values.map(SweepTable.short)
      if hasLanes { cell.append(row.lane) }
      cell += ["\(row.seedsDone.done)/\(row.seedsDone.all)", "\(row.epochs)"]
      cell.append(SweepTable.spread(row.metric, sweep))
      cell.append(row.spikes.map(Text.short).joined(separator: " "))
      cell.append(row.dead.map(Text.short).joined(separator: " "))
      cell.append(SweepTable.status(row))
      cells.append(cell)
    }
    let widths = cells[0].indices.map { column in cells.map { $0[column].count }.max()! }
    var lines = cells.map { row in
      zip(row, widths).enumerated().map { index, cell in
        // Words to the left, numbers to the right.
        index == 0 || index == row.count - 1
          ? Text.pad(cell.0, cell.1) : Text.right(cell.0, cell.1)
      }.joined(separator: "  ").trimmedAtEnd
    }
    for row in rows where !row.message.isEmpty {
      lines.append("point \(row.point) has failed: \(row.message)")
    }
    return lines
  }

  /// Long numbers with four digits; the CSV has all of them.
  private static func short(_ value: ConfigValue) -> String {
    let text = value.plainText
    guard text.count > 8, let number = value.number else { return text }
    return String(format: "%.4g", number)
  }

  private static func status(_ row: Row) -> String {
    switch row.status {
    case .done, .failed: row.status.rawValue
    case .running: String(format: "running %.0f %%", 100 * row.share)
    case .waiting:
      row.share > 0 ? String(format: "waiting at %.0f %%", 100 * row.share) : "waiting"
    }
  }

  /// The table as CSV.
  public var csv: String {
    let layers = rows.map(\.spikes.count).max() ?? 0
    let hidden = (0..<layers).map { "hidden\($0 + 1)" }
    var lines = [
      ["point"] + sweep.axes.map(\.name)
        + ["lane", "seeds_done", "epoch", "\(sweep.metric)_mean", "\(sweep.metric)_sd"]
        + hidden.map { "spikes_\($0)" } + hidden.map { "dead_\($0)" } + ["status"]
    ]
    for row in rows {
      func layered(_ values: [Double]) -> [String] {
        (0..<layers).map { values.indices.contains($0) ? values[$0].description : "" }
      }
      lines.append(
        ["\(row.point)"] + row.values.map(\.plainText)
          + [row.lane, "\(row.seedsDone.done)", "\(row.epochs)"]
          + [row.mean?.description ?? "", row.sd?.description ?? ""]
          + layered(row.spikes) + layered(row.dead) + [row.status.rawValue])
    }
    return lines.map { $0.map(CSV.quoted).joined(separator: ",") }.joined(separator: "\n") + "\n"
  }

  /// The best, and what may be said of it against the second; empty before two rows are done.
  public var verdict: [String] {
    let ranked = ranked
    guard let best = ranked.first else { return [] }
    var lines = ["best: \(name(best)): \(SweepTable.spread(best.metric, sweep))"]
    guard ranked.count > 1 else { return lines }
    let second = ranked[1]
    // What is no accuracy is compared in thousandths; where less is better, with signs turned.
    let scale = (sweep.isAccuracy ? 100.0 : 1000) * (sweep.goal == .max ? 1 : -1)
    let comparison = SeedComparison(
      first: second.metric.map { scale * $0.value }, second: best.metric.map { scale * $0.value })
    if let comparison {
      let unit =
        (scale > 0 ? "" : "minus ") + sweep.metric
      lines.append(
        "the best against the second, \(name(second)): "
          + comparison.verdict(
            first: short(second), second: short(best),
            unit: sweep.isAccuracy ? "points" : "thousandths of \(unit)"))
    }
    lines.append(
      "The best of \(ranked.count) was chosen by \(sweep.metric) itself: its value is too good by the "
        + "choice, and p and interval do not know of it."
        + (sweep.metric.hasPrefix("test_")
          ? " These are test samples: choose by \(sweep.metric.replacingOccurrences(of: "test_", with: "validation_")) (data.validate), and test what was chosen once."
          : ""))
    return lines
  }

  private func short(_ row: Row) -> String {
    "point \(row.point)" + (hasLanes ? " \(row.lane)" : "")
  }

  private func name(_ row: Row) -> String { "\(short(row)) (\(sweep.words(ofPoint: row.point)))" }
}

extension Sweep {
  /// Which value of a column is better, where nobody says.
  static func standardGoal(_ metric: String) -> Goal {
    ScoreName.isScore(metric) || metric.hasPrefix("spikes_") ? .max : .min
  }
}

extension String {
  var trimmedAtEnd: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
