// SPDX-License-Identifier: MIT

import Foundation

extension PaperFigure {
  /// Whether size and font leave room between the axes.
  package var hasRoom: Bool { PaperLayout(self).hasRoom }

  /// The document: its size in mm, a user unit a point.
  package var svg: String {
    let layout = PaperLayout(self)
    var drawing = PaperDrawing(font: style.font)
    for index in panels.indices {
      for mark in panels[index].marks { drawing.draw(mark, self, layout, panel: index) }
      drawing.axis(self, layout, panel: index)
      drawing.ends(self, layout, panel: index)
    }
    if let bar = layout.colorBar, let scale { drawing.colorBar(bar, scale, layout) }
    drawing.legend(layout.legend)
    for (row, text) in layout.title.enumerated() {
      drawing.text(
        text, x: layout.plot.x + layout.plot.width / 2,
        y: layout.pad + (0.9 + 1.25 * Double(row)) * style.font, anchor: .middle, isBold: true)
    }
    let number = PaperDrawing.number
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <svg xmlns="http://www.w3.org/2000/svg" width="\(number(style.width))mm" \
      height="\(number(style.height))mm" viewBox="0 0 \(number(layout.width)) \
      \(number(layout.height))" font-family="Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', \
      sans-serif" font-size="\(number(style.font))">
      \(metadata.svg)<rect width="\(number(layout.width))" height="\(number(layout.height))" \
      fill="white"/>
      \(drawing.elements.joined(separator: "\n"))
      </svg>

      """
  }
}

/// Elements of an SVG document, in order.
struct PaperDrawing {
  enum Anchor: String { case start, middle, end }

  let font: Double
  private(set) var elements: [String] = []

  init(font: Double) { self.font = font }

  /// At most two digits after the point, whatever the locale.
  static func number(_ x: Double) -> String {
    var text = String(format: "%.2f", x)
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text == "-0" ? "0" : text
  }

  mutating func add(_ element: String) { elements.append(element) }

  /// - Parameters:
  ///   - y: the base line.
  ///   - power: set higher, after the text.
  ///   - isUpright: read from below.
  mutating func text(
    _ text: String, x: Double, y: Double, anchor: Anchor = .start, power: String = "",
    isUpright: Bool = false, isBold: Bool = false
  ) {
    guard !text.isEmpty else { return }
    let (left, base) = (Self.number(x), Self.number(y))
    let raised =
      power.isEmpty
      ? ""
      : "<tspan dy=\"\(Self.number(-0.4 * font))\" font-size=\"\(Self.number(0.7 * font))\">"
        + XMLText.escaped(power) + "</tspan>"
    add(
      "<text x=\"\(left)\" y=\"\(base)\""
        + (anchor == .start ? "" : " text-anchor=\"\(anchor.rawValue)\"")
        + (isUpright ? " transform=\"rotate(-90 \(left) \(base))\"" : "")
        + (isBold ? " font-weight=\"bold\"" : "") + ">" + XMLText.escaped(text) + raised + "</text>"
    )
  }

  mutating func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double,
    _ stroke: PaperStroke = .black(width: 0.5)
  ) {
    let ends = [x1, y1, x2, y2].map(Self.number)
    add(
      "<line x1=\"\(ends[0])\" y1=\"\(ends[1])\" x2=\"\(ends[2])\" y2=\"\(ends[3])\""
        + "\(stroke.attributes)/>")
  }

  // MARK: - Axes

  mutating func axis(_ figure: PaperFigure, _ layout: PaperLayout, panel index: Int) {
    let (panel, axis) = (layout.panels[index], figure.panels[index].y)
    let (box, isLast) = (panel.box, index == layout.panels.count - 1)
    line(box.x, box.y, box.x, box.bottom)
    line(box.x, box.bottom, box.right, box.bottom)
    if figure.scale != nil {
      line(box.x, box.y, box.right, box.y)
      line(box.right, box.y, box.right, box.bottom)
    }
    for tick in panel.ticks {
      guard let share = axis.share(tick.value) else { continue }
      let y = box.y + (axis.isReversed ? share : 1 - share) * box.height
      line(box.x - layout.tick * (tick.text.isEmpty ? 0.6 : 1), y, box.x, y)
      text(
        tick.text, x: box.x - layout.tick - layout.gap, y: y + 0.35 * font, anchor: .end,
        power: tick.power)
    }
    if panel.exponent != 0 {
      text("×10", x: box.x, y: box.y - 0.5 * font, power: Self.power(panel.exponent))
    }
    // All names in one column, left of the widest numbers.
    for (row, name) in panel.name.enumerated() {
      let lines = layout.panels.map(\.name.count).max() ?? 0
      let x = layout.pad + (0.9 + 1.25 * Double(row + lines - panel.name.count)) * font
      text(name, x: x, y: box.y + box.height / 2, anchor: .middle, isUpright: true)
    }
    for tick in layout.xTicks {
      guard let share = figure.x.share(tick.value) else { continue }
      let x = box.x + share * box.width
      line(x, box.bottom, x, box.bottom + layout.tick * (tick.text.isEmpty || !isLast ? 0.6 : 1))
      guard isLast else { continue }
      text(
        tick.text, x: x, y: box.bottom + layout.tick + layout.gap + 0.8 * font, anchor: .middle,
        power: tick.power)
    }
    guard isLast else { return }
    let base = box.bottom + layout.tick + layout.gap + 0.8 * font
    if layout.xExponent != 0 {
      text(
        "×10", x: box.right, y: base + layout.line, anchor: .end,
        power: Self.power(layout.xExponent))
    }
    for (row, name) in layout.xName.enumerated() {
      text(
        name, x: box.x + box.width / 2, y: base + Double(row + 1) * layout.line, anchor: .middle)
    }
  }

  private static func power(_ exponent: Int) -> String {
    "\(exponent)".replacingOccurrences(of: "-", with: "−")
  }

  /// The letters at the ends of lines; those that would lie on each other make room.
  mutating func ends(_ figure: PaperFigure, _ layout: PaperLayout, panel index: Int) {
    let box = layout.panels[index].box
    let ends = figure.panels[index].marks.compactMap { mark -> (mark: PaperMark, y: Double)? in
      guard !mark.end.isEmpty, case .line(let points) = mark.shape else { return nil }
      let last = points.reversed().lazy.compactMap {
        layout.place($0.x, $0.y, figure, panel: index)
      }.first
      return last.map { (mark, $0.y) }
    }.sorted { $0.y < $1.y }
    var ys: [Double] = []
    for end in ends { ys.append(max(end.y, (ys.last ?? -.infinity) + 0.95 * font)) }
    var lowest = box.bottom
    for row in ys.indices.reversed() {
      ys[row] = min(ys[row], lowest)
      lowest = ys[row] - 0.95 * font
    }
    for (end, y) in zip(ends, ys) {
      let (x, base) = (Self.number(box.right + 0.35 * font), Self.number(y + 0.35 * font))
      add(
        "<text x=\"\(x)\" y=\"\(base)\" fill=\"\(end.mark.stroke.color)\" font-weight=\"bold\">"
          + "\(XMLText.escaped(end.mark.end))</text>")
    }
  }

  mutating func legend(_ legend: PaperLegend) {
    guard !legend.items.isEmpty else { return }
    if legend.isInside {
      let box = legend.box
      let sides = [
        box.x - 0.3 * font, box.y - 0.15 * font, box.width + 0.6 * font, box.height + 0.3 * font,
      ].map(Self.number)
      add(
        "<rect x=\"\(sides[0])\" y=\"\(sides[1])\" width=\"\(sides[2])\" height=\"\(sides[3])\" "
          + "fill=\"white\" fill-opacity=\"0.85\"/>")
    }
    for item in legend.items {
      let y = item.y - 0.3 * font
      line(item.x, y, item.x + PaperLegend.sample(font), y, item.stroke)
      text(item.text, x: item.x + PaperLegend.sample(font) + 0.5 * font, y: item.y)
    }
  }

  /// Colours from the lowest to the highest value, with the scale's ticks and name.
  mutating func colorBar(_ bar: PaperLayout.Panel, _ scale: PaperAxis, _ layout: PaperLayout) {
    let (box, steps) = (bar.box, 64)
    for step in 0..<steps {
      let top = box.bottom - box.height * Double(step + 1) / Double(steps)
      rectangle(
        box.x, top, box.width, box.height / Double(steps) + (step > 0 ? 0.3 : 0),
        PaperHeat.color((Double(step) + 0.5) / Double(steps)))
    }
    let sides = [box.x, box.y, box.width, box.height].map(Self.number)
    add(
      "<rect x=\"\(sides[0])\" y=\"\(sides[1])\" width=\"\(sides[2])\" height=\"\(sides[3])\" "
        + "fill=\"none\"\(PaperStroke.black(width: 0.5).attributes)/>")
    for tick in bar.ticks {
      guard let share = scale.share(tick.value) else { continue }
      let y = box.bottom - share * box.height
      line(box.right, y, box.right + layout.tick * (tick.text.isEmpty ? 0.6 : 1), y)
      text(
        tick.text, x: box.right + layout.tick + layout.gap, y: y + 0.35 * font, power: tick.power)
    }
    if bar.exponent != 0 {
      text(
        "×10", x: box.x, y: box.y - 0.4 * font, anchor: .start, power: Self.power(bar.exponent))
    }
    for (row, name) in bar.name.enumerated() {
      let x =
        layout.width - layout.pad - 0.3 * font - Double(bar.name.count - 1 - row) * layout.line
      text(name, x: x, y: box.y + box.height / 2, anchor: .middle, isUpright: true)
    }
  }

  mutating func rectangle(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ color: String
  ) {
    let sides = [x, y, width, height].map(Self.number)
    add(
      "<rect x=\"\(sides[0])\" y=\"\(sides[1])\" width=\"\(sides[2])\" height=\"\(sides[3])\" "
        + "fill=\"\(color)\"/>")
  }
}

extension PaperStroke {
  /// As attributes of an element, with a blank before.
  var attributes: String {
    " stroke=\"\(color)\" stroke-width=\"\(PaperDrawing.number(width))\""
      + (dash.isEmpty
        ? ""
        : " stroke-dasharray=\"\(dash.map(PaperDrawing.number).joined(separator: " "))\"")
  }
}
