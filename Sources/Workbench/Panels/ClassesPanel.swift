// SPDX-License-Identifier: MIT

import Live
import Charts
import Foundation

/// Below Compare's curves: accuracy per class of every lane, and the confusion of the chosen one.
/// Names are whole; what does not fit scrolls, and the frame says how much there is.
enum ClassesPanel {
  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    var left = area
    let bars = left.takeLeft(area.width / 2)
    let names = snapshot.classNames
    let rows = max(0, area.height - 3)
    let first = max(0, min(state.scroll, names.count - rows))
    let shown = first..<min(names.count, first + rows)
    accuracy(snapshot, shown, in: bars, on: &surface)
    confusion(state, snapshot, shown, in: left, on: &surface)
  }

  /// As wide as the longest name, but for half the room.
  private static func nameWidth(_ names: [String], _ width: Int) -> Int {
    min(names.map(\.count).max() ?? 0, max(8, width / 2))
  }

  /// A name in some columns: cut in its middle, so that names that differ at their end stay apart.
  static func fit(_ name: String, _ width: Int) -> String {
    guard name.count > width, width > 2 else { return Text.pad(name, width) }
    let head = (width - 1) / 2
    return name.prefix(head) + "…" + name.suffix(width - 1 - head)
  }

  private static func more<S: Surface>(
    _ snapshot: Snapshot, _ shown: Range<Int>, in area: Area, on surface: inout S
  ) {
    let left = snapshot.classNames.count - shown.count
    guard left > 0 else { return }
    surface.text(
      " \(left) more classes, ↑ ↓ ", endingAt: area.x + area.width - 2,
      y: area.y + area.height - 1, style: .dim)
  }

  private static func accuracy<S: Surface>(
    _ snapshot: Snapshot, _ shown: Range<Int>, in area: Area, on surface: inout S
  ) {
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: "test accuracy by class", style: .bold)
    let name = nameWidth(snapshot.classNames, area.width)
    let start = area.x + 1 + name
    for (index, lane) in snapshot.lanes.enumerated() {
      let end = start + 9 * (index + 1)
      guard end < area.x + area.width else { break }
      surface.text(
        lane.letter, endingAt: end, y: area.y + 1, style: CellStyle(lane.ink, bold: true))
      for (row, label) in shown.enumerated() {
        let own = lane.labels.indices.filter { lane.labels[$0] == label }
        let right = own.count { lane.predictions[$0] == label }
        let share = own.isEmpty ? nil : Double(right) / Double(own.count)
        surface.text(
          Text.percent(share), endingAt: end, y: area.y + 2 + row, style: CellStyle(lane.ink))
      }
    }
    for (row, label) in shown.enumerated() {
      surface.text(
        fit(snapshot.classNames[label], name), x: area.x + 1, y: area.y + 2 + row, style: .dim)
    }
    more(snapshot, shown, in: area, on: &surface)
  }

  private static func confusion<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, _ shown: Range<Int>, in area: Area,
    on surface: inout S
  ) {
    guard let lane = state.chosen(snapshot) else { return }
    let classes = snapshot.classNames.count
    let name = nameWidth(snapshot.classNames, area.width)
    let cell = 6
    let room = max(1, (area.width - 3 - name) / cell)
    // The last column is for trials without an answer.
    let first = max(0, min(state.scrollColumn, classes + 1 - room))
    let columns = first..<min(classes + 1, first + room)
    let hidden = classes + 1 - columns.count
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: "confusion of \(lane.letter): rows label, columns answer", style: .bold)
    if hidden > 0 {
      surface.text(
        " \(hidden) more ← → ", x: area.x + 2, y: area.y + area.height - 1, style: .dim)
    }
    guard !lane.predictions.isEmpty else {
      surface.text("no evaluation yet", x: area.x + 2, y: area.y + 1, style: .dim)
      return
    }
    var counts = Array(repeating: Array(repeating: 0, count: classes + 1), count: classes)
    for (label, answer) in zip(lane.labels, lane.predictions) where label < classes {
      counts[label][answer < 0 ? classes : answer] += 1
    }
    for (slot, column) in columns.enumerated() {
      let end = area.x + 1 + name + cell * (slot + 1)
      let title = column == classes ? "none" : snapshot.classNames[column]
      let head = title.count < cell ? title : fit(title, cell - 1)
      surface.text(head, endingAt: end, y: area.y + 1, style: .dim)
      for (row, label) in shown.enumerated() {
        let count = counts[label][column]
        let style =
          label == column ? CellStyle(.good) : count > 0 ? CellStyle(.accent) : CellStyle(.frame)
        surface.text(String(count), endingAt: end, y: area.y + 2 + row, style: style)
      }
    }
    for (row, label) in shown.enumerated() {
      surface.text(
        fit(snapshot.classNames[label], name), x: area.x + 1, y: area.y + 2 + row, style: .dim)
    }
    more(snapshot, shown, in: area, on: &surface)
  }
}
