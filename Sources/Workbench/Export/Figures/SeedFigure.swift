// SPDX-License-Identifier: MIT

import Charts
import Live

/// Lines over epochs under several seeds: the median, and the range as a band.
enum SeedFigure {
  /// - Parameter points: of a lane under one seed.
  /// - Returns: nil where no lane has several seeds.
  /// - Throws: `FigureObstacle` where no line has a point.
  static func make(
    _ snapshot: Snapshot, _ axis: String, limits: ClosedRange<Double>?, _ options: FigureOptions,
    _ points: (LaneSnapshot, LaneCurves) -> [(x: Double, y: Double)]
  ) throws(FigureObstacle) -> PaperFigure? {
    guard snapshot.lanes.contains(where: { $0.seeds.count > 1 }) else { return nil }
    var (bands, lines): ([PaperMark], [PaperMark]) = ([], [])
    var values: [Double] = []
    for lane in snapshot.lanes {
      let curves = lane.seeds.isEmpty ? [lane.curves] : lane.seeds.map(\.curves)
      let spread = SeedSpread(curves.map { points(lane, $0) })
      let name = lane.legendText + ", median of \(curves.count) seeds"
      lines.append(
        PaperMark(
          name, lane.stroke, .line(spread.points.map { PaperPoint($0.x, $0.median) }),
          end: lane.letter))
      values += spread.points.flatMap { [$0.low, $0.high] }
      guard curves.count > 1 else { continue }
      bands.append(
        .band(
          lane.legendText + ", range of seeds", lane.stroke,
          lower: spread.points.map { PaperPoint($0.x, $0.low) },
          upper: spread.points.map { PaperPoint($0.x, $0.high) }))
    }
    let y = PaperAxis.covering(
      values, axis, isLogarithmic: options.isLogarithmic, limits: limits,
      fromZero: limits == nil)
    return try .byEpoch(
      bands + lines, y, lines.map { PaperLegendEntry($0.name, $0.stroke) }, snapshot)
  }
}
