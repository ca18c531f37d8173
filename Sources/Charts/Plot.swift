// SPDX-License-Identifier: MIT

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
}
