// SPDX-License-Identifier: MIT

import Charts
import Experiments
import Live

/// What figures by epoch have in common.
extension PaperFigure {
  /// Lines over epochs, one panel.
  /// - Throws: `FigureObstacle` where no line has a point.
  static func byEpoch(
    _ lines: [PaperMark], _ y: PaperAxis, _ legend: [PaperLegendEntry], _ snapshot: Snapshot
  ) throws(FigureObstacle) -> PaperFigure {
    guard lines.contains(where: { !$0.points.isEmpty }) else {
      throw FigureObstacle("no epoch has ended so far, or none was evaluated")
    }
    // From the first point on, where there are several.
    let first = lines.compactMap { $0.points.first?.x }.min() ?? 0
    let begin = snapshot.isStill && first < snapshot.end ? first : 0
    let x = PaperAxis("epoch", begin...snapshot.end, isWhole: snapshot.end - begin >= 2)
    var figure = PaperFigure(x: x, panels: [PaperPanel(y: y, marks: lines)])
    figure.legend = legend
    return figure
  }
}

extension PaperMark {
  /// Of a line; else none.
  var points: [PaperPoint] {
    if case .line(let points) = shape { return points }
    return []
  }

  var values: [Double] { points.map(\.y) }
}

extension LaneSnapshot {
  /// `A sum · exponential`: in legends and tables.
  var legendText: String { VisibleText.of("\(letter) \(Wording.label(self))") }

  /// The same colour and dashes in all figures.
  var stroke: PaperStroke { .series(identity) }

  func line(_ name: String, _ stroke: PaperStroke, _ series: BoundedSeries, scale: Double = 1)
    -> PaperMark
  {
    let points = zip(series.xs, series.ys).map { PaperPoint($0, $1 * scale) }
    return PaperMark(name, stroke, .line(points), end: letter)
  }

  /// Lines of several layers or matrices: colours say the lane, dashes which of them; with one of
  /// them, or one lane, a line has what tells it apart.
  static func factored(
    _ lanes: [LaneSnapshot], _ names: (LaneSnapshot) -> [String],
    points: (LaneSnapshot, Int) -> [PaperPoint]
  ) -> (lines: [PaperMark], legend: [PaperLegendEntry]) {
    var lines: [PaperMark] = []
    var parts: [String] = []
    for lane in lanes { for name in names(lane) where !parts.contains(name) { parts.append(name) } }
    for lane in lanes {
      for (index, name) in names(lane).enumerated() {
        let part = parts.firstIndex(of: name)!
        let stroke =
          parts.count == 1
          ? lane.stroke
          : lanes.count == 1
            ? PaperStroke.series(part) : PaperStroke.series(lane.identity, dash: part)
        let label = lanes.count == 1 ? name : "\(lane.legendText), \(name)"
        lines.append(
          PaperMark(
            label, stroke, .line(points(lane, index)), end: lanes.count > 1 ? lane.letter : ""))
      }
    }
    if lanes.count == 1 { return (lines, lines.map { PaperLegendEntry($0.name, $0.stroke) }) }
    if parts.count == 1 {
      return (lines, lanes.map { PaperLegendEntry($0.legendText, $0.stroke) })
    }
    let legend =
      lanes.map { PaperLegendEntry($0.legendText, .series($0.identity, dash: 0)) }
      + parts.enumerated().map { PaperLegendEntry($1, .black(dash: $0)) }
    return (lines, legend)
  }
}

extension FigureOptions {
  /// The chosen lane.
  func lane(of snapshot: Snapshot) -> LaneSnapshot {
    snapshot.lanes[min(max(lane, 0), snapshot.lanes.count - 1)]
  }
}
