// SPDX-License-Identifier: MIT

/// What a colour means; themes and terminals decide how it looks.
public enum Ink: UInt8, Sendable, CaseIterable {
  case text, dim, frame, accent, good, alarm
  /// One per lane, or per class: told apart by the colour-blind (Okabe & Ito).
  case series0, series1, series2, series3, series4, series5, series6

  /// The ink of a lane or class.
  public static func series(_ index: Int) -> Ink {
    Ink(rawValue: Ink.series0.rawValue + UInt8((index % 7 + 7) % 7))!
  }
}

/// How a cell is drawn.
public struct CellStyle: Sendable, Equatable {
  /// The colour of the glyph, or of its background where `isReversed`.
  public var ink: Ink
  /// On paper too (`SVGSurface`).
  public var isBold: Bool
  /// Foreground and background swapped, on terminals; `SVGSurface` ignores it.
  public var isReversed: Bool

  /// Without arguments: `plain`.
  public init(_ ink: Ink = .text, bold: Bool = false, reversed: Bool = false) {
    self.ink = ink
    isBold = bold
    isReversed = reversed
  }

  /// Ink `.text`, neither bold nor reversed.
  public static let plain = CellStyle()
  /// For axes, units and what matters less.
  public static let dim = CellStyle(.dim)
  /// Ink `.text`, bold.
  public static let bold = CellStyle(.text, bold: true)
}

/// One character cell.
public struct Cell: Sendable, Equatable {
  /// One column wide: the canvas does not know of wide characters.
  public var glyph: Character
  /// One for the whole cell: dots of different inks in it take that of the last one.
  public var style: CellStyle

  /// A space in `CellStyle.plain`: what a new canvas is full of.
  public static let blank = Cell(glyph: " ", style: .plain)
}

/// Which marks plots are made of.
public enum Marks: String, Sendable, CaseIterable {
  /// 2 x 4 dots a cell.
  case braille
  /// 1 x 2 blocks a cell.
  case block
  /// One character a cell.
  case ascii

  var dots: (x: Int, y: Int) {
    switch self {
    case .braille: (2, 4)
    case .block: (1, 2)
    case .ascii: (1, 1)
    }
  }
}

/// What charts draw on: text in whole cells, dots and lines at fractions of them. Character cells
/// and SVG both are.
public protocol Surface {
  /// In cells.
  var width: Int { get }
  var height: Int { get }
  /// Resolution of a cell; SVG draws as finely as braille.
  var dots: (x: Int, y: Int) { get }
  mutating func text(_ text: String, x: Int, y: Int, style: CellStyle)
  /// A dot with its centre at (x, y), in cells from the top left corner.
  mutating func dot(x: Double, y: Double, ink: Ink)
  mutating func line(from: (x: Double, y: Double), to: (x: Double, y: Double), ink: Ink)
  /// A cell filled to a share of its height, 0...1.
  mutating func bar(x: Int, y: Int, share: Double, ink: Ink)
  /// A frame of one thin line with a title in its top edge.
  mutating func frame(x: Int, y: Int, width: Int, height: Int, title: String, style: CellStyle)
}

extension Surface {
  /// Text that ends at column `x` (exclusive).
  public mutating func text(_ string: String, endingAt x: Int, y: Int, style: CellStyle) {
    text(string, x: x - string.count, y: y, style: style)
  }
}

/// A screen of character cells. Drawing outside it is clipped.
public struct Canvas: Surface, Sendable, Equatable {
  /// In cells; fixed, so that a terminal of another size needs a new canvas.
  public let width: Int
  /// In cells; row 0 is the top one.
  public let height: Int
  /// With `.ascii`, texts too are replaced by their nearest ASCII characters.
  public let marks: Marks
  /// Row by row from the top left corner: cell (x, y) is at `y * width + x`.
  public private(set) var cells: [Cell]
  /// Dots set so far in each cell, as bits.
  private var bits: [UInt8]

  /// All cells blank. Sizes below 0 count as 0.
  public init(width: Int, height: Int, marks: Marks = .braille) {
    self.width = max(width, 0)
    self.height = max(height, 0)
    self.marks = marks
    cells = Array(repeating: .blank, count: self.width * self.height)
    bits = Array(repeating: 0, count: self.width * self.height)
  }

  /// As `marks` has it: 2 x 4, 1 x 2 or 1 x 1.
  public var dots: (x: Int, y: Int) { marks.dots }

  /// To be read inside the canvas only; writing outside it does nothing.
  public subscript(x: Int, y: Int) -> Cell {
    get { cells[y * width + x] }
    set {
      guard x >= 0, y >= 0, x < width, y < height else { return }
      cells[y * width + x] = newValue
    }
  }

  /// One character a cell; control characters become `?`, so that no text steers the terminal.
  public mutating func text(_ text: String, x: Int, y: Int, style: CellStyle = .plain) {
    var column = x
    for character in text {
      // Nothing that would steer the terminal becomes a cell.
      let scalar = character.unicodeScalars.first!.value
      let glyph = scalar < 0x20 || (0x7F..<0xA0).contains(scalar) ? "?" : character
      self[column, y] = Cell(glyph: marks == .ascii ? Canvas.ascii(glyph) : glyph, style: style)
      column += 1
    }
  }

  /// Joins the dots that the cell has already; the whole cell then has this ink.
  public mutating func dot(x: Double, y: Double, ink: Ink) {
    guard x >= 0, y >= 0, x < Double(width), y < Double(height) else { return }
    let (column, row) = (Int(x), Int(y))
    let (dotsX, dotsY) = marks.dots
    let dx = min(dotsX - 1, Int((x - Double(column)) * Double(dotsX)))
    let dy = min(dotsY - 1, Int((y - Double(row)) * Double(dotsY)))
    let index = row * width + column
    switch marks {
    case .braille:
      let order: [[UInt8]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]
      bits[index] |= order[dx][dy]
      let scalar = Unicode.Scalar(0x2800 + UInt32(bits[index]))!
      cells[index] = Cell(glyph: Character(scalar), style: CellStyle(ink))
    case .block:
      bits[index] |= dy == 0 ? 1 : 2
      let glyph: Character = bits[index] == 3 ? "█" : bits[index] == 1 ? "▀" : "▄"
      cells[index] = Cell(glyph: glyph, style: CellStyle(ink))
    case .ascii:
      cells[index] = Cell(glyph: "*", style: CellStyle(ink))
    }
  }

  /// As dots, one for each that the longer side crosses. Nothing when an end is not finite, or from
  /// 100 000 dots on.
  public mutating func line(from: (x: Double, y: Double), to: (x: Double, y: Double), ink: Ink) {
    let (dotsX, dotsY) = marks.dots
    let steps = max(abs(to.x - from.x) * Double(dotsX), abs(to.y - from.y) * Double(dotsY))
    guard steps.isFinite, steps < 100_000 else { return }
    let count = max(1, Int(steps.rounded(.up)))
    for k in 0...count {
      let share = Double(k) / Double(count)
      dot(x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y), ink: ink)
    }
  }

  /// As one of 8 glyphs (`.ascii`: 7). Nothing for a share of 0, below, or NaN;
  /// above 1 counts as 1.
  public mutating func bar(x: Int, y: Int, share: Double, ink: Ink) {
    let levels = marks == .ascii ? Array(" .:-=+*#") : Array(" ▁▂▃▄▅▆▇█")
    guard share.isFinite, share > 0 else { return }
    let level = min(levels.count - 1, max(1, Int((share * Double(levels.count - 1)).rounded())))
    self[x, y] = Cell(glyph: levels[level], style: CellStyle(ink))
  }

  /// `style` is the title's; the lines have ink `.frame`. A title is cut to `width - 6` characters;
  /// a frame of four columns or fewer has none, and below 2 x 2 nothing is drawn.
  public mutating func frame(
    x: Int, y: Int, width: Int, height: Int, title: String, style: CellStyle
  ) {
    guard width >= 2, height >= 2 else { return }
    let ink = CellStyle(.frame)
    let (right, bottom) = (x + width - 1, y + height - 1)
    for column in x...right {
      text("─", x: column, y: y, style: ink)
      text("─", x: column, y: bottom, style: ink)
    }
    for row in y...bottom {
      text("│", x: x, y: row, style: ink)
      text("│", x: right, y: row, style: ink)
    }
    for (glyph, column, row) in [
      ("╭", x, y), ("╮", right, y), ("╰", x, bottom), ("╯", right, bottom),
    ] {
      text(glyph, x: column, y: row, style: ink)
    }
    if !title.isEmpty, width > 6 {
      text(" " + title.prefix(width - 6) + " ", x: x + 2, y: y, style: style)
    }
  }

  /// The nearest plain character for terminals without UTF-8.
  static func ascii(_ glyph: Character) -> Character {
    if glyph.isASCII { return glyph }
    switch glyph {
    case "─", "━", "╸": return "-"
    case "│", "┃": return "|"
    case "╭", "╮", "╰", "╯", "├", "┤", "┬", "┴", "┼": return "+"
    case "·", "•": return "."
    case "→": return ">"
    case "▲": return "!"
    case "✓": return "+"
    case "✗": return "x"
    case "█", "▇", "▆", "▅": return "#"
    default: return "?"
    }
  }

  /// The glyphs as lines, trailing blanks removed: what golden frames hold.
  public var plainText: String {
    (0..<height).map { row in
      var line = String(cells[row * width..<(row + 1) * width].map(\.glyph))
      while line.last == " " { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }

  /// Lays another canvas over this one.
  public mutating func overlay(_ other: Canvas, x: Int, y: Int) {
    for row in 0..<other.height {
      for column in 0..<other.width { self[x + column, y + row] = other[column, row] }
    }
  }
}
