// SPDX-License-Identifier: MIT

import Charts
import Diagnosis
import Foundation
import Live
import Training

/// How the present weights stand, before the first batch or later: who spikes, what drives whom,
/// how far down the gradient comes; what would help, and a key that does it.
enum DoctorScreen: WorkbenchScreen {
  static let name = "doctor"
  static let title = "Doctor"
  static let key: Key? = .character("i")
  static func detail(_ state: WorkbenchState) -> Detail? { .doctor(target: state.doctorTarget) }
  static let wheel: (down: Key, up: Key)? = (.down, .up)

  static func tables(_ state: WorkbenchState, _ snapshot: Snapshot) -> [(name: String, csv: String)]
  {
    let rows = snapshot.lanes.flatMap { lane in
      lane.doctor.map { DoctorText.rows(lane.name, $0.report) } ?? []
    }
    return [("doctor", ([DoctorText.header] + rows).joined(separator: "\n") + "\n")]
  }

  // MARK: - Keys

  static let actions: [Action] = [
    Action(
      name: "next-advice", keys: [.down, .character("j")], short: "↑ ↓ choose",
      title: "next advice", obstacle: nothing,
      run: { state, snapshot in choose(&state, snapshot, by: 1) }),
    Action(
      name: "previous-advice", keys: [.up, .character("k")], short: "", title: "advice before",
      obstacle: nothing,
      run: { state, snapshot in choose(&state, snapshot, by: -1) }),
    Action(
      name: "treat", keys: [.character("S"), .enter], short: "S do it",
      title: "do what the chosen advice says, as scale the weights; U takes it back",
      obstacle: untreatable,
      run: { state, snapshot in
        guard let lane = state.chosen(snapshot), let finding = lane.doctor,
          let advice = chosen(state, finding), let command = command(advice, state, finding)
        else { return [] }
        state.treated = Treated(lane: lane.identity, before: finding, text: command.text)
        return [.change(command)]
      }),
    Action(
      name: "target", keys: [.character("T")], short: "",
      title: "type the spikes per neuron and trial that hidden layers are to have",
      values: target,
      run: { state, _ in
        state.prompt = Prompt(.command, text: "target ")
        return []
      }),
    Action(
      name: "higher-target", keys: [.character("+"), .character("=")], short: "+ - target",
      title: "a higher target",
      run: { state, snapshot in step(&state, snapshot) { now in targets.first { $0 > now } } }),
    Action(
      name: "lower-target", keys: [.character("-")], short: "", title: "a lower target",
      run: { state, snapshot in step(&state, snapshot) { now in targets.last { $0 < now } } }),
  ]

  private static let target = TypedValues(
    usage: "a number of spikes from 0.001 to 10000, or auto", words: ["auto"]
  ) { values, state, _ in
    guard values.count == 1 else { return nil }
    if values[0] == "auto" {
      state.doctorTarget = nil
    } else {
      guard let target = Double(values[0]), (1e-3...1e4).contains(target) else { return nil }
      state.doctorTarget = target
    }
    state.screen = .doctor
    return [.engine(.detail(.doctor(target: state.doctorTarget)))]
  }

  /// What + and - step through.
  private static let targets: [Double] = [
    0.1, 0.2, 0.5, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100,
  ]

  private static func step(
    _ state: inout WorkbenchState, _ snapshot: Snapshot, _ next: (Double) -> Double?
  ) -> [Effect] {
    let now = state.doctorTarget ?? InitReport.target(duration: snapshot.duration)
    if let other = next(now) { state.doctorTarget = other }
    return []
  }

  private static func choose(
    _ state: inout WorkbenchState, _ snapshot: Snapshot, by rows: Int
  ) -> [Effect] {
    let count = state.chosen(snapshot)?.doctor?.report.counsel.count ?? 0
    let now = state.chosen(snapshot)?.doctor.flatMap { row(state, $0) } ?? 0
    state.adviceRow = max(0, min(now + rows, count - 1))
    return []
  }

  private static let nothing: @Sendable (WorkbenchState, Snapshot) -> String? = { state, snapshot in
    guard let finding = state.chosen(snapshot)?.doctor else { return "the report is under way" }
    return finding.report.counsel.isEmpty ? DoctorText.nothing : nil
  }

  private static let untreatable: @Sendable (WorkbenchState, Snapshot) -> String? = {
    state, snapshot in
    if let obstacle = Action.whenLive(state, snapshot) ?? nothing(state, snapshot) {
      return obstacle
    }
    guard let lane = state.chosen(snapshot), let finding = lane.doctor else { return nil }
    // A factor is of the weights it was found with.
    if finding.isStale { return "a new report is under way" }
    if state.treated?.lane == lane.identity, state.treated?.before.number == finding.number {
      return "done already; a new report is under way"
    }
    guard let advice = chosen(state, finding) else { return nil }
    return command(advice, state, finding) == nil
      ? "no command does this; the sentence names the preset's key" : nil
  }

  /// The row chosen, else the first that a command does; nil without advice.
  static func row(_ state: WorkbenchState, _ finding: InitFinding) -> Int? {
    let counsel = finding.report.counsel
    guard !counsel.isEmpty else { return nil }
    let usual = counsel.firstIndex { $0.cure != nil } ?? 0
    return min(state.adviceRow ?? usual, counsel.count - 1)
  }

  private static func chosen(_ state: WorkbenchState, _ finding: InitFinding) -> InitAdvice? {
    row(state, finding).map { finding.report.counsel[$0] }
  }

  static func command(
    _ advice: InitAdvice, _ state: WorkbenchState, _ finding: InitFinding
  ) -> (any TrainingCommand)? {
    switch advice.cure {
    case .scale(let factor, let layer):
      ScaleWeights(
        lane: state.lane, by: factor, layer: layer + 1 < finding.report.layers.count ? layer : nil)
    case .shape(let scale): SetShaping(lane: state.lane, .exponential(scale: scale))
    case nil: nil
    }
  }

  // MARK: - Where things stand

  private struct Layout {
    var inside: Area
    var top: [DoctorLines.Line]
    /// In view: the chosen one's lines are among them.
    var advice: [DoctorLines.Line]
    var hidden: Int
    var words: [String]

    init(
      _ state: WorkbenchState, _ snapshot: Snapshot, _ lane: LaneSnapshot, _ finding: InitFinding,
      in area: Area
    ) {
      inside = area.inside
      inside.x += 1
      inside.width -= 1
      let width = min(inside.width, 116)
      top = DoctorLines.tables(state, snapshot, lane, finding)
      let all = DoctorLines.advice(state, finding, width: width)
      let charts = DoctorLines.withCharts(top)
      if inside.width < DoctorLines.least, charts.count + 1 + all.count <= inside.height {
        top = charts
      }
      // Blank lines go first where there is little room.
      if top.count + 1 + all.count > inside.height { top.removeAll { $0.text.isEmpty } }
      if top.count + 1 + all.count <= inside.height { top.append(DoctorLines.Line(text: "")) }
      let rows = max(0, inside.height - top.count)
      let chosen = DoctorScreen.row(state, finding)
      let end = all.lastIndex { $0.advice == chosen } ?? 0
      let first = max(0, min(end - rows + 1, all.count - rows))
      advice = Array(all.dropFirst(first).prefix(rows))
      hidden = all.count - advice.count
      let left = rows - all.count - 1
      let wrapped = DoctorLines.words.flatMap { Text.wrapped($0, width) }
      words = left >= wrapped.count + 2 ? wrapped : []
    }
  }

  /// A click on an advice chooses it.
  static func click(
    _ state: inout WorkbenchState, x: Int, y: Int, width: Int, height: Int, _ snapshot: Snapshot
  ) -> [Effect] {
    guard let lane = state.chosen(snapshot), let finding = lane.doctor else { return [] }
    let layout = Layout(
      state, snapshot, lane, finding,
      in: Workbench.screenArea(state, snapshot, width: width, height: height))
    let row = y - layout.inside.y - layout.top.count
    guard layout.advice.indices.contains(row), let advice = layout.advice[row].advice else {
      return []
    }
    state.adviceRow = advice
    return []
  }

  // MARK: - Drawing

  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard let lane = state.chosen(snapshot) else { return }
    let position = lane.doctor?.position ?? snapshot.position
    let when =
      position == 0 ? "before the first batch" : "at epoch \(Wording.position(position))"
    surface.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: Text.fit("weights \(when): \(lane.letter) \(Wording.label(lane))", area.width - 6),
      style: CellStyle(lane.ink, bold: true))
    guard let finding = lane.doctor else {
      surface.text(
        Text.fit(
          "computing: training samples are run under these weights and others", area.width - 4),
        x: area.x + 2, y: area.y + 1, style: .dim)
      return
    }
    let layout = Layout(state, snapshot, lane, finding, in: area)
    var rest = layout.inside
    for line in layout.top + layout.advice {
      let row = rest.takeTop(1)
      guard !row.isEmpty else { break }
      surface.text(String(line.text.prefix(row.width)), x: row.x, y: row.y, style: line.style)
      let end = min(line.text.count, row.width)
      surface.text(
        String(line.key.prefix(row.width - end)), x: row.x + end, y: row.y,
        style: CellStyle(.accent, bold: true))
      let room = row.width - line.gaugeColumn - 1
      if let gauge = line.gauge, room >= DoctorLines.least - DoctorLines.table - 4 {
        draw(
          gauge, lane, in: Area(x: row.x + line.gaugeColumn, y: row.y, width: room, height: 1),
          on: &surface)
      }
    }
    var bottom = Lines(rest.takeBottom(layout.words.count))
    for word in layout.words { bottom.add(word, .dim, on: &surface) }
    border(finding, layout, area, on: &surface)
  }

  private static func border<S: Surface>(
    _ finding: InitFinding, _ layout: Layout, _ area: Area, on surface: inout S
  ) {
    var parts: [String] = []
    if finding.isStale { parts.append("computing anew") }
    if layout.hidden > 0 {
      parts.append(
        "\(layout.hidden) more \(layout.hidden == 1 ? "line" : "lines") of advice, ↑ ↓")
    }
    guard !parts.isEmpty else { return }
    surface.text(
      " " + Text.fit(parts.joined(separator: "; "), area.width - 6) + " ",
      endingAt: area.x + area.width - 2, y: area.y + area.height - 1,
      style: finding.isStale ? CellStyle(.accent, bold: true) : .dim)
  }

  private static func draw<S: Surface>(
    _ gauge: DoctorLines.Gauge, _ lane: LaneSnapshot, in area: Area, on surface: inout S
  ) {
    let right = 9
    let left = area.width - right - 1
    func stroke(_ share: Double, x: Int, width: Int, style: CellStyle) {
      let filled = Int((min(max(share, 0), 1) * Double(width)).rounded())
      surface.text(
        String(repeating: "─", count: width), x: x, y: area.y, style: CellStyle(.frame))
      surface.text(String(repeating: "━", count: filled), x: x, y: area.y, style: style)
    }
    switch gauge {
    case .title(let first, let second):
      surface.text(Text.fit(first, left), x: area.x, y: area.y, style: .dim)
      surface.text(second, x: area.x + left + 1, y: area.y, style: .dim)
    case .rate(let rates, let target, let isPast):
      let isIll = rates.complaint(target: target) != nil
      let style = isPast ? CellStyle.dim : CellStyle(isIll ? .alarm : lane.ink, bold: true)
      let share = rates.mean.isFinite ? rates.mean / (2 * target) : 2
      stroke(share, x: area.x, width: left, style: style)
      if share > 1 { surface.text("▶", x: area.x + left - 1, y: area.y, style: style) }
      surface.text("┊", x: area.x + left / 2, y: area.y, style: .bold)
      stroke(rates.silent, x: area.x + left + 1, width: right, style: style)
    case .gradient(let share, let isPast):
      stroke(
        max(share, 0.02), x: area.x, width: left,
        style: isPast ? .dim : CellStyle(lane.ink, bold: true))
    }
  }
}

/// What was last done on Doctor, and the report that it was done for.
public struct Treated: Sendable, Equatable {
  /// Identity of the lane.
  var lane: Int
  var before: InitFinding
  /// The command, as it is logged.
  var text: String
}

extension ScreenKind {
  static let doctor = ScreenKind(DoctorScreen.self)
}
