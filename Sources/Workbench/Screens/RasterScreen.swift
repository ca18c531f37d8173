// SPDX-License-Identifier: MIT

import Live
import Charts
import Diagnosis
import Foundation

/// One layer of the probe trial, large: zoom, pan, order of neurons, a cursor that reads out.
enum RasterScreen: WorkbenchScreen {
  static let name = "raster"
  static let title = "Raster"
  static let figures = [FigureKind(RasterFigure.self)]
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
      name: "marks", keys: [.character("m")], short: "marks",
      title: "marks of the last observed update: created, deleted, moved, at risk",
      run: { state, _ in
        state.hasMarks.toggle()
        return []
      }),
    Action(
      name: "trace-spike", keys: [.enter], short: "Enter trace",
      title: "V(t) of the clicked neuron",
      obstacle: { state, _ in state.traced == nil ? "click on a spike first" : nil },
      run: { state, _ in
        state.screen = .trace
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

  static func detail(_ state: WorkbenchState) -> Detail? { .step }

  static func tables(_ state: WorkbenchState, _ snapshot: Snapshot) -> [(name: String, csv: String)]
  { [("raster", FigureFiles.raster(snapshot)), ("step", DiagnosisFiles.step(snapshot))] }

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
    pick(&state, snapshot, row: y - plot.y, in: plot)
    return []
  }

  /// The spike next to the click is the one that is told of and traced.
  private static func pick(
    _ state: inout WorkbenchState, _ snapshot: Snapshot, row: Int, in plot: Area
  ) {
    guard let lane = state.chosen(snapshot), let cursor = state.cursor else { return }
    let picture = Picture(state, snapshot, lane)
    let time = cursor * snapshot.duration
    let perColumn =
      (state.zoom.upperBound - state.zoom.lowerBound) * snapshot.duration / Double(plot.width)
    let near = picture.spikes.filter {
      abs($0.time - time) <= 1.5 * perColumn
        && abs(picture.rank[$0.neuron] * plot.height / max(picture.rows.count, 1) - row) <= 1
    }.min {
      let a = abs(picture.rank[$0.neuron] * plot.height / max(picture.rows.count, 1) - row)
      let b = abs(picture.rank[$1.neuron] * plot.height / max(picture.rows.count, 1) - row)
      return (a, abs($0.time - time)) < (b, abs($1.time - time))
    }
    guard let near else { return }
    let own =
      picture.index < lane.trial.layers.count
      ? lane.trial.layers[picture.index].filter { $0.neuron == near.neuron }.map(\.time) : []
    state.traced = Traced(
      layer: picture.index, neuron: near.neuron,
      spike: own.enumerated().min { abs($0.element - near.time) < abs($1.element - near.time) }?
        .offset)
    state.notice = words(near, picture)
  }

  /// A spike in words: when, whose, what became of it, margin, price.
  private static func words(_ spike: StepPicture.Spike, _ picture: Picture) -> String {
    var text = "neuron \(spike.neuron) at \(String(format: "%.2f", spike.time)) ms"
    switch spike.fate {
    case .kept: text += picture.isStep ? ": stayed" : ""
    case .moved(let from):
      text += String(format: ": moved by %+.3f ms", spike.time - from)
    case .created: text += ": created"
    case .deleted: text += ": deleted"
    }
    if let margin = spike.margin { text += ", margin \(Text.short(margin))" }
    if let price = spike.price { text += ", it changed the loss by \(Text.signed(price))" }
    if spike.isAtRisk { text += ", about to go" }
    return text + "; Enter traces it"
  }

  /// What is drawn: the spikes of the last observed update where the shown sample is of the probe
  /// set, else those of now.
  private struct Picture {
    var index: Int
    var size: Int
    var spikes: [StepPicture.Spike]
    var isStep = false
    var rows: [Int]
    /// Row by neuron.
    var rank: [Int]
    var counts = (kept: 0, moved: 0, created: 0, deleted: 0)

    init(_ state: WorkbenchState, _ snapshot: Snapshot, _ lane: LaneSnapshot) {
      let layers = lane.trial.layers
      index = min(state.layer, max(layers.count - 1, 0))
      size = index < lane.layers.count ? lane.layers[index].size : snapshot.classNames.count
      var all: [StepPicture.Spike] = []
      if state.hasMarks, let step = lane.step, step.layers.indices.contains(index) {
        all = step.layers[index]
        counts = step.counts(layer: index)
        isStep = true
      } else if layers.indices.contains(index) {
        all = layers[index].map {
          StepPicture.Spike(neuron: $0.neuron, time: $0.time, fate: .kept)
        }
      }
      let size = size
      let chosen = Set(state.neurons.filter { $0 < size })
      spikes = all.filter { chosen.isEmpty || chosen.contains($0.neuron) }
      rows = RasterScreen.order(
        spikes.map { ($0.neuron, $0.time) }, size: size,
        by: state.order
      ).filter { chosen.isEmpty || chosen.contains($0) }
      rank = Array(repeating: 0, count: size)
      for (row, neuron) in rows.enumerated() { rank[neuron] = row }
    }
  }

  private static func plotArea(in area: Area) -> Area {
    let inside = area.inside
    return Area(
      x: inside.x + 7, y: inside.y + 1, width: inside.width - 8, height: inside.height - 3)
  }

  private static func said(_ lane: LaneSnapshot, _ snapshot: Snapshot) -> String {
    snapshot.isRegression
      ? ""
      : ", label \(Wording.className(lane.trial.label, snapshot)), "
        + "answer \(Wording.className(lane.trial.prediction, snapshot))"
  }

  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard let lane = state.chosen(snapshot) else { return }
    let picture = Picture(state, snapshot, lane)
    let (index, size) = (picture.index, picture.size)
    let isHidden = index < lane.layers.count
    let name = isHidden ? "hidden\(index + 1)" : "output"
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: Text.fit(
        "\(name) by \(state.order.rawValue); sample \(snapshot.probe)\(said(lane, snapshot)); "
          + "\(lane.letter) \(Wording.label(lane))", area.width - 6),
      style: CellStyle(lane.ink, bold: true))
    let plot = plotArea(in: area)
    guard plot.width > 10, plot.height > 2, !picture.rows.isEmpty,
      lane.trial.layers.indices.contains(index)
    else { return }
    let chosen = Set(state.neurons.filter { $0 < size })
    let (spikes, rows, rank) = (picture.spikes, picture.rows, picture.rank)
    let span = max(snapshot.duration, 1e-9)
    let time = (state.zoom.lowerBound * span)...(state.zoom.upperBound * span)
    let active = Set(spikes.map(\.neuron)).count
    let shown = spikes.count { time.contains($0.time) }
    summary(picture, lane, active: active, shown: shown, in: area, on: &surface)
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
      readOut(state, snapshot, spikes.map { ($0.time, $0.neuron) }, cursor, plot, on: &surface)
    }
    surface.raster(
      spikes.filter { $0.fate == .kept || !picture.isStep }.map {
        RasterSpike(time: $0.time, row: rank[$0.neuron], ink: lane.ink)
      }, rows: rows.count, time: time, in: plot)
    if picture.isStep { marks(spikes, rank, rows.count, time, in: plot, on: &surface) }
    surface.timeAxis(
      time, unit: "ms",
      in: Area(x: plot.x, y: plot.y + plot.height, width: plot.width, height: 1))
  }

  /// Counts; with marks, what they mean.
  private static func summary<S: Surface>(
    _ picture: Picture, _ lane: LaneSnapshot, active: Int, shown: Int, in area: Area,
    on surface: inout S
  ) {
    var text =
      "\(picture.spikes.count) spikes of \(active) of \(picture.rows.count) neurons; "
      + "\(picture.rows.count - active) silent; \(shown) in view"
    if picture.isStep {
      let counts = picture.counts
      let place = lane.ledger.map { ", epoch \($0.epoch + 1) batch \($0.batch + 1)" } ?? ""
      text =
        "last observed update\(place): \(counts.created) created +  \(counts.deleted) deleted x  "
        + "\(counts.moved) moved ‹ ›  \(picture.spikes.count { $0.isAtRisk }) at risk !  "
        + "\(picture.rows.count - active) silent"
    }
    surface.text(
      Text.fit(text, area.width - 4), x: area.x + 2, y: area.y + 1, style: .plain)
  }

  /// What the update did to a spike, each in a cell of its own; what matters more lies on top.
  private static func marks<S: Surface>(
    _ spikes: [StepPicture.Spike], _ rank: [Int], _ rows: Int, _ time: ClosedRange<Double>,
    in plot: Area, on surface: inout S
  ) {
    func mark(_ spike: StepPicture.Spike) -> (glyph: String, style: CellStyle, weight: Int)? {
      if spike.isAtRisk { return ("!", CellStyle(.accent, bold: true), 2) }
      switch spike.fate {
      case .kept: return nil
      case .moved(let from): return (spike.time > from ? "›" : "‹", .plain, 1)
      case .created: return ("+", CellStyle(.good, bold: true), 3)
      case .deleted: return ("x", CellStyle(.alarm, bold: true), 4)
      }
    }
    let span = time.upperBound - time.lowerBound
    let marked = spikes.compactMap { spike in mark(spike).map { (spike, $0) } }
      .filter { time.contains($0.0.time) }.sorted { $0.1.weight < $1.1.weight }
    for (spike, mark) in marked {
      let share = min((spike.time - time.lowerBound) / span, 0.999_999)
      surface.text(
        mark.glyph, x: plot.x + Int(share * Double(plot.width)),
        y: plot.y + rank[spike.neuron] * plot.height / rows, style: mark.style)
    }
  }

  private static func readOut<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, _ spikes: [(time: Double, neuron: Int)],
    _ cursor: Double, _ plot: Area, on surface: inout S
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
      + (near.isEmpty
        ? "no spike"
        : (near.count == 1 ? "neuron \(list)" : "\(near.count) spikes, neurons \(list)"))
    surface.text(
      Text.fit("  " + text, plot.width), endingAt: plot.x + plot.width, y: plot.y - 1,
      style: CellStyle(.accent))
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
  static func order(
    _ spikes: [(neuron: Int, time: Double)], size: Int, by order: RasterOrder
  ) -> [Int] {
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
