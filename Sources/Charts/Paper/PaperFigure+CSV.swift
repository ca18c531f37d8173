// SPDX-License-Identifier: MIT

extension PaperFigure {
  /// The numbers drawn, a line for each: panel, series and mark, x, y, and where the figure has
  /// them the other end of a stretch and the value of a cell. The column of x has the name of the
  /// axis, the panel that of its y axis.
  package var csv: String {
    var rows: [[String]] = []
    for panel in panels {
      for mark in panel.marks {
        for cells in numbers(mark, panel) {
          rows.append(
            [panel.y.name, mark.name, mark.kind] + cells.map { $0.map { "\($0)" } ?? "" })
        }
      }
    }
    var names = ["panel", "series", "mark", x.column, "y", "x_to", "y_to", "value"]
    // Columns of x and y are always there.
    for column in [7, 6, 5] where rows.allSatisfy({ $0[column].isEmpty }) {
      names.remove(at: column)
      for row in rows.indices { rows[row].remove(at: column) }
    }
    return ([names] + rows).map { $0.map(PaperFigure.quoted).joined(separator: ",") + "\n" }
      .joined()
  }

  private func numbers(_ mark: PaperMark, _ panel: PaperPanel) -> [[Double?]] {
    switch mark.shape {
    case .line(let points), .ticks(let points):
      points.filter { isDrawn($0.x, $0.y, panel) }.map { [$0.x, $0.y, nil, nil, nil] }
    case .band(let spans):
      spans.filter { isDrawn($0.x, $0.y, panel) && isDrawn($0.x, $0.yTo, panel) }
        .map { [$0.x, $0.y, nil, $0.yTo, nil] }
    case .bars(let spans, _):
      spans.filter { isDrawn($0.x, $0.y, panel) && isDrawn($0.xTo, $0.y, panel) }
        .map { [$0.x, $0.y, $0.xTo, nil, nil] }
    case .heat(let heat):
      zip(heat.xs, heat.values).flatMap { x, column in
        column.enumerated().filter { $0.element.isFinite && isDrawn(x, Double($0.offset), panel) }
          .map { [x, Double($0.offset), nil, nil, $0.element] }
      }
    case .rule(let place): x.share(place) == nil ? [] : [[place, nil, nil, nil, nil]]
    }
  }

  /// Whether a point is on both axes.
  func isDrawn(_ x: Double, _ y: Double, _ panel: PaperPanel) -> Bool {
    self.x.share(x) != nil && panel.y.share(y) != nil
  }

  private static func quoted(_ text: String) -> String {
    let plain = String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : $0 }))
    guard plain.contains(where: { $0 == "," || $0 == "\"" }) else { return plain }
    return "\"" + plain.replacing("\"", with: "\"\"") + "\""
  }
}

extension PaperMark {
  /// In tables.
  fileprivate var kind: String {
    switch shape {
    case .line: "line"
    case .band: "band"
    case .ticks: "spike"
    case .bars: "bar"
    case .heat: "cell"
    case .rule: "rule"
    }
  }
}
