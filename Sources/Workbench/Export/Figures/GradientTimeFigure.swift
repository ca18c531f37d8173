// SPDX-License-Identifier: MIT

import Charts
import Diagnosis
import Live

/// From when in the trial a hidden layer's gradient comes: its norms by tenth, as shares of their
/// sum.
enum GradientTimeFigure: WorkbenchFigure {
  static let name = "gradient-time"
  static let title = "share of the gradient by tenth of the trial"
  static let detail: Detail? = .gradients

  static func make(_ options: FigureOptions, _ snapshot: Snapshot) throws(FigureObstacle)
    -> PaperFigure
  {
    var bars: [PaperMark] = []
    var layer = ""
    for lane in snapshot.lanes {
      guard let flow = lane.gradientFlow, let shown = flow.shownLayer(options) else { continue }
      layer = flow.layers[shown]
      let shares = flow.shares(layer: shown)
      let width = snapshot.duration / Double(max(shares.count, 1))
      let spans = shares.enumerated().map { part, share in
        let from = Double(part) * width
        return PaperSpan(x: from, xTo: from + width, y: 100 * share, yTo: 100 * share)
      }
      bars.append(PaperMark(lane.legendText, lane.stroke, .bars(spans, isFilled: false)))
    }
    guard !bars.isEmpty else {
      throw FigureObstacle("the gradient in time is made on the grid, which runs none of the lanes")
    }
    let values = bars.flatMap { mark -> [Double] in
      if case .bars(let spans, _) = mark.shape { return spans.map(\.y) }
      return []
    }
    let y = PaperAxis.covering(
      values + [0], "gradient of \(layer) (% per tenth)", limits: 0...100)
    var figure = PaperFigure(
      x: PaperAxis("time (ms)", 0...max(snapshot.duration, 1e-9)),
      panels: [PaperPanel(y: y, marks: bars)])
    figure.legend = bars.map { PaperLegendEntry($0.name, $0.stroke) }
    return figure
  }
}
