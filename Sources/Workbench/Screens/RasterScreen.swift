// SPDX-License-Identifier: MIT

import Live
import Charts
import EventPropCore
import Foundation

/// One layer of the probe trial, large: zoom, pan, order of neurons, a cursor that reads out.
enum RasterScreen: WorkbenchScreen {
  static let name = "raster"
  static let title = "Raster"
  static let wheel: (down: Key, up: Key)? = (.character("-"), .character("+"))

  static let actions: [Action] = [
    Action(
      name: "zoom-in", keys: [.character("+"), .character("=")], short: "+/- zoom",
      title: "zoom into the trial",
      run: { state, snapshot in
        state.zoomTime(by: 0.5, around: state.middleOfSpikes(snapshot))
        return []
      }),
    Action(
      name: "zoom-out", keys: [.character("-")], short: "", title: "zoom out",
      run: { state, _ in
        state.zoomTime(by: 2)
        return []
      }),
    Action(
      name: "pan-left", keys: [.left], short: "", title: "earlier in the trial",
      run: { state, _ in
        state.panTime(by: -0.25)
        return []
      }),
    Action(
      name: "pan-right", keys: [.right], short: "", title: "later in the trial",
      run: { state, _ in
        state.panTime(by: 0.25)
        return []
      }),
    Action(
      name: "order", keys: [.character("o")], short: "order",
      title: "order neurons by index, rate or first spike",
      run: { state, _ in
        let all = RasterOrder.allCases
        state.order = all[(all.firstIndex(of: state.order)! + 1) % all.count]
        return []
      }),
    Action(
      name: "neurons", keys: [.character("/")], short: "/ neurons",
      title: "choose the neurons shown, as 0-31, 40",
      run: { state, _ in
        state.prompt = Prompt(.neurons)
        return []
      }),
  ]

  static func tables(_ state: WorkbenchState, _ snapshot: Snapshot) -> [(name: String, csv: String)]
  { [("raster", FigureFiles.raster(snapshot))] }

  /// Sets the cursor.
  static func click(
    _ state: inout WorkbenchState, x: Int, y: Int, width: Int, height: Int, _ snapshot: Snapshot
  ) -> [Effect] {
    let plot = plotArea(
      in: Workbench.screenArea(state, snapshot, width: width, height: height))
    guard plot.contains(x: x, y: y) else { return [] }
    let share = (Double(x - plot.x) + 0.5) / Double(plot.width)
    state.cursor =
      state.zoom.lowerBound + share * (state.zoom.upperBound - state.zoom.lowerBound)
    return []
  }

  private static func plotArea(in area: Area) -> Area {
    let inside = area.inside
    return Area(
      x: inside.x + 7, y: inside.y + 1, width: inside.width - 8, height: inside.height - 3)
  }

  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard let lane = state.chosen(snapshot) else { return }
    let layers = lane.trial.layers
    let index = min(state.layer, max(layers.count - 1, 0))
    let isHidden = index < lane.layers.count
    let name = isHidden ? "hidden\(index + 1)" : "output"
    let size = isHidden ? lane.layers[index].size : snapshot.classNames.count
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: Text.fit(
        "\(name) by \(state.order.rawValue); sample \(snapshot.probe), "
          + "label \(Wording.className(lane.trial.label, snapshot)), answer \(Wording.className(lane.trial.prediction, snapshot)); "
          + "\(lane.letter) \(Wording.label(lane))", area.width - 6),
      style: CellStyle(lane.ink, bold: true))
    let plot = plotArea(in: area)
    guard plot.width > 10, plot.height > 2, layers.indices.contains(index) else { return }
    let chosen = Set(state.neurons.filter { $0 < size })
    let spikes = layers[index].filter { chosen.isEmpty || chosen.contains($0.neuron) }
    let rows = order(spikes, size: size, by: state.order)
      .filter { chosen.isEmpty || chosen.contains($0) }
    var rank = Array(repeating: 0, count: size)
    for (row, neuron) in rows.enumerated() { rank[neuron] = row }
    let span = max(snapshot.duration, 1e-9)
    let time = (state.zoom.lowerBound * span)...(state.zoom.upperBound * span)
    let active = Set(spikes.map(\.neuron)).count
    let shown = spikes.count { time.contains($0.time) }
    surface.text(
      String(
        "\(spikes.count) spikes of \(active) of \(rows.count) neurons; \(rows.count - active) silent; \(shown) in view"
          .prefix(area.width - 4)), x: area.x + 2, y: area.y + 1, style: .plain)
    let ends = endLabels(rows, by: state.order)
    surface.text(ends.top, endingAt: plot.x - 1, y: plot.y, style: .dim)
    surface.text(ends.bottom, endingAt: plot.x - 1, y: plot.y + plot.height - 1, style: .dim)
    if plot.height >= 5 {
      surface.text(
        chosen.isEmpty ? "neuron" : "chosen", endingAt: plot.x - 1, y: plot.y + plot.height / 2,
        style: .dim)
    }
    if state.order != .index {
      silentLine(active, of: rows.count, in: plot, on: &surface)
    }
    if let cursor = state.cursor, state.zoom.contains(cursor) {
      readOut(state, snapshot, lane, spikes, cursor, plot, on: &surface)
    }
    surface.raster(
      spikes.map { RasterSpike(time: $0.time, row: rank[$0.neuron], ink: lane.ink) },
      rows: rows.count, time: time, in: plot)
    surface.timeAxis(
      time, unit: "ms",
      in: Area(x: plot.x, y: plot.y + plot.height, width: plot.width, height: 1))
  }

  private static func readOut<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, _ lane: LaneSnapshot,
    _ spikes: [LayerSpike], _ cursor: Double, _ plot: Area, on surface: inout S
  ) {
    let width = state.zoom.upperBound - state.zoom.lowerBound
    let column = plot.x + Int((cursor - state.zoom.lowerBound) / width * Double(plot.width))
    for y in plot.y..<plot.y + plot.height {
      surface.text("│", x: min(column, plot.x + plot.width - 1), y: y, style: CellStyle(.frame))
    }
    let time = cursor * snapshot.duration
    let reach = snapshot.duration * width / Double(plot.width)
    let near = spikes.filter { abs($0.time - time) <= reach }.map(\.neuron)
    let list = near.prefix(8).map(String.init).joined(separator: ", ")
    let text =
      String(format: "cursor %.2f ms: ", time)
      + (near.isEmpty ? "no spike" : "\(near.count) spikes, neurons \(list)")
    surface.text(
      text, endingAt: plot.x + plot.width, y: plot.y - 1, style: CellStyle(.accent))
  }

  /// What stands at the ends of the neuron axis: numbers where the rows run with them, else what
  /// they are sorted by.
  private static func endLabels(_ rows: [Int], by order: RasterOrder) -> (
    top: String, bottom: String
  ) {
    switch order {
    case .index: (String(rows[0]), String(rows[rows.count - 1]))
    case .rate: ("most", "least")
    case .firstSpike: ("first", "last")
    }
  }

  /// Where the neurons without a spike begin, and how many they are.
  private static func silentLine<S: Surface>(
    _ active: Int, of rows: Int, in plot: Area, on surface: inout S
  ) {
    guard active < rows else { return }
    let y = min(plot.y + active * plot.height / rows, plot.y + plot.height - 1)
    let text = " \(rows - active) without a spike "
    for x in plot.x..<plot.x + plot.width {
      surface.text("┄", x: x, y: y, style: CellStyle(.frame))
    }
    if text.count + 4 <= plot.width {
      surface.text(text, endingAt: plot.x + plot.width - 2, y: y, style: .dim)
    }
  }

  /// Neurons from the top row down; silent ones last.
  static func order(_ spikes: [LayerSpike], size: Int, by order: RasterOrder) -> [Int] {
    let all = Array(0..<size)
    switch order {
    case .index: return all
    case .rate:
      var counts = Array(repeating: 0, count: size)
      for spike in spikes { counts[spike.neuron] += 1 }
      return all.sorted { (counts[$1], $0) < (counts[$0], $1) }
    case .firstSpike:
      var first = Array(repeating: Double.infinity, count: size)
      for spike in spikes { first[spike.neuron] = min(first[spike.neuron], spike.time) }
      return all.sorted { (first[$0], $0) < (first[$1], $1) }
    }
  }
}

extension ScreenKind {
  static let raster = ScreenKind(RasterScreen.self)
}
