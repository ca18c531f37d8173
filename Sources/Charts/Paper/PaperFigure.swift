// SPDX-License-Identifier: MIT

/// A figure for papers: one panel, or several above each other with a common x axis; vectors and
/// text, in millimetres and points. `svg` draws it, `csv` is the numbers drawn.
package struct PaperFigure: Sendable {
  package var style = PaperStyle()
  /// Above the panels; empty: none.
  package var title = ""
  package var x: PaperAxis
  /// From the top down; at least one.
  package var panels: [PaperPanel]
  /// In order. Empty: no legend, whatever the style says.
  package var legend: [PaperLegendEntry] = []
  package var metadata = PaperMetadata()

  package init(x: PaperAxis, panels: [PaperPanel]) {
    self.x = x
    self.panels = panels
  }
}

/// Size, font and place of the legend.
package struct PaperStyle: Sendable, Equatable {
  /// Of the whole figure, mm.
  package var width = 85.0
  package var height = 60.0
  /// Size of all text, pt.
  package var font = 7.0
  package var legend = PaperLegendPlace.automatic

  package init() {}

  /// Points in a millimetre.
  static let points = 72 / 25.4
}

/// Where the legend goes.
package enum PaperLegendPlace: String, Sendable, CaseIterable {
  /// Inside where it covers no data, else below.
  case automatic = "auto"
  case none
  /// In the corner where it covers least.
  case inside
  case right
  case below
}

/// A line of the legend: how a mark is drawn, and what it is.
package struct PaperLegendEntry: Sendable, Equatable {
  package var text: String
  package var stroke: PaperStroke

  package init(_ text: String, _ stroke: PaperStroke) {
    self.text = text
    self.stroke = stroke
  }
}

/// A y axis and what is drawn over it.
package struct PaperPanel: Sendable {
  package var y: PaperAxis
  /// Later ones over earlier ones.
  package var marks: [PaperMark]
  /// Share of the height, against the other panels'.
  package var weight = 1.0

  package init(y: PaperAxis, marks: [PaperMark], weight: Double = 1) {
    self.y = y
    self.marks = marks
    self.weight = weight
  }
}

/// Colour, dashes and width of lines.
package struct PaperStroke: Sendable, Equatable {
  /// `#0072b2`.
  package var color: String
  /// Lengths of dash and gap in turn, pt; empty: a whole line.
  package var dash: [Double] = []
  /// pt.
  package var width = 1.0

  package init(color: String, dash: [Double] = [], width: Double = 1) {
    self.color = color
    self.dash = dash
    self.width = width
  }

  /// Six patterns that black and white printing keeps apart.
  package static let dashes: [[Double]] = [
    [], [4, 1.6], [1, 1.3], [5, 1.4, 1, 1.4], [8, 2], [2.4, 1, 1, 1, 1, 1],
  ]

  /// A series by its number: the colours of `Ink.series`, and a pattern of its own.
  /// - Parameter dash: number of another pattern.
  package static func series(_ index: Int, dash: Int? = nil) -> PaperStroke {
    let count = dashes.count
    return PaperStroke(
      color: SVGSurface.color(.series(index)),
      dash: dashes[((dash ?? index) % count + count) % count])
  }

  /// In the colour of an ink, without dashes.
  package static func ink(_ ink: Ink, width: Double = 1) -> PaperStroke {
    PaperStroke(color: SVGSurface.color(ink), width: width)
  }

  /// For what is no lane's: black.
  package static func black(dash: Int = 0, width: Double = 1) -> PaperStroke {
    PaperStroke(color: "#000000", dash: dashes[dash % dashes.count], width: width)
  }

  /// For what stands behind.
  package static func gray(dash: Int = 0, width: Double = 0.6) -> PaperStroke {
    PaperStroke(color: "#999999", dash: dashes[dash % dashes.count], width: width)
  }
}

/// One thing drawn in a panel; x and y in the units of the axes.
package struct PaperMark: Sendable {
  /// What is drawn. Values that are not finite or beyond the axes are not drawn, and interrupt
  /// lines and bands.
  package enum Shape: Sendable {
    case line([PaperPoint])
    /// Between `y` and `yTo`, as from the lowest to the highest of several seeds.
    case band([PaperSpan])
    /// Spikes: upright ticks one unit of y high.
    case ticks([PaperPoint])
    /// From `x` to `xTo` at the height `y`; filled down to the axis, or the outline alone.
    case bars([PaperSpan], isFilled: Bool)
    case heat(PaperHeat)
    /// An upright line at x.
    case rule(Double)
  }

  /// In the CSV, and as a title in the SVG.
  package var name: String
  package var stroke: PaperStroke
  package var shape: Shape
  /// A few letters where a line ends; empty: none.
  package var end = ""

  package init(_ name: String, _ stroke: PaperStroke, _ shape: Shape, end: String = "") {
    (self.name, self.stroke, self.shape, self.end) = (name, stroke, shape, end)
  }

  /// A band between two curves over the same xs.
  package static func band(
    _ name: String, _ stroke: PaperStroke, lower: [PaperPoint], upper: [PaperPoint]
  ) -> PaperMark {
    let spans = zip(lower, upper).map { PaperSpan(x: $0.x, xTo: $0.x, y: $0.y, yTo: $1.y) }
    return PaperMark(name, stroke, .band(spans))
  }
}

/// A point in the units of the axes.
package struct PaperPoint: Sendable, Equatable {
  package var x: Double
  package var y: Double

  package init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
}

/// A stretch in the units of the axes.
package struct PaperSpan: Sendable, Equatable {
  package var x: Double
  package var xTo: Double
  package var y: Double
  package var yTo: Double

  package init(x: Double, xTo: Double, y: Double, yTo: Double) {
    (self.x, self.xTo, self.y, self.yTo) = (x, xTo, y, yTo)
  }
}

/// Cells of one unit of x by one of y around (`x`, row), coloured by their value.
package struct PaperHeat: Sendable {
  /// Middle of each column.
  package var xs: [Double]
  /// By column, then row, from row 0 on; not finite: left white.
  package var values: [[Double]]
  /// Of the colours: its name has the unit. Zero is white on a logarithmic scale.
  package var scale: PaperAxis

  package init(xs: [Double], values: [[Double]], scale: PaperAxis) {
    (self.xs, self.values, self.scale) = (xs, values, scale)
  }

  /// From white through blue to nearly black: the order holds without colours.
  static func color(_ share: Double) -> String {
    let stops: [(Double, Double, Double)] = [
      (255, 255, 255), (86, 180, 233), (0, 80, 140), (0, 16, 40),
    ]
    let place = min(max(share, 0), 1) * Double(stops.count - 1)
    let index = min(Int(place), stops.count - 2)
    let (a, b, t) = (stops[index], stops[index + 1], place - Double(index))
    let mixed = [a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1), a.2 + t * (b.2 - a.2)]
    return "#"
      + mixed.map { value -> String in
        let byte = Int(value.rounded())
        return (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }.joined()
  }
}
