// SPDX-License-Identifier: MIT

import Live
import Training
import Charts
import Diagnosis
import Foundation

/// lV - lI over neurons and time: the error that a spike at each instant would transport, the
/// lane's shaping beside w = 1; the gradient by tenth of the trial; and the training gradient
/// against the exact one. All on the probe set.
enum GradientsScreen: WorkbenchScreen {
  static let name = "gradients"
  static let title = "Gradients"
  static let figures = [
    FigureKind(GradientTimeFigure.self),
    FigureKind(ErrorTimeFigure.self),
    FigureKind(NormsFigure.self),
  ]
  static func detail(_ state: WorkbenchState) -> Detail? { .gradients }

  static let actions: [Action] = [
    Action(
      name: "exact", keys: [.character("t")], short: "t exact",
      title: "hold the training gradient against the exact one, or not",
      obstacle: Action.whenTraining,
      run: { _, snapshot in [.engine(.compareGradients(!snapshot.comparesGradients))] })
  ]

  static func tables(_ state: WorkbenchState, _ snapshot: Snapshot) -> [(name: String, csv: String)]
  { [("gradients", FigureFiles.errors(snapshot)), ("flow", DiagnosisFiles.flow(snapshot))] }

  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard let lane = state.chosen(snapshot) else { return }
    guard let map = lane.errors.isEmpty ? nil : lane.errors[min(state.layer, lane.errors.count - 1)]
    else {
      surface.frame(
        x: area.x, y: area.y, width: area.width, height: area.height, title: "gradients",
        style: .bold)
      let text =
        lane.layers.isEmpty
        ? "no hidden layer, no error to transport"
        : lane.isOffGrid
          ? offGrid
          : "computing"
      surface.text(text, x: area.x + 2, y: area.y + 1, style: .dim)
      return
    }
    let hasPlain = lane.isShaped && !lane.shaping.isPlain
    let layers = lane.gradientFlow?.layers.count ?? 1
    let tableRows = 4 + layers * (hasPlain ? 2 : 1)
    let truthRows =
      2 + max(1, lane.comparison?.rows.count ?? 1) + (area.width < 140 ? 1 : 0)
      + (lane.surrogate == nil ? 0 : 1)
    var rest = area
    sentence(lane, snapshot, in: rest.takeTop(1), on: &surface)
    let hasTruth = rest.height >= tableRows + truthRows + 6
    let mapRows = max(min(6, rest.height), rest.height - tableRows - (hasTruth ? truthRows : 0))
    let maps = rest.takeTop(mapRows)
    var left = maps
    let shaped = hasPlain ? left.takeLeft(maps.width / 2) : maps
    let highest = (map.shaped + map.plain).map { abs($0) }.max() ?? 0
    let title = "lV - lI, \(map.layer)"
    heat(
      map.shaped, map, lane, snapshot, highest, "\(title): \(lane.letter) \(lane.description)",
      in: shaped, on: &surface)
    if hasPlain {
      heat(
        map.plain, map, lane, snapshot, highest, "\(title): the same for w = 1", in: left,
        on: &surface)
    }
    tenths(snapshot, lane, hasPlain, in: rest.takeTop(min(tableRows, rest.height)), on: &surface)
    if hasTruth { truth(state, snapshot, lane, in: rest, on: &surface) }
  }

  // MARK: - In a sentence

  /// `99 % of hidden1's gradient comes from the last 300 ms`.
  static func sentence(_ lane: LaneSnapshot, _ snapshot: Snapshot) -> String {
    guard let flow = lane.gradientFlow, !flow.layers.isEmpty, lane.layers.count > 0 else {
      return lane.isOffGrid ? offGrid : "computing"
    }
    let parts = flow.layers.indices.dropLast().map { layer -> String in
      let shares = flow.shares(layer: layer)
      let total = shares.reduce(0, +)
      guard total > 0 else { return "\(flow.layers[layer]) gets no gradient at all" }
      let window = 3
      let start = (0...(shares.count - window)).max { a, b in
        shares[a..<(a + window)].reduce(0, +) < shares[b..<(b + window)].reduce(0, +)
      }!
      let share = 100 * shares[start..<(start + window)].reduce(0, +)
      let tenth = snapshot.duration / Double(shares.count)
      let (from, to) = (Double(start) * tenth, Double(start + window) * tenth)
      let place =
        start + window == shares.count
        ? "the last \(Text.short(to - from)) ms"
        : start == 0
          ? "the first \(Text.short(to)) ms" : "\(Text.short(from)) to \(Text.short(to)) ms"
      return String(
        format: "%.0f %% of %@'s gradient comes from %@", share, flow.layers[layer], place)
    }
    return "\(lane.letter): " + parts.joined(separator: "; ")
  }

  static let offGrid = "not made for networks that the grid cannot run"

  private static func sentence<S: Surface>(
    _ lane: LaneSnapshot, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard !area.isEmpty else { return }
    let samples = snapshot.probeSamples > 0 ? "  (\(snapshot.probeSamples) probe trials)" : ""
    surface.text(
      Text.fit(sentence(lane, snapshot) + samples, area.width - 2), x: area.x + 1, y: area.y,
      style: .bold)
  }

  // MARK: - Neurons and time

  private static func heat<S: Surface>(
    _ values: [Float], _ map: ErrorMap, _ lane: LaneSnapshot, _ snapshot: Snapshot,
    _ highest: Float, _ title: String, in area: Area, on surface: inout S
  ) {
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height, title: title, style: .bold)
    var plot = area.inside
    let axis = plot.takeLeft(7)
    let ticks = Area(x: plot.x, y: plot.y + plot.height - 1, width: plot.width, height: 1)
    plot.height -= 1
    guard plot.width > 8, plot.height > 1 else { return }
    guard highest > 0 else {
      surface.text(
        Text.fit("no error: nothing that a spike here did would change the loss", plot.width),
        x: plot.x, y: plot.y, style: .dim)
      return
    }
    surface.signedMap(
      rows: map.rows, columns: map.columns, in: plot, ink: .accent, negative: .good
    ) { row, column in
      let value = values[row * map.columns + column]
      // Four decades, from a trace to full.
      let level = value == 0 ? 0 : max(0, 1 + log10(Double(abs(value) / highest)) / 4)
      return value < 0 ? -level : level
    }
    let size =
      lane.layers.indices.contains(layerIndex(map)) ? lane.layers[layerIndex(map)].size : map.rows
    surface.text("0", endingAt: axis.x + 6, y: plot.y, style: .dim)
    surface.text("\(size - 1)", endingAt: axis.x + 6, y: plot.y + plot.height - 1, style: .dim)
    if plot.height >= 3 {
      surface.text("neuron", x: axis.x, y: plot.y + plot.height / 2, style: .dim)
    }
    surface.timeAxis(0...snapshot.duration, unit: "ms", in: ticks)
  }

  private static func layerIndex(_ map: ErrorMap) -> Int {
    (Int(map.layer.dropFirst("hidden".count)) ?? 1) - 1
  }

  // MARK: - By tenth of the trial

  private static func tenths<S: Surface>(
    _ snapshot: Snapshot, _ lane: LaneSnapshot, _ hasPlain: Bool, in area: Area,
    on surface: inout S
  ) {
    guard area.height >= 4 else { return }
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: "gradient of the weights into a layer, % by tenth of the trial", style: .bold)
    var lines = Lines(area.inside)
    guard let flow = lane.gradientFlow else {
      lines.add(lane.isOffGrid ? offGrid : "computing", .dim, on: &surface)
      return
    }
    let cell = area.width >= 84 ? 6 : area.width >= 74 ? 5 : 4
    let ends = (1...GradientFlow.parts).map { part in
      Text.right(
        Text.short(snapshot.duration * Double(part) / Double(GradientFlow.parts)), cell)
    }
    lines.add(
      Text.pad("to, ms", 16) + ends.joined() + "   norm", .dim, on: &surface)
    for (layer, name) in flow.layers.enumerated() {
      lines.add(
        row(
          name, !lane.isShaped ? "" : lane.shaping.isPlain ? "w = 1" : "shaped", flow, layer, cell),
        CellStyle(lane.ink),
        on: &surface)
      if hasPlain, let plain = lane.plainFlow {
        lines.add(row("", "w = 1", plain, layer, cell), .dim, on: &surface)
      }
    }
    lines.add(
      "above: bars, error above 0; shades, below 0; four decades from a trace to full", .dim,
      on: &surface)
  }

  private static func row(
    _ name: String, _ kind: String, _ flow: GradientFlow, _ layer: Int, _ cell: Int
  ) -> String {
    let total = flow.norms[layer].reduce(0) { $0 + $1 * $1 }.squareRoot()
    let digits = cell >= 6 ? 1 : 0
    return Text.pad(name, 8) + " " + Text.pad(kind, 7)
      + flow.shares(layer: layer).map {
        Text.right(String(format: "%.\(digits)f", 100 * $0), cell)
      }
      .joined() + "   " + Text.short(total)
  }

  // MARK: - The gradient that trains

  private static func truth<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, _ lane: LaneSnapshot, in area: Area,
    on surface: inout S
  ) {
    let place =
      lane.comparison == nil ? "" : ", epoch \(Wording.position(lane.comparedAt))"
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: "training gradient against exact\(place)", style: .bold)
    var lines = Lines(area.inside)
    if lane.trainsExactly {
      lines.add(
        "this lane trains with the exact solver: its gradient is the exact one", .dim, on: &surface)
      return
    }
    guard let comparison = lane.comparison else {
      lines.add(
        snapshot.comparesGradients ? "computing" : "off: \(state.keys.label("exact")) turns it on",
        .dim, on: &surface)
      return
    }
    for (index, row) in comparison.rows.enumerated() {
      let cosine = row.cosine.map { String(format: "%.2f", $0) } ?? Text.unknown
      var text =
        Text.pad(Wording.array(row.projection), 18)
        + "cos \(Text.right(cosine, 5))   norm \(Text.right(Text.number(row.normRatio), 8)) of exact"
      if let surrogate = lane.surrogate, surrogate.rows.indices.contains(index) {
        let cosine =
          surrogate.rows[index].cosine.map { String(format: "%.2f", $0) } ?? Text.unknown
        text += "   surrogate cos \(Text.right(cosine, 5))"
      }
      if index == 0 && area.width >= 140 { text += "   " + spikes(comparison) }
      lines.add(text, honest(row) ? .plain : CellStyle(.alarm), on: &surface)
    }
    if let surrogate = lane.surrogate {
      lines.add(words(surrogate), .dim, on: &surface)
    }
    if area.width < 140 { lines.add(spikes(comparison), .dim, on: &surface) }
  }

  /// Whom a surrogate would move.
  private static func words(_ surrogate: SurrogateComparison) -> String {
    let layers = surrogate.layers.filter { $0.silent > 0 }.map { layer in
      "\(layer.name) \(layer.silent) silent, it would raise \(layer.moved.count { $0.isRaised })"
    }
    return "surrogate (SuperSpike, k \(Text.short(surrogate.steepness))), the same weights: "
      + (layers.isEmpty ? "nobody is silent on the probe" : layers.joined(separator: "; "))
  }

  /// Half of the direction is there.
  private static func honest(_ row: GradientComparison.Row) -> Bool { (row.cosine ?? 1) >= 0.5 }

  private static func spikes(_ comparison: GradientComparison) -> String {
    let all = max(comparison.exactSpikes + comparison.trainingSpikes, 1)
    let alone = comparison.onlyExact + comparison.onlyTraining
    return String(
      format: "%.1f %% of spikes in one only (%d exact, %d here)",
      100 * Double(alone) / Double(all), comparison.onlyExact, comparison.onlyTraining)
  }
}

extension ScreenKind {
  static let gradients = ScreenKind(GradientsScreen.self)
}
