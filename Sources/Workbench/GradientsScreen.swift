import Charts
import Diagnosis
import Foundation
import Training

/// lV - lI over neurons and time: the error that a spike at each instant would transport. The lane's shaping beside
/// w = 1, on the same probe and weights: the paper's argument in one picture.
enum GradientsScreen {
  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard let lane = state.chosen(snapshot) else { return }
    guard let map = lane.errors.isEmpty ? nil : lane.errors[min(state.layer, lane.errors.count - 1)]
    else {
      surface.frame(
        x: area.x, y: area.y, width: area.width, height: area.height, title: "gradients",
        style: .bold)
      let text = lane.layers.isEmpty ? "no hidden layer, no error to transport" : "computing"
      surface.text(text, x: area.x + 2, y: area.y + 1, style: .dim)
      return
    }
    let highest = (map.shaped + map.plain).map { abs($0) }.max() ?? 0
    var rest = area
    let maps = rest.takeTop(max(6, area.height - 9))
    let hasPlain = lane.isShaped && lane.shaping.kind != "none"
    var left = maps
    let shaped = hasPlain ? left.takeLeft(maps.width / 2) : maps
    let title = "|lV - lI|  \(Wording.letter(state.lane)) \(lane.name) · \(map.layer)"
    heat(
      map.shaped, map, snapshot, highest,
      "\(title) · \(lane.isShaped ? lane.shaping.kind : lane.lossKind)",
      in: shaped, on: &surface)
    if hasPlain { heat(map.plain, map, snapshot, highest, "w = 1", in: left, on: &surface) }
    norms(state, snapshot, lane, map, hasPlain, in: rest, on: &surface)
  }

  private static func heat<S: Surface>(
    _ values: [Float], _ map: ErrorMap, _ snapshot: Snapshot, _ highest: Float, _ title: String,
    in area: Area, on surface: inout S
  ) {
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height, title: title, style: .bold)
    var plot = area.inside
    plot.height -= 1
    guard plot.width > 8, plot.height > 1, highest > 0 else { return }
    for y in 0..<plot.height {
      for x in 0..<plot.width {
        let (row, column) = (y * map.rows / plot.height, x * map.columns / plot.width)
        // Four decades, from a trace to full.
        let share = abs(values[row * map.columns + column]) / highest
        let level = share > 0 ? 1 + log10(Double(share)) / 4 : 0
        let isPositive = values[row * map.columns + column] > 0
        surface.bar(
          x: plot.x + x, y: plot.y + y, share: max(level, 0), ink: isPositive ? .series1 : .series0)
      }
    }
    surface.timeAxis(
      0...snapshot.duration, unit: "ms",
      in: Area(x: plot.x, y: plot.y + plot.height, width: plot.width, height: 1))
  }

  private static func norms<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, _ lane: LaneSnapshot, _ map: ErrorMap,
    _ hasPlain: Bool, in area: Area, on surface: inout S
  ) {
    guard area.height >= 4 else { return }
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: "gradient per tenth of the trial, % of the layer's; and its norm", style: .bold)
    var lines = Lines(area.inside)
    guard let flow = lane.gradientFlow else {
      lines.add("computing", .dim, on: &surface)
      return
    }
    let kind = lane.isShaped ? lane.shaping.kind : lane.lossKind
    for (layer, name) in flow.layers.enumerated() {
      lines.add(
        tenths(name, kind, flow, layer), CellStyle(.series(state.lane)), on: &surface)
      if hasPlain, let plain = lane.plainFlow {
        lines.add(tenths("", "w = 1", plain, layer), .dim, on: &surface)
      }
    }
    let legend = "above: orange, error above 0; blue, below; four decades"
    lines.add(legend, .dim, on: &surface)
  }

  private static func tenths(
    _ name: String, _ kind: String, _ flow: GradientFlow, _ layer: Int
  ) -> String {
    let shares = flow.shares(layer: layer)
    let total = flow.norms[layer].reduce(0) { $0 + $1 * $1 }.squareRoot()
    return Wording.pad(name, 8) + Wording.pad(kind, 12)
      + shares.map { String(format: "%5.1f", 100 * $0) }.joined() + "  " + Ticks.short(total)
  }
}
