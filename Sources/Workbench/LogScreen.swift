import Charts
import Training

/// What was done to the run, and its preset with every default.
enum LogScreen {
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
    for (row, mark) in snapshot.marks.suffix(max(inside.height, 0)).enumerated() {
      let text = "epoch \(mark.epoch) batch \(mark.batch)  \(mark.lane)  \(mark.text)"
      surface.text(
        String(text.prefix(inside.width)), x: inside.x, y: inside.y + row, style: .plain)
    }
    surface.frame(
      x: rest.x, y: rest.y, width: rest.width, height: rest.height, title: "preset, ↑ ↓ scroll",
      style: .bold)
    let box = rest.inside
    let lines = snapshot.resolvedPreset.split(separator: "\n", omittingEmptySubsequences: false)
    let first = min(state.scroll, max(0, lines.count - box.height))
    for (row, line) in lines.dropFirst(first).prefix(max(box.height, 0)).enumerated() {
      let isHeading = line.hasPrefix("[")
      surface.text(
        String(line.prefix(box.width)), x: box.x, y: box.y + row,
        style: isHeading ? CellStyle(.accent, bold: true) : .plain)
    }
  }
}
