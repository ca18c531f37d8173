// SPDX-License-Identifier: MIT

/// The lines of a legend with their places, in points.
struct PaperLegend {
  struct Item {
    /// Left end of the sample, and the text's base line.
    var x: Double
    var y: Double
    var text: String
    var stroke: PaperStroke
  }

  var items: [Item] = []
  var box = PaperLayout.Box()
  /// It stands on data: with a white ground.
  var isInside = false

  init() {}

  /// Length of a sample: two periods of the longest pattern.
  static func sample(_ font: Double) -> Double { 3 * font }
  private static func lead(_ font: Double) -> Double { sample(font) + 0.5 * font }

  /// One entry a line.
  init(column entries: [PaperLegendEntry], _ layout: PaperLayout, room: Double) {
    let font = layout.font
    let lead = Self.lead(font)
    for (row, entry) in entries.enumerated() {
      let text = PaperText.fit(entry.text, room - lead, font)
      items.append(
        Item(
          x: 0, y: (Double(row) * 1.35 + 1) * font, text: text, stroke: entry.stroke))
      box.width = max(box.width, lead + PaperText.width(text, font))
    }
    box.height = (Double(entries.count) * 1.35 + 0.15) * font
  }

  /// Side by side as far as they fit, in columns of equal width.
  init(rows entries: [PaperLegendEntry], _ layout: PaperLayout, room: Double) {
    let font = layout.font
    let lead = Self.lead(font)
    let widest = entries.map { PaperText.width($0.text, font) }.max() ?? 0
    let cell = min(lead + widest + font, room)
    let columns = max(1, min(entries.count, Int(room / cell)))
    for (index, entry) in entries.enumerated() {
      let (row, column) = (index / columns, index % columns)
      items.append(
        Item(
          x: Double(column) * cell, y: (Double(row) * 1.35 + 1) * font,
          text: PaperText.fit(entry.text, cell - lead, font), stroke: entry.stroke))
    }
    box.width = Double(columns) * cell
    box.height = (Double((entries.count + columns - 1) / columns) * 1.35 + 0.15) * font
  }

  mutating func move(x: Double, y: Double) {
    (box.x, box.y) = (box.x + x, box.y + y)
    for index in items.indices {
      items[index].x += x
      items[index].y += y
    }
  }

  /// In the corner of the highest panel where it covers least.
  /// - Returns: nil where it does not fit, or covers data and must not.
  static func inside(
    _ figure: PaperFigure, _ layout: PaperLayout, coversNothing: Bool
  ) -> PaperLegend? {
    guard
      let index = layout.panels.indices.max(by: {
        layout.panels[$0].box.height < layout.panels[$1].box.height
      }), figure.scale == nil
    else { return nil }
    let (panel, font) = (layout.panels[index].box, layout.font)
    var legend = PaperLegend(column: figure.legend, layout, room: panel.width - font)
    let inset = 0.6 * font
    let (freeX, freeY) = (
      panel.width - legend.box.width - 2 * inset, panel.height - legend.box.height - 2 * inset
    )
    guard freeX >= 0, freeY >= 0 else { return nil }
    let points = figure.samples(layout, panel: index)
    var best: (hits: Int, x: Double, y: Double)?
    for (shareX, shareY) in [
      (1.0, 0.0), (1, 1), (0, 0), (0, 1), (0.5, 0), (0.5, 1), (1, 0.5), (0, 0.5),
    ] {
      let x = panel.x + inset + shareX * freeX
      let y = panel.y + inset + shareY * freeY
      let box = PaperLayout.Box(x: x, y: y, width: legend.box.width, height: legend.box.height)
      let hits = points.count { box.contains($0.x, $0.y, margin: 0.4 * font) }
      if hits < best?.hits ?? .max { best = (hits, x, y) }
    }
    guard let best, best.hits == 0 || !coversNothing else { return nil }
    legend.move(x: best.x, y: best.y)
    legend.isInside = true
    return legend
  }
}

extension PaperFigure {
  /// Points close to each other along all that a panel holds.
  func samples(_ layout: PaperLayout, panel index: Int) -> [(x: Double, y: Double)] {
    var points: [(x: Double, y: Double)] = []
    func at(_ x: Double, _ y: Double) -> (x: Double, y: Double)? {
      layout.place(x, y, self, panel: index)
    }
    func join(_ a: (x: Double, y: Double)?, _ b: (x: Double, y: Double)?) {
      guard let a, let b else { return }
      let length = max(abs(b.x - a.x), abs(b.y - a.y))
      for k in 0...max(1, Int(length / 1.5)) {
        let share = Double(k) / Double(max(1, Int(length / 1.5)))
        points.append((a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)))
      }
    }
    let axis = panels[index].y
    for mark in panels[index].marks {
      switch mark.shape {
      case .line(let own):
        for (a, b) in zip(own, own.dropFirst()) { join(at(a.x, a.y), at(b.x, b.y)) }
        points += own.prefix(1).compactMap { at($0.x, $0.y) }
      case .band(let own): for span in own { join(at(span.x, span.y), at(span.x, span.yTo)) }
      case .ticks(let own): points += own.compactMap { at($0.x, $0.y) }
      case .bars(let own, let isFilled):
        for span in own {
          join(at(span.x, span.y), at(span.xTo, span.y))
          if isFilled {
            join(
              at((span.x + span.xTo) / 2, span.y),
              at((span.x + span.xTo) / 2, axis.range.lowerBound))
          }
        }
      case .rule(let x): join(at(x, axis.range.lowerBound), at(x, axis.range.upperBound))
      case .heat: break
      }
    }
    return points
  }
}
