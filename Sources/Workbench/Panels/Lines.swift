// SPDX-License-Identifier: MIT

import Charts

/// Lines of text from the top of an area down; what does not fit is cut.
struct Lines {
  private var area: Area

  init(_ area: Area) { self.area = area }

  /// How many of a list fit into some rows; where not all do, a row is left to say how many more
  /// there are.
  static func fitting(_ count: Int, rows: Int) -> (shown: Int, left: Int) {
    if count <= rows { return (count, 0) }
    let shown = max(0, rows - 1)
    return (shown, count - shown)
  }

  mutating func add<S: Surface>(_ text: String, _ style: CellStyle, on surface: inout S) {
    guard area.height > 0 else { return }
    let row = area.takeTop(1)
    surface.text(String(text.prefix(row.width)), x: row.x, y: row.y, style: style)
  }
}
