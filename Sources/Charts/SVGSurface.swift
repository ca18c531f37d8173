// SPDX-License-Identifier: MIT

import Foundation

/// The same charts as a picture: a cell is 8 x 16 units.
public struct SVGSurface: Surface {
  /// In cells of 8 units.
  public let width: Int
  /// In cells of 16 units.
  public let height: Int
  /// Plots take their margins from it; SVG itself is not bound to dots.
  public let dots = (x: 2, y: 4)
  private var elements: [String] = []
  private static let cell = (x: 8.0, y: 16.0)
  /// Characters of DejaVu Sans Mono and Menlo are 0.602 of it wide, one cell: columns stay where
  /// they are in viewers that do not heed `textLength`.
  private static let font = "13.29"

  /// An empty picture. Nothing is clipped: what lies outside is in the document all the same.
  public init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  /// Colours for paper: text and frame dark, series by Okabe & Ito.
  static func color(_ ink: Ink) -> String {
    switch ink {
    case .text: "#222222"
    case .dim: "#777777"
    case .frame: "#bbbbbb"
    case .accent: "#0072b2"
    case .good: "#009e73"
    case .alarm: "#d55e00"
    case .series0: "#0072b2"
    case .series1: "#e69f00"
    case .series2: "#009e73"
    case .series3: "#cc79a7"
    case .series4: "#56b4e9"
    case .series5: "#d55e00"
    case .series6: "#8a7a00"
    }
  }

  private static func number(_ x: Double) -> String { String(format: "%.2f", x) }

  /// Stretched to one cell a character, whatever the font. Blanks at both ends are not drawn,
  /// control characters are left out, and `isReversed` is ignored.
  public mutating func text(_ text: String, x: Int, y: Int, style: CellStyle) {
    let trimmed = text.trimmingCharacters(in: .whitespaces)
    guard !trimmed.isEmpty else { return }
    let lead = Double(text.prefix { $0 == " " }.count)
    let escaped = XMLText.escaped(trimmed)
    let left = Self.number((Double(x) + lead) * Self.cell.x)
    let base = Self.number((Double(y) + 0.75) * Self.cell.y)
    let length = Self.number(Double(trimmed.count) * Self.cell.x)
    elements.append(
      "<text x=\"\(left)\" y=\"\(base)\" textLength=\"\(length)\" fill=\"\(Self.color(style.ink))\""
        + (style.isBold ? " font-weight=\"bold\"" : "") + ">\(escaped)</text>")
  }

  /// A disc of radius 1.4 units; dots on the same place are not merged.
  public mutating func dot(x: Double, y: Double, ink: Ink) {
    let (cx, cy) = (Self.number(x * Self.cell.x), Self.number(y * Self.cell.y))
    elements.append("<circle cx=\"\(cx)\" cy=\"\(cy)\" r=\"1.4\" fill=\"\(Self.color(ink))\"/>")
  }

  /// A stroke of 1.5 units with round ends.
  public mutating func line(from: (x: Double, y: Double), to: (x: Double, y: Double), ink: Ink) {
    let ends = [from.x * Self.cell.x, from.y * Self.cell.y, to.x * Self.cell.x, to.y * Self.cell.y]
      .map { Self.number($0) }
    elements.append(
      "<line x1=\"\(ends[0])\" y1=\"\(ends[1])\" x2=\"\(ends[2])\" y2=\"\(ends[3])\" "
        + "stroke=\"\(Self.color(ink))\" stroke-width=\"1.5\" stroke-linecap=\"round\"/>")
  }

  /// A rectangle that stands on the cell's lower edge. Nothing for a share of 0, below, or NaN;
  /// above 1 counts as 1.
  public mutating func bar(x: Int, y: Int, share: Double, ink: Ink) {
    guard share.isFinite, share > 0 else { return }
    let height = min(share, 1) * Self.cell.y
    let (left, top) = (Double(x) * Self.cell.x, Double(y + 1) * Self.cell.y - height)
    elements.append(
      "<rect x=\"\(Self.number(left))\" y=\"\(Self.number(top))\" width=\"8\" "
        + "height=\"\(Self.number(height))\" fill=\"\(Self.color(ink))\"/>")
  }

  /// Runs through the middle of the cells at its edge. `style` is the title's, which is not cut.
  public mutating func frame(
    x: Int, y: Int, width: Int, height: Int, title: String, style: CellStyle
  ) {
    let box = [
      (Double(x) + 0.5) * Self.cell.x, (Double(y) + 0.5) * Self.cell.y,
      Double(width - 1) * Self.cell.x, Double(height - 1) * Self.cell.y,
    ].map { Self.number($0) }
    elements.append(
      "<rect x=\"\(box[0])\" y=\"\(box[1])\" width=\"\(box[2])\" height=\"\(box[3])\" rx=\"4\" "
        + "fill=\"none\" stroke=\"\(Self.color(.frame))\"/>")
    guard !title.isEmpty else { return }
    let back = [(Double(x) + 2) * Self.cell.x, Double(y) * Self.cell.y].map { Self.number($0) }
    elements.append(
      "<rect x=\"\(back[0])\" y=\"\(back[1])\" width=\"\((title.count + 2) * 8)\" height=\"16\" "
        + "fill=\"white\"/>")
    text(" " + title + " ", x: x + 2, y: y, style: style)
  }

  /// The document.
  public var document: String {
    let size = (Double(width) * Self.cell.x, Double(height) * Self.cell.y)
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(size.0)) \(Int(size.1))" \
      xml:space="preserve" font-family="'DejaVu Sans Mono', Menlo, 'Liberation Mono', 'Courier New', \
      monospace" font-size="\(Self.font)">
      <rect width="100%" height="100%" fill="white"/>
      \(elements.joined(separator: "\n"))
      </svg>

      """
  }
}
