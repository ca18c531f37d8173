// SPDX-License-Identifier: MIT

extension Surface {
  /// A matrix with signs: positive shares as bars whose height is the share, negative ones as
  /// shades. Where an area has fewer cells than the matrix has values, each cell shows the value at
  /// its corner: merge before.
  /// - Parameters:
  ///   - rows: of the matrix; row 0 is the top one.
  ///   - share: of (row, column), -1...1; 0 and below -1 draw nothing.
  public mutating func signedMap(
    rows: Int, columns: Int, in area: Area, ink: Ink, negative: Ink, share: (Int, Int) -> Double
  ) {
    guard !area.isEmpty, rows > 0, columns > 0 else { return }
    for y in 0..<area.height {
      for x in 0..<area.width {
        let value = share(y * rows / area.height, x * columns / area.width)
        if value > 0 {
          bar(x: area.x + x, y: area.y + y, share: value, ink: ink)
        } else if value < 0 {
          shade(x: area.x + x, y: area.y + y, share: -value, ink: negative)
        }
      }
    }
  }

  /// A matrix of shares as shades: four of them, from a trace to full.
  /// - Parameters:
  ///   - rows: of the matrix; row 0 is the top one.
  ///   - share: of (row, column), 0...1; 0 draws nothing, nil a dot: not known.
  ///   - ink: of (row, column), so that rows or cells can be marked.
  public mutating func heatMap(
    rows: Int, columns: Int, in area: Area, ink: (Int, Int) -> Ink,
    share: (Int, Int) -> Double?
  ) {
    guard !area.isEmpty, rows > 0, columns > 0 else { return }
    for y in 0..<area.height {
      for x in 0..<area.width {
        let (row, column) = (y * rows / area.height, x * columns / area.width)
        if let value = share(row, column) {
          shade(x: area.x + x, y: area.y + y, share: value, ink: ink(row, column))
        } else {
          text("·", x: area.x + x, y: area.y + y, style: .dim)
        }
      }
    }
  }

  /// A cell shaded by a share, 0...1; 0 leaves it empty.
  public mutating func shade(x: Int, y: Int, share: Double, ink: Ink) {
    guard share > 0 else { return }
    let level = min(3, Int(share * 4))
    text(["░", "▒", "▓", "█"][level], x: x, y: y, style: CellStyle(ink))
  }
}
