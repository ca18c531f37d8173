import Charts
import Diagnosis
import Foundation
import Training

/// Who is silent, since when and why, what would wake them, and keys that do.
enum SilenceScreen {
  static let actions: [Action] = [
    Action(
      name: "next-neuron", keys: [.down], short: "↑ ↓ choose", title: "next silent neuron",
      screens: [.silence], obstacle: nobody,
      run: { state, snapshot in
        state.row = min(state.row + 1, count(state, snapshot) - 1)
        return []
      }),
    Action(
      name: "previous-neuron", keys: [.up], short: "", title: "silent neuron before",
      screens: [.silence], obstacle: nobody,
      run: { state, _ in
        state.row = max(0, state.row - 1)
        return []
      }),
    Action(
      name: "wake", keys: [.character("w")], short: "w wake",
      title: "lift the chosen neuron's weights until it reaches threshold", screens: [.silence],
      obstacle: incurable,
      run: { state, snapshot in
        guard let neuron = chosen(state, snapshot) else { return [] }
        return cure([neuron], state.lane)
      }),
    Action(
      name: "wake-all", keys: [.character("W")], short: "W all",
      title: "lift every listed neuron, the first 64", screens: [.silence], obstacle: nobody,
      run: { state, snapshot in
        let all = state.chosen(snapshot)?.silence?.neurons ?? []
        return cure(Array(all.prefix(64)), state.lane)
      }),
    Action(
      name: "redraw-neuron", keys: [.character("d")], short: "d redraw",
      title: "draw the chosen neuron's incoming weights anew", screens: [.silence],
      obstacle: nobody,
      run: { state, snapshot in
        guard let neuron = chosen(state, snapshot) else { return [] }
        return [
          .engine(
            .cure(lane: state.lane, .redraw, layer: neuron.layer, neurons: [neuron.neuron]))
        ]
      }),
  ]

  private static func cure(_ neurons: [SilentNeuron], _ lane: Int) -> [Effect] {
    neurons.compactMap { neuron in
      guard let lift = neuron.lift else { return nil }
      // A little more than enough, rounded so that the log reads well.
      let by = (lift * 1.05 * 1e6).rounded(.up) / 1e6
      return .engine(
        .cure(lane: lane, .lift(by: by), layer: neuron.layer, neurons: [neuron.neuron]))
    }
  }

  private static func chosen(_ state: WorkbenchState, _ snapshot: Snapshot) -> SilentNeuron? {
    guard let all = state.chosen(snapshot)?.silence?.neurons, !all.isEmpty else { return nil }
    return all[min(state.row, all.count - 1)]
  }

  private static func count(_ state: WorkbenchState, _ snapshot: Snapshot) -> Int {
    state.chosen(snapshot)?.silence?.neurons.count ?? 0
  }

  private static let nobody: @Sendable (WorkbenchState, Snapshot) -> String? = { state, snapshot in
    if snapshot.isStill { return "these are finished runs: open one alone to change it" }
    if state.back > 0 { return "you are looking at the past: . goes back to live" }
    return count(state, snapshot) > 0 ? nil : "nobody is silent"
  }

  private static let incurable: @Sendable (WorkbenchState, Snapshot) -> String? = {
    state, snapshot in
    if let obstacle = nobody(state, snapshot) { return obstacle }
    return chosen(state, snapshot)?.lift == nil ? "no lift wakes this neuron: d redraws it" : nil
  }

  /// A click on a row chooses its neuron.
  static func click(_ state: inout WorkbenchState, y: Int, height: Int, _ snapshot: Snapshot) {
    let all = count(state, snapshot)
    let shown = window(state, rows: max(0, height - 7), of: all)
    let row = shown.lowerBound + y - firstRow
    if shown.contains(row) { state.row = row }
  }

  /// The neurons in view: the chosen one among them.
  private static func window(_ state: WorkbenchState, rows: Int, of all: Int) -> Range<Int> {
    let first = max(0, min(state.row - rows + 1, all - rows))
    return first..<min(first + rows, all)
  }

  /// The screen's row of the first neuron: top line, frame, summary, heading.
  private static let firstRow = 5

  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard let lane = state.chosen(snapshot) else { return }
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: "silent on the probe set: \(lane.letter) \(Wording.label(lane))",
      style: CellStyle(lane.ink, bold: true))
    var lines = Lines(area.inside)
    guard let report = lane.silence else {
      lines.add("computing", .dim, on: &surface)
      return
    }
    lines.add(summary(report, lane), .plain, on: &surface)
    let stop =
      report.flowStopsAt.map {
        "the gradient stops above hidden\($0 + 1): it and what lies below learn nothing"
      }
    lines.add(
      stop ?? "gradient reaches every layer", stop == nil ? .dim : CellStyle(.alarm), on: &surface)
    lines.add(
      "  layer    neuron  no spike since  why            V short by  lift per weight that wakes it",
      .dim,
      on: &surface)
    let rows = max(0, area.height - 5)
    let shown = window(state, rows: rows, of: report.neurons.count)
    if shown.count < report.neurons.count {
      let (above, below) = (shown.lowerBound, report.neurons.count - shown.upperBound)
      surface.text(
        " \(above) more above, \(below) below ", endingAt: area.x + area.width - 2,
        y: area.y + area.height - 1, style: .dim)
    }
    for index in shown {
      let neuron = report.neurons[index]
      let isChosen = index == min(state.row, report.neurons.count - 1)
      let since = deadSince(neuron, lane)
      let text =
        (isChosen ? "> " : "  ") + Wording.pad("hidden\(neuron.layer + 1)", 9)
        + Wording.right(String(neuron.neuron), 6) + "  "
        + Wording.pad(
          neuron.reason == .noGradient ? "spikes" : since.map { "epoch \($0)" } ?? "this probe", 16)
        + Wording.pad(neuron.reason.words, 15)
        + Wording.right(neuron.reason.distance.map { Ticks.short($0) } ?? Wording.unknown, 9)
        + Wording.right(neuron.lift.map { "+" + Ticks.short($0) } ?? "none", 14)
      lines.add(text, isChosen ? CellStyle(.accent, bold: true) : .plain, on: &surface)
    }
  }

  static func deadSince(_ neuron: SilentNeuron, _ lane: LaneSnapshot) -> Int? {
    guard lane.deadSince.indices.contains(neuron.layer),
      lane.deadSince[neuron.layer].indices.contains(neuron.neuron)
    else { return nil }
    return lane.deadSince[neuron.layer][neuron.neuron]
  }

  private static func summary(_ report: SilenceReport, _ lane: LaneSnapshot) -> String {
    var counts: [(String, Int)] = []
    let silent = report.neurons.filter { $0.reason != .noGradient }
    for neuron in silent {
      let words = neuron.reason.words
      if let index = counts.firstIndex(where: { $0.0 == words }) {
        counts[index].1 += 1
      } else {
        counts.append((words, 1))
      }
    }
    let all = lane.layers.reduce(0) { $0 + $1.size }
    let spiking = report.neurons.count - silent.count
    return "\(silent.count) of \(all) hidden neurons have no spike in any probe trial"
      + (counts.isEmpty ? "" : ": " + counts.map { "\($0.1) \($0.0)" }.joined(separator: ", "))
      + (spiking > 0 ? "; \(spiking) spike without a gradient" : "")
  }
}
