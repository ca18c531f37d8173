// SPDX-License-Identifier: MIT

import Live
import Training
import Charts

/// What was done to the run, and its preset with every default.
enum LogScreen: WorkbenchScreen {
  static let name = "log"
  static let title = "Config & log"
  static let wheel: (down: Key, up: Key)? = (.down, .up)

  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    var rest = area
    let isWide = area.width >= 90
    let commands = isWide ? rest.takeLeft(area.width / 2) : rest.takeTop(area.height / 2)
    surface.frame(
      x: commands.x, y: commands.y, width: commands.width, height: commands.height,
      title: "commands", style: .bold)
    var inside = commands.inside
    let place = snapshot.runPath.isEmpty ? "no run folder" : snapshot.runPath
    surface.text(
      String(("run  " + place).prefix(inside.width)), x: inside.x, y: inside.y, style: .plain)
    _ = inside.takeTop(1)
    if snapshot.marks.isEmpty {
      surface.text(
        String("none yet: s, l, e, f change the training".prefix(inside.width)), x: inside.x,
        y: inside.y, style: .dim)
    }
    let done = LogScreen.lines(snapshot.marks)
    let (shown, left) = Lines.fitting(done.count, rows: max(inside.height, 0))
    if left > 0 {
      surface.text(
        Text.fit("\(left) earlier ones: commands.jsonl in the run's folder", inside.width),
        x: inside.x, y: inside.y, style: .dim)
      _ = inside.takeTop(1)
    }
    for (row, line) in done.suffix(shown).enumerated() {
      surface.text(
        Text.fit(line, inside.width), x: inside.x, y: inside.y + row, style: .plain)
    }
    surface.frame(
      x: rest.x, y: rest.y, width: rest.width, height: rest.height, title: "preset, ↑ ↓ scroll",
      style: .bold)
    let box = rest.inside
    let lines = snapshot.resolvedPreset.split(
      omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    let first = min(state.scroll, max(0, lines.count - box.height))
    let below = lines.count - first - box.height
    if first > 0 || below > 0 {
      surface.text(
        " \(first) more above, \(max(0, below)) below ", endingAt: rest.x + rest.width - 2,
        y: rest.y + rest.height - 1, style: .dim)
    }
    for (row, line) in lines.dropFirst(first).prefix(max(box.height, 0)).enumerated() {
      let isHeading = line.hasPrefix("[")
      surface.text(
        String(line.prefix(box.width)), x: box.x, y: box.y + row,
        style: isHeading ? CellStyle(.accent, bold: true) : .plain)
    }
  }

  /// One line a command; neurons lifted one by one at the same batch are one line, with how many
  /// and by how much.
  static func lines(_ marks: [CommandMark]) -> [String] {
    /// What a mark lifts; nil for other commands.
    func lift(_ mark: CommandMark) -> (by: Double, layer: Int)? {
      guard let cure = CommandTable.command(text: mark.text, lane: 0) as? Cure,
        case .lift(let by) = cure.policy
      else { return nil }
      return (by, cure.layer)
    }
    var lines: [String] = []
    var amounts: [Double] = []
    for (index, mark) in marks.enumerated() {
      let place = "epoch \(mark.epoch) batch \(mark.batch)  \(mark.lane)  "
      guard let own = lift(mark) else {
        lines.append(place + mark.text)
        continue
      }
      amounts.append(own.by)
      if index + 1 < marks.count, let next = lift(marks[index + 1]), next.layer == own.layer,
        (marks[index + 1].epoch, marks[index + 1].batch, marks[index + 1].lane)
          == (mark.epoch, mark.batch, mark.lane)
      {
        continue
      }
      lines.append(
        place
          + (amounts.count == 1
            ? mark.text
            : "lift \(amounts.count) neurons of hidden\(own.layer + 1) by \(Text.short(amounts.min()!)) to \(Text.short(amounts.max()!))")
      )
      amounts = []
    }
    return lines
  }
}

extension ScreenKind {
  static let log = ScreenKind(LogScreen.self)
}
