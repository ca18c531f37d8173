// SPDX-License-Identifier: MIT

import Charts
import Diagnosis
import Foundation
import Live

/// V(t) of one neuron on the shown sample: its threshold, what arrived and by how much each of it
/// moved V, where it came closest, what would wake it, and what goes on without one of its spikes.
enum TraceScreen: WorkbenchScreen {
  static let name = "trace"
  static let title = "Trace"
  static let key: Key? = .character("v")
  static func detail(_ state: WorkbenchState) -> Detail? {
    let traced = state.traced ?? Traced(layer: 0, neuron: 0)
    return .trace(layer: traced.layer, neuron: traced.neuron, spike: traced.spike)
  }

  static let actions: [Action] = [
    Action(
      name: "neuron-after", keys: [.down], short: "↑ ↓ neuron", title: "the next neuron",
      run: { state, snapshot in step(&state, snapshot, by: 1) }),
    Action(
      name: "neuron-before", keys: [.up], short: "", title: "the neuron before",
      run: { state, snapshot in step(&state, snapshot, by: -1) }),
    Action(
      name: "spike-after", keys: [.right], short: "← → spike",
      title: "its next spike: what made it, and what goes on without it",
      run: { state, snapshot in spike(&state, snapshot, by: 1) }),
    Action(
      name: "spike-before", keys: [.left], short: "",
      title: "its spike before; before the first, where it comes closest to threshold",
      run: { state, snapshot in spike(&state, snapshot, by: -1) }),
    Action(
      name: "trace-layer", keys: [.character("y")], short: "layer",
      title: "the same neuron of the next layer",
      run: { state, snapshot in
        let layers = state.chosen(snapshot)?.trial.layers.count ?? 1
        var traced = state.traced ?? Traced(layer: 0, neuron: 0)
        traced = Traced(layer: (traced.layer + 1) % max(layers, 1), neuron: traced.neuron)
        state.traced = traced
        return step(&state, snapshot, by: 0)
      }),
  ]

  private static func step(
    _ state: inout WorkbenchState, _ snapshot: Snapshot, by change: Int
  ) -> [Effect] {
    let traced = state.traced ?? Traced(layer: 0, neuron: 0)
    let size = size(of: traced.layer, state, snapshot)
    state.traced = Traced(
      layer: traced.layer, neuron: min(max(traced.neuron + change, 0), max(size - 1, 0)))
    return []
  }

  private static func size(
    of layer: Int, _ state: WorkbenchState, _ snapshot: Snapshot
  ) -> Int {
    guard let lane = state.chosen(snapshot) else { return 1 }
    return lane.layers.indices.contains(layer)
      ? lane.layers[layer].size : snapshot.classNames.count
  }

  private static func spike(
    _ state: inout WorkbenchState, _ snapshot: Snapshot, by change: Int
  ) -> [Effect] {
    var traced = state.traced ?? Traced(layer: 0, neuron: 0)
    let count = state.chosen(snapshot)?.trace?.spikes.count ?? 0
    let next = (traced.spike ?? -1) + change
    traced.spike = next < 0 ? nil : min(next, count - 1)
    if count == 0 { traced.spike = nil }
    state.traced = traced
    return []
  }

  static func tables(_ state: WorkbenchState, _ snapshot: Snapshot) -> [(name: String, csv: String)]
  { [("trace", DiagnosisFiles.trace(snapshot)), ("shares", DiagnosisFiles.shares(snapshot))] }

  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard let lane = state.chosen(snapshot) else { return }
    let traced = state.traced ?? Traced(layer: 0, neuron: 0)
    let name = population(traced.layer + 1, lane)
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: Text.fit(
        "V(t) of \(name) neuron \(traced.neuron), sample \(snapshot.probe)"
          + (snapshot.isRegression
            ? "" : " (\(Wording.className(lane.trial.label, snapshot)))")
          + "; \(lane.letter) \(Wording.label(lane))",
        area.width - 6), style: CellStyle(lane.ink, bold: true))
    var rest = area.inside
    rest.x += 1
    rest.width -= 2
    guard let trace = lane.trace, trace.layer == traced.layer, trace.neuron == traced.neuron,
      trace.asked == traced.spike
    else {
      let text =
        lane.trial.layers.isEmpty
        ? "no spiking neurons here" : "computing; only neurons that spike have a trace"
      surface.text(Text.fit(text, rest.width), x: rest.x, y: rest.y, style: .dim)
      return
    }
    let words = sentences(trace, lane, rest.width)
    var lines = Lines(rest.takeTop(min(words.count, max(rest.height - 7, 0))))
    for line in words { lines.add(line, .plain, on: &surface) }
    let listRows = rest.height >= 16 ? min(12, rest.height / 3) : 0
    var plot = rest.takeTop(rest.height - listRows)
    chart(trace, snapshot, lane, in: &plot, on: &surface)
    list(trace, lane, in: rest, on: &surface)
  }

  /// `input`, `hidden1`, ..., `output`.
  private static func population(_ index: Int, _ lane: LaneSnapshot) -> String {
    index == 0 ? "input" : index <= lane.layers.count ? "hidden\(index)" : "output"
  }

  static func sentences(_ trace: Trace, _ lane: LaneSnapshot, _ width: Int) -> [String] {
    var text: String
    let sums = trace.sums.indices.filter { trace.sums[$0] != 0 }
      .map { "\(population($0, lane)) \(Text.fixed(trace.sums[$0], 3))" }
      .joined(separator: ", ")
    if let spike = trace.spike {
      text =
        "Spike \(spike + 1) of \(trace.spikes.count) at \(String(format: "%.2f", trace.spikes[spike])) ms: "
        + "V is made of \(sums.isEmpty ? "nothing" : sums). "
      if let down = trace.downstream {
        let (deleted, created, moved) = (
          down.deleted.reduce(0, +), down.created.reduce(0, +), down.moved.reduce(0, +)
        )
        text +=
          "Without it the loss of this sample changes by \(Text.signed(down.lossChange)); "
          + "\(deleted) other spikes go, \(created) come, \(moved) move."
      }
    } else {
      let gap = trace.distance
      text =
        trace.spikes.isEmpty
        ? "Silent here: V comes to \(Text.fixed(trace.reference.v, 3)) at "
          + "\(Text.fixed(trace.reference.time, 1)) ms, \(Text.fixed(gap, 3)) below threshold; "
          + "there it is made of \(sums.isEmpty ? "nothing" : sums). "
        : trace.spikes.count == 1 ? "1 spike. " : "\(trace.spikes.count) spikes. "
      if let lift = trace.lift {
        text += "\(Text.signed(lift)) on all its weights would wake it (the ghost)."
      }
    }
    return Text.wrapped(text, width)
  }

  private static func chart<S: Surface>(
    _ trace: Trace, _ snapshot: Snapshot, _ lane: LaneSnapshot, in area: inout Area,
    on surface: inout S
  ) {
    guard area.height >= 6, area.width > 30 else { return }
    var foot = area.takeBottom(3)
    let axis = area.takeLeft(9)
    _ = foot.takeLeft(9)
    let spikes = foot.takeTop(1)
    let inputs = foot.takeTop(1)
    let time = 0...max(snapshot.duration, 1e-9)
    let all = (trace.points + trace.ghost).map(\.v).filter(\.isFinite)
    let low = min(all.min() ?? 0, 0)
    let high = max(
      all.max() ?? 0, trace.thresholds.map(\.v).max() ?? trace.threshold, trace.threshold)
    let margin = 0.04 * max(high - low, 1e-9)
    let range = (low - margin)...(high + margin)
    surface.valueAxis(range, in: Area(x: axis.x, y: axis.y, width: 8, height: axis.height))
    let row =
      area.y
      + Int(
        (range.upperBound - trace.threshold) / (range.upperBound - range.lowerBound)
          * Double(area.height))
    // A threshold that spikes raise is a curve of its own.
    for x in area.x..<area.x + area.width where trace.thresholds.isEmpty {
      surface.text("┄", x: x, y: min(row, area.y + area.height - 1), style: CellStyle(.alarm))
    }
    surface.plot(
      [
        Curve(trace.thresholds.map { ($0.time, $0.v) }, ink: .alarm),
        Curve(trace.ghost.map { ($0.time, $0.v) }, ink: .dim),
        Curve(trace.points.map { ($0.time, $0.v) }, ink: lane.ink),
      ], x: time, y: range, in: area)
    surface.text(
      "threshold", endingAt: area.x + area.width, y: max(area.y, row - 1), style: .dim)
    let column =
      area.x
      + min(
        area.width - 1,
        Int(trace.reference.time / time.upperBound * Double(area.width)))
    for y in area.y..<area.y + area.height where y != row {
      surface.text("┊", x: column, y: y, style: CellStyle(.frame))
    }
    surface.text("spikes", x: spikes.x - 8, y: spikes.y, style: .dim)
    for (index, spike) in trace.spikes.enumerated() {
      let x = spikes.x + min(spikes.width - 1, Int(spike / time.upperBound * Double(spikes.width)))
      surface.text(
        index == trace.spike ? "▲" : "|", x: x, y: spikes.y,
        style: CellStyle(index == trace.spike ? .accent : lane.ink, bold: true))
    }
    surface.text("input", x: inputs.x - 8, y: inputs.y, style: .dim)
    shareRow(trace, time.upperBound, in: inputs, on: &surface)
    surface.timeAxis(time, unit: "ms", in: foot)
  }

  /// What arrived when, as heights: what lowers V as x.
  private static func shareRow<S: Surface>(
    _ trace: Trace, _ duration: Double, in area: Area, on surface: inout S
  ) {
    var columns = Array(repeating: 0.0, count: area.width)
    for share in trace.shares {
      let x = min(area.width - 1, Int(share.time / duration * Double(area.width)))
      columns[x] += share.value
    }
    let most = columns.map { abs($0) }.max() ?? 0
    guard most > 0 else { return }
    for (x, value) in columns.enumerated() where value != 0 {
      if value > 0 {
        surface.bar(x: area.x + x, y: area.y, share: max(value / most, 0.1), ink: .good)
      } else {
        surface.text("x", x: area.x + x, y: area.y, style: CellStyle(.alarm))
      }
    }
  }

  private static func list<S: Surface>(
    _ trace: Trace, _ lane: LaneSnapshot, in area: Area, on surface: inout S
  ) {
    guard area.height >= 3 else { return }
    var lines = Lines(area)
    let total = trace.sums.reduce(0, +)
    let own =
      trace.isOwn
      ? " (its threshold \(Text.short(trace.threshold)), tau_mem \(Text.short(trace.tauMem)) ms, "
        + "tau_syn \(Text.short(trace.tauSyn)) ms)" : ""
    lines.add(
      "\(trace.arrivals) \(trace.arrivals == 1 ? "spike" : "spikes") arrived before\(own); what each adds to V there:",
      .dim, on: &surface)
    for share in trace.shares.prefix(area.height - 1) {
      let part = total != 0 ? String(format: "%5.1f %%", 100 * share.value / total) : ""
      lines.add(
        Text.right(String(format: "%+.4f", share.value), 9) + " \(Text.right(part, 8))  "
          + "\(Text.pad(population(share.source, lane), 8)) \(Text.right(String(share.neuron), 5)) "
          + String(format: "at %8.2f ms  weight %+.4f", share.time, share.weight)
          + (share.delay > 0
            ? String(format: "  sent %.2f ms, delay %.2f", share.time - share.delay, share.delay)
            : ""),
        share.value >= 0 ? .plain : CellStyle(.alarm), on: &surface)
    }
  }
}

/// The neuron that the trace is of.
public struct Traced: Sendable, Equatable {
  /// `0` is hidden1.
  public var layer: Int
  /// Index in it.
  public var neuron: Int
  /// One of its spikes in the shown trial; nil: where it comes closest to threshold.
  public var spike: Int?

  /// Checks nothing.
  public init(layer: Int, neuron: Int, spike: Int? = nil) {
    (self.layer, self.neuron, self.spike) = (layer, neuron, spike)
  }
}

extension ScreenKind {
  static let trace = ScreenKind(TraceScreen.self)
}
