// SPDX-License-Identifier: MIT

import Charts

/// The runs of a folder, one of them chosen, some marked: a value, changed by keys only.
public struct RunListView: Sendable {
  /// What a key asks of the world.
  public enum Effect: Sendable, Equatable {
    /// Leave the list.
    case quit
    /// Show these, by their numbers: together where there are several.
    case open([Int])
    /// Read the folder again.
    case read
  }

  /// The chosen row.
  public private(set) var row = 0
  /// Marked rows.
  public private(set) var marked: Set<Int> = []
  /// For the bottom line, until the next key.
  public var notice = ""

  /// The first row is chosen, none is marked.
  public init() {}

  /// What a key does: to this state, and to the world.
  /// - Parameter count: how many runs there are.
  public mutating func handle(_ key: Key, count: Int) -> Effect? {
    notice = ""
    let last = max(0, count - 1)
    row = min(row, last)
    if let moved = key.unlettered.moved(row, last: last) {
      row = moved
      return nil
    }
    switch key {
    case .character(" "):
      guard count > 0 else { return nil }
      if marked.remove(row) == nil { marked.insert(row) }
      row = min(last, row + 1)
    case .enter:
      guard count > 0 else { return nil }
      let chosen = marked.filter { $0 < count }.sorted()
      return .open(chosen.isEmpty ? [row] : chosen)
    case .character("r"):
      marked = []
      return .read
    case .character("q"), .escape: return .quit
    default: notice = "\(key.label) does nothing here"
    }
    return nil
  }

  /// - Parameters:
  ///   - lines: a line of titles, then one for each run.
  ///   - folder: where they are.
  public func frame(
    _ lines: [String], folder: String, width: Int, height: Int, marks: Marks = .braille
  ) -> Canvas {
    var canvas = Canvas(width: width, height: height, marks: marks)
    guard width >= 20, height >= 5 else { return canvas }
    let runs = Array(lines.dropFirst())
    canvas.text(
      Text.fit("runs in \(folder): \(runs.count)", width - 2), x: 1, y: 0, style: .bold)
    canvas.frame(x: 0, y: 1, width: width, height: height - 2, title: "", style: .dim)
    let rows = height - 5
    guard rows > 0 else { return canvas }
    canvas.text(Text.fit(lines.first ?? "", width - 6), x: 4, y: 2, style: .dim)
    if runs.isEmpty { canvas.text("none yet", x: 4, y: 3, style: .plain) }
    let chosen = min(row, max(0, runs.count - 1))
    let first = max(0, min(chosen - rows / 2, runs.count - rows))
    for (place, index) in (first..<min(runs.count, first + rows)).enumerated() {
      let mark = (index == chosen ? "▶" : " ") + (marked.contains(index) ? "*" : " ")
      canvas.text(
        Text.fit(mark + " " + runs[index], width - 3), x: 1, y: 3 + place,
        style: index == chosen ? .bold : .plain)
    }
    if runs.count > rows {
      canvas.text(
        " \(runs.count - rows) more, ↑ ↓ ", endingAt: width - 2, y: height - 2, style: .dim)
    }
    let keys = "Enter opens  space marks several to compare  r reads again  q quits"
    canvas.text(
      Text.fit(notice.isEmpty ? keys : notice, width - 2), x: 1, y: height - 1,
      style: notice.isEmpty ? .dim : CellStyle(.alarm))
    return canvas
  }
}
