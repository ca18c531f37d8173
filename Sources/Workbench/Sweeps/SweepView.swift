// SPDX-License-Identifier: MIT

import Training
import Charts
import Sweeps

/// The screens of a sweep: a value, changed by keys only.
public struct SweepView: Sendable {
  /// What is shown.
  public enum Page: String, Sendable, CaseIterable {
    case table = "Table"
    case curves = "Curves"
    case map = "Heat map"
  }

  /// What a key asks of the world.
  public enum Effect: Sendable, Equatable {
    /// Leave the sweep.
    case quit
    /// Show the run of a point, by its number.
    case open(point: Int)
  }

  /// The one that a session begins with is the table.
  public var page = Page.table
  /// The chosen row, in the order of the table.
  public private(set) var row = 0
  /// For the bottom line, until the next key.
  public var notice = ""
  /// Index of `SweepTable.columns`; nil: by point.
  private var sorted: Int?
  private var isReversed = false
  /// The lane whose rows are shown; nil: all.
  private var lane: Int?
  /// The column of metrics.csv; nil: the sweep's metric.
  private var metric: Int?
  /// Which pair of axes the map shows.
  private var pair = 0
  private var isHelpShown = false

  /// As a session begins.
  public init() {}

  /// Columns of metrics.csv that points can be compared by.
  private static let metrics = [
    "test_accuracy", "validation_accuracy", "train_accuracy", "test_r2", "validation_r2",
    "train_r2", "test_loss", "train_loss",
  ]

  // MARK: Keys

  /// What a key does: to this state, and to the world.
  public mutating func handle(_ key: Key, _ state: SweepState) -> Effect? {
    notice = ""
    if isHelpShown {
      isHelpShown = false
      return nil
    }
    let table = table(state)
    let last = max(0, table.rows.count - 1)
    if let moved = key.unlettered.moved(row, last: last) {
      row = moved
      return nil
    }
    switch key {
    case .enter:
      guard table.rows.indices.contains(row) else { return nil }
      return .open(point: table.rows[row].point)
    case .tab: page = Page.allCases[(page.index + 1) % Page.allCases.count]
    case .character("1"): page = .table
    case .character("2"): page = .curves
    case .character("3"): page = .map
    case .character("s"):
      let next = sorted.map { $0 + 1 } ?? 0
      sorted = next < table.columns.count ? next : nil
      row = 0
    case .character("r"): isReversed.toggle()
    case .character("b"):
      // The best row, wherever it is.
      if let best = table.best {
        row = table.rows.firstIndex { $0.point == best.point && $0.lane == best.lane } ?? row
      } else {
        notice = "no point is done yet"
      }
    case .character("l"):
      let names = SweepView.lanes(state)
      let next = lane.map { $0 + 1 } ?? 0
      lane = next < names.count && names.count > 1 ? next : nil
      row = 0
    case .character("m"):
      let known = SweepView.metrics(state)
      let next = metric.map { $0 + 1 } ?? 0
      metric = next < known.count ? next : nil
    case .character("a"):
      pair += 1
      page = .map
    case .character("?"): isHelpShown = true
    case .character("q"), .escape: return .quit
    default: notice = "\(key.label) does nothing here; ? shows the keys"
    }
    return nil
  }

  private static func lanes(_ state: SweepState) -> [String] {
    var names: [String] = []
    for point in state.points {
      for seed in point.seeds {
        for lane in seed.lanes where !names.contains(lane.name) { names.append(lane.name) }
      }
    }
    return names
  }

  private static func metrics(_ state: SweepState) -> [String] {
    let known = metrics.filter { column in
      state.points.contains { point in
        point.seeds.contains { $0.lanes.contains { $0.last(column) != nil } }
      }
    }
    // Whatever the score is, it can be had as an accuracy too.
    return known.filter { column in
      column != state.sweep.metric
        && !known.contains { $0 != column && ScoreName.plain($0) == column }
    }
  }

  private func metricName(_ state: SweepState) -> String {
    let known = SweepView.metrics(state)
    return metric.flatMap { known.indices.contains($0) ? known[$0] : nil } ?? state.sweep.metric
  }

  private func laneName(_ state: SweepState) -> String? {
    let names = SweepView.lanes(state)
    return lane.flatMap { names.indices.contains($0) ? names[$0] : nil }
  }

  /// The rows as they are filtered and sorted.
  func table(_ state: SweepState) -> SweepTable {
    var table = SweepTable(state, lane: laneName(state), metric: metricName(state))
    if let sorted, table.columns.indices.contains(sorted) {
      _ = table.sort(by: table.columns[sorted], reversed: isReversed)
    } else if isReversed {
      _ = table.sort(by: "point", reversed: true)
    }
    return table
  }

  // MARK: Frames

  /// The whole terminal.
  public func frame(
    _ state: SweepState, width: Int, height: Int, marks: Marks = .braille
  ) -> Canvas {
    var canvas = Canvas(width: width, height: height, marks: marks)
    guard width >= 20, height >= 5 else { return canvas }
    top(state, width, on: &canvas)
    tabs(width, on: &canvas)
    var area = Area(x: 0, y: 2, width: width, height: height - 3)
    let table = table(state)
    let words = Array(verdict(table, width - 4).prefix(height < 30 ? 2 : 6))
    if area.height >= 12 + words.count, !words.isEmpty {
      let box = area.takeBottom(words.count + 2)
      canvas.frame(
        x: box.x, y: box.y, width: box.width, height: box.height, title: "the best",
        style: .bold)
      for (index, line) in words.enumerated() {
        canvas.text(line, x: box.x + 2, y: box.y + 1 + index, style: .plain)
      }
    }
    switch page {
    case .table:
      if area.height >= 20 {
        let rows = min(table.rows.count + 3, area.height * 3 / 5)
        list(state, table, in: area.takeTop(max(6, rows)), on: &canvas)
        curves(state, table, in: area, on: &canvas)
      } else {
        list(state, table, in: area, on: &canvas)
      }
    case .curves: curves(state, table, in: area, on: &canvas)
    case .map: map(state, table, in: area, on: &canvas)
    }
    bottom(width, height, on: &canvas)
    if isHelpShown { help(in: area, on: &canvas) }
    return canvas
  }

  private func top(_ state: SweepState, _ width: Int, on canvas: inout Canvas) {
    let share = state.share
    let full = Int((share * 12).rounded(.down))
    let bar = String(repeating: "━", count: full) + String(repeating: "─", count: 12 - full)
    var x = 1
    func say(_ text: String, _ style: CellStyle) {
      guard x + text.count < width else { return }
      canvas.text(text, x: x, y: 0, style: style)
      x += text.count + 2
    }
    say("sweep \(state.sweep.name)", .bold)
    say("\(state.count(.done)) of \(state.points.count) points done", .plain)
    say(bar, CellStyle(.accent))
    say("\(Int((100 * share).rounded(.down))) %", .plain)
    if state.count(.running) > 0 { say("\(state.count(.running)) running", CellStyle(.accent)) }
    if state.count(.failed) > 0 {
      say("\(state.count(.failed)) failed", CellStyle(.alarm, bold: true))
    }
    say("\(state.sweep.presetName), \(state.sweep.seeds) seeds", .dim)
  }

  private func tabs(_ width: Int, on canvas: inout Canvas) {
    var x = 1
    for (index, page) in Page.allCases.enumerated() {
      let text = " \(index + 1) \(page.rawValue) "
      guard x + text.count < width else { return }
      let isChosen = page == self.page
      canvas.text(
        text, x: x, y: 1,
        style: isChosen ? CellStyle(.accent, bold: true, reversed: true) : .dim)
      x += text.count + 1
    }
  }

  /// Rows around the chosen one.
  private func list(
    _ state: SweepState, _ table: SweepTable, in area: Area, on canvas: inout Canvas
  ) {
    let order =
      sorted.flatMap { table.columns.indices.contains($0) ? table.columns[$0] : nil } ?? "point"
    let lane = laneName(state).map { ", lane \($0)" } ?? ""
    canvas.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: Text.fit(
        "\(metricName(state)), mean ± sd over seeds\(lane); by \(order)\(isReversed ? ", reversed" : "")",
        area.width - 6), style: .bold)
    let inside = area.inside
    guard inside.height >= 2 else { return }
    let lines = table.text
    canvas.text(
      Text.fit("  " + lines[0], inside.width), x: inside.x, y: inside.y, style: .dim)
    let fitting = inside.height - 1
    let rows = table.rows.count
    let chosen = min(row, max(0, rows - 1))
    let first = min(max(0, chosen - fitting / 2), max(0, rows - fitting))
    for index in first..<min(first + fitting, rows) {
      let isChosen = index == chosen
      let status = table.rows[index].status
      let style =
        isChosen
        ? CellStyle(.accent, bold: true)
        : status == .failed ? CellStyle(.alarm) : status == .waiting ? .dim : .plain
      canvas.text(
        Text.fit((isChosen ? "▶ " : "  ") + lines[index + 1], inside.width), x: inside.x,
        y: inside.y + 1 + index - first, style: style)
    }
    if rows > fitting {
      let note = " \(first) above, \(rows - first - fitting) below "
      canvas.text(
        note, endingAt: area.x + area.width - 2, y: area.y + area.height - 1, style: .dim)
    }
  }

  /// The metric of every row by epoch: the best and the chosen one with their range over seeds, the
  /// rest behind.
  private func curves(
    _ state: SweepState, _ table: SweepTable, in area: Area, on canvas: inout Canvas
  ) {
    guard area.height >= 4 else { return }
    let name = metricName(state)
    let scale = ScoreName.isScore(name) ? 100.0 : 1
    let best = table.best
    let chosen = table.rows.indices.contains(row) ? table.rows[row] : nil
    func spread(_ own: SweepTable.Row) -> SeedSpread {
      let point = state.points[own.point]
      return SeedSpread(
        point.seeds.compactMap { seed in
          guard let lane = seed.lanes.first(where: { $0.name == own.lane }) else { return nil }
          return zip(lane.epochs, lane.values[name] ?? []).compactMap { epoch, value in
            value.map { (x: Double(epoch), y: scale * $0) }
          }
        })
    }
    func isSame(_ a: SweepTable.Row, _ b: SweepTable.Row?) -> Bool {
      a.point == b?.point && a.lane == b?.lane
    }
    let rest = table.rows.filter { !isSame($0, best) && !isSame($0, chosen) }.map(spread)
    var shown: [(spread: SeedSpread, ink: Ink, label: String)] = []
    if let chosen, !isSame(chosen, best) {
      shown.append((spread(chosen), .series1, "point \(chosen.point) \(chosen.lane)"))
    }
    if let best { shown.append((spread(best), .series0, "best: point \(best.point) \(best.lane)")) }
    let all = rest + shown.map(\.spread)
    let labels = shown.reversed().map(\.label).joined(separator: ", ")
    canvas.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: Text.fit(
        "\(name)\(scale == 100 ? ", %" : ""): \(labels.isEmpty ? "" : labels + "; ")median, range of seeds; \(rest.count) more in grey",
        area.width - 6), style: .bold)
    var plot = area.inside
    guard plot.width > 16, plot.height > 2 else { return }
    let values = all.flatMap { $0.points.flatMap { [$0.low, $0.high] } }.filter(\.isFinite)
    let end = all.flatMap { $0.points.map(\.x) }.max() ?? 0
    guard let low = values.min(), let high = values.max(), end > 0 else {
      canvas.text("no epoch has been evaluated yet", x: plot.x, y: plot.y, style: .dim)
      return
    }
    let axis = plot.takeLeft(8)
    let ticks = plot.takeBottom(1)
    let margin = max(high - low, 1e-6 * max(abs(high), 1)) * 0.05
    let (x, y) = (0...end, (low - margin)...(high + margin))
    canvas.plot(rest.map { Curve($0.median, ink: .frame) }, x: x, y: y, in: plot)
    for own in shown { canvas.range(own.spread, x: x, y: y, ink: own.ink, in: plot) }
    canvas.plot(shown.map { Curve($0.spread.median, ink: $0.ink) }, x: x, y: y, in: plot)
    canvas.valueAxis(
      y, isLogarithmic: false, in: Area(x: axis.x, y: plot.y, width: 7, height: plot.height))
    canvas.timeAxis(x, unit: "epochs", in: ticks)
  }

  private func map(
    _ state: SweepState, _ table: SweepTable, in area: Area, on canvas: inout Canvas
  ) {
    canvas.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: laneName(state).map { "heat map, lane \($0)" } ?? "heat map", style: .bold)
    let inside = area.inside
    let names = state.sweep.axes.map(\.name)
    let pairs = names.indices.flatMap { a in names.indices.filter { $0 > a }.map { (a, $0) } }
    guard !pairs.isEmpty else {
      canvas.text(
        Text.fit("the sweep has one axis: its table says it all", inside.width - 2),
        x: inside.x + 1, y: inside.y, style: .dim)
      return
    }
    let (a, b) = pairs[pair % pairs.count]
    guard let map = SweepHeatMap(state, table, rows: names[a], columns: names[b]) else { return }
    for (index, line) in map.text.prefix(inside.height).enumerated() {
      canvas.text(
        Text.fit(line, inside.width - 2), x: inside.x + 1, y: inside.y + index,
        style: index < 2 ? .dim : .plain)
    }
    if pairs.count > 1 {
      canvas.text(
        " \(pair % pairs.count + 1) of \(pairs.count) pairs of axes, a ",
        endingAt: area.x + area.width - 2, y: area.y + area.height - 1, style: .dim)
    }
  }

  private func verdict(_ table: SweepTable, _ width: Int) -> [String] {
    Array(table.verdict.flatMap { Text.wrapped($0, max(width, 20)) }.prefix(6))
  }

  private static let keys: [(key: String, words: String)] = [
    ("↑ ↓", "choose"), ("Enter", "open its run"), ("s", "sort"), ("r", "reverse"),
    ("b", "best"), ("l", "lane"), ("m", "metric"), ("a", "axes"), ("?", "help"), ("q", "quit"),
  ]

  private func bottom(_ width: Int, _ height: Int, on canvas: inout Canvas) {
    guard notice.isEmpty else {
      canvas.text(Text.fit(notice, width - 2), x: 1, y: height - 1, style: CellStyle(.accent))
      return
    }
    var x = 1
    for (key, words) in SweepView.keys where x + key.count + words.count + 1 < width {
      canvas.text(key, x: x, y: height - 1, style: CellStyle(.accent, bold: true))
      canvas.text(words, x: x + key.count + 1, y: height - 1, style: .plain)
      x += key.count + words.count + 3
    }
  }

  private func help(in area: Area, on canvas: inout Canvas) {
    let lines = [
      "↑ ↓ k j  choose a row; PgUp, PgDn, Home, End",
      "Enter    open the run of its point: its screens, q comes back",
      "1 2 3    table, curves, heat map; Tab the next",
      "s        sort by the next column; r turns it round",
      "b        go to the best row",
      "l        one lane alone, then all", "m        another metric",
      "a        other axes of the heat map", "q Esc    leave: a sweep that runs goes on",
    ]
    let width = min(area.width, 62)
    let box = Area(
      x: area.x + (area.width - width) / 2, y: area.y + 1, width: width,
      height: min(area.height, lines.count + 2))
    for y in box.y..<box.y + box.height {
      canvas.text(String(repeating: " ", count: box.width), x: box.x, y: y, style: .plain)
    }
    canvas.frame(
      x: box.x, y: box.y, width: box.width, height: box.height, title: "keys", style: .bold)
    for (index, line) in lines.prefix(box.height - 2).enumerated() {
      canvas.text(Text.fit(line, box.width - 4), x: box.x + 2, y: box.y + 1 + index, style: .plain)
    }
  }
}

extension SweepView.Page {
  fileprivate var index: Int { SweepView.Page.allCases.firstIndex(of: self)! }
}
