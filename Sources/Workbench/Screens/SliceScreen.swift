// SPDX-License-Identifier: MIT

import Charts
import Diagnosis
import Foundation
import Live

/// The loss along the update just made, beside what the gradient promised, with every spike that
/// appears or disappears on the way: what the exact gradient cannot see, in one picture.
enum SliceScreen: WorkbenchScreen {
  static let name = "slice"
  static let title = "Slice"
  static let figures = [FigureKind(SliceFigure.self)]
  static func detail(_ state: WorkbenchState) -> Detail? { .slice }

  static func tables(_ state: WorkbenchState, _ snapshot: Snapshot) -> [(name: String, csv: String)]
  { [("slice", DiagnosisFiles.slice(snapshot)), ("events", DiagnosisFiles.sliceEvents(snapshot))] }

  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard let lane = state.chosen(snapshot) else { return }
    var rest = area
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: Text.fit(
        "loss along update\(lane.slice.map { $0.update > 0 ? " \($0.update)" : "" } ?? ""), "
          + "L(w + a dw); \(lane.letter) \(Wording.label(lane))",
        area.width - 6), style: CellStyle(lane.ink, bold: true))
    rest = area.inside
    rest.x += 1
    rest.width -= 2
    guard let slice = lane.slice, slice.points.count > 1 || !slice.failure.isEmpty else {
      let text =
        snapshot.isStill
        ? "computing: the update after the checkpoint"
        : state.back > 0
          ? "of the past there are weights but no updates: \(state.keys.label("live")) goes back to live"
          : lane.detail.sliced.map { "computing: update \($0), by the exact solver" }
            ?? "waiting for an observed update: \(state.keys.label("batch")) trains one batch and observes it"
      surface.text(Text.fit(text, rest.width), x: rest.x, y: rest.y, style: .dim)
      return
    }
    if !slice.failure.isEmpty {
      surface.text(
        Text.fit(slice.failure, rest.width), x: rest.x, y: rest.y, style: CellStyle(.alarm))
      guard slice.points.count > 1 else { return }
      _ = rest.takeTop(1)
    }
    let words = sentences(slice, rest.width, isOfGrid: !lane.trainsExactly)
    var lines = Lines(rest.takeTop(min(words.count, max(rest.height - 6, 0))))
    for line in words { lines.add(line, .plain, on: &surface) }
    let listRows = rest.height >= 18 && !slice.events.isEmpty ? min(8, rest.height / 4) : 0
    var plot = rest.takeTop(rest.height - listRows)
    chart(slice, lane, in: &plot, on: &surface)
    list(slice, snapshot, lane, in: rest, on: &surface)
  }

  /// What the picture says, in words.
  /// - Parameter isOfGrid: whether the lane trains on a grid, which the ledger is of.
  static func sentences(_ slice: Slice, _ width: Int, isOfGrid: Bool) -> [String] {
    var text =
      (isOfGrid ? "In continuous time (the ledger is of the lane's grid) the" : "The")
      + " gradient promised \(Text.signed(slice.slope)) for one update"
    if let one = slice.points.first(where: { abs($0.a - 1) < 1e-9 }), let start = slice.points.first
    {
      text += ", the probe's loss changed by \(Text.signed(one.loss - start.loss))"
    }
    let upToOne = slice.events.filter { $0.a <= 1 }
    let created = upToOne.count { $0.kind == .created }
    text += "; spikes that came: \(created), that went: \(upToOne.count - created). "
    if let radius = slice.radius {
      text +=
        "Up to a = \(Text.short(radius)) none does: so far the gradient knew of all that happens."
    } else if let first = slice.events.map({ $0.a + $0.precision }).min() {
      text += "The first of them by a = \(Text.short(first))."
    } else {
      text += "None comes or goes up to a = \(Text.short(slice.points.last?.a ?? 0))."
    }
    if slice.progress < 1 { text += String(format: " %.0f %% done.", 100 * slice.progress) }
    return Text.wrapped(text, width)
  }

  private static func chart<S: Surface>(
    _ slice: Slice, _ lane: LaneSnapshot, in area: inout Area, on surface: inout S
  ) {
    guard area.height >= 5, area.width > 30 else { return }
    var marks = area.takeBottom(2)
    let axis = area.takeLeft(9)
    _ = marks.takeLeft(9)
    let ticks = marks.takeBottom(1)
    let losses = slice.points.map(\.loss)
    let promised = [0, Slice.range].map { slice.promised(at: $0) }
    // The promise may lead far away: it is cut where it would squeeze the loss to a line.
    let (low, high) = (losses.min()!, losses.max()!)
    let span = max(high - low, abs(slice.slope), 1e-12)
    let bottom = max(min(low, promised.min()!), low - span) - 0.05 * span
    let top = min(max(high, promised.max()!), high + span) + 0.05 * span
    surface.valueAxis(bottom...top, in: Area(x: axis.x, y: axis.y, width: 8, height: axis.height))
    let x = 0...Slice.range
    if let radius = slice.radius, radius <= Slice.range {
      let column = area.x + Int(radius / Slice.range * Double(area.width - 1))
      for y in area.y..<area.y + area.height {
        surface.text("┊", x: column, y: y, style: CellStyle(.frame))
      }
    }
    let one = area.x + Int(Double(area.width - 1) / Slice.range)
    for y in area.y..<area.y + area.height {
      surface.text("│", x: one, y: y, style: CellStyle(.frame))
    }
    var curves = slice.matrices.enumerated().map { index, matrix in
      Curve(matrix.points.map { ($0.a, $0.loss) }, ink: .series(lane.identity + 1 + index))
    }
    curves.append(
      Curve(
        (0...40).map { k in
          let a = Slice.range * Double(k) / 40
          return (a, slice.promised(at: a))
        }.filter { $0.1 >= bottom && $0.1 <= top }, ink: .dim))
    curves.append(Curve(slice.points.map { ($0.a, $0.loss) }, ink: lane.ink))
    surface.plot(curves, x: x, y: bottom...top, in: area)
    legend(slice, lane, in: area, on: &surface)
    for event in slice.events {
      let column = marks.x + Int(event.a / Slice.range * Double(marks.width - 1))
      surface.text(
        event.kind == .created ? "+" : "x", x: column, y: marks.y,
        style: CellStyle(event.kind == .created ? .good : .alarm, bold: true))
    }
    surface.text("events", x: marks.x - 8, y: marks.y, style: .dim)
    for a in 0...3 {
      let label = a == 0 ? "old w" : a == 1 ? "a = 1, new w" : "\(a)"
      let column = ticks.x + Int(Double(a) / Slice.range * Double(ticks.width - 1))
      surface.text(
        label, x: min(column, ticks.x + ticks.width - label.count), y: ticks.y, style: .dim)
    }
  }

  private static func legend<S: Surface>(
    _ slice: Slice, _ lane: LaneSnapshot, in area: Area, on surface: inout S
  ) {
    let entries =
      [("L(w + a dw)", lane.ink), ("promised", Ink.dim)]
      + slice.matrices.enumerated().map {
        ("\(Wording.array($1.name)) alone", Ink.series(lane.identity + 1 + $0))
      }
    guard area.height >= 2 * entries.count + 2, area.width > 50 else { return }
    for (row, entry) in entries.enumerated() {
      surface.text(
        "─ " + entry.0, endingAt: area.x + area.width, y: area.y + row, style: CellStyle(entry.1))
    }
  }

  private static func list<S: Surface>(
    _ slice: Slice, _ snapshot: Snapshot, _ lane: LaneSnapshot, in area: Area,
    on surface: inout S
  ) {
    guard area.height >= 3 else { return }
    var lines = Lines(area)
    let (shown, left) = Lines.fitting(slice.events.count, rows: area.height - 1)
    lines.add("the first events: + created, x deleted on the way", .dim, on: &surface)
    for event in slice.events.prefix(shown) {
      let place =
        event.precision < 1e-3
        ? String(format: "a %.6f", event.a)
        : String(format: "a %.2f ± %.2f", event.a, event.precision)
      lines.add(
        "\(event.kind == .created ? "+" : "x") \(Text.pad(place, 16)) \(lane.layerName(event.layer)) "
          + "neuron \(event.neuron) at \(Text.short(event.time)) ms, "
          + "sample \(snapshot.sample(ofTrial: event.trial))",
        CellStyle(event.kind == .created ? .good : .alarm), on: &surface)
    }
    if left > 0 { lines.add("\(left) more: x writes them all", .dim, on: &surface) }
  }
}

extension ScreenKind {
  static let slice = ScreenKind(SliceScreen.self)
}
