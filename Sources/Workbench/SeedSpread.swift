// SPDX-License-Identifier: MIT

import Charts
import Diagnosis
import Live

/// A lane's curve under all seeds that have got so far: median and range.
struct SeedSpread {
  /// By x, in order; `seeds` is how many have a value there.
  var points: [(x: Double, median: Double, low: Double, high: Double, seeds: Int)]

  /// - Parameter curves: points by rising x; the same x of several seeds are one point. Where seeds
  ///   have their points at different x, as after a resume, lines between them are read at those of
  ///   the longest one.
  init(_ curves: [[(x: Double, y: Double)]]) {
    let known = curves.filter { !$0.isEmpty }
    let longest = known.max { $0.last!.x < $1.last!.x } ?? []
    let grid = longest.map(\.x)
    let isCommon = known.allSatisfy { curve in
      curve.map(\.x).elementsEqual(grid.prefix(curve.count))
    }
    let curves =
      isCommon
      ? known
      : known.map { curve in grid.compactMap { x in Self.value(curve, at: x).map { (x, $0) } } }
    var values: [Double: [Double]] = [:]
    for curve in curves { for point in curve { values[point.x, default: []].append(point.y) } }
    points = values.sorted { $0.key < $1.key }.compactMap { x, ys in
      guard let point = SeedBand.Point(ys) else { return nil }
      return (x, point.median, point.min, point.max, point.seeds)
    }
  }

  /// On the line between a curve's points; nil beyond its ends.
  private static func value(_ curve: [(x: Double, y: Double)], at x: Double) -> Double? {
    guard let after = curve.firstIndex(where: { $0.x >= x }) else { return nil }
    let next = curve[after]
    if next.x == x { return next.y }
    guard after > 0 else { return nil }
    let last = curve[after - 1]
    return last.y + (next.y - last.y) * (x - last.x) / (next.x - last.x)
  }

  var median: [(x: Double, y: Double)] { points.map { ($0.x, $0.median) } }
}

extension WorkbenchState {
  /// Curves and numbers are those of all seeds together.
  func showsAllSeeds(_ snapshot: Snapshot) -> Bool { seed == nil && snapshot.seeds.count > 1 }
}

extension Snapshot {
  /// `5 seeds`, or `seed 2 of 1 to 5`; nil where there is one.
  func seedWords(_ state: WorkbenchState) -> String? {
    guard seeds.count > 1 else { return nil }
    guard let index = state.seed, seeds.indices.contains(index) else {
      let behind = lanes.first?.seeds.filter {
        ($0.curves.loss.xs.last ?? 0) + 2 * batchLength < position
      }
      if let first = behind?.first {
        return "\(seeds.count) seeds (\(first.seed) catches up)"
      }
      return "\(seeds.count) seeds"
    }
    return "seed \(seeds[index]) of \(seeds.count)"
  }
}

extension LaneSnapshot {
  /// Test accuracy under each seed, share 0...1, by the rule of `ComparedTests`. Empty where there
  /// is none.
  public var seedTests: [(seed: Int, accuracy: Double)] {
    let found = ComparedTests.accuracies(seeds.map(\.tests), isOver: seeds.map(\.isOver))
    return Array(zip(seeds.map(\.seed), found?.values ?? [])).map { ($0, $1) }
  }

  /// Mean and standard deviation of the test accuracy over seeds, in per cent: `76.4 ± 1.1 %`.
  var seedAccuracy: String {
    let tests = seedTests.map { 100 * $0.accuracy }
    guard let point = SeedBand.Point(tests) else { return Text.unknown }
    let mean = Text.fixed(point.mean, 1)
    return point.sd.map { "\(mean) ± \(Text.fixed($0, 1)) %" } ?? "\(mean) %"
  }

  /// Against another lane, by the seeds that both have; nil where there are less than two.
  func compared(to other: LaneSnapshot, looks: Int) -> SeedComparison? {
    let known = Dictionary(other.seedTests.map { ($0.seed, $0.accuracy) }) { a, _ in a }
    let pairs = seedTests.compactMap { test in
      known[test.seed].map { (own: test.accuracy, other: $0) }
    }
    guard pairs.count > 1 else { return nil }
    return SeedComparison(
      first: pairs.map { 100 * $0.other }, second: pairs.map { 100 * $0.own }, looks: looks)
  }
}

extension Surface {
  /// A curve's range over seeds: its two edges, dotted.
  mutating func range(
    _ spread: SeedSpread, scale: (Double) -> Double = { $0 }, x: ClosedRange<Double>,
    y: ClosedRange<Double>, ink: Ink, in area: Area
  ) {
    let shown = spread.points.filter { $0.seeds > 1 }
    guard shown.count > 0, y.upperBound > y.lowerBound, !area.isEmpty else { return }
    // A dot for every other column of dots, on the lines between the points.
    let columns = area.width * dots.x
    for edge in [0, 1] {
      let points = shown.map { (x: $0.x, y: scale(edge == 0 ? $0.low : $0.high)) }
      var next = 0
      for column in stride(from: 0, to: columns, by: 2) {
        let share = (Double(column) + 0.5) / Double(columns)
        let place = x.lowerBound + share * (x.upperBound - x.lowerBound)
        while next < points.count, points[next].x < place { next += 1 }
        guard next > 0, next < points.count else { continue }
        let (a, b) = (points[next - 1], points[next])
        let t = b.x > a.x ? (place - a.x) / (b.x - a.x) : 0
        let value = a.y + t * (b.y - a.y)
        guard value.isFinite, y.contains(value) else { continue }
        plot([Curve([(place, value)], ink: ink)], x: x, y: y, in: area)
      }
    }
  }
}
