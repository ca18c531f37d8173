// SPDX-License-Identifier: MIT

import Live
import Charts

/// The key help: made from the table of actions, searchable, and able to run the first hit.
enum HelpPanel {
  static func matches(_ state: WorkbenchState) -> [Action] {
    let words = state.helpFilter.lowercased().split(separator: " ")
    return state.keys.actions.filter { action in
      let text = "\(action.name) \(action.title) \(action.keys.map(\.label).joined(separator: " "))"
        .lowercased()
      return words.allSatisfy { text.contains($0) }
    }
  }

  static func draw(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on canvas: inout Canvas
  ) {
    let hits = matches(state)
    let width = min(area.width, 78)
    // As high as for all actions: it does not jump while one types.
    let height = min(area.height, Action.all.count + 4)
    guard width > 20, height > 4 else { return }
    var panel = Canvas(width: width, height: height, marks: canvas.marks)
    panel.frame(x: 0, y: 0, width: width, height: height, title: "keys", style: .bold)
    panel.text(
      "search: \(state.helpFilter)_", x: 2, y: 1, style: CellStyle(.accent, bold: true))
    panel.text(
      "↑ ↓ choose, Enter runs, Esc closes", endingAt: width - 2, y: 1, style: .dim)
    if hits.isEmpty { panel.text("nothing of that name", x: 2, y: 3, style: .dim) }
    let rows = height - 4
    let chosen = min(state.helpRow, max(hits.count - 1, 0))
    let first = max(0, min(chosen - rows + 1, hits.count - rows))
    for (row, action) in hits.dropFirst(first).prefix(rows).enumerated() {
      let obstacle = action.obstacle(state, snapshot)
      let keys = action.keys.map(\.label).joined(separator: " ")
      let place = action.screens.map {
        " (" + $0.map(\.title).sorted().joined(separator: ", ") + ")"
      }
      if first + row == chosen { panel.text("▶", x: 1, y: 3 + row, style: .bold) }
      let text = action.title + (place ?? "") + (obstacle.map { ": " + $0 } ?? "")
      panel.text(
        Text.pad(Text.fit(keys, 9), 9), x: 2, y: 3 + row,
        style: obstacle == nil ? CellStyle(.accent, bold: true) : CellStyle(.frame))
      panel.text(
        Text.pad(action.name, 16), x: 11, y: 3 + row, style: obstacle == nil ? .plain : .dim)
      panel.text(
        Text.fit(text, width - 29), x: 27, y: 3 + row, style: obstacle == nil ? .plain : .dim)
    }
    if hits.count > rows {
      let more = " \(first) more above, \(hits.count - first - rows) below: type to search "
      panel.text(more, endingAt: width - 2, y: height - 1, style: .dim)
    }
    canvas.overlay(
      panel, x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2)
  }
}
