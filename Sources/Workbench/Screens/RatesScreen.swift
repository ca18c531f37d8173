// SPDX-License-Identifier: MIT

import Charts
import Foundation
import Live
import Training

/// Rates over the training: neurons by epochs, so that deaths are lines going dark; from when in
/// the trial the gradient came; and the weights, matrix by matrix.
enum RatesScreen: WorkbenchScreen {
  static let name = "rates"
  static let title = "Rates"
  static let figures = [FigureKind(HeatMapFigure.self), FigureKind(RatesFigure.self)]
  static func detail(_ state: WorkbenchState) -> Detail? { .weights }

  static let actions: [Action] = [
    Action(
      name: "rates-order", keys: [.character("o")], short: "order",
      title: "order neurons by index, rate or epoch of death",
      run: { state, _ in
        let all = RatesOrder.allCases
        state.ratesOrder = all[(all.firstIndex(of: state.ratesOrder)! + 1) % all.count]
        return []
      })
  ]

  static func tables(_ state: WorkbenchState, _ snapshot: Snapshot) -> [(name: String, csv: String)]
  {
    [
      ("rates", DiagnosisFiles.rates(snapshot)), ("weights", DiagnosisFiles.weights(snapshot)),
    ]
  }

  /// To that epoch, and the neuron is chosen.
  static func click(
    _ state: inout WorkbenchState, x: Int, y: Int, width: Int, height: Int, _ snapshot: Snapshot
  ) -> [Effect] {
    guard let lane = state.chosen(snapshot), !lane.activity.isEmpty else { return [] }
    let layer = chosenLayer(state, lane)
    let map = layout(
      in: Workbench.screenArea(state, snapshot, width: width, height: height)
    ).map
    guard map.contains(x: x, y: y) else { return [] }
    let rows = order(lane.activity, layer: layer, by: state.ratesOrder)
    let row = (y - map.y) * rows.count / map.height
    let column = (x - map.x) * lane.activity.count / map.width
    state.traced = Traced(layer: layer, neuron: rows[min(row, rows.count - 1)])
    let epoch = lane.activity[min(column, lane.activity.count - 1)].epoch
    return snapshot.isStill ? [] : [.goTo(Double(epoch))]
  }

  private static func chosenLayer(_ state: WorkbenchState, _ lane: LaneSnapshot) -> Int {
    min(state.layer, max((lane.activity.last?.layers.count ?? 1) - 1, 0))
  }

  /// Neurons from the top row down.
  static func order(_ activity: [EpochActivity], layer: Int, by order: RatesOrder) -> [Int] {
    let size = activity.last?.layers[layer].rates.count ?? 0
    let all = Array(0..<size)
    switch order {
    case .index: return all
    case .rate:
      let last = activity[activity.count - 1].layers[layer].rates
      return all.sorted { (-last[$0], $0) < (-last[$1], $1) }
    case .death:
      // Those that live last; among the dead, the first to die at the bottom.
      let deaths = all.map { neuron in
        activity.lastIndex { $0.layers[layer].rates[neuron] > 0 } ?? -1
      }
      return all.sorted { (-deaths[$0], $0) < (-deaths[$1], $1) }
    }
  }

  private static func layout(in area: Area) -> (
    frame: Area, map: Area, below: Area
  ) {
    var rest = area
    let frame = rest.takeTop(
      area.height >= 16 ? area.height - max(8, area.height / 3) : area.height)
    let inside = frame.inside
    let map = Area(
      x: inside.x + 7, y: inside.y + 1, width: inside.width - 8, height: inside.height - 2)
    return (frame, map, rest)
  }

  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard let lane = state.chosen(snapshot) else { return }
    let (frame, map, below) = layout(in: area)
    let layer = chosenLayer(state, lane)
    surface.frame(
      x: frame.x, y: frame.y, width: frame.width, height: frame.height,
      title: Text.fit(
        "spikes per trial, hidden\(layer + 1) by \(state.ratesOrder.rawValue), epoch by epoch; "
          + "\(lane.letter) \(Wording.label(lane))", frame.width - 6),
      style: CellStyle(lane.ink, bold: true))
    guard let last = lane.activity.last, !last.layers.isEmpty else {
      let text =
        lane.layers.isEmpty
        ? "no hidden layer"
        : "the first epoch has not ended; \(state.keys.label("epoch")) trains it"
      surface.text(text, x: frame.x + 2, y: frame.y + 1, style: .dim)
      bottom(lane, in: below, on: &surface)
      return
    }
    let rows = order(lane.activity, layer: layer, by: state.ratesOrder)
    heat(state, lane, layer, rows, in: map, frame: frame, on: &surface)
    bottom(lane, in: below, on: &surface)
  }

  private static func heat<S: Surface>(
    _ state: WorkbenchState, _ lane: LaneSnapshot, _ layer: Int, _ rows: [Int], in map: Area,
    frame: Area, on surface: inout S
  ) {
    let epochs = lane.activity
    guard map.height >= 2, map.width >= 10 else { return }
    let now = epochs[epochs.count - 1].layers[layer]
    let dead = now.rates.count { $0 == 0 }
    var text =
      "now \(Text.short(now.mean)) on average, \(dead) of \(rows.count) dead"
    if let traced = state.traced, traced.layer == layer, rows.indices.contains(traced.neuron) {
      text +=
        "; neuron \(traced.neuron): \(Text.short(Double(now.rates[traced.neuron]))), v traces it"
    }
    surface.text(
      Text.fit(text, frame.width - 4), x: frame.x + 2, y: frame.y + 1, style: .plain)
    // Rows and columns that share a cell: their mean, so that a row goes dark as its neurons die.
    func mean(_ y: Int, _ x: Int) -> Double {
      let neurons =
        y * rows.count
        / map.height..<max(
          (y + 1) * rows.count / map.height, y * rows.count / map.height + 1)
      let columns =
        x * epochs.count
        / map.width..<max(
          (x + 1) * epochs.count / map.width, x * epochs.count / map.width + 1)
      var sum = 0.0
      for epoch in columns {
        for row in neurons { sum += Double(epochs[epoch].layers[layer].rates[rows[row]]) }
      }
      return sum / Double(neurons.count * columns.count)
    }
    let cells = (0..<map.height).map { y in (0..<map.width).map { mean(y, $0) } }
    let most = cells.joined().max() ?? 0
    surface.heatMap(
      rows: map.height, columns: map.width, in: map, ink: { _, _ in lane.ink }
    ) { y, x in
      // By the root: rates of layers that learn span decades.
      let rate = cells[y][x]
      return most > 0 && rate > 0 ? max((rate / most).squareRoot() * 0.999, 0.01) : 0
    }
    if let traced = state.traced, traced.layer == layer,
      let row = rows.firstIndex(of: traced.neuron)
    {
      surface.text(
        "▶", x: map.x - 1, y: map.y + row * map.height / rows.count, style: .bold)
    }
    surface.text("neuron", x: frame.x + 1, y: map.y + map.height / 2, style: .dim)
    if state.ratesOrder == .index {
      surface.text("0", endingAt: map.x - 1, y: map.y, style: .dim)
      surface.text(
        "\(rows.count - 1)", endingAt: map.x - 1, y: map.y + map.height - 1, style: .dim)
    } else {
      let ends = state.ratesOrder == .rate ? ("most", "least") : ("alive", "dead")
      surface.text(ends.0, endingAt: map.x - 1, y: map.y, style: .dim)
      surface.text(ends.1, endingAt: map.x - 1, y: map.y + map.height - 1, style: .dim)
    }
    let first = "epoch \(epochs[0].epoch)"
    let lastEpoch = "\(epochs[epochs.count - 1].epoch)"
    surface.text(first, x: map.x, y: map.y + map.height, style: .dim)
    surface.text(lastEpoch, endingAt: map.x + map.width, y: map.y + map.height, style: .dim)
  }

  // MARK: - Gradient in time, weights

  private static func bottom<S: Surface>(
    _ lane: LaneSnapshot, in area: Area, on surface: inout S
  ) {
    guard area.height >= 5 else { return }
    var rest = area
    let left = rest.takeLeft(area.width >= 100 ? area.width / 2 : area.width)
    weights(lane, in: rest.isEmpty ? left : rest, on: &surface)
    if !rest.isEmpty { tenths(lane, in: left, on: &surface) }
  }

  /// Epochs from left to right, tenths of the trial from the top down: where the gradient of the
  /// first hidden layers came from.
  private static func tenths<S: Surface>(
    _ lane: LaneSnapshot, in area: Area, on surface: inout S
  ) {
    // Tenths that share a row are one, and each row has as many.
    let (rows, part) =
      [(10, "tenth"), (5, "fifth"), (2, "half")].first { $0.0 <= area.inside.height }
      ?? (1, "all")
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: "gradient of hidden1 by \(part) of the trial, epoch by epoch", style: .bold)
    let epochs = lane.activity.filter { $0.layers[0].lateShare != nil }
    guard !epochs.isEmpty else {
      surface.text(
        lane.isOffGrid ? GradientsScreen.offGrid : "no gradient so far",
        x: area.x + 2, y: area.y + 1, style: .dim)
      return
    }
    var inside = area.inside
    _ = inside.takeLeft(8)
    var map = inside
    let bars = Area(x: map.x + map.width - 14, y: map.y, width: 14, height: map.height)
    map.width -= 16
    func shares(_ epoch: EpochActivity) -> [Double] {
      let norms = epoch.layers[0].gradientByTenth
      let all = norms.reduce(0, +)
      return norms.map { $0 / max(all, 1e-300) }
    }
    let all = epochs.map(shares)
    guard map.height > 0 else { return }
    func share(_ row: Int, _ epoch: Int) -> Double {
      (0..<10).filter { $0 * rows / 10 == row }.reduce(0) { $0 + all[epoch][$1] }
    }
    surface.heatMap(rows: rows, columns: all.count, in: map, ink: { _, _ in .accent }) {
      row, epoch in min(1, share(row, epoch) / 0.5)
    }
    for y in 0..<bars.height {
      let row = y * rows / bars.height
      // Higher than ten rows: once for each tenth.
      if y > 0 && row == (y - 1) * rows / bars.height { continue }
      let share = share(row, all.count - 1)
      let filled = Int((share * 9).rounded())
      surface.text(
        String(repeating: "━", count: filled) + String(format: " %.0f %%", 100 * share),
        x: bars.x, y: bars.y + y, style: CellStyle(share > 0.3 ? .alarm : .text))
    }
    surface.text("begin", x: area.x + 2, y: map.y, style: .dim)
    surface.text("end", x: area.x + 2, y: map.y + map.height - 1, style: .dim)
  }

  private static func weights<S: Surface>(
    _ lane: LaneSnapshot, in area: Area, on surface: inout S
  ) {
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: Text.fit(
        "weights: now over the start (dim), drift, dw/w", area.width - 6),
      style: .bold)
    var inside = area.inside
    inside.x += 1
    inside.width -= 2
    guard !lane.weights.isEmpty else {
      surface.text("computing", x: inside.x, y: inside.y, style: .dim)
      return
    }
    let (fitting, left) = Lines.fitting(2 * lane.weights.count, rows: inside.height)
    let shown = left > 0 ? fitting / 2 : lane.weights.count
    if left > 0 {
      let last = inside.takeBottom(1)
      surface.text(
        "\(lane.weights.count - shown) more on a higher screen", x: last.x, y: last.y, style: .dim)
    }
    let each = max(2, inside.height / max(shown, 1))
    for (index, matrix) in lane.weights.prefix(shown).enumerated() {
      var strip = inside.takeTop(each)
      guard strip.height >= 2 else { break }
      let heading = strip.takeTop(1)
      let drift = matrix.drift.map { String(format: "drift %.0f %%", 100 * $0) } ?? ""
      let ratio = matrix.updateRatio.map { " dw/w \(Text.short($0))" } ?? ""
      surface.text(
        Text.fit(
          "\(Wording.array(matrix.name))  \(Text.short(matrix.mean)) ± \(Text.short(matrix.sd))"
            + "\(Wording.unit(matrix.name)) \(drift)\(ratio)",
          heading.width), x: heading.x, y: heading.y, style: .plain)
      surface.histogram(matrix.initialCounts, isLogarithmic: true, in: strip) { _ in .frame }
      surface.histogram(matrix.counts, isLogarithmic: true, in: strip) { _ in
        .series(lane.identity + index)
      }
      let low = Text.short(matrix.range.lowerBound)
      let high = Text.short(matrix.range.upperBound)
      if strip.height >= 3 {
        surface.text(low, x: strip.x, y: strip.y, style: .dim)
        surface.text(high, endingAt: strip.x + strip.width, y: strip.y, style: .dim)
      }
    }
  }
}

/// How the neurons of the heat map are sorted.
public enum RatesOrder: String, Sendable, CaseIterable {
  case index
  /// Of the last epoch, the fastest first.
  case rate
  /// Those that spike first; of the others, the first to fall silent last.
  case death = "epoch of death"
}

extension ScreenKind {
  static let rates = ScreenKind(RatesScreen.self)
}
