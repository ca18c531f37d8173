// SPDX-License-Identifier: MIT

import Charts
import Experiments
import Foundation

/// The metric over two axes of a sweep: the mean over seeds, and over the other axes.
public struct SweepHeatMap: Sendable {
  /// A row or column: values of an axis that count as one.
  public struct Bin: Sendable {
    /// As it is written beside the map.
    public var title: String
    /// Whether a value belongs to it.
    var range: ClosedRange<Double>?
    var value: ConfigValue?

    func contains(_ value: ConfigValue) -> Bool {
      if let range { return value.number.map { range.contains($0) } ?? false }
      return value == self.value
    }
  }

  /// Names of the axes, of rows and of columns.
  public let axes: (rows: String, columns: String)
  /// From top to bottom.
  public let rows: [Bin]
  /// From left to right.
  public let columns: [Bin]
  /// By row and column; nil: no point there has a value.
  public let cells: [[Double?]]
  private let sweep: Sweep

  /// More values of an axis than this, as random sweeps have, are put together in as many bins.
  static let mostBins = 10

  /// nil where an axis has not got that name, or both are the same.
  /// - Parameters:
  ///   - table: whose rows count.
  ///   - rows: name of an axis; `columns` likewise.
  public init?(_ state: SweepState, _ table: SweepTable, rows: String, columns: String) {
    let names = state.sweep.axes.map(\.name)
    guard let first = names.firstIndex(of: rows), let second = names.firstIndex(of: columns),
      first != second
    else { return nil }
    axes = (rows, columns)
    sweep = table.sweep
    let (down, across) = (Self.bins(state, first), Self.bins(state, second))
    (self.rows, self.columns) = (down, across)
    cells = down.map { row in
      across.map { column in
        let means = table.rows.filter {
          row.contains($0.values[first]) && column.contains($0.values[second])
        }.compactMap(\.mean)
        return means.isEmpty ? nil : means.reduce(0, +) / Double(means.count)
      }
    }
  }

  private static func bins(_ state: SweepState, _ axis: Int) -> [Bin] {
    let values = state.values(ofAxis: axis)
    let numbers = values.compactMap(\.number)
    guard values.count > mostBins, numbers.count == values.count, let low = numbers.min(),
      let high = numbers.max()
    else { return values.map { Bin(title: $0.plainText, value: $0) } }
    let isLog = state.sweep.axes[axis].isLogarithmic
    func place(_ share: Double) -> Double {
      isLog ? exp(log(low) + share * (log(high) - log(low))) : low + share * (high - low)
    }
    return (0..<mostBins).map { index in
      let (from, to) = (Double(index) / Double(mostBins), Double(index + 1) / Double(mostBins))
      // What lies on a border belongs to the bin above it.
      let end = index == mostBins - 1 ? high : place(to).nextDown
      return Bin(
        title: Text.short(place(from)),
        range: (index == 0 ? low : place(from))...max(end, place(from)))
    }
  }

  /// The map as text: a shade from the least to the largest value, and the number.
  public var text: [String] {
    let scale = sweep.isAccuracy ? 100.0 : 1
    let known = cells.flatMap { $0 }.compactMap { $0 }
    let (low, high) = (known.min() ?? 0, known.max() ?? 0)
    func cell(_ value: Double?) -> String {
      guard let value else { return "· \(Text.unknown)" }
      let share = high > low ? (value - low) / (high - low) : 1
      let shade = ["░", "▒", "▓", "█"][min(3, max(0, Int(4 * share)))]
      let number =
        sweep.isAccuracy ? String(format: "%.1f", scale * value) : Text.short(value)
      return "\(shade)\(shade) \(number)"
    }
    let body = cells.map { $0.map(cell) }
    let widths = columns.indices.map { column in
      (body.map { $0[column].count } + [columns[column].title.count]).max()!
    }
    let head = (rows.map(\.title.count) + [axes.rows.count]).max()!
    var lines = [
      "\(sweep.metric)\(sweep.isAccuracy ? ", %" : ""), mean over seeds"
        + (sweep.axes.count > 2 ? " and the other axes" : "")
        + "; down: \(axes.rows), across: \(axes.columns)"
    ]
    lines.append(
      Text.pad("", head) + "  "
        + zip(columns, widths).map { Text.right($0.title, $1) }.joined(separator: "  "))
    for (bin, row) in zip(rows, body) {
      lines.append(
        Text.right(bin.title, head) + "  "
          + zip(row, widths).map { Text.right($0, $1) }.joined(separator: "  "))
    }
    return lines.map(\.trimmedAtEnd)
  }
}
