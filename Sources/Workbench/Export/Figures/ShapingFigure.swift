// SPDX-License-Identifier: MIT

import Charts
import EventPropCore
import Live

/// The factor by which the loss at time t counts, of every lane that has an integral to shape.
enum ShapingFigure: WorkbenchFigure {
  static let name = "shaping"
  static let title = "weight of the loss over the trial"

  static func make(_ options: FigureOptions, _ snapshot: Snapshot) throws(FigureObstacle)
    -> PaperFigure
  {
    let lines = snapshot.lanes.filter(\.isShaped).map { lane in
      let corners = (lane.shaping.corners ?? []).map(\.x).filter { (0...1).contains($0) }
      let shares = Set((0...200).map { Double($0) / 200 } + corners).sorted()
      return PaperMark(
        lane.legendText, lane.stroke,
        .line(
          shares.map { PaperPoint($0 * snapshot.duration, lane.shaping.weight(at: $0)) }),
        end: lane.letter)
    }
    guard !lines.isEmpty else { throw FigureObstacle("no lane's loss has an integral to shape") }
    let y = PaperAxis.covering(
      lines.flatMap(\.values) + [0], "weight w(t) of the loss")
    var figure = PaperFigure(
      x: PaperAxis("time (ms)", 0...max(snapshot.duration, 1e-9)),
      panels: [PaperPanel(y: y, marks: lines)])
    figure.legend = lines.map { PaperLegendEntry($0.name, $0.stroke) }
    return figure
  }
}
