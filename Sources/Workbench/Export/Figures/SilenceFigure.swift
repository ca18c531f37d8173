// SPDX-License-Identifier: MIT

import Charts
import Live

/// Dead neurons by epoch, for each layer and lane: without a spike in the whole epoch.
enum SilenceFigure: WorkbenchFigure {
  static let name = "silence"
  static let title = "neurons without a spike in an epoch"

  static func make(_ options: FigureOptions, _ snapshot: Snapshot) throws(FigureObstacle)
    -> PaperFigure
  {
    let (lines, legend) = LaneSnapshot.factored(snapshot.lanes) { lane in
      (lane.activity.last?.layers.indices ?? 0..<0).map { lane.layerName($0) }
    } points: { lane, layer in
      lane.activity.filter { $0.layers.indices.contains(layer) }.map { epoch in
        let rates = epoch.layers[layer].rates
        let dead = rates.count { $0 == 0 }
        return PaperPoint(Double(epoch.epoch), 100 * Double(dead) / Double(max(rates.count, 1)))
      }
    }
    let y = PaperAxis.covering(
      lines.flatMap(\.values) + [0, 1], "dead neurons (% of the layer)", limits: 0...100)
    return try .byEpoch(lines, y, legend, snapshot)
  }
}
