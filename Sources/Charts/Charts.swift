// SPDX-License-Identifier: MIT

import Foundation

/// Where a chart goes, in cells.
public struct Area: Sendable, Equatable {
  /// The leftmost column.
  public var x: Int
  /// The top row.
  public var y: Int
  /// Columns.
  public var width: Int
  /// Rows.
  public var height: Int

  /// A width or height below 0 counts as 0: areas may be computed without looking at the room left.
  public init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.width = max(0, width)
    self.height = max(0, height)
  }

  /// Charts draw nothing in an empty area.
  public var isEmpty: Bool { width <= 0 || height <= 0 }

  /// The area inside a frame.
  public var inside: Area { Area(x: x + 1, y: y + 1, width: width - 2, height: height - 2) }

  /// Cuts `rows` off the top.
  public mutating func takeTop(_ rows: Int) -> Area {
    let taken = Area(x: x, y: y, width: width, height: min(rows, height))
    y += taken.height
    height -= taken.height
    return taken
  }

  /// Cuts `columns` off the left.
  public mutating func takeLeft(_ columns: Int) -> Area {
    let taken = Area(x: x, y: y, width: min(columns, width), height: height)
    x += taken.width
    width -= taken.width
    return taken
  }

  /// Whether a cell, as of a mouse click, lies in the area.
  public func contains(x: Int, y: Int) -> Bool {
    x >= self.x && x < self.x + width && y >= self.y && y < self.y + height
  }
}

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

/// A curve in a plot.
public struct Curve: Sendable {
  /// Joined by lines in this order. An x outside the plot, or a y that is not finite, interrupts
  /// the curve; a y beyond the plot is drawn at its edge.
  public var points: [(x: Double, y: Double)]
  /// One for the whole curve; later curves are drawn over earlier ones.
  public var ink: Ink

  /// Points are kept as they are: neither sorted nor thinned out.
  public init(_ points: [(x: Double, y: Double)], ink: Ink) {
    self.points = points
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

  /// Curves over a common pair of ranges; points outside are left out.
  public mutating func plot(
    _ curves: [Curve], x: ClosedRange<Double>, y: ClosedRange<Double>, in area: Area
  ) {
    guard !area.isEmpty, x.upperBound > x.lowerBound, y.upperBound > y.lowerBound else { return }
    // Half a dot inside the edges, so that extremes are drawn.
    let (marginX, marginY) = (0.5 / Double(dots.x), 0.5 / Double(dots.y))
    func place(_ point: (x: Double, y: Double)) -> (x: Double, y: Double) {
      let shareX = (point.x - x.lowerBound) / (x.upperBound - x.lowerBound)
      let shareY = (point.y - y.lowerBound) / (y.upperBound - y.lowerBound)
      return (
        Double(area.x) + marginX + shareX * (Double(area.width) - 2 * marginX),
        Double(area.y) + marginY + (1 - shareY) * (Double(area.height) - 2 * marginY)
      )
    }
    for curve in curves {
      var last: (x: Double, y: Double)?
      for point in curve.points {
        guard x.contains(point.x), point.y.isFinite else {
          last = nil
          continue
        }
        let clamped = (point.x, min(max(point.y, y.lowerBound), y.upperBound))
        let here = place(clamped)
        if let last {
          line(from: last, to: here, ink: curve.ink)
        } else {
          dot(x: here.x, y: here.y, ink: curve.ink)
        }
        last = here
      }
    }
  }

  /// One row of bars, the last ones that fit; the highest fills its cell.
  public mutating func sparkline(_ values: [Double], in area: Area, ink: Ink, from low: Double = 0)
  {
    guard !area.isEmpty else { return }
    let shown = values.suffix(area.width)
    let high = shown.filter(\.isFinite).max() ?? 0
    for (column, value) in shown.enumerated() {
      let share = high > low ? (value - low) / (high - low) : 0
      bar(x: area.x + column, y: area.y, share: max(share, 0.06), ink: ink)
    }
  }

  /// A function of time as a band of bars.
  public mutating func band(_ values: [Double], highest: Double, in area: Area, ink: Ink) {
    guard !area.isEmpty, !values.isEmpty, highest > 0 else { return }
    for column in 0..<area.width {
      let value = values[column * values.count / area.width]
      bar(x: area.x + column, y: area.y, share: max(value / highest, 0), ink: ink)
    }
  }

  /// Ticks under a plot: numbers at round values, the unit at the end.
  public mutating func timeAxis(_ time: ClosedRange<Double>, unit: String, in area: Area) {
    guard !area.isEmpty, time.upperBound > time.lowerBound else { return }
    let span = time.upperBound - time.lowerBound
    let step = Ticks.step(span / max(1, Double(area.width) / 12))
    var tick = (time.lowerBound / step).rounded(.up) * step
    var free = area.x
    let end = area.x + area.width - unit.count - 1
    while tick <= time.upperBound {
      let label = Ticks.label(tick, step: step)
      let position = Double(area.width) * (tick - time.lowerBound) / span
      let column = min(area.x + Int(position), end - label.count)
      if column >= free, column + label.count <= end {
        text(label, x: column, y: area.y, style: .dim)
        free = column + label.count + 1
      }
      tick += step
    }
    text(unit, endingAt: area.x + area.width, y: area.y, style: .dim)
  }

  /// Labels of a vertical axis: the top and the bottom value, and the one between where there is
  /// room, right-aligned in `area`.
  public mutating func valueAxis(
    _ range: ClosedRange<Double>, isLogarithmic: Bool = false, in area: Area
  ) {
    guard area.height >= 1, area.width > 0 else { return }
    if area.height >= 5 && area.height % 2 == 1 {
      let middle =
        isLogarithmic
        ? (range.lowerBound * range.upperBound).squareRoot()
        : (range.lowerBound + range.upperBound) / 2
      text(
        Ticks.short(middle), endingAt: area.x + area.width, y: area.y + area.height / 2, style: .dim
      )
    }
    text(
      Ticks.short(range.upperBound), endingAt: area.x + area.width, y: area.y, style: .dim)
    if area.height > 1 {
      text(
        Ticks.short(range.lowerBound), endingAt: area.x + area.width, y: area.y + area.height - 1,
        style: .dim)
    }
  }
}

/// Round numbers for axes.
public enum Ticks {
  /// 1, 2 or 5 times a power of ten, at least `rough`.
  public static func step(_ rough: Double) -> Double {
    guard rough > 0, rough.isFinite else { return 1 }
    let power = pow(10, floor(log10(rough)))
    for factor in [1.0, 2, 5] where factor * power >= rough * 0.999 { return factor * power }
    return 10 * power
  }

  static func label(_ value: Double, step: Double) -> String {
    let digits = max(0, Int(-floor(log10(step) + 1e-9)))
    return String(format: "%.\(min(digits, 6))f", abs(value) < step / 1000 ? 0 : value)
  }

  /// Three significant digits: `0.412`, `12.3`, `3.2e-5`.
  public static func short(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value > 0 ? "inf" : "-inf" }
    let size = abs(value)
    if size == 0 { return "0" }
    if size < 1e-3 || size >= 1e5 { return String(format: "%.1e", value) }
    let digits = max(0, 2 - Int(floor(log10(size))))
    return String(format: "%.\(digits)f", value)
  }
}
