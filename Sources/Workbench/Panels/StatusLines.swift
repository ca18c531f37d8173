// SPDX-License-Identifier: MIT

import Live
import Charts
import Foundation

/// The top and the bottom line. What does not fit is dropped, the least important first; PAUSED
/// never.
enum StatusLines {
  private struct Segment {
    var text: String
    var style: CellStyle
    /// The higher, the longer it stays.
    var weight: Int
  }

  static func top(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on canvas: inout Canvas
  ) {
    var segments: [Segment] = []
    let share =
      snapshot.epochs > 0 ? min(1, snapshot.position / Double(snapshot.epochs)) : 0
    if let lane = state.chosen(snapshot) {
      segments.append(Segment(text: snapshot.presetName, style: .bold, weight: 2))
      if snapshot.lanes.count > 1 {
        segments.append(
          Segment(
            text:
              "lane \(lane.letter) \(Wording.prefix(lane))\(lane.description)",
            style: CellStyle(lane.ink, bold: true), weight: 5))
      }
      segments.append(
        Segment(
          text: "epoch \(snapshot.epoch)/\(snapshot.epochs)"
            + (snapshot.isPaused ? " batch \(snapshot.batch)" : ""), style: .plain, weight: 8))
      segments.append(Segment(text: bar(share, width: 12), style: CellStyle(.accent), weight: 3))
      if !snapshot.isFinished {
        segments.append(
          Segment(
            text: "\(Text.duration(snapshot.secondsLeft)) left", style: .dim, weight: 1))
      }
      segments.append(
        Segment(
          text: "\(Text.grouped(snapshot.samplesPerSecond)) samples/s", style: .plain, weight: 4)
      )
      segments.append(
        Segment(text: "loss \(Text.number(lane.trainLoss))", style: .plain, weight: 7))
      let isAll = state.showsAllSeeds(snapshot)
      segments.append(
        Segment(
          text:
            "test \(snapshot.score.prefix)\(isAll ? lane.seedAccuracy : Text.percent(lane.testAccuracy))",
          style: .plain, weight: 6))
      if let seeds = snapshot.seedWords(state) {
        segments.append(Segment(text: seeds, style: CellStyle(.accent), weight: 7))
      }
      segments.append(Segment(text: "η \(Text.rate(lane.rate))", style: .plain, weight: 4))
    } else {
      segments.append(Segment(text: "eventprop: starting", style: .bold, weight: 3))
    }
    if snapshot.speed > 0 && !snapshot.isPaused {
      segments.append(
        Segment(
          text: "SLOW MOTION, \(state.keys.label("full-speed")) for full speed",
          style: CellStyle(.accent, bold: true), weight: 9))
    }
    if state.back > 0 {
      segments.append(
        Segment(
          text: "PAST epoch \(Wording.position(snapshot.position)), "
            + "\(state.back) snapshot\(state.back == 1 ? "" : "s") back",
          style: CellStyle(.accent, bold: true, reversed: true),
          weight: 10))
    }
    if let (lane, alarm) = snapshot.alarm {
      let more = snapshot.lanes.reduce(-1) { $0 + $1.alarms.count }
      segments.append(
        Segment(
          text:
            " ! \(snapshot.lanes[lane].letter): \(alarm.kind.rawValue)\(more > 0 ? " +\(more)" : "") ",
          style: CellStyle(.alarm, bold: true, reversed: true), weight: 9))
    }
    if !snapshot.failure.isEmpty {
      segments.append(
        Segment(text: "STOPPED", style: CellStyle(.alarm, bold: true, reversed: true), weight: 12))
    } else if snapshot.isFinished {
      segments.append(Segment(text: "FINISHED", style: CellStyle(.good, bold: true), weight: 11))
    } else if snapshot.isWatched {
      segments.append(
        Segment(
          text: snapshot.isLeft ? "WATCHING, not in training" : "WATCHING",
          style: CellStyle(.accent, bold: true, reversed: true), weight: 11))
    } else if snapshot.isPaused {
      segments.append(
        Segment(text: "PAUSED", style: CellStyle(.accent, bold: true, reversed: true), weight: 11))
    }
    func length() -> Int { segments.reduce(1) { $0 + $1.text.count + 2 } - 2 }
    while segments.count > 1, length() > area.width {
      let least = segments.indices.min { segments[$0].weight < segments[$1].weight }!
      segments.remove(at: least)
    }
    var x = area.x + (area.width > length() ? 1 : 0)
    for segment in segments {
      canvas.text(segment.text, x: x, y: area.y, style: segment.style)
      x += segment.text.count + 2
    }
  }

  private static func bar(_ share: Double, width: Int) -> String {
    let full = Int((share * Double(width)).rounded(.down))
    return String(repeating: "━", count: full) + String(repeating: "─", count: width - full)
  }

  static func bottom(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on canvas: inout Canvas
  ) {
    func say(_ text: String, _ style: CellStyle) {
      canvas.text(String(text.prefix(area.width - 1)), x: area.x + 1, y: area.y, style: style)
    }
    if let question = state.question {
      say(Text.fit(question.text, area.width - 2), .bold)
    } else if let prompt = state.prompt {
      let (label, hints) =
        switch prompt.purpose {
        case .command: (":", "   " + state.completions.prefix(8).joined(separator: "  "))
        case .rate:
          (
            "learning rate of \(state.chosen(snapshot)?.letter ?? "A"): ",
            "   now \(Text.rate(state.chosen(snapshot)?.baseRate ?? 0)) before the schedule; Enter sets, Esc leaves"
          )
        case .fork:
          (
            (state.back > 0
              ? "go back to epoch \(Wording.position(snapshot.position)), and there fork "
              : "fork ")
              + "\(state.chosen(snapshot)?.letter ?? "A") with: ",
            "   Enter: the same; or a loss (max), shaping linear, rate 1e-3"
          )
        case .neurons: ("neurons: ", "   as 0-31, 40; nothing shows all")
        case .silence:
          ("only with: ", "   words of a line, as hidden2, inhibited, 57; nothing shows all")
        }
      say(label + prompt.text + "_", .bold)
      canvas.text(
        String(hints.prefix(max(0, area.width - label.count - prompt.text.count - 3))),
        x: area.x + 2 + label.count + prompt.text.count, y: area.y, style: .dim)
    } else if !snapshot.job.isEmpty {
      say(snapshot.job + "; Esc gives it up", CellStyle(.accent, bold: true))
    } else if !snapshot.failure.isEmpty {
      let ways =
        snapshot.isGone
        ? ""
        : snapshot.canGoOn
          ? "\(state.keys.label("pause")) goes on, \(state.keys.label("restart")) restarts: "
          : "\(state.keys.label("restart")) restarts: "
      say(ways + snapshot.failure, CellStyle(.alarm, bold: true))
    } else if !state.notice.isEmpty {
      say(state.notice, CellStyle(.accent))
    } else {
      keys(state, snapshot, in: area, on: &canvas)
    }
  }

  /// The keys of this screen; what cannot be done now is dim.
  private static func keys(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on canvas: inout Canvas
  ) {
    let known = state.keys.actions.filter {
      !$0.short.isEmpty && !$0.keys.isEmpty && $0.applies(on: state.screen)
    }
    let shown = known.filter { $0.screens != nil } + known.filter { $0.screens == nil }
    // The way to other screens, help and quit are kept where there is little room, and come last
    // where there is enough.
    let kept = ["screen-1", "help", "quit"]
    let last = shown.filter { kept.contains($0.name) }
    let reserved = last.reduce(0) { $0 + state.keys.entry($1, on: state.screen).count + 2 }
    var x = area.x + 1
    for action in shown.filter({ !kept.contains($0.name) }) + last {
      let text = state.keys.entry(action, on: state.screen)
      let isLast = last.contains { $0.name == action.name }
      guard x + text.count <= area.x + area.width - (isLast ? 0 : reserved) else { continue }
      let isPossible = action.obstacle(state, snapshot) == nil
      canvas.text(text, x: x, y: area.y, style: isPossible ? .plain : CellStyle(.frame))
      if isPossible {
        let head = text.prefix { $0 != " " }
        canvas.text(String(head), x: x, y: area.y, style: CellStyle(.accent, bold: true))
      }
      x += text.count + 2
    }
  }
}
