// SPDX-License-Identifier: MIT

extension PaperDrawing {
  /// A mark, with its name as a title.
  mutating func draw(
    _ mark: PaperMark, _ figure: PaperFigure, _ layout: PaperLayout, panel index: Int
  ) {
    let box = layout.panels[index].box
    func at(_ x: Double, _ y: Double) -> (x: Double, y: Double)? {
      layout.place(x, y, figure, panel: index)
    }
    add("<g><title>\(XMLText.escaped(mark.name))</title>")
    switch mark.shape {
    case .line(let points): curve(points.map { at($0.x, $0.y) }, mark.stroke)
    case .band(let spans):
      band(
        spans.map { span in at(span.x, span.y).flatMap { a in at(span.x, span.yTo).map { (a, $0) } }
        }, mark.stroke)
    case .ticks(let points):
      let axis = figure.panels[index].y.range
      let row = box.height / max(axis.upperBound - axis.lowerBound, 1e-9)
      ticks(points.compactMap { at($0.x, $0.y) }, length: max(0.85 * row, 1), mark.stroke)
    case .bars(let spans, let isFilled):
      bars(
        spans.compactMap { span in
          at(span.x, span.y).flatMap { a in at(span.xTo, span.y).map { (a.x, $0.x, a.y) } }
        }, isFilled: isFilled, base: box.bottom, mark.stroke)
    case .heat(let heat): cells(heat, figure, box, panel: index)
    case .rule(let place):
      if let share = figure.x.share(place) {
        line(box.x + share * box.width, box.y, box.x + share * box.width, box.bottom, mark.stroke)
      }
    }
    add("</g>")
  }

  /// Pieces between points that are not there; a point alone is a disc.
  private mutating func curve(_ points: [(x: Double, y: Double)?], _ stroke: PaperStroke) {
    for piece in pieces(points) {
      if piece.count == 1 {
        let (x, y) = (Self.number(piece[0].x), Self.number(piece[0].y))
        add(
          "<circle cx=\"\(x)\" cy=\"\(y)\" r=\"\(Self.number(1.2 * stroke.width))\" "
            + "fill=\"\(stroke.color)\"/>")
      } else {
        add(
          "<polyline fill=\"none\"\(stroke.attributes) stroke-linejoin=\"round\" "
            + "points=\"\(Self.list(piece))\"/>")
      }
    }
  }

  private mutating func band(
    _ spans: [((x: Double, y: Double), (x: Double, y: Double))?], _ stroke: PaperStroke
  ) {
    for piece in pieces(spans) where piece.count > 1 {
      let outline = piece.map(\.0) + piece.reversed().map(\.1)
      add(
        "<polygon fill=\"\(stroke.color)\" fill-opacity=\"0.25\" points=\"\(Self.list(outline))\"/>"
      )
    }
  }

  private func pieces<Element>(_ all: [Element?]) -> [[Element]] {
    all.split { $0 == nil }.map { $0.map { $0! } }
  }

  private static func list(_ points: [(x: Double, y: Double)]) -> String {
    points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
  }

  private mutating func ticks(
    _ points: [(x: Double, y: Double)], length: Double, _ stroke: PaperStroke
  ) {
    guard !points.isEmpty else { return }
    let path = points.map {
      "M\(Self.number($0.x)) \(Self.number($0.y - length / 2))v\(Self.number(length))"
    }
    add("<path fill=\"none\"\(stroke.attributes) d=\"\(path.joined())\"/>")
  }

  private mutating func bars(
    _ bars: [(from: Double, to: Double, y: Double)], isFilled: Bool, base: Double,
    _ stroke: PaperStroke
  ) {
    guard !bars.isEmpty else { return }
    if isFilled {
      for bar in bars {
        rectangle(bar.from, bar.y, bar.to - bar.from, base - bar.y, stroke.color)
      }
      return
    }
    let outline = bars.flatMap { [(x: $0.from, y: $0.y), (x: $0.to, y: $0.y)] }
    add(
      "<polyline fill=\"none\"\(stroke.attributes) points=\"\(Self.list(outline))\"/>")
  }

  /// Cells of one colour are one path; they overlap a little, so that no viewer shows seams.
  private mutating func cells(
    _ heat: PaperHeat, _ figure: PaperFigure, _ box: PaperLayout.Box, panel index: Int
  ) {
    let y = figure.panels[index].y
    let (spanX, spanY) = (
      figure.x.range.upperBound - figure.x.range.lowerBound,
      y.range.upperBound - y.range.lowerBound
    )
    guard spanX > 0, spanY > 0 else { return }
    let (width, height) = (box.width / spanX, box.height / spanY)
    let levels = 64
    var paths = Array(repeating: "", count: levels)
    for (x, column) in zip(heat.xs, heat.values) {
      let left = box.x + (x - 0.5 - figure.x.range.lowerBound) * width
      for (row, value) in column.enumerated() {
        guard figure.isDrawn(x, Double(row), figure.panels[index]),
          let share = heat.scale.share(value)
        else { continue }
        let level = min(levels - 1, Int(share * Double(levels)))
        if share == 0 && !heat.scale.isLogarithmic { continue }
        let shareY = (Double(row) - y.range.lowerBound) / spanY
        let middle = box.y + (y.isReversed ? shareY : 1 - shareY) * box.height
        let (right, bottom) = (
          min(left + width + 0.08, box.right), min(middle + height / 2 + 0.08, box.bottom)
        )
        let top = middle - height / 2
        paths[level] +=
          "M\(Self.number(left)) \(Self.number(top))H\(Self.number(right))"
          + "V\(Self.number(bottom))H\(Self.number(left))z"
      }
    }
    for (level, path) in paths.enumerated() where !path.isEmpty {
      let color = PaperHeat.color((Double(level) + 0.5) / Double(levels))
      add("<path fill=\"\(color)\" d=\"\(path)\"/>")
    }
  }
}
