// SPDX-License-Identifier: MIT

import Charts
import Live

/// Spikes of hidden neurons by epoch, for each layer and lane.
enum RatesFigure: WorkbenchFigure {
  static let name = "rates"
  static let title = "spikes per neuron and trial by epoch"

  static func make(_ options: FigureOptions, _ snapshot: Snapshot) throws(FigureObstacle)
    -> PaperFigure
  {
    let (lines, legend) = LaneSnapshot.factored(snapshot.lanes) { lane in
      lane.curves.spikes.indices.map { lane.layerName($0) }
    } points: { lane, layer in
      let series = lane.curves.spikes[layer]
      return zip(series.xs, series.ys).map { PaperPoint($0, $1) }
    }
    let y = PaperAxis.covering(
      lines.flatMap(\.values), "spikes per neuron and trial", isLogarithmic: options.isLogarithmic,
      fromZero: true)
    return try .byEpoch(lines, y, legend, snapshot)
  }
}
