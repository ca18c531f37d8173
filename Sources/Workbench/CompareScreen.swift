import Charts
import Foundation
import Training

/// All lanes' curves in one plot, their numbers, and the confusion of the chosen lane.
enum CompareScreen {
  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    var rest = area
    let tableRows = snapshot.lanes.count + 3
    let isWide = area.width >= 100
    let classRows = min(snapshot.classNames.count, 10) + 2
    let hasClasses = area.height >= tableRows + classRows + 10
    var plots = rest.takeTop(max(6, area.height - tableRows - (hasClasses ? classRows : 0)))
    if hasClasses { classes(state, snapshot, in: rest.takeTop(classRows), on: &surface) }
    let loss = isWide ? plots.takeLeft(plots.width / 2) : plots.takeTop((plots.height + 1) / 2)
    curves(
      state, snapshot, "loss\(state.isLogarithmic ? ", log axis" : "")", in: loss,
      isLogarithmic: state.isLogarithmic, on: &surface
    ) { $0.curves.loss }
    curves(state, snapshot, "test accuracy", in: plots, isLogarithmic: false, on: &surface) {
      $0.curves.testAccuracy
    }
    table(state, snapshot, in: rest, on: &surface)
  }

  private static func curves<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, _ title: String, in area: Area,
    isLogarithmic: Bool, on surface: inout S, _ series: (LaneSnapshot) -> BoundedSeries
  ) {
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height, title: title, style: .bold)
    var plot = area.inside
    guard plot.width > 16, plot.height > 3 else { return }
    let axis = plot.takeLeft(8)
    let ticks = Area(x: plot.x, y: plot.y + plot.height - 1, width: plot.width - 1, height: 1)
    plot.height -= 1
    plot.width -= 1
    func scale(_ y: Double) -> Double { isLogarithmic ? log10(max(y, 1e-9)) : y }
    let isRate = title.hasPrefix("test")
    let raws = snapshot.lanes.map { lane in
      zip(series(lane).xs, series(lane).ys).map { (x: $0, y: scale($1)) }
    }
    let smooth = snapshot.lanes.map { lane in
      zip(series(lane).xs, series(lane).smoothed(isRate ? 0 : state.smoothing))
        .map { (x: $0, y: scale($1)) }
    }
    let values = smooth.flatMap { $0.map(\.y) }.filter(\.isFinite)
    guard let low = values.min(), let high = values.max() else {
      surface.text("nothing yet", x: plot.x, y: plot.y, style: .dim)
      return
    }
    let margin = max(high - low, 1e-6) * 0.05
    let y = isRate ? max(0, low - margin)...min(1, high + margin) : (low - margin)...(high + margin)
    guard y.lowerBound < y.upperBound else { return }
    let x = 0...max(snapshot.position, 1e-3)
    if !isRate && state.smoothing > 0 {
      surface.plot(raws.map { Curve($0, ink: .frame) }, x: x, y: y, in: plot)
    }
    surface.plot(
      smooth.enumerated().map { Curve($0.element, ink: .series($0.offset)) }, x: x, y: y, in: plot)
    let shown = Area(x: axis.x, y: plot.y, width: 7, height: plot.height)
    surface.valueAxis(
      isLogarithmic ? pow(10, y.lowerBound)...pow(10, y.upperBound) : y, in: shown)
    surface.timeAxis(x, unit: "epoch", in: ticks)
  }

  /// Accuracy per class of every lane, and the confusion of the chosen one.
  private static func classes<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    var left = area
    let bars = left.takeLeft(area.width / 2)
    surface.frame(
      x: bars.x, y: bars.y, width: bars.width, height: bars.height, title: "test accuracy by class",
      style: .bold)
    let classes = snapshot.classNames.count
    for label in 0..<min(classes, bars.height - 2) {
      var x = bars.x + 1
      let y = bars.y + 1 + label
      surface.text(Wording.pad(snapshot.classNames[label], 8), x: x, y: y, style: .dim)
      x += 9
      for (index, lane) in snapshot.lanes.enumerated() where x + 8 <= bars.x + bars.width {
        let own = lane.labels.indices.filter { lane.labels[$0] == label }
        let right = own.count { lane.predictions[$0] == label }
        let text = own.isEmpty ? "-" : Wording.percent(Double(right) / Double(own.count))
        surface.text(text, endingAt: x + 8, y: y, style: CellStyle(.series(index)))
        x += 9
      }
    }
    guard let lane = state.chosen(snapshot) else { return }
    surface.frame(
      x: left.x, y: left.y, width: left.width, height: left.height,
      title: "confusion of \(lane.name): rows label, columns answer", style: .bold)
    var counts = Array(repeating: Array(repeating: 0, count: classes + 1), count: classes)
    for (label, answer) in zip(lane.labels, lane.predictions) {
      counts[label][answer < 0 ? classes : answer] += 1
    }
    let cell = min(6, max(3, (left.width - 10) / (classes + 1)))
    for row in 0..<min(classes, left.height - 2) {
      let y = left.y + 1 + row
      surface.text(Wording.pad(snapshot.classNames[row], 7), x: left.x + 1, y: y, style: .dim)
      for column in 0..<classes where left.x + 8 + cell * (column + 1) < left.x + left.width {
        let count = counts[row][column]
        let style =
          row == column ? CellStyle(.good) : count > 0 ? CellStyle(.alarm) : CellStyle(.frame)
        surface.text(
          String(count), endingAt: left.x + 8 + cell * (column + 1), y: y, style: style)
      }
    }
  }

  private static func table<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard area.height >= 3 else { return }
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height, title: "lanes", style: .bold)
    let inside = area.inside
    let columns = "  lane                  loss      train    test     difference  spikes   dead"
    surface.text(String(columns.prefix(inside.width)), x: inside.x, y: inside.y, style: .dim)
    let base = snapshot.lanes.first?.testAccuracy
    for (index, lane) in snapshot.lanes.enumerated() where index + 1 < inside.height {
      let difference =
        index > 0 ? lane.testAccuracy.flatMap { own in base.map { own - $0 } } : nil
      let spikes = lane.layers.map { String(format: "%.2f", $0.mean) }.joined(separator: " ")
      let dead = lane.layers.map { String($0.dead) }.joined(separator: " ")
      let row =
        Wording.pad("\(Wording.letter(index)) \(lane.name)", 20)
        + String(repeating: " ", count: 2)
        + Wording.pad(Ticks.short(lane.trainLoss), 10)
        + Wording.pad(Wording.percent(lane.trainAccuracy), 9)
        + Wording.pad(Wording.percent(lane.testAccuracy), 9)
        + Wording.pad(difference.map { String(format: "%+.1f %%", 100 * $0) } ?? "", 12)
        + Wording.pad(spikes, 9) + dead
      let style = CellStyle(.series(index), bold: index == state.lane)
      surface.text(
        String(("  " + row).prefix(inside.width)), x: inside.x, y: inside.y + 1 + index,
        style: style)
    }
  }
}
