// SPDX-License-Identifier: MIT

import Live
import Charts
import Diagnosis
import Foundation

/// What updates do to spikes, and what that does to the loss: the last observed update, the sums
/// since the start, the most costly events, margins and the spikes at risk.
public enum LedgerScreen: WorkbenchScreen {
  static let name = "ledger"
  static let title = "Ledger"
  static func detail(_ state: WorkbenchState) -> Detail? { .ledger }

  static func tables(_ state: WorkbenchState, _ snapshot: Snapshot) -> [(name: String, csv: String)]
  {
    [
      ("ledger", DiagnosisFiles.updates(snapshot)), ("events", DiagnosisFiles.events(snapshot)),
      ("margins", DiagnosisFiles.margins(snapshot)),
    ]
  }

  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard let lane = state.chosen(snapshot) else { return }
    guard let ledger = lane.ledger else {
      surface.frame(
        x: area.x, y: area.y, width: area.width, height: area.height,
        title: "ledger: \(lane.letter) \(Wording.label(lane))",
        style: CellStyle(lane.ink, bold: true))
      let seen = lane.totals.updates
      let text =
        (seen > 0
          ? "no update observed since the run was opened (\(Text.grouped(Double(seen))) before): "
          : "no update observed yet: the preset's diagnosis.every says how often; ")
        + "\(state.keys.label("batch")) observes one"
      surface.text(
        String(text.prefix(area.width - 4)), x: area.x + 2, y: area.y + 1, style: .dim)
      return
    }
    var rest = area
    let isWide = area.width >= 116
    // Frame, six lines and one a layer; narrow, another for the sums.
    let summary = isWide ? max(8 + ledger.layers.count, 10) : 9 + ledger.layers.count
    var top = rest.takeTop(min(area.height, summary))
    let update = isWide ? top.takeLeft(area.width / 2) : top
    self.update(lane, ledger, isWide: isWide, in: update, on: &surface)
    if isWide { totals(lane, in: top, on: &surface) }
    let histogramRows = min(rest.height / 2, max(9, area.height / 4))
    var lists = rest.takeTop(rest.height - histogramRows)
    let events = isWide ? lists.takeLeft(area.width / 2) : lists
    self.events(ledger, snapshot, in: events, on: &surface)
    if isWide { atRisk(lane, snapshot, in: lists, on: &surface) }
    margins(state, lane, in: rest, on: &surface)
  }

  private static func update<S: Surface>(
    _ lane: LaneSnapshot, _ ledger: Ledger, isWide: Bool, in area: Area, on surface: inout S
  ) {
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: Text.fit(
        "ledger, epoch \(ledger.epoch + 1) batch \(ledger.batch + 1): \(lane.letter) \(Wording.label(lane))",
        area.width - 6),
      style: CellStyle(lane.ink, bold: true))
    var lines = Lines(area.inside)
    let isOpposed = ledger.predicted * ledger.actual < 0
    lines.add("change of the probe's loss", .dim, on: &surface)
    lines.add("  predicted, g . dw  \(Text.signed(ledger.predicted))", .plain, on: &surface)
    lines.add(
      "  actual             \(Text.signed(ledger.actual))\(isOpposed ? "  ▲ the other way" : "")",
      CellStyle(isOpposed ? .alarm : .text), on: &surface)
    lines.add(
      "  beyond prediction  \(Text.signed(ledger.gap))", .plain, on: &surface)
    lines.add(
      "  created, deleted   "
        + effect(
          ledger.byCreationAndDeletion, ledger.creationAndDeletionError, ledger.priced,
          of: ledger.created + ledger.deleted), .plain, on: &surface)
    lines.add(
      "spikes  unchanged   moved created deleted  mean shift, ms", .dim, on: &surface)
    for layer in ledger.layers {
      let numbers =
        Text.right(String(layer.unchanged), 9)
        + [layer.moved, layer.created, layer.deleted].map { Text.right(String($0), 8) }.joined()
      lines.add(
        Text.pad(layer.layer, 8) + numbers + Text.right(shift(layer.meanShift), 12), .plain,
        on: &surface)
    }
    if !isWide {
      let totals = lane.totals
      lines.add(
        "all \(totals.updates) observed: \(totals.created) created, \(totals.deleted) deleted",
        .plain, on: &surface)
    }
  }

  private static func totals<S: Surface>(
    _ lane: LaneSnapshot, in area: Area, on surface: inout S
  ) {
    let totals = lane.totals
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: "since the start: \(Text.grouped(Double(totals.updates))) scheduled updates",
      style: .bold)
    var lines = Lines(area.inside)
    lines.add(
      "created \(Text.grouped(Double(totals.created)))   deleted \(Text.grouped(Double(totals.deleted)))   moved \(Text.grouped(Double(totals.moved)))",
      .plain, on: &surface)
    lines.add("change of the probe's loss, summed", .dim, on: &surface)
    lines.add("  predicted          \(Text.signed(totals.predicted))", .plain, on: &surface)
    lines.add("  actual             \(Text.signed(totals.actual))", .plain, on: &surface)
    lines.add(
      "  beyond prediction  \(Text.signed(totals.actual - totals.predicted))\(share(totals))",
      .plain,
      on: &surface)
    lines.add(
      "  created, deleted   "
        + effect(totals), .plain, on: &surface)
    lines.add(
      "updates that went against the prediction: \(totals.opposed)", .plain, on: &surface)
    lines.add(
      "at risk: \(lane.risks.cameTrue) went as predicted, \(lane.risks.didNot) stayed, \(lane.risks.watched) watched",
      .plain, on: &surface)
  }

  /// The sums' effect of creation and deletion, with what it rests on.
  public static func effect(_ totals: LedgerTotals) -> String {
    effect(
      totals.byCreationAndDeletion, totals.byCreationAndDeletionError, totals.priced,
      of: totals.created + totals.deleted)
  }

  /// The effect of created and deleted spikes on the loss, each priced alone, with what it rests
  /// on.
  private static func effect(_ change: Double, _ error: Double?, _ priced: Int, of all: Int)
    -> String
  {
    if all == 0 { return "none was created or deleted" }
    guard let error else { return "\(Text.unknown)  \(priced) of \(all) priced: too few" }
    let bar = priced < all ? String(format: " ± %.1e", error) : ""
    return "\(Text.signed(change))\(bar)  \(priced)/\(Text.grouped(Double(all))) priced"
  }

  /// ms; what rounds to nothing is nothing.
  private static func shift(_ milliseconds: Double) -> String {
    abs(milliseconds) < 5e-4 ? "0" : String(format: "%+.3f", milliseconds)
  }

  /// A share only of what is not near 0.
  private static func share(_ totals: LedgerTotals) -> String {
    guard abs(totals.actual) >= 0.5 * abs(totals.predicted), totals.actual != 0 else { return "" }
    return String(
      format: "  (%.0f %% of the actual)",
      100 * (totals.actual - totals.predicted) / totals.actual)
  }

  private static func events<S: Surface>(
    _ ledger: Ledger, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard area.height >= 3 else { return }
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: "created and deleted spikes, the most costly first", style: .bold)
    var lines = Lines(area.inside)
    guard !ledger.events.isEmpty else {
      lines.add("this update only moved spikes; n trains and observes another", .dim, on: &surface)
      return
    }
    lines.add(
      "event    layer    neuron  sample      time  change of loss", .dim, on: &surface)
    let (shown, left) = Lines.fitting(ledger.created + ledger.deleted, rows: area.height - 3)
    for event in ledger.events.prefix(shown) {
      let layer =
        ledger.layers.indices.contains(event.layer) ? ledger.layers[event.layer].layer : "output"
      let text =
        Text.pad(event.kind.rawValue, 9) + Text.pad(layer, 8)
        + Text.right(String(event.neuron), 7)
        + Text.right(String(snapshot.sample(ofTrial: event.trial)), 8)
        + Text.right(String(format: "%.1f ms", event.time), 10) + "  "
        + (event.lossChange.map { Text.signed($0) } ?? "not priced")
      lines.add(text, CellStyle(event.kind == .deleted ? .accent : .good), on: &surface)
    }
    if left > 0 { lines.add("\(left) more", .dim, on: &surface) }
  }

  private static func atRisk<S: Surface>(
    _ lane: LaneSnapshot, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard area.height >= 3 else { return }
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: "at risk: spikes whose margin above threshold shrinks", style: .bold)
    var lines = Lines(area.inside)
    guard !lane.atRisk.isEmpty else {
      lines.add("none would be gone within 200 updates at its present pace", .dim, on: &surface)
      return
    }
    lines.add("layer    neuron  sample      time   margin  updates left", .dim, on: &surface)
    let (shown, left) = Lines.fitting(lane.atRisk.count, rows: area.height - 3)
    for spike in lane.atRisk.prefix(shown) {
      lines.add(
        Text.pad(spike.layer < lane.layers.count ? "hidden\(spike.layer + 1)" : "output", 8)
          + Text.right(String(spike.neuron), 7)
          + Text.right(String(snapshot.sample(ofTrial: spike.trial)), 8)
          + Text.right(String(format: "%.1f ms", spike.time), 10)
          + Text.right(Text.short(spike.margin), 9)
          + Text.right(String(format: "%.0f", spike.updates), 14),
        .plain, on: &surface)
    }
    if left > 0 { lines.add("\(left) more", .dim, on: &surface) }
  }

  private static func margins<S: Surface>(
    _ state: WorkbenchState, _ lane: LaneSnapshot, in area: Area, on surface: inout S
  ) {
    guard area.height >= 4 else { return }
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: Text.fit(
        "margins of V: silent stretches below threshold | spikes above; log counts",
        area.width - 6), style: .bold)
    var plot = area.inside
    guard
      let histogram = lane.margins.isEmpty
        ? nil : lane.margins[min(state.layer, lane.margins.count - 1)]
    else {
      surface.text("computing", x: plot.x, y: plot.y, style: .dim)
      return
    }
    let label = plot.takeLeft(min(10, plot.width / 4))
    surface.text(histogram.layer, x: label.x, y: label.y, style: .dim)
    let axisRow = Area(x: plot.x, y: plot.y + plot.height - 1, width: plot.width, height: 1)
    plot.height -= 1
    let bins = histogram.counts.count
    // Silent stretches have no lane's colour: the halves differ whatever the lane is.
    let taken = surface.histogram(histogram.counts, isLogarithmic: true, in: plot) {
      $0 < bins / 2 ? .frame : lane.ink
    }
    let width = taken > 0 ? taken : plot.width
    surface.text("-\(Text.short(histogram.range))", x: axisRow.x, y: axisRow.y, style: .dim)
    surface.text("0", x: axisRow.x + width / 2, y: axisRow.y, style: .bold)
    surface.text(
      "+\(Text.short(histogram.range))", endingAt: axisRow.x + width, y: axisRow.y, style: .dim)
    if plot.height > 2 {
      let most = "most \(histogram.counts.max() ?? 0)"
      surface.text(Text.fit(most, label.width - 1), x: label.x, y: label.y + 1, style: .dim)
    }
  }
}

extension ScreenKind {
  static let ledger = ScreenKind(LedgerScreen.self)
}
