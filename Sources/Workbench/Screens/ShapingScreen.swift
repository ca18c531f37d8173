// SPDX-License-Identifier: MIT

import Live
import Training
import Charts
import EventPropCore
import Foundation

/// w(t) of the chosen lane, editable while it trains: kind by keys, corners of `custom` by keys and
/// mouse.
enum ShapingScreen: WorkbenchScreen {
  static let name = "shaping"
  static let title = "Shaping"
  static let figures = [FigureKind(ShapingFigure.self)]

  static func tables(_ state: WorkbenchState, _ snapshot: Snapshot) -> [(name: String, csv: String)]
  { [("shaping", FigureFiles.shaping(snapshot))] }

  static let actions: [Action] = [
    Action(
      name: "custom", keys: [.character("u")], short: "custom",
      title: "make w(t) piecewise linear, starting from the curve there is",
      obstacle: unshaped,
      run: { state, snapshot in
        guard let lane = state.chosen(snapshot) else { return [] }
        state.corner = 0
        return [.change(SetShaping(lane: state.lane, .custom(corners(lane.shaping))))]
      }),
    Action(
      name: "previous-corner", keys: [.left], short: "", title: "corner to the left",
      obstacle: notCustom,
      run: { state, snapshot in pick(&state, snapshot, -1) }),
    Action(
      name: "next-corner", keys: [.right], short: "← → corner", title: "corner to the right",
      obstacle: notCustom,
      run: { state, snapshot in pick(&state, snapshot, 1) }),
    Action(
      name: "raise", keys: [.up], short: "↑ ↓ weight", title: "raise the corner's weight",
      obstacle: notCustom,
      run: { state, snapshot in move(state, snapshot, 0.1) }),
    Action(
      name: "lower", keys: [.down], short: "", title: "lower the corner's weight",
      obstacle: notCustom,
      run: { state, snapshot in move(state, snapshot, -0.1) }),
  ]

  private static let unshaped: @Sendable (WorkbenchState, Snapshot) -> String? = {
    state, snapshot in
    state.chosen(snapshot)?.isShaped ?? false ? nil : "this loss has no integral to shape"
  }

  private static let notCustom: @Sendable (WorkbenchState, Snapshot) -> String? = {
    state, snapshot in
    if state.chosen(snapshot)?.shaping.corners != nil { return nil }
    return "u makes the curve editable first"
  }

  /// Five corners on a curve.
  static func corners(_ shaping: Shaping) -> [ShapingPoint] {
    if let points = shaping.corners { return points }
    return (0...4).map {
      ShapingPoint(x: Double($0) / 4, weight: shaping.weight(at: Double($0) / 4))
    }
  }

  private static func pick(
    _ state: inout WorkbenchState, _ snapshot: Snapshot, _ step: Int
  ) -> [Effect] {
    guard let points = state.chosen(snapshot)?.shaping.corners else { return [] }
    state.corner = (state.corner + step + points.count) % points.count
    return []
  }

  private static func move(
    _ state: WorkbenchState, _ snapshot: Snapshot, _ step: Double
  ) -> [Effect] {
    guard var points = state.chosen(snapshot)?.shaping.corners else { return [] }
    let corner = min(state.corner, points.count - 1)
    let weight = min(max(0, points[corner].weight + step), 2)
    points[corner].weight = (weight * 100).rounded() / 100
    return [.change(SetShaping(lane: state.lane, .custom(points)))]
  }

  private static func plotArea(in area: Area) -> Area {
    let inside = area.inside
    return Area(
      x: inside.x + 7, y: inside.y + 2, width: inside.width - 8, height: inside.height - 3)
  }

  /// Sets the nearest corner's weight to where the mouse points; of a w(t) that has no corners yet,
  /// asks first.
  static func click(
    _ state: inout WorkbenchState, x: Int, y: Int, width: Int, height: Int, _ snapshot: Snapshot
  ) -> [Effect] {
    if let obstacle = Action.whenLive(state, snapshot) {
      state.notice = obstacle
      return []
    }
    let effects = move(&state, x: x, y: y, width: width, height: height, snapshot)
    guard let lane = state.chosen(snapshot), !effects.isEmpty else { return effects }
    if lane.shaping.corners != nil { return effects }
    return [
      .ask(
        Question(
          "Make w(t) of \(lane.letter), \(lane.shaping.kind) so far, piecewise linear from this corner on? y does, any other key does not",
          [.character("y"): effects]))
    ]
  }

  private static func move(
    _ state: inout WorkbenchState, x: Int, y: Int, width: Int, height: Int, _ snapshot: Snapshot
  ) -> [Effect] {
    let plot = plotArea(in: Workbench.screenArea(state, snapshot, width: width, height: height))
    guard let lane = state.chosen(snapshot), lane.isShaped, plot.contains(x: x, y: y) else {
      return []
    }
    var points = corners(lane.shaping)
    let share = (Double(x - plot.x) + 0.5) / Double(plot.width)
    state.corner = points.indices.min { abs(points[$0].x - share) < abs(points[$1].x - share) }!
    let weight = (1 - (Double(y - plot.y) + 0.5) / Double(plot.height)) * highest(lane.shaping)
    points[state.corner].weight = (max(weight, 0) * 100).rounded() / 100
    return [.change(SetShaping(lane: state.lane, .custom(points)))]
  }

  private static func highest(_ shaping: Shaping) -> Double {
    let top = (0...100).map { shaping.weight(at: Double($0) / 100) }.max() ?? 1
    return max(1.2, top * 1.1)
  }

  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard let lane = state.chosen(snapshot) else { return }
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: "w(t): \(lane.letter) \(Wording.label(lane))",
      style: CellStyle(lane.ink, bold: true))
    let plot = plotArea(in: area)
    guard plot.width > 10, plot.height > 2 else { return }
    guard lane.isShaped else {
      surface.text(
        String(
          "\(lane.lossKind) has no integral to shape; \(state.keys.label("loss")) chooses another loss"
            .prefix(plot.width)),
        x: area.x + 2, y: area.y + 1, style: .plain)
      return
    }
    surface.text(
      String(
        "\(lane.shaping.kind): the factor by which the loss at time t counts".prefix(area.width - 4)
      ),
      x: area.x + 2, y: area.y + 1, style: .plain)
    let top = highest(lane.shaping)
    let count = plot.width * 2
    let curve = (0...count).map { k -> (x: Double, y: Double) in
      let x = Double(k) / Double(count)
      return (x * snapshot.duration, lane.shaping.weight(at: x))
    }
    surface.plot(
      [Curve(curve, ink: lane.ink)], x: 0...snapshot.duration, y: 0...top, in: plot)
    surface.valueAxis(
      0...top, in: Area(x: area.inside.x, y: plot.y, width: 6, height: plot.height))
    surface.timeAxis(
      0...snapshot.duration, unit: "ms",
      in: Area(x: plot.x, y: plot.y + plot.height, width: plot.width, height: 1))
    guard let points = lane.shaping.corners else { return }
    for (index, point) in points.enumerated() {
      let x = plot.x + Int(point.x * Double(plot.width - 1))
      let y = plot.y + Int((1 - min(point.weight / top, 1)) * Double(plot.height - 1))
      let isPicked = index == state.corner
      surface.text(
        isPicked ? "◆" : "◇", x: x, y: y, style: CellStyle(isPicked ? .alarm : .text, bold: true))
      if isPicked {
        let label = String(format: "%.0f ms: %.2f", point.x * snapshot.duration, point.weight)
        surface.text(
          label, endingAt: area.x + area.width - 2, y: area.y + 1, style: CellStyle(.accent))
      }
    }
  }
}

extension ScreenKind {
  static let shaping = ScreenKind(ShapingScreen.self)
}
