// SPDX-License-Identifier: MIT

import Charts
import Experiments
import Live

/// How far the preset's card has got: its sentences come up one by one, in order, as they become
/// true.
public struct Tour: Sendable, Equatable {
  /// Closed by Esc, for good.
  public var isShown: Bool
  /// Sentences that have become true.
  public private(set) var said = 0

  /// - Parameter isShown: false for a session that is to begin without.
  public init(isShown: Bool = false) { self.isShown = isShown }

  /// Takes note of what is true now. Live snapshots only: what was true stays said.
  public mutating func follow(_ snapshot: Snapshot) {
    let steps = snapshot.card.allSteps
    while said < steps.count, steps[said].condition.holds(in: snapshot) { said += 1 }
  }
}

extension PresetCard.Condition {
  /// Three fifths of a hidden layer's gradient from the last three tenths.
  static let late = 0.6

  func holds(in snapshot: Snapshot) -> Bool {
    func lane(_ index: Int) -> LaneSnapshot? {
      snapshot.lanes.first { $0.identity == index }
    }
    switch self {
    case .start: return !snapshot.lanes.isEmpty
    case .epoch(let epoch): return snapshot.epoch >= epoch
    case .leads(let a, let b, let points):
      guard let a = lane(a)?.testAccuracy, let b = lane(b)?.testAccuracy else { return false }
      return 100 * (a - b) >= points
    case .late(let index): return lane(index)?.lateShare ?? 0 >= Self.late
    case .starves(let index):
      return lane(index)?.activity.hasStarved ?? false
    case .dead(let index, let percent):
      return lane(index)?.layers.contains {
        Double($0.dead ?? 0) * 100 >= percent * Double(max($0.size, 1))
      } ?? false
    }
  }
}

/// The card at the foot of the screen: the newest sentence, those before it dim above.
enum CardPanel {
  /// Rows that it takes from the screen; 0 where it is closed, or there is no room.
  static func rows(_ state: WorkbenchState, _ snapshot: Snapshot, in area: Area) -> Int {
    let count = lines(state, snapshot, in: area).count
    return count > 0 ? count + 2 : 0
  }

  private static func lines(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area
  ) -> [(text: String, isNewest: Bool)] {
    let steps = snapshot.card.allSteps.prefix(state.tour.said)
    guard state.tour.isShown, let newest = steps.last, area.width >= 40, area.height >= 16 else {
      return []
    }
    let most = area.height >= 30 ? 6 : 3
    var lines = Text.wrapped(filled(newest.text, snapshot), area.width - 4).map { ($0, true) }
    for step in steps.dropLast().reversed() {
      let more = Text.wrapped(filled(step.text, snapshot), area.width - 4).map { ($0, false) }
      guard lines.count + more.count <= most else { break }
      lines = more + lines
    }
    return Array(lines.prefix(most))
  }

  /// - Parameter whole: what the rows were taken from.
  static func draw(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, of whole: Area,
    on canvas: inout Canvas
  ) {
    guard area.height > 2 else { return }
    canvas.frame(
      x: area.x, y: area.y, width: area.width, height: area.height,
      title: Text.fit(snapshot.presetName, area.width - 24), style: CellStyle(.accent, bold: true))
    canvas.text(" Esc closes ", endingAt: area.x + area.width - 2, y: area.y, style: .dim)
    for (row, line) in lines(state, snapshot, in: whole).prefix(area.height - 2).enumerated() {
      canvas.text(
        line.text, x: area.x + 2, y: area.y + row + 1, style: line.isNewest ? .bold : .dim)
    }
  }

  /// `{B}` is lane B's test accuracy, `{late A}` the late share of its gradient.
  static func filled(_ text: String, _ snapshot: Snapshot) -> String {
    var text = text
    for lane in snapshot.lanes {
      text = text.replacingOccurrences(
        of: "{\(lane.letter)}", with: Text.percent(lane.testAccuracy))
      text = text.replacingOccurrences(
        of: "{late \(lane.letter)}",
        with: lane.lateShare.map { String(format: "%.0f %%", 100 * $0) } ?? Text.unknown)
    }
    return text
  }
}
