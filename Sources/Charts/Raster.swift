// SPDX-License-Identifier: MIT

/// A spike in a raster: time, and row from the top.
public struct RasterSpike: Sendable, Equatable {
  /// In the unit of the raster's time axis; not drawn outside its span.
  public var time: Double
  /// 0 is the top one; not drawn from the raster's `rows` on.
  public var row: Int
  /// Where spikes share a cell of a `Canvas`, that of the last one is seen.
  public var ink: Ink

  /// `row` may be a rank in any order of the neurons.
  public init(time: Double, row: Int, ink: Ink) {
    self.time = time
    self.row = row
    self.ink = ink
  }
}

extension Surface {
  /// A spike raster: `rows` neurons over a span of time.
  public mutating func raster(
    _ spikes: [RasterSpike], rows: Int, time: ClosedRange<Double>, in area: Area
  ) {
    guard !area.isEmpty, rows > 0, time.upperBound > time.lowerBound else { return }
    let span = time.upperBound - time.lowerBound
    for spike in spikes where time.contains(spike.time) && spike.row >= 0 && spike.row < rows {
      let share = min((spike.time - time.lowerBound) / span, 0.999_999)
      dot(
        x: Double(area.x) + share * Double(area.width),
        y: Double(area.y) + (Double(spike.row) + 0.5) / Double(rows) * Double(area.height),
        ink: spike.ink)
    }
  }
}
