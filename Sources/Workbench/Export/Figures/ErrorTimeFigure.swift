// SPDX-License-Identifier: MIT

import Charts
import Diagnosis
import Live

/// The error that a spike at each instant would transport, lV - lI: its norm over a hidden layer's
/// neurons, on the probe set.
enum ErrorTimeFigure: WorkbenchFigure {
  static let name = "error-time"
  static let title = "norm of lV - lI over the trial"
  static let detail: Detail? = .gradients

  static func make(_ options: FigureOptions, _ snapshot: Snapshot) throws(FigureObstacle)
    -> PaperFigure
  {
    var lines: [PaperMark] = []
    var layer = ""
    for lane in snapshot.lanes where !lane.errors.isEmpty {
      let map = lane.errors[min(max(options.layer, 0), lane.errors.count - 1)]
      layer = map.layer
      let points = map.shapedNorm.enumerated().map { column, norm in
        PaperPoint(
          (Double(column) + 0.5) / Double(map.columns) * snapshot.duration, Double(norm))
      }
      lines.append(PaperMark(lane.legendText, lane.stroke, .line(points)))
    }
    guard !lines.isEmpty else {
      throw FigureObstacle("lV - lI is made on the grid, which runs none of the lanes")
    }
    let y = PaperAxis.covering(
      lines.flatMap(\.values), "|λV − λI|, \(layer)", isLogarithmic: options.isLogarithmic,
      fromZero: true)
    var figure = PaperFigure(
      x: PaperAxis("time (ms)", 0...max(snapshot.duration, 1e-9)),
      panels: [PaperPanel(y: y, marks: lines)])
    figure.legend = lines.map { PaperLegendEntry($0.name, $0.stroke) }
    return figure
  }
}

extension GradientFlow {
  /// The chosen layer among the hidden ones; nil where there is none.
  func shownLayer(_ options: FigureOptions) -> Int? {
    let hidden = layers.indices.filter { layers[$0].hasPrefix("hidden") }
    return hidden.isEmpty ? nil : hidden[min(max(options.layer, 0), hidden.count - 1)]
  }
}
