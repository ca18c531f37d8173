// SPDX-License-Identifier: MIT

import Live
import Charts
import Diagnosis
import Foundation

/// All lanes' curves in one plot, their numbers, and the confusion of the chosen lane.
enum CompareScreen: WorkbenchScreen {
  static let name = "compare"
  static let title = "Compare"
  static let figures = [FigureKind(AccuracyFigure.self), FigureKind(LossFigure.self)]
  static let wheel: (down: Key, up: Key)? = (.down, .up)

  static let actions: [Action] = [
    Action(
      name: "log-axis", keys: [.character("g")], short: "g log-axis",
      title: "logarithmic loss axis",
      run: { state, _ in
        state.isLogarithmic.toggle()
        return []
      }),
    Action(
      name: "smooth", keys: [.character("m")], short: "smooth", title: "more or less smoothing",
      run: { state, _ in
        state.smoothing = state.smoothing == 0 ? 0.9 : state.smoothing == 0.9 ? 0.98 : 0
        return []
      }),
    Action(
      name: "right", keys: [.right], short: "", title: "more columns of the confusion",
      run: { state, snapshot in
        state.scrollColumn = min(state.scrollColumn + 1, snapshot.classNames.count)
        return []
      }),
    Action(
      name: "left", keys: [.left], short: "", title: "back in the confusion's columns",
      run: { state, _ in
        state.scrollColumn = max(0, state.scrollColumn - 1)
        return []
      }),
  ]

  static func tables(_ state: WorkbenchState, _ snapshot: Snapshot) -> [(name: String, csv: String)]
  { [("curves", FigureFiles.curves(snapshot)), ("confusion", FigureFiles.confusion(snapshot))] }

  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    var rest = area
    let tableRows =
      snapshot.lanes.count + 3
      + (snapshot.lanes.count > 1 ? state.showsAllSeeds(snapshot) ? 2 : 1 : 0)
    let isWide = area.width >= 100
    let classRows = min(snapshot.classNames.count, max(10, area.height / 3)) + 3
    let hasClasses = !snapshot.isRegression && area.height >= tableRows + classRows + 16
    var plots = rest.takeTop(max(6, area.height - tableRows - (hasClasses ? classRows : 0)))
    if hasClasses {
      ClassesPanel.draw(state, snapshot, in: rest.takeTop(classRows), on: &surface)
    }
    var losses = isWide ? plots.takeLeft(plots.width / 2) : plots.takeTop((plots.height + 1) / 2)
    let kinds = lossKinds(snapshot, fitting: max(1, losses.height / 6))
    for (index, kind) in kinds.shown.enumerated() {
      let isLast = index == kinds.shown.count - 1
      let height = isLast ? losses.height : losses.height / (kinds.shown.count - index)
      let more = isLast && kinds.left > 0 ? ", \(kinds.left) more not shown" : ""
      loss(state, snapshot, kind, more, in: losses.takeTop(height), on: &surface)
    }
    accuracy(state, snapshot, in: plots, on: &surface)
    table(state, snapshot, in: rest, on: &surface)
  }

  /// Losses of different kinds have no common axis: one plot for each, those of now first.
  private static func lossKinds(
    _ snapshot: Snapshot, fitting: Int
  ) -> (shown: [String], left: Int) {
    var kinds: [String] = []
    let all =
      snapshot.lanes.map(\.description) + snapshot.lanes.flatMap { $0.past.map(\.description) }
    for kind in all where !kinds.contains(kind) { kinds.append(kind) }
    return (Array(kinds.prefix(fitting)), max(0, kinds.count - fitting))
  }

  private static func loss<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, _ kind: String, _ more: String, in area: Area,
    on surface: inout S
  ) {
    func scale(_ y: Double) -> Double { state.isLogarithmic ? log10(max(y, 1e-9)) : y }
    let isAll = state.showsAllSeeds(snapshot)
    var (raws, smooth): ([Line], [Line]) = ([], [])
    for lane in snapshot.lanes {
      if isAll && !lane.seeds.isEmpty {
        let spread = SeedSpread(
          lane.seeds.map { own in
            let smoothed = own.curves.loss.smoothed(state.smoothing, per: snapshot.batchLength)
            return lane.under(kind, Array(zip(own.curves.loss.xs, smoothed)))
              .map { ($0.x, scale($0.y)) }
          })
        if spread.points.isEmpty && lane.description != kind { continue }
        smooth.append(Line(lane, spread.median, spread))
        continue
      }
      let series = lane.curves.loss
      let raw = lane.loss(under: kind, series.ys)
      if raw.isEmpty && lane.description != kind { continue }
      raws.append(Line(lane, raw.map { ($0.x, scale($0.y)) }))
      let smoothed = series.smoothed(state.smoothing, per: snapshot.batchLength)
      smooth.append(Line(lane, lane.loss(under: kind, smoothed).map { ($0.x, scale($0.y)) }))
    }
    let letters = smooth.map(\.letter).joined(separator: " ")
    let smoothing = state.smoothing > 0 ? ", smoothed \(state.smoothing)" : ""
    let axis = state.isLogarithmic ? ", log axis" : ""
    plot(
      snapshot, "loss \(kind): \(letters)\(smoothing)\(axis)\(note(isAll))\(more)", smooth,
      behind: state.smoothing > 0 ? raws : [], isLogarithmic: state.isLogarithmic, in: area,
      on: &surface)
  }

  private static func accuracy<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    let isAll = state.showsAllSeeds(snapshot)
    let lines = snapshot.lanes.map { lane in
      func points(_ series: BoundedSeries) -> [(x: Double, y: Double)] {
        zip(series.xs, series.ys).map { ($0, 100 * $1) }
      }
      guard isAll, !lane.seeds.isEmpty else {
        return Line(lane, points(lane.curves.testAccuracy))
      }
      let spread = SeedSpread(lane.seeds.map { points($0.curves.testAccuracy) })
      return Line(lane, spread.median, spread)
    }
    plot(
      snapshot, "test \(Wording.score(snapshot)), %\(note(isAll))", lines, behind: [],
      isLogarithmic: false,
      limits: 0...100,
      in: area, on: &surface)
  }

  private static func note(_ isAll: Bool) -> String { isAll ? "; median, range" : "" }

  /// A lane's curve.
  private struct Line {
    var letter: String
    var ink: Ink
    var points: [(x: Double, y: Double)]
    /// Over seeds; nil: of one.
    var spread: SeedSpread?

    init(
      _ lane: LaneSnapshot, _ points: [(x: Double, y: Double)], _ spread: SeedSpread? = nil
    ) {
      self.spread = spread
      letter = lane.letter
      ink = lane.ink
      self.points = points
    }
  }

  /// Curves over a common pair of axes that hold all of them, the raw ones behind included; each
  /// ends in its lane's letter.
  private static func plot<S: Surface>(
    _ snapshot: Snapshot, _ title: String, _ lines: [Line], behind raws: [Line],
    isLogarithmic: Bool, limits: ClosedRange<Double>? = nil, in area: Area, on surface: inout S
  ) {
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height, title: title, style: .bold)
    var plot = area.inside
    guard plot.width > 16, plot.height > 1 else { return }
    let axis = plot.takeLeft(8)
    let ticks = Area(x: plot.x, y: plot.y + plot.height - 1, width: plot.width - 2, height: 1)
    plot.height -= 1
    plot.width -= 2
    let edges = lines.flatMap { $0.spread?.points.flatMap { [$0.low, $0.high] } ?? [] }
    let values = ((lines + raws).flatMap { $0.points.map(\.y) } + edges).filter(\.isFinite)
    guard let low = values.min(), let high = values.max() else {
      surface.text("nothing yet", x: plot.x, y: plot.y, style: .dim)
      return
    }
    // Of a curve that does not move, as much of the axis as can be read.
    let margin =
      high - low > 1e-6 * max(abs(high), 1e-3)
      ? 0.05 * (high - low) : 0.1 * max(abs(high), limits == nil ? 1e-3 : 10)
    let floor = limits?.lowerBound ?? (low >= 0 && !isLogarithmic ? 0 : -.infinity)
    let y = max(floor, low - margin)...min(limits?.upperBound ?? .infinity, high + margin)
    guard y.lowerBound < y.upperBound else { return }
    let x = 0...snapshot.end
    surface.plot(raws.map { Curve($0.points, ink: .frame) }, x: x, y: y, in: plot)
    for line in lines {
      if let spread = line.spread {
        surface.range(spread, x: x, y: y, ink: line.ink, in: plot)
      }
    }
    surface.plot(lines.map { Curve($0.points, ink: $0.ink) }, x: x, y: y, in: plot)
    let shown = Area(x: axis.x, y: plot.y, width: 7, height: plot.height)
    surface.valueAxis(
      isLogarithmic ? pow(10, y.lowerBound)...pow(10, y.upperBound) : y,
      isLogarithmic: isLogarithmic, in: shown)
    surface.timeAxis(x, unit: "epochs", in: ticks)
    letters(lines, x: x, y: y, in: plot, on: &surface)
    surface.pastCursor(snapshot, in: plot)
  }

  /// Each lane's letter where its curve ends; letters that would lie on each other make room, in
  /// the order of their curves.
  private static func letters<S: Surface>(
    _ lines: [Line], x: ClosedRange<Double>, y: ClosedRange<Double>, in plot: Area,
    on surface: inout S
  ) {
    let ends = lines.compactMap { line -> (line: Line, column: Int, y: Double)? in
      guard let last = line.points.last(where: { $0.y.isFinite }), x.contains(last.x) else {
        return nil
      }
      let end = Double(plot.width) * (last.x - x.lowerBound) / (x.upperBound - x.lowerBound)
      return (line, plot.x + min(plot.width + 1, Int(end) + 1), last.y)
    }.sorted { $0.y > $1.y }
    var rows: [Int] = []
    for end in ends {
      let share = (end.y - y.lowerBound) / (y.upperBound - y.lowerBound)
      let row = Int((1 - min(max(share, 0), 1)) * Double(plot.height - 1) + 0.5)
      rows.append(max(row, (rows.last ?? -1) + 1))
    }
    // What has been pushed out below moves all above it up.
    var lowest = plot.height - 1
    for index in rows.indices.reversed() {
      rows[index] = min(rows[index], lowest)
      lowest = rows[index] - 1
    }
    for (end, row) in zip(ends, rows) where row >= 0 {
      surface.text(
        end.line.letter, x: end.column, y: plot.y + row, style: CellStyle(end.line.ink, bold: true))
    }
  }

  // MARK: - The lanes in numbers

  private struct Column {
    var title: String
    var width: Int
    /// The higher, the longer it stays where there is little room.
    var weight: Int
    var value: (LaneSnapshot) -> String
  }

  /// The table's columns that fit, in their order.
  private static func columns(
    _ state: WorkbenchState, _ snapshot: Snapshot, fitting width: Int
  ) -> [Column] {
    let isAll = state.showsAllSeeds(snapshot)
    func list(_ values: [String]) -> String { values.joined(separator: " ") }
    let layers = max(1, snapshot.lanes.map(\.layers.count).max() ?? 1)
    let score = snapshot.isRegression ? " \(snapshot.score.word)" : ""
    var columns = [
      Column(title: "own loss", width: 10, weight: 6) { Text.number($0.trainLoss) },
      Column(title: "train\(score)", width: 9, weight: 4) { Text.percent($0.trainAccuracy) },
      Column(
        title: isAll ? "test\(score), mean ± sd" : "test\(score)",
        width: isAll ? 17 + score.count : 9,
        weight: 7
      ) {
        isAll && !$0.seeds.isEmpty ? $0.seedAccuracy : Text.percent($0.testAccuracy)
      },
      Column(title: "η", width: 9, weight: 2) { Text.rate($0.rate) },
      Column(title: "spikes", width: max(8, 6 * layers + 1), weight: 3) {
        list($0.layers.map { Text.fixed($0.mean, 2) })
      },
      Column(title: "dead", width: max(5, 4 * layers), weight: 1) {
        list($0.layers.map { $0.dead.map(String.init) ?? Text.unknown })
      },
    ]
    if let first = snapshot.lanes.first, snapshot.lanes.count > 1 {
      columns.insert(
        Column(title: "against A, points", width: 22, weight: 5) { lane in
          guard lane.identity != first.identity || lane.run != first.run else { return "" }
          if isAll, let seeds = lane.compared(to: first, looks: snapshot.looks) {
            return String(format: "%+.1f", seeds.mean)
              + (seeds.halfWidth.map { String(format: " ± %.1f", $0) } ?? "")
              + "  p " + SeedComparison.text(p: seeds.signFlip)
          }
          guard let pair = PairedAccuracy(first, lane) else { return "" }
          return String(
            format: "%+.1f ± %.1f  p %@", pair.points, pair.standardError, probability(pair.p))
        }, at: 3)
    }
    while columns.reduce(0, { $0 + $1.width }) > width, columns.count > 1 {
      columns.remove(at: columns.indices.min { columns[$0].weight < columns[$1].weight }!)
    }
    return columns
  }

  private static func table<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard area.height >= 3 else { return }
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: Text.fit(
        "lanes: loss and train of the epoch's training samples, test of the last evaluation",
        area.width - 6),
      style: .bold)
    let inside = area.inside
    let columns = columns(state, snapshot, fitting: inside.width - 24)
    let left = inside.width - 4 - columns.reduce(0) { $0 + $1.width }
    let name = max(20, min(44, left))
    let heading =
      Text.pad("  lane", name + 4)
      + columns.map { Text.pad($0.title, $0.width) }.joined()
    surface.text(String(heading.prefix(inside.width)), x: inside.x, y: inside.y, style: .dim)
    for (index, lane) in snapshot.lanes.enumerated() where index + 1 < inside.height {
      let row =
        Text.pad(
          Text.fit("\(lane.letter) \(Wording.label(lane))", name), name) + "  "
        + columns.map { Text.pad($0.value(lane), $0.width) }.joined()
      let mark = index == state.lane && snapshot.lanes.count > 1 ? "▶ " : "  "
      surface.text(
        String((mark + row).prefix(inside.width)), x: inside.x, y: inside.y + 1 + index,
        style: CellStyle(lane.ink, bold: index == state.lane))
    }
    if snapshot.lanes.count > 1, inside.height > snapshot.lanes.count + 1 {
      let rows = inside.height - snapshot.lanes.count - 1
      let lines = Text.wrapped(
        verdict(state, snapshot, width: inside.width - 3), inside.width - 3)
      for (row, line) in lines.prefix(rows).enumerated() {
        let isCut = row == rows - 1 && lines.count > rows
        surface.text(
          isCut ? Text.fit(line + " …", inside.width - 3) : line, x: inside.x + 2,
          y: inside.y + snapshot.lanes.count + 1 + row, style: .dim)
      }
    }
  }

  /// What the chosen lane's difference to the first one says, and of what.
  static func verdict(_ state: WorkbenchState, _ snapshot: Snapshot, width: Int) -> String {
    let index = state.lane > 0 ? state.lane : 1
    guard snapshot.lanes.indices.contains(index) else { return "" }
    let (a, b) = (snapshot.lanes[0], snapshot.lanes[index])
    if state.showsAllSeeds(snapshot), let seeds = b.compared(to: a, looks: snapshot.looks) {
      let looks = snapshot.looks > 1 ? "; \(snapshot.looks) looks corrected for" : ""
      let soFar = snapshot.isFinished ? "" : "so far: "
      return soFar + seeds.verdict(first: a.letter, second: b.letter) + looks
    }
    if snapshot.isRegression {
      return
        "one seed: whether \(a.letter) and \(b.letter) differ is tested over several (:seeds 5)"
    }
    guard let pair = PairedAccuracy(a, b) else {
      return "no test samples common to \(a.letter) and \(b.letter) yet"
    }
    let short = String(
      format: "%@ right where %@ wrong: %d, reverse: %d, of %d; p %@ (McNemar, these networks)",
      b.letter, a.letter, pair.secondAlone, pair.firstAlone, pair.samples, probability(pair.p))
    let long = String(
      format: "%@ is right where %@ is wrong %d times, the reverse %d, of %d test samples: "
        + "McNemar p %@. One seed: it speaks of these two networks, not of their losses.",
      b.letter, a.letter, pair.secondAlone, pair.firstAlone, pair.samples, probability(pair.p))
    return long.count <= width ? long : short
  }

  private static func probability(_ p: Double) -> String {
    p < 0.001 ? "< .001" : String(String(format: "%.3f", p).dropFirst(p < 1 ? 1 : 0))
  }
}

extension PairedAccuracy {
  fileprivate init?(_ a: LaneSnapshot, _ b: LaneSnapshot) {
    guard a.labels == b.labels else { return nil }
    self.init(labels: a.labels, first: a.predictions, second: b.predictions)
  }
}

extension ScreenKind {
  static let compare = ScreenKind(CompareScreen.self)
}
