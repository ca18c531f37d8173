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
  /// Spikes per cell of a raster, on average, beyond which cells are shaded.
  private var dense: Int { 2 }

  private mutating func shaded(
    _ spikes: [RasterSpike], rows: Int, time: ClosedRange<Double>, in area: Area
  ) {
    var counts = Array(repeating: 0, count: area.width * area.height)
    let span = time.upperBound - time.lowerBound
    for spike in spikes {
      let share = min((spike.time - time.lowerBound) / span, 0.999_999)
      let cell =
        spike.row * area.height / rows * area.width + Int(share * Double(area.width))
      counts[cell] += 1
    }
    let most = Double(counts.max() ?? 1)
    for (cell, count) in counts.enumerated() where count > 0 {
      shade(
        x: area.x + cell % area.width, y: area.y + cell / area.width,
        share: Double(count) / most, ink: spikes[0].ink)
    }
  }

  /// A spike raster, shaded where it is dense: `rows` neurons over a span of time.
  public mutating func raster(
    _ spikes: [RasterSpike], rows: Int, time: ClosedRange<Double>, in area: Area
  ) {
    guard !area.isEmpty, rows > 0, time.upperBound > time.lowerBound else { return }
    let span = time.upperBound - time.lowerBound
    let inView = spikes.filter { time.contains($0.time) && $0.row >= 0 && $0.row < rows }
    // Solid blocks say nothing: where cells hold many spikes, shades say how many.
    if inView.count > dense * area.width * area.height {
      return shaded(inView, rows: rows, time: time, in: area)
    }
    for spike in spikes where time.contains(spike.time) && spike.row >= 0 && spike.row < rows {
      let share = min((spike.time - time.lowerBound) / span, 0.999_999)
      dot(
        x: Double(area.x) + share * Double(area.width),
        y: Double(area.y) + (Double(spike.row) + 0.5) / Double(rows) * Double(area.height),
        ink: spike.ink)
    }
  }
}
