// SPDX-License-Identifier: MIT

/// Where everything of a figure stands, in points from the top left corner.
struct PaperLayout {
  /// A rectangle.
  struct Box: Equatable {
    var x = 0.0
    var y = 0.0
    var width = 0.0
    var height = 0.0

    var right: Double { x + width }
    var bottom: Double { y + height }
    func contains(_ px: Double, _ py: Double, margin: Double = 0) -> Bool {
      px >= x - margin && px <= right + margin && py >= y - margin && py <= bottom + margin
    }
  }

  /// A panel with the ticks and the name of its y axis.
  struct Panel {
    var box = Box()
    var ticks: [PaperTick] = []
    var exponent = 0
    var name: [String] = []
  }

  private(set) var width: Double
  private(set) var height: Double
  private(set) var font: Double
  var title: [String] = []
  var panels: [Panel] = []
  var xTicks: [PaperTick] = []
  var xExponent = 0
  var xName: [String] = []
  var legend = PaperLegend()
  var colorBar: Panel?
  /// Right of the panels, for the letters at the ends of lines.
  private(set) var endRoom = 0.0

  var line: Double { 1.25 * font }
  var tick: Double { 0.35 * font }
  var gap: Double { 0.3 * font }
  var pad: Double { 0.5 * font }

  init(_ figure: PaperFigure) {
    width = figure.style.width * PaperStyle.points
    height = figure.style.height * PaperStyle.points
    font = figure.style.font
    let place = figure.legend.isEmpty ? .none : figure.style.legend
    switch place {
    case .none: arrange(figure, .none)
    case .right, .below: arrange(figure, place)
    case .inside, .automatic:
      arrange(figure, .none)
      if let inside = PaperLegend.inside(figure, self, coversNothing: place == .automatic) {
        legend = inside
      } else {
        arrange(figure, .below)
        // Beside the panels where that cuts no text, or where there is no room below.
        if legend.box.height > 0.35 * height {
          let below = self
          arrange(figure, .right)
          let isCut = zip(legend.items, figure.legend).contains { $0.text != $1.text }
          if below.hasRoom, isCut || !hasRoom { self = below }
        }
      }
    }
  }

  /// Whether there is room for data between the axes.
  var hasRoom: Bool {
    panels.allSatisfy { $0.box.width >= 5 * font && $0.box.height >= 1.5 * font }
      && panels.reduce(0) { $0 + $1.box.height } >= 5 * font
  }

  /// - Parameter place: of the legend: outside, or none.
  private mutating func arrange(_ figure: PaperFigure, _ place: PaperLegendPlace) {
    legend = PaperLegend()
    title = PaperText.wrapped(figure.title, width - 4 * pad, font, lines: 3)
    var area = Box(x: pad, y: pad, width: width - 2 * pad, height: height - 2 * pad)
    let top = Double(title.count) * line + (title.isEmpty ? 0.2 : 0.5) * font
    area.y += top
    area.height -= top
    switch place {
    case .right:
      legend = PaperLegend(column: figure.legend, self, room: 0.45 * width)
      area.width -= legend.box.width + font
      legend.move(x: area.right + font, y: area.y)
    case .below:
      legend = PaperLegend(rows: figure.legend, self, room: area.width)
      area.height -= legend.box.height + 0.3 * font
      legend.move(x: pad, y: area.bottom + 0.3 * font)
    default: break
    }
    let names = figure.x.name.isEmpty ? 0 : 1
    placePanels(figure, in: area, nameLines: names)
    // A long name of the x axis takes a second line, now that the width is known.
    let wrapped = PaperText.wrapped(
      figure.x.name, max(plot.width, 0.6 * area.width), font, lines: 2)
    if wrapped.count > names { placePanels(figure, in: area, nameLines: wrapped.count) }
    xName = wrapped
  }

  /// All panels together.
  var plot: Box {
    guard let first = panels.first?.box, let last = panels.last?.box else { return Box() }
    return Box(x: first.x, y: first.y, width: first.width, height: last.bottom - first.y)
  }

  private mutating func placePanels(_ figure: PaperFigure, in area: Box, nameLines: Int) {
    let below = tick + gap + line + Double(nameLines) * line
    let between = 1.1 * font
    let free = area.height - below - between * Double(figure.panels.count - 1)
    let weights = figure.panels.reduce(0) { $0 + $1.weight }
    panels = []
    var y = area.y
    for panel in figure.panels {
      var own = Panel()
      own.box = Box(y: y, height: max(free * panel.weight / max(weights, 1e-9), 1))
      (own.ticks, own.exponent) = panel.y.ticks(room: own.box.height, font: font, isUpright: true)
      if own.exponent != 0, y == area.y {
        own.box.y += line
        own.box.height = max(own.box.height - line, 1)
      }
      own.name = PaperText.wrapped(
        panel.y.name, own.box.height + between, font, lines: 3)
      panels.append(own)
      y = own.box.bottom + between
    }
    let labels =
      panels.flatMap(\.ticks).map {
        PaperText.width($0.text, font) + PaperText.width($0.power, 0.7 * font)
      }.max() ?? 0
    let names = Double(panels.map(\.name.count).max() ?? 0) * line
    let left = names + (names > 0 ? gap : 0) + labels + gap + tick
    let ends = figure.panels.flatMap(\.marks).map { PaperText.width($0.end, font) }.max() ?? 0
    endRoom = ends > 0 ? ends + 0.5 * font : 0
    var right = max(endRoom, 1.2 * font)
    if let scale = figure.scale {
      var bar = Panel()
      let whole = plotHeight
      (bar.ticks, bar.exponent) = scale.ticks(room: whole, font: font, isUpright: true)
      bar.name = PaperText.wrapped(scale.name, whole + font, font, lines: 2)
      let numbers =
        bar.ticks.map {
          PaperText.width($0.text, font) + PaperText.width($0.power, 0.7 * font)
        }.max() ?? 0
      let room = font + tick + gap + numbers + gap + Double(bar.name.count) * line
      right = 0.8 * font + room
      bar.box = Box(
        x: area.right - room, y: panels.first?.box.y ?? 0, width: font, height: whole)
      colorBar = bar
    }
    for index in panels.indices {
      panels[index].box.x = area.x + left
      panels[index].box.width = max(area.width - left - right, 1)
    }
    (xTicks, xExponent) = figure.x.ticks(room: plot.width, font: font, isUpright: false)
  }

  private var plotHeight: Double {
    (panels.last?.box.bottom ?? 0) - (panels.first?.box.y ?? 0)
  }

  /// A point of a panel; nil where an axis does not hold it.
  func place(_ x: Double, _ y: Double, _ figure: PaperFigure, panel index: Int) -> (
    x: Double, y: Double
  )? {
    let (panel, box) = (figure.panels[index], panels[index].box)
    guard let shareX = figure.x.share(x), let shareY = panel.y.share(y) else { return nil }
    return (
      box.x + shareX * box.width, box.y + (panel.y.isReversed ? shareY : 1 - shareY) * box.height
    )
  }
}

extension PaperFigure {
  /// Of the colours, where there is a heat map.
  var scale: PaperAxis? {
    for mark in panels.flatMap(\.marks) {
      if case .heat(let heat) = mark.shape { return heat.scale }
    }
    return nil
  }
}
