// SPDX-License-Identifier: MIT

import Charts
import Live

/// Test accuracy by epoch; of one lane alone the training accuracy too. Of outputs that follow
/// target series R^2.
enum AccuracyFigure: WorkbenchFigure {
  static let name = "accuracy"
  static let title = "test accuracy (of target series R²) by epoch"

  static func make(_ options: FigureOptions, _ snapshot: Snapshot) throws(FigureObstacle)
    -> PaperFigure
  {
    let score = Wording.score(snapshot)
    let limits = snapshot.isRegression ? -1e300...100 : 0...100.0
    if let made = try SeedFigure.make(
      snapshot, "test \(score) (%)", limits: limits, options,
      { lane, own in zip(own.testAccuracy.xs, own.testAccuracy.ys).map { ($0, 100 * $1) } })
    {
      return made
    }
    var lines = snapshot.lanes.map {
      $0.line($0.legendText, $0.stroke, $0.curves.testAccuracy, scale: 100)
    }
    var axis = "test \(score) (%)"
    if snapshot.lanes.count == 1, snapshot.isStill {
      let lane = snapshot.lanes[0]
      let train = lane.line(
        "training", .gray(dash: 2, width: 1), lane.curves.trainAccuracy, scale: 100)
      if !train.points.isEmpty, !lines[0].points.isEmpty {
        lines[0].name = "test"
        lines = [train, lines[0]]
        for index in lines.indices { lines[index].end = "" }
        axis = "\(score) (%)"
      }
    }
    let y = PaperAxis.covering(
      lines.flatMap(\.values), axis, isLogarithmic: options.isLogarithmic, limits: limits)
    let legend = lines.reversed().map { PaperLegendEntry($0.name, $0.stroke) }
    return try .byEpoch(
      lines, y, snapshot.lanes.count == 1 ? legend : legend.reversed(), snapshot)
  }
}
