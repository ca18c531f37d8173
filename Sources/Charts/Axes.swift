// SPDX-License-Identifier: MIT

import Foundation

extension Surface {
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
    let span = range.upperBound - range.lowerBound
    func label(_ value: Double) -> String {
      isLogarithmic ? Text.short(value) : Text.short(value, span: span)
    }
    if area.height >= 5 && area.height % 2 == 1 {
      let middle =
        isLogarithmic
        ? (range.lowerBound * range.upperBound).squareRoot()
        : (range.lowerBound + range.upperBound) / 2
      text(
        label(middle), endingAt: area.x + area.width, y: area.y + area.height / 2, style: .dim
      )
    }
    text(
      label(range.upperBound), endingAt: area.x + area.width, y: area.y, style: .dim)
    if area.height > 1 {
      text(
        label(range.lowerBound), endingAt: area.x + area.width, y: area.y + area.height - 1,
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
}
