// SPDX-License-Identifier: MIT

/// Where a chart goes, in cells.
public struct Area: Sendable, Equatable {
  /// The leftmost column.
  public var x: Int
  /// The top row.
  public var y: Int
  /// Columns.
  public var width: Int
  /// Rows.
  public var height: Int

  /// A width or height below 0 counts as 0: areas may be computed without looking at the room left.
  public init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.width = max(0, width)
    self.height = max(0, height)
  }

  /// Charts draw nothing in an empty area.
  public var isEmpty: Bool { width <= 0 || height <= 0 }

  /// The area inside a frame.
  public var inside: Area { Area(x: x + 1, y: y + 1, width: width - 2, height: height - 2) }

  /// Cuts `rows` off the top.
  public mutating func takeTop(_ rows: Int) -> Area {
    let taken = Area(x: x, y: y, width: width, height: min(rows, height))
    y += taken.height
    height -= taken.height
    return taken
  }

  /// Cuts `rows` off the bottom.
  public mutating func takeBottom(_ rows: Int) -> Area {
    let taken = min(rows, height)
    height -= taken
    return Area(x: x, y: y + height, width: width, height: taken)
  }

  /// Cuts `columns` off the left.
  public mutating func takeLeft(_ columns: Int) -> Area {
    let taken = Area(x: x, y: y, width: min(columns, width), height: height)
    x += taken.width
    width -= taken.width
    return taken
  }

  /// Whether a cell, as of a mouse click, lies in the area.
  public func contains(x: Int, y: Int) -> Bool {
    x >= self.x && x < self.x + width && y >= self.y && y < self.y + height
  }
}
