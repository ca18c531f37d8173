// SPDX-License-Identifier: MIT

extension Surface {
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
}
