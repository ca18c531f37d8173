// SPDX-License-Identifier: MIT

import Charts
import Diagnosis
import Experiments
import Foundation

/// The metric by epoch, a small chart for each row of a table: median over seeds, and range.
public enum SweepCurves {
  /// - Parameters:
  ///   - state: with all epochs.
  ///   - most: rows of the table, from its top.
  ///   - width: columns of the text.
  public static func text(
    _ state: SweepState, _ table: SweepTable, most: Int = 6, width: Int = 76
  ) -> [String] {
    let metric = table.sweep.metric
    let scale = table.sweep.isAccuracy ? 100.0 : 1
    let bands = table.rows.prefix(most).map { row -> (row: SweepTable.Row, band: SeedBand) in
      let seeds = state.points[row.point].seeds
      let curves = seeds.map { seed -> [Double?] in
        guard let lane = seed.lanes.first(where: { $0.name == row.lane }) else { return [] }
        var curve: [Double?] = []
        for (epoch, value) in zip(lane.epochs, lane.values[metric] ?? []) {
          while curve.count <= epoch { curve.append(nil) }
          curve[epoch] = value.map { scale * $0 }
        }
        return curve
      }
      return (row, SeedBand(curves))
    }
    let points = bands.flatMap(\.band.points)
    guard let low = points.map(\.min).min(), let high = points.map(\.max).max(),
      let last = points.map(\.epoch).max()
    else { return ["no epoch of \(metric) is there yet"] }
    let range = high > low ? low...high : (low - 1)...(high + 1)
    var lines = [
      "\(metric)\(table.sweep.isAccuracy ? ", %" : "") by epoch: median, and range over seeds"
    ]
    for (row, band) in bands {
      lines.append("")
      lines.append(
        "point \(row.point)  " + table.sweep.words(ofPoint: row.point)
          + (table.hasLanes ? "  \(row.lane)" : "") + "  "
          + SweepTable.spread(row.metric, table.sweep))
      var canvas = Canvas(width: width, height: 6)
      let labels = 8
      canvas.valueAxis(range, in: Area(x: 0, y: 0, width: labels - 1, height: 5))
      let curves = [\SeedBand.Point.min, \.max, \.median].map { path in
        Curve(band.points.map { (Double($0.epoch), $0[keyPath: path]) }, ink: .text)
      }
      let area = Area(x: labels, y: 0, width: width - labels, height: 5)
      canvas.plot(curves, x: 0...Double(max(last, 1)), y: range, in: area)
      canvas.timeAxis(
        0...Double(max(last, 1)), unit: "epochs",
        in: Area(x: labels, y: 5, width: width - labels, height: 1))
      lines += canvas.plainText.components(separatedBy: "\n").map(\.trimmedAtEnd)
    }
    if table.rows.count > most { lines.append("\n\(table.rows.count - most) more are not drawn") }
    return lines
  }
}
