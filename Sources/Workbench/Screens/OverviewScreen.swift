// SPDX-License-Identifier: MIT

import Live
import Charts
import Foundation

/// Per lane, from top: raster of the probe trial with output voltages and w(t), spike counts,
/// gradient flow, curves. Lanes beside each other are aligned row by row.
enum OverviewScreen: WorkbenchScreen {
  static let name = "overview"
  static let title = "Overview"

  static func tables(_ state: WorkbenchState, _ snapshot: Snapshot) -> [(name: String, csv: String)]
  { [("curves", FigureFiles.curves(snapshot)), ("raster", FigureFiles.raster(snapshot))] }

  /// On a lane's panel chooses it; on its curve goes there.
  static func click(
    _ state: inout WorkbenchState, x: Int, y: Int, width: Int, height: Int, _ snapshot: Snapshot
  ) -> [Effect] {
    let areas = laneAreas(state, snapshot, width: width, height: height)
    guard let hit = areas.first(where: { $0.area.contains(x: x, y: y) }) else { return [] }
    state.lane = hit.lane
    guard let plot = curveArea(snapshot, state.lane, in: hit.area), plot.contains(x: x, y: y),
      !snapshot.isStill
    else { return [] }
    let share = (Double(x - plot.x) + 0.5) / Double(plot.width)
    return [.goTo(share * snapshot.end)]
  }

  /// The lane panels that fit: side by side from 50 columns each, else two above each other, else
  /// the chosen one alone.
  static func laneAreas(
    _ state: WorkbenchState, _ snapshot: Snapshot, width: Int, height: Int
  ) -> [(lane: Int, area: Area)] {
    var whole = Workbench.screenArea(state, snapshot, width: width, height: height)
    _ = whole.takeTop(headerRows(snapshot, width: width, height: whole.height))
    return laneAreas(state, snapshot, in: whole)
  }

  private static func laneAreas(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area
  ) -> [(lane: Int, area: Area)] {
    let count = snapshot.lanes.count
    let chosen = min(state.lane, count - 1)
    let beside = max(1, min(count, area.width / 50))
    let fitting = beside > 1 ? beside : min(count, area.height >= 18 ? 2 : 1)
    guard fitting > 1 else { return [(chosen, area)] }
    let first = min(max(0, chosen - fitting + 1), count - fitting)
    var rest = area
    return (0..<fitting).map { slot in
      let isLast = slot == fitting - 1
      if beside > 1 {
        return (first + slot, rest.takeLeft(isLast ? rest.width : area.width / fitting))
      }
      return (first + slot, rest.takeTop(isLast ? rest.height : area.height / fitting))
    }
  }

  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    var area = area
    header(
      state, snapshot,
      in: area.takeTop(headerRows(snapshot, width: area.width, height: area.height)), on: &surface)
    let areas = laneAreas(state, snapshot, in: area)
    for (lane, area) in areas {
      let isChosen = lane == state.lane && snapshot.lanes.count > 1
      panel(state, snapshot, lane, isChosen, in: area, on: &surface)
    }
    if areas.count < snapshot.lanes.count, let last = areas.last {
      surface.text(
        " \(areas.count) of \(snapshot.lanes.count) lanes, Tab ",
        endingAt: last.area.x + last.area.width - 2, y: last.area.y + last.area.height - 1,
        style: .bold)
    }
  }

  // MARK: - Every lane in a line

  private static let headerCell = 34

  private static func headerRows(_ snapshot: Snapshot, width: Int, height: Int) -> Int {
    guard width >= 80, height >= 16 else { return 0 }
    let perRow = max(1, width / headerCell)
    return (snapshot.lanes.count + perRow - 1) / perRow
  }

  /// Accuracy, loss and learning rate of all lanes, those whose panel does not fit included.
  private static func header<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard !area.isEmpty else { return }
    let perRow = max(1, area.width / headerCell)
    let width = area.width / perRow
    for (index, lane) in snapshot.lanes.enumerated() {
      let (x, y) = (area.x + 1 + index % perRow * width, area.y + index / perRow)
      let isChosen = index == state.lane && snapshot.lanes.count > 1
      surface.text(
        lane.letter, x: x, y: y, style: CellStyle(lane.ink, bold: true, reversed: isChosen))
      let text =
        "  test "
        + (state.showsAllSeeds(snapshot) ? Wording.seedSummary(lane) : Wording.summary(lane))
      surface.text(
        String(text.prefix(width - lane.letter.count - 1)), x: x + lane.letter.count, y: y,
        style: .plain)
    }
  }

  /// Heights of the parts of a panel for the rows there are; 0 drops a part.
  private struct Rows {
    var sentence = 0
    var input = 0
    var hidden = 0
    var output = 0
    var weight = 0
    var axis = 0
    var activity = 0
    var flow = 0
    var curves = 0

    init(_ rows: Int, layers: Int, projections: Int, isShaped: Bool, sentence lines: Int) {
      // Parts by importance, with the rows they need; what does not fit is left out.
      var left = rows - 1
      if rows >= 12 {
        sentence = min(lines, rows >= 24 ? 4 : 2)
        left -= sentence
      }
      func take(_ need: Int) -> Int {
        guard left >= need else { return 0 }
        left -= need
        return need
      }
      hidden = take(2 * layers) / max(layers, 1)
      output = take(2)
      axis = take(1)
      activity = take(1 + layers)
      input = take(1)
      curves = take(4)
      flow = take(1 + projections)
      weight = isShaped ? take(1) : 0
      // What is over goes round, on tall screens to all parts alike, and none is left empty.
      for scale in 1...8 {
        while left > 0 {
          let before = left
          if curves > 0 && curves < 12 * scale { curves += take(1) }
          if output > 0 && output < 8 * scale { output += take(1) }
          if layers > 0 && hidden < 10 * scale { hidden += take(layers) / layers }
          if input > 0 && input < 6 * scale { input += take(1) }
          if left == before { break }
        }
      }
      if curves > 0 { curves += left }
    }
  }

  private static func panel<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, _ index: Int, _ isChosen: Bool, in area: Area,
    on surface: inout S
  ) {
    let lane = snapshot.lanes[index]
    let ink = lane.ink
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: "\(isChosen ? "▶ " : "")\(Wording.title(lane))",
      style: CellStyle(ink, bold: true))
    if lane.verdict == nil, let alarm = lane.alarms.first, area.width > 40 {
      surface.text(
        " \(Text.fit("! \(alarm.kind.rawValue): \(alarm.text)", area.width - 32)) ",
        x: area.x + 2,
        y: area.y + area.height - 1, style: CellStyle(.alarm))
    }
    var inside = area.inside
    inside.x += 1
    inside.width -= 2
    guard inside.width >= 20, inside.height >= 2 else { return }
    let rows = rows(snapshot, lane, in: inside)
    verdict(snapshot, lane, in: inside.takeTop(1), on: &surface)
    let saying = inside.takeTop(rows.sentence)
    for (row, line) in sentence(lane, inside.width).prefix(saying.height).enumerated() {
      surface.text(line, x: saying.x, y: saying.y + row, style: CellStyle(.alarm))
    }
    trial(snapshot, lane, rows, &inside, on: &surface)
    activity(lane, rows, ink, &inside, on: &surface)
    flow(lane, rows, ink, &inside, on: &surface)
    curves(state, snapshot, lane, rows, ink, &inside, on: &surface)
  }

  /// What is wrong with a lane, in lines; empty when nothing is.
  private static func sentence(_ lane: LaneSnapshot, _ width: Int) -> [String] {
    lane.verdict.map { Text.wrapped($0, max(width, 20)) } ?? []
  }

  private static func verdict<S: Surface>(
    _ snapshot: Snapshot, _ lane: LaneSnapshot, in area: Area, on surface: inout S
  ) {
    let trial = lane.trial
    let isRight = trial.fit.map { $0.explained > 0.5 } ?? (trial.label == trial.prediction)
    let label = trial.fit == nil ? "label \(Wording.className(trial.label, snapshot))  " : ""
    let text = "probe \(snapshot.probe)  \(label)"
    surface.text(String(text.prefix(area.width)), x: area.x, y: area.y, style: .plain)
    let answer =
      trial.fit.map { "R² \(Text.percent($0.explained)) of this sample" }
      ?? "\(isRight ? "✓" : "✗") \(Wording.className(trial.prediction, snapshot))"
    if text.count + answer.count <= area.width {
      surface.text(
        answer, x: area.x + text.count, y: area.y,
        style: CellStyle(isRight ? .good : .alarm, bold: true))
    }
    let right =
      "loss \(Text.number(lane.trainLoss))  \(snapshot.isRegression ? "R²: " : "")train \(Text.percent(lane.trainAccuracy))"
      + "  test \(Text.percent(lane.testAccuracy))"
    if text.count + answer.count + right.count + 2 <= area.width {
      surface.text(right, endingAt: area.x + area.width, y: area.y, style: .dim)
    }
  }

  private static func trial<S: Surface>(
    _ snapshot: Snapshot, _ lane: LaneSnapshot, _ rows: Rows, _ area: inout Area,
    on surface: inout S
  ) {
    let time = 0...max(snapshot.duration, 1e-9)
    func strip(_ name: String, _ height: Int) -> Area {
      var strip = area.takeTop(height)
      let label = strip.takeLeft(8)
      if height > 0 { surface.text(name, x: label.x, y: label.y, style: .dim) }
      return strip
    }
    if rows.input > 0 {
      surface.raster(
        lane.trial.input.map { RasterSpike(time: $0.time, row: $0.unit, ink: .dim) },
        rows: snapshot.inputs, time: time, in: strip("input", rows.input))
    }
    for (index, layer) in lane.layers.enumerated() where rows.hidden > 0 {
      let spikes = lane.trial.layers.indices.contains(index) ? lane.trial.layers[index] : []
      surface.raster(
        spikes.map { RasterSpike(time: $0.time, row: $0.neuron, ink: .text) }, rows: layer.size,
        time: time, in: strip("hidden\(index + 1)", rows.hidden))
    }
    if rows.output > 0 {
      voltages(snapshot, lane, in: strip("output", rows.output), on: &surface)
    }
    if rows.weight > 0 {
      // Lanes side by side keep their rows: one without w(t) leaves it empty.
      let highest = lane.trial.weight.max() ?? 1
      let place = strip(lane.isShaped ? "w(t)" : "", 1)
      if lane.isShaped {
        surface.band(lane.trial.weight, highest: max(highest, 1e-12), in: place, ink: .accent)
      }
    }
    if rows.axis > 0 { surface.timeAxis(time, unit: "ms", in: strip("", 1)) }
  }

  /// Output voltages as traces, the label's last and in its own colour; or over their targets.
  static func voltages<S: Surface>(
    _ snapshot: Snapshot, _ lane: LaneSnapshot, in area: Area, on surface: inout S
  ) {
    let (curves, targets) = (lane.trial.voltages, lane.trial.targets)
    let values = (curves + targets).flatMap { $0 }.filter(\.isFinite)
    guard let low = values.min(), let high = values.max(), !area.isEmpty else { return }
    let margin = max(high - low, 1e-9) * 0.02
    let points = Double(max(curves.first?.count ?? 1, 1))
    func curve(_ ys: [Double], _ ink: Ink) -> Curve {
      Curve(
        ys.enumerated().map {
          ((Double($0.offset) + 1) / points * snapshot.duration, $0.element)
        }, ink: ink)
    }
    var all: [Curve] = []
    if targets.isEmpty {
      let label = lane.trial.label
      all = curves.indices.filter { $0 != label }.map { curve(curves[$0], .dim) }
      if curves.indices.contains(label) { all.append(curve(curves[label], .good)) }
    } else {
      // What is to be followed, and over it what follows.
      all =
        targets.map { curve($0, .dim) }
        + curves.enumerated().map { curve($1, $0 % 2 == 0 ? .good : .accent) }
    }
    surface.plot(all, x: 0...snapshot.duration, y: (low - margin)...(high + margin), in: area)
  }

  private static func heading<S: Surface>(
    _ text: String, _ area: inout Area, on surface: inout S
  ) {
    let line = area.takeTop(1)
    let text = Text.fit(text, line.width)
    surface.text(
      text + " " + String(repeating: "─", count: max(0, line.width - text.count - 1)), x: line.x,
      y: line.y, style: CellStyle(.frame))
    surface.text(text, x: line.x, y: line.y, style: .dim)
  }

  private static func activity<S: Surface>(
    _ lane: LaneSnapshot, _ rows: Rows, _ ink: Ink, _ area: inout Area, on surface: inout S
  ) {
    guard rows.activity > 0 else { return }
    heading(
      "spikes per neuron and trial" + (lane.keeping.map { "; " + $0 } ?? ""), &area, on: &surface)
    for (index, layer) in lane.layers.enumerated() {
      let line = area.takeTop(1)
      let isAlarming = (layer.dead ?? 0) * 10 > layer.size
      let mean = Text.fixed(layer.mean, 2)
      let numbers =
        String(repeating: " ", count: max(0, 6 - mean.count)) + mean + " ± "
        + Text.pad(Text.fixed(layer.spread, 2), 6)
      surface.text("hidden\(index + 1)", x: line.x, y: line.y, style: .dim)
      surface.text(numbers, x: line.x + 8, y: line.y, style: .plain)
      let silent = "silent \(Text.fixed(layer.silent, 0))  "
      let count = layer.dead.map { String($0) } ?? Text.unknown
      let dead = "dead \(count)/\(layer.size)\(isAlarming ? " ▲" : "")"
      let tail = silent.count + dead.count
      let spark = Area(
        x: line.x + 24, y: line.y, width: line.width - 24 - tail - 1, height: 1)
      if spark.width >= 4 {
        surface.sparkline(recent(lane.curves.spikes[index].ys, spark.width), in: spark, ink: ink)
      }
      if line.width >= 24 + tail {
        surface.text(
          silent, x: line.x + line.width - tail, y: line.y, style: .plain)
        surface.text(
          dead, endingAt: line.x + line.width, y: line.y,
          style: isAlarming ? CellStyle(.alarm, bold: true) : .plain)
      } else {
        surface.text(
          dead, endingAt: line.x + line.width, y: line.y,
          style: isAlarming ? CellStyle(.alarm, bold: true) : .plain)
      }
    }
  }

  /// A whole history squeezed into `width` values.
  static func recent(_ values: [Double], _ width: Int) -> [Double] {
    guard values.count > width, width > 0 else { return values }
    return (0..<width).map { column in
      let range = column * values.count / width..<(column + 1) * values.count / width
      return values[range].reduce(0, +) / Double(range.count)
    }
  }

  private static func flow<S: Surface>(
    _ lane: LaneSnapshot, _ rows: Rows, _ ink: Ink, _ area: inout Area, on surface: inout S
  ) {
    guard rows.flow > 0 else { return }
    let isWide = lane.flow.contains { $0.name.contains("/") }
    heading(
      isWide ? "gradient flow, norm of each array, log scale" : "gradient flow |dL/dW|, log scale",
      &area, on: &surface)
    let width = isWide ? 17 : 16
    // Lanes side by side keep their rows, with more arrays or fewer.
    var rest = area.takeTop(rows.flow - 1)
    for (index, flow) in lane.flow.enumerated() {
      let line = rest.takeTop(1)
      surface.text(
        Text.pad(Wording.array(flow.name), width), x: line.x, y: line.y, style: .dim)
      guard flow.isTrained else {
        surface.text("fixed", endingAt: line.x + width + 8, y: line.y, style: .dim)
        continue
      }
      let norm = flow.norm.map { String(format: "%8.1e", $0) } ?? Text.unknown
      surface.text(norm, endingAt: line.x + width + 8, y: line.y, style: .plain)
      let spark = Area(
        x: line.x + width + 10, y: line.y, width: line.width - width - 10, height: 1)
      let logs = recent(lane.curves.norms[index].ys, spark.width).map { log10(max($0, 1e-12)) }
      if let low = logs.min(), spark.width >= 4 {
        surface.sparkline(logs, in: spark, ink: ink, from: low - 0.3)
      }
    }
  }

  /// The rows of a lane's panel: as much as any lane needs, so that lanes side by side are alike.
  private static func rows(_ snapshot: Snapshot, _ lane: LaneSnapshot, in inside: Area) -> Rows {
    Rows(
      inside.height, layers: lane.layers.count,
      projections: snapshot.lanes.map(\.flow.count).max() ?? 0,
      isShaped: snapshot.lanes.contains(where: \.isShaped),
      sentence: snapshot.lanes.map { sentence($0, inside.width).count }.max() ?? 0)
  }

  /// Where the curves of a lane's panel are; nil where they are not shown.
  static func curveArea(_ snapshot: Snapshot, _ index: Int, in area: Area) -> Area? {
    let lane = snapshot.lanes[index]
    var inside = area.inside
    inside.x += 1
    inside.width -= 2
    let rows = rows(snapshot, lane, in: inside)
    guard rows.curves >= 3, inside.width > 20 else { return nil }
    let above =
      1 + rows.sentence + rows.input + rows.hidden * lane.layers.count + rows.output + rows.weight
      + rows.axis
      + rows.activity + rows.flow + 1
    return curvePlot(
      in: Area(
        x: inside.x, y: inside.y + above, width: inside.width, height: rows.curves - 1))
  }

  /// The plot within the rows of the curves: between two axes, above the epochs where there is room
  /// for them.
  private static func curvePlot(in strip: Area) -> Area {
    Area(
      x: strip.x + 7, y: strip.y, width: strip.width - 14,
      height: strip.height - (strip.height >= 4 ? 1 : 0))
  }

  /// Loss of a lane since it last changed.
  private static func lossSinceChange(_ lane: LaneSnapshot) -> [(x: Double, y: Double)] {
    lane.sinceChange(lane.curves.loss, lane.curves.loss.ys)
  }

  /// The same, smoothed, of all seeds.
  private static func lossSpread(_ snapshot: Snapshot, _ lane: LaneSnapshot) -> SeedSpread {
    SeedSpread(
      lane.seeds.map {
        let smooth = $0.curves.loss.smoothed(smoothing, per: snapshot.batchLength)
        return lane.sinceChange($0.curves.loss, smooth)
      })
  }

  private static let smoothing = 0.8

  private static func curves<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, _ lane: LaneSnapshot, _ rows: Rows, _ ink: Ink,
    _ area: inout Area,
    on surface: inout S
  ) {
    guard rows.curves >= 3 else { return }
    // The same axis for the same quantity: all lanes of this loss share it.
    let alike = snapshot.lanes.filter { $0.description == lane.description }
    let isShared = alike.count > 1 || snapshot.lanes.count == 1
    let axisNote = isShared ? "" : " (axis of its own)"
    let isAll = state.showsAllSeeds(snapshot) && !lane.seeds.isEmpty
    heading(
      "loss, smoothed \(smoothing)\(axisNote); test \(Wording.score(snapshot))\(snapshot.tests.note)"
        + (isAll ? "; median, range" : ""), &area, on: &surface)
    let strip = area.takeTop(rows.curves - 1)
    let plot = curvePlot(in: strip)
    guard plot.width > 4 else { return }
    let axis = Area(x: strip.x, y: strip.y, width: 6, height: plot.height)
    let right = strip.x + strip.width
    let spreads = isAll ? alike.map { lossSpread(snapshot, $0) } : []
    let values =
      isAll
      ? spreads.flatMap { $0.points.flatMap { [$0.low, $0.high] } }
      : alike.flatMap { lane in lossSinceChange(lane).map(\.y) }.filter(\.isFinite)
    let x = 0...snapshot.end
    if let high = values.max(), let low = values.min() {
      let span = low...max(high, low + 1e-9)
      if isAll {
        let spread = lossSpread(snapshot, lane)
        surface.range(spread, x: x, y: span, ink: .dim, in: plot)
        surface.plot([Curve(spread.median, ink: ink)], x: x, y: span, in: plot)
      } else {
        let smooth = lane.curves.loss.smoothed(smoothing, per: snapshot.batchLength)
        surface.plot([Curve(lossSinceChange(lane), ink: .frame)], x: x, y: span, in: plot)
        surface.plot(
          [Curve(lane.sinceChange(lane.curves.loss, smooth), ink: ink)], x: x, y: span, in: plot)
      }
      surface.valueAxis(span, in: axis)
    }
    var accuracy = zip(lane.curves.testAccuracy.xs, lane.curves.testAccuracy.ys)
      .map { (x: $0, y: $1) }
    if isAll {
      let spread = SeedSpread(
        lane.seeds.map { own in
          zip(own.curves.testAccuracy.xs, own.curves.testAccuracy.ys).map { (x: $0, y: $1) }
        })
      surface.range(spread, x: x, y: 0...1, ink: .good, in: plot)
      accuracy = spread.median
    }
    surface.plot([Curve(accuracy, ink: .good)], x: x, y: 0...1, in: plot)
    surface.text("100 %", endingAt: right, y: plot.y, style: CellStyle(.good))
    surface.text(
      "0 %", endingAt: right, y: plot.y + plot.height - 1, style: CellStyle(.good))
    for mark in snapshot.marks where mark.lane == lane.name || mark.lane.isEmpty {
      let column = plot.x + Int(mark.position / x.upperBound * Double(plot.width - 1))
      if column < plot.x + plot.width {
        surface.text("▲", x: column, y: plot.y + plot.height - 1, style: CellStyle(.accent))
      }
    }
    surface.pastCursor(snapshot, in: plot)
    if plot.height < strip.height {
      let ticks = Area(x: plot.x, y: plot.y + plot.height, width: plot.width, height: 1)
      surface.timeAxis(x, unit: "epochs", in: ticks)
    }
  }
}
