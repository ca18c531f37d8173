// SPDX-License-Identifier: MIT

import Charts
import Foundation
import Live

/// L2 norms of the gradient of each array of parameters by epoch.
enum NormsFigure: WorkbenchFigure {
  static let name = "norms"
  static let title = "norm of the gradient of each weight matrix, delays and constants by epoch"

  static func make(_ options: FigureOptions, _ snapshot: Snapshot) throws(FigureObstacle)
    -> PaperFigure
  {
    let (lines, legend) = LaneSnapshot.factored(snapshot.lanes) { lane in
      lane.flow.prefix(lane.curves.norms.count).map {
        Wording.array($0.name)
      }
    } points: { lane, projection in
      let series = lane.curves.norms[projection]
      return zip(series.xs, series.ys).map { PaperPoint($0, $1) }
    }
    let y = PaperAxis.covering(
      lines.flatMap(\.values), "gradient norm", isLogarithmic: true)
    return try .byEpoch(lines, y, legend, snapshot)
  }
}
