// SPDX-License-Identifier: MIT

import Charts
import Live

/// Training loss by epoch, each lane's own; a line is interrupted where its loss was changed.
enum LossFigure: WorkbenchFigure {
  static let name = "loss"
  static let title = "training loss by epoch"

  static func make(_ options: FigureOptions, _ snapshot: Snapshot) throws(FigureObstacle)
    -> PaperFigure
  {
    let many = Set(snapshot.lanes.map(\.description)).count > 1
    if let made = try SeedFigure.make(
      snapshot, "training loss" + (many ? ", each its own" : "") + mean(snapshot), limits: nil,
      options, { lane, own in lane.sinceChange(own.loss, own.loss.ys) })
    {
      return made
    }
    let lines = snapshot.lanes.map { lane in
      PaperMark(lane.legendText, lane.stroke, .line(points(lane)), end: lane.letter)
    }
    let kinds = Set(snapshot.lanes.flatMap { [$0.description] + $0.past.map(\.description) })
    let name = "training loss" + (kinds.count > 1 ? ", each its own" : "") + mean(snapshot)
    let axis = PaperAxis.covering(
      lines.flatMap(\.values), name, isLogarithmic: options.isLogarithmic, fromZero: true)
    let legend = lines.map { PaperLegendEntry($0.name, $0.stroke) }
    return try .byEpoch(lines, axis, legend, snapshot)
  }

  /// With a gap where the loss became another one.
  private static func points(_ lane: LaneSnapshot) -> [PaperPoint] {
    var points: [PaperPoint] = []
    var changes = lane.past.map(\.end)[...]
    for (x, y) in zip(lane.curves.loss.xs, lane.curves.loss.ys) {
      if let change = changes.first, x > change {
        if !points.isEmpty { points.append(PaperPoint(change, .nan)) }
        changes = changes.drop { x > $0 }
      }
      points.append(PaperPoint(x, y))
    }
    return points
  }

  /// What a point is the mean of, while training goes on: of batches, once curves are thinned out
  /// of several.
  private static func mean(_ snapshot: Snapshot) -> String {
    let xs = snapshot.lanes[0].curves.loss.xs
    guard !snapshot.isStill, xs.count > 1 else { return "" }
    let batches = ((xs[xs.count - 1] - xs[xs.count - 2]) / snapshot.batchLength).rounded()
    return batches > 1 ? " (mean of \(Int(batches)) batches)" : " (by batch)"
  }
}
