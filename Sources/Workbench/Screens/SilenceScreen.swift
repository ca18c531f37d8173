// SPDX-License-Identifier: MIT

import Live
import Training
import Charts
import Diagnosis
import Foundation

/// Who is silent, since when and why, what would wake them, and keys that do.
enum SilenceScreen: WorkbenchScreen {
  static let name = "silence"
  static let title = "Silence"
  static let figures = [FigureKind(SilenceFigure.self)]
  static func detail(_ state: WorkbenchState) -> Detail? { .silence }
  static let wheel: (down: Key, up: Key)? = (.down, .up)

  static func tables(_ state: WorkbenchState, _ snapshot: Snapshot) -> [(name: String, csv: String)]
  { [("silence", DiagnosisFiles.silence(snapshot))] }

  static let actions: [Action] = [
    Action(
      name: "next-neuron", keys: [.down, .character("j")], short: "↑ ↓ choose",
      title: "next silent neuron", obstacle: nobody,
      run: { state, snapshot in choose(&state, snapshot, by: 1) }),
    Action(
      name: "previous-neuron", keys: [.up, .character("k")], short: "",
      title: "silent neuron before", obstacle: nobody,
      run: { state, snapshot in choose(&state, snapshot, by: -1) }),
    Action(
      name: "next-neurons", keys: [.pageDown], short: "", title: "ten silent neurons on",
      obstacle: nobody,
      run: { state, snapshot in choose(&state, snapshot, by: 10) }),
    Action(
      name: "previous-neurons", keys: [.pageUp], short: "", title: "ten silent neurons back",
      obstacle: nobody,
      run: { state, snapshot in choose(&state, snapshot, by: -10) }),
    Action(
      name: "first-neuron", keys: [.home], short: "", title: "first silent neuron",
      obstacle: nobody,
      run: { state, snapshot in choose(&state, snapshot, by: -count(state, snapshot)) }),
    Action(
      name: "last-neuron", keys: [.end, .character("G")], short: "", title: "last silent neuron",
      obstacle: nobody,
      run: { state, snapshot in choose(&state, snapshot, by: count(state, snapshot)) }),
    Action(
      name: "sort", keys: [.character("o")], short: "order",
      title: "silent neurons by index, by since when, or the closest to threshold first",
      run: { state, _ in
        let all = SilenceOrder.allCases
        state.silenceOrder = all[(all.firstIndex(of: state.silenceOrder)! + 1) % all.count]
        state.row = 0
        return []
      }),
    Action(
      name: "only", keys: [.character("/")], short: "/ only",
      title: "show only silent neurons whose line holds some words",
      run: { state, _ in
        state.prompt = Prompt(.silence, text: state.silenceFilter)
        return []
      }),
    Action(
      name: "wake", keys: [.character("w")], short: "w wake",
      title: "lift the chosen neuron's weights until it reaches threshold",
      obstacle: incurable,
      run: { state, snapshot in
        guard let neuron = chosen(state, snapshot) else { return [] }
        return cure([neuron], state.lane)
      }),
    Action(
      name: "wake-all", keys: [.character("W")], short: "W all",
      title: "lift every listed neuron, the first 64", obstacle: untouchable,
      run: { state, snapshot in cure(Array(listed(state, snapshot).prefix(64)), state.lane) }),
    Action(
      name: "trace-neuron", keys: [.enter], short: "Enter trace",
      title: "V(t) of the chosen neuron: why it does not spike",
      run: { state, snapshot in
        guard let neuron = chosen(state, snapshot) else { return [] }
        state.traced = Traced(layer: neuron.layer, neuron: neuron.neuron)
        state.screen = .trace
        return []
      }),
    Action(
      name: "redraw-neuron", keys: [.character("d")], short: "d redraw",
      title: "draw the chosen neuron's incoming weights anew",
      obstacle: untouchable,
      run: { state, snapshot in
        guard let neuron = chosen(state, snapshot) else { return [] }
        return [
          .change(Cure(lane: state.lane, .redraw, layer: neuron.layer, neurons: [neuron.neuron]))
        ]
      }),
  ]

  private static func choose(
    _ state: inout WorkbenchState, _ snapshot: Snapshot, by rows: Int
  ) -> [Effect] {
    state.row = max(0, min(state.row + rows, count(state, snapshot) - 1))
    return []
  }

  private static func cure(_ neurons: [SilentNeuron], _ lane: Int) -> [Effect] {
    neurons.compactMap { neuron in
      guard let lift = neuron.lift else { return nil }
      // A little more than enough, rounded so that the log reads well.
      let by = (lift * 1.05 * 1e6).rounded(.up) / 1e6
      return .change(Cure(lane: lane, .lift(by: by), layer: neuron.layer, neurons: [neuron.neuron]))
    }
  }

  /// The neurons as the list shows them.
  private static func listed(_ state: WorkbenchState, _ snapshot: Snapshot) -> [SilentNeuron] {
    guard let lane = state.chosen(snapshot), let report = lane.silence else { return [] }
    return listed(report, state, lane)
  }

  private static func listed(
    _ report: SilenceReport, _ state: WorkbenchState, _ lane: LaneSnapshot
  ) -> [SilentNeuron] {
    let words = state.silenceFilter.split(separator: " ").map { $0.lowercased() }
    let all = report.neurons.filter { neuron in
      let fields = [
        "hidden\(neuron.layer + 1)", "\(neuron.neuron)", neuron.reason.words, since(neuron, lane),
      ]
      return words.allSatisfy { word in
        // A number is a whole one: 5 is not 57.
        Int(word) != nil
          ? fields[1] == word : fields.contains { $0.lowercased().contains(word) }
      }
    }
    func sorted(by key: (SilentNeuron) -> Double) -> [SilentNeuron] {
      // Equal ones stay in the order of their index.
      all.enumerated().map { (key($1), $0, $1) }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
    }
    return switch state.silenceOrder {
    case .index: all
    case .since: sorted { deadSince($0, lane).map(Double.init) ?? .infinity }
    case .distance: sorted { $0.reason.distance ?? .infinity }
    }
  }

  private static func chosen(_ state: WorkbenchState, _ snapshot: Snapshot) -> SilentNeuron? {
    let all = listed(state, snapshot)
    return all.isEmpty ? nil : all[min(state.row, all.count - 1)]
  }

  private static func count(_ state: WorkbenchState, _ snapshot: Snapshot) -> Int {
    listed(state, snapshot).count
  }

  private static let nobody: @Sendable (WorkbenchState, Snapshot) -> String? = { state, snapshot in
    if count(state, snapshot) > 0 { return nil }
    return state.silenceFilter.isEmpty ? "nobody is silent" : "nobody listed; / changes the words"
  }

  private static let untouchable: @Sendable (WorkbenchState, Snapshot) -> String? = {
    state, snapshot in
    if snapshot.isStill { return "these are finished runs: open one alone to change it" }
    if state.back > 0 {
      return "you are looking at the past: \(state.keys.label("live")) goes back to live"
    }
    return nobody(state, snapshot)
  }

  private static let incurable: @Sendable (WorkbenchState, Snapshot) -> String? = {
    state, snapshot in
    if let obstacle = untouchable(state, snapshot) { return obstacle }
    return chosen(state, snapshot)?.lift == nil
      ? "no lift wakes this neuron: \(state.keys.label("redraw-neuron")) redraws it" : nil
  }

  // MARK: - Where things stand

  /// The list's place on the screen: as many columns of rows as there is width for, and what is
  /// left beside it tells of the chosen neuron.
  private struct Layout {
    /// Width of one column of the list.
    static let column = 72
    static let detail = 42
    /// Rows above the first neuron: two of summary, one that says what the words mean, one of
    /// headings.
    static let above = 4
    var inside: Area
    var columns: Int
    var rows: Int
    var detail: Area?

    init(_ area: Area) {
      inside = area.inside
      var width = inside.width
      if width >= Layout.column + Layout.detail {
        width -= Layout.detail
        detail = Area(
          x: inside.x + width, y: inside.y + Layout.above, width: Layout.detail,
          height: max(0, inside.height - Layout.above))
      }
      columns = max(1, width / Layout.column)
      rows = max(0, inside.height - Layout.above)
    }

    /// The neurons in view: the chosen one among them.
    func window(_ row: Int, of all: Int) -> Range<Int> {
      let places = rows * columns
      let first = max(0, min(row - places + 1, all - places))
      return first..<min(first + places, all)
    }
  }

  /// A click on a row chooses its neuron.
  static func click(
    _ state: inout WorkbenchState, x: Int, y: Int, width: Int, height: Int, _ snapshot: Snapshot
  ) -> [Effect] {
    let layout = Layout(Workbench.screenArea(state, snapshot, width: width, height: height))
    let shown = layout.window(state.row, of: count(state, snapshot))
    let column = (x - layout.inside.x) / Layout.column
    let line = y - layout.inside.y - Layout.above
    guard (0..<layout.rows).contains(line), (0..<layout.columns).contains(column) else {
      return []
    }
    let row = shown.lowerBound + column * layout.rows + line
    if shown.contains(row) { state.row = row }
    return []
  }

  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard let lane = state.chosen(snapshot) else { return }
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: "silent on the probe set: \(lane.letter) \(Wording.label(lane))",
      style: CellStyle(lane.ink, bold: true))
    let layout = Layout(area)
    var lines = Lines(layout.inside)
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
      "silent: no spike in any of \(snapshot.probeSamples) probe trials; dead: none in a whole epoch",
      .dim, on: &surface)
    let neurons = listed(report, state, lane)
    if neurons.isEmpty, !state.silenceFilter.isEmpty {
      lines.add(
        "none of \(report.neurons.count) with \"\(state.silenceFilter)\"; / changes the words",
        .plain, on: &surface)
    }
    guard !neurons.isEmpty else { return }
    let chosen = min(state.row, neurons.count - 1)
    let shown = layout.window(chosen, of: neurons.count)
    border(state, area, shown, of: neurons.count, all: report.neurons.count, on: &surface)
    for column in 0..<layout.columns {
      let first = shown.lowerBound + column * layout.rows
      guard first < shown.upperBound else { break }
      var place = Area(
        x: layout.inside.x + column * Layout.column, y: layout.inside.y + Layout.above - 1,
        width: min(Layout.column, layout.inside.width), height: layout.rows + 1)
      if layout.columns == 1, layout.detail == nil { place.width = layout.inside.width }
      var list = Lines(place)
      list.add(
        "  layer    neuron  dead since   why            V short by  lift to wake", .dim,
        on: &surface)
      for index in first..<min(first + layout.rows, shown.upperBound) {
        let isChosen = index == chosen
        list.add(
          row(neurons[index], lane, isChosen),
          isChosen ? CellStyle(.accent, bold: true) : .plain, on: &surface)
      }
    }
    if let place = layout.detail {
      detail(neurons[chosen], lane, snapshot, in: place, on: &surface)
    }
  }

  private static func border<S: Surface>(
    _ state: WorkbenchState, _ area: Area, _ shown: Range<Int>, of listed: Int, all: Int,
    on surface: inout S
  ) {
    var parts: [String] = []
    if state.silenceOrder != .index {
      parts.append(state.silenceOrder == .since ? "longest dead first" : "closest first")
    }
    if listed < all { parts.append("\(listed) of \(all) with \"\(state.silenceFilter)\"") }
    if shown.count < listed {
      parts.append("\(shown.lowerBound) more above, \(listed - shown.upperBound) below")
    }
    guard !parts.isEmpty else { return }
    surface.text(
      " " + Text.fit(parts.joined(separator: "; "), area.width - 6) + " ",
      endingAt: area.x + area.width - 2, y: area.y + area.height - 1, style: .dim)
  }

  private static func row(_ neuron: SilentNeuron, _ lane: LaneSnapshot, _ isChosen: Bool)
    -> String
  {
    (isChosen ? "> " : "  ") + Text.pad("hidden\(neuron.layer + 1)", 9)
      + Text.right(String(neuron.neuron), 6) + "  "
      + Text.pad(since(neuron, lane), 13)
      + Text.pad(neuron.reason.words, 15)
      + Text.right(neuron.reason.distance.map { Text.short($0) } ?? Text.unknown, 10)
      + Text.right(neuron.lift.map { "+" + Text.short($0) } ?? "none", 14)
  }

  /// The chosen neuron in sentences.
  private static func detail<S: Surface>(
    _ neuron: SilentNeuron, _ lane: LaneSnapshot, _ snapshot: Snapshot, in area: Area,
    on surface: inout S
  ) {
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: "hidden\(neuron.layer + 1), neuron \(neuron.neuron)", style: .bold)
    var lines = Lines(area.inside)
    for sentence in sentences(neuron, lane, snapshot) {
      for line in Text.wrapped(sentence, area.width - 2) {
        lines.add(line, .plain, on: &surface)
      }
      lines.add("", .plain, on: &surface)
    }
  }

  static func sentences(_ neuron: SilentNeuron, _ lane: LaneSnapshot, _ snapshot: Snapshot)
    -> [String]
  {
    let below = neuron.reason.distance.map { Text.short($0) } ?? ""
    let samples = snapshot.probeSamples
    var list: [String] = []
    switch neuron.reason {
    case .noInput:
      list.append("No spike reaches it in \(samples) probe trials by a weight other than 0.")
    case .belowThreshold:
      list.append("In its best of \(samples) probe trials V stays \(below) below threshold.")
    case .inhibited:
      list.append("Inhibition keeps V \(below) below threshold; without it, it would spike.")
    case .noGradient:
      list.append(
        "It spikes, but the gradient of all its incoming weights is 0: it learns nothing.")
    }
    if neuron.reason != .noGradient {
      list.append(
        deadSince(neuron, lane).map {
          "Dead since epoch \($0): no training trial since made it spike."
        }
          ?? "Not dead: some training trial of the last epoch made it spike, or no epoch is over yet."
      )
    }
    if let lift = neuron.lift {
      list.append(
        "+\(Text.short(lift)) on each incoming weight takes V to threshold: w lifts them.")
    } else if neuron.reason == .noInput {
      list.append("No lift wakes it. d draws its incoming weights anew.")
    }
    return list
  }

  private static func since(_ neuron: SilentNeuron, _ lane: LaneSnapshot) -> String {
    if neuron.reason == .noGradient { return "spikes" }
    return deadSince(neuron, lane).map { "epoch \($0)" } ?? "not dead"
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
    return "\(silent.count) of \(all) hidden neurons silent"
      + (counts.isEmpty ? "" : ": " + counts.map { "\($0.1) \($0.0)" }.joined(separator: ", "))
      + (spiking > 0 ? "; \(spiking) spike without a gradient" : "")
  }
}

extension ScreenKind {
  static let silence = ScreenKind(SilenceScreen.self)
}
