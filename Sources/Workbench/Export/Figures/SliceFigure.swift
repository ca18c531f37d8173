// SPDX-License-Identifier: MIT

import Charts
import Diagnosis
import Live

/// The loss along an update, beside what the gradient promised; below, where spikes come and go.
enum SliceFigure: WorkbenchFigure {
  static let name = "slice"
  static let title = "loss along an update, with spikes created and deleted"
  static let detail: Detail? = .slice
  static let isOfOneLane = true

  static func make(_ options: FigureOptions, _ snapshot: Snapshot) throws(FigureObstacle)
    -> PaperFigure
  {
    let lane = options.lane(of: snapshot)
    guard let slice = lane.slice, slice.points.count > 1 else {
      let failure = lane.slice?.failure ?? ""
      throw FigureObstacle(failure.isEmpty ? "no update has been observed" : failure)
    }
    var whole = lane.stroke
    (whole.dash, whole.width) = ([], 1.2)
    var marks = [PaperMark("one update", .gray(width: 0.4), .rule(1))]
    for (index, matrix) in slice.matrices.enumerated() {
      let points = matrix.points.map { PaperPoint($0.a, $0.loss) }
      let stroke = PaperStroke.series(lane.identity + 1 + index, dash: 1 + index)
      marks.append(PaperMark("\(matrix.name) alone", stroke, .line(points)))
    }
    let points = slice.points.map { PaperPoint($0.a, $0.loss) }
    let loss = PaperMark("whole update", whole, .line(points))
    // The promise may lead far away: it is drawn as long as it does not squeeze the loss.
    let losses = (marks + [loss]).flatMap(\.values).filter(\.isFinite)
    guard let low = losses.min(), let high = losses.max() else {
      throw FigureObstacle("the loss is not a number")
    }
    let reach = max(high - low, abs(slice.slope), 1e-12)
    let promised = (0...60).map { Slice.range * Double($0) / 60 }
      .map { PaperPoint($0, slice.promised(at: $0)) }
      .prefix { $0.y >= low - reach && $0.y <= high + reach }
    let promise = PaperMark("promised", .black(dash: 2), .line(Array(promised)))
    marks += [promise, loss]
    let y = PaperAxis.covering(marks.flatMap(\.values), "probe loss L(w+aΔw)")
    let x = PaperAxis("a (updates: 0 before, 1 after)", 0...Slice.range)
    var figure = PaperFigure(x: x, panels: [PaperPanel(y: y, marks: marks), events(slice)])
    figure.legend = [loss, promise].map { PaperLegendEntry($0.name, $0.stroke) }
    figure.legend += marks.filter { $0.name.hasSuffix(" alone") }
      .map { PaperLegendEntry($0.name, $0.stroke) }
    return figure
  }

  private static func events(_ slice: Slice) -> PaperPanel {
    func row(_ kind: SpikeEvent.Kind, _ ink: Ink, y: Double) -> PaperMark {
      let points = slice.events.filter { $0.kind == kind }.map { PaperPoint($0.a, y) }
      return PaperMark(kind.rawValue, .ink(ink, width: 0.6), .ticks(points))
    }
    var y = PaperAxis("spikes", -0.5...1.5, isReversed: true)
    y.words = [(0, "created"), (1, "deleted")]
    return PaperPanel(
      y: y, marks: [row(.created, .good, y: 0), row(.deleted, .alarm, y: 1)], weight: 0.25)
  }
}
