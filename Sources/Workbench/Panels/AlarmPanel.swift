// SPDX-License-Identifier: MIT

import Live
import Charts
import Diagnosis

/// All alarms of the session, the newest first: when, which lane, what was seen.
enum AlarmPanel {
  static func draw(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on canvas: inout Canvas
  ) {
    let list = snapshot.alarmList
    let width = min(area.width, 110)
    let height = min(area.height, max(list.count, 1) + 4)
    guard width > 20, height > 4 else { return }
    var panel = Canvas(width: width, height: height, marks: canvas.marks)
    panel.frame(x: 0, y: 0, width: width, height: height, title: "alarms", style: .bold)
    panel.text(
      Text.fit("↑ ↓ choose, Enter goes to the screen that explains, Esc closes", width - 4),
      x: 2, y: 1, style: .dim)
    if list.isEmpty { panel.text("none so far", x: 2, y: 3, style: .dim) }
    let rows = height - 4
    let first = max(0, min(state.alarmRow - rows + 1, list.count - rows))
    for (row, entry) in list.dropFirst(first).prefix(rows).enumerated() {
      let record = entry.record
      let lane = snapshot.lanes[entry.lane]
      let isNow = lane.alarms.contains { $0.kind == record.alarm.kind }
      let epochs =
        record.first == record.last ? "\(record.first)" : "\(record.first)-\(record.last)"
      let isChosen = first + row == state.alarmRow
      let head = "\(isChosen ? "▶" : " ") epoch \(Text.pad(epochs, 9))\(isNow ? "now " : "    ")"
      panel.text(head, x: 1, y: 3 + row, style: isChosen ? .bold : .plain)
      panel.text(
        lane.letter, x: 1 + head.count, y: 3 + row, style: CellStyle(lane.ink, bold: true))
      let text = "\(record.alarm.kind.rawValue): \(record.alarm.text)"
      panel.text(
        Text.fit(text, width - head.count - 5), x: 3 + head.count, y: 3 + row,
        style: isNow ? CellStyle(.alarm) : .plain)
    }
    if list.count > rows {
      panel.text(" \(list.count - rows) more ", endingAt: width - 2, y: height - 1, style: .dim)
    }
    canvas.overlay(
      panel, x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2)
  }
}
