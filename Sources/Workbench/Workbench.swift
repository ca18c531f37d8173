// SPDX-License-Identifier: MIT

import Live
import Charts
import Foundation

/// From state and snapshot to a screen of cells: pure, so that frames can be tested.
public enum Workbench {
  /// The whole terminal, in cells: status lines, the screen between them, open panels over it.
  public static func frame(
    _ state: WorkbenchState, _ snapshot: Snapshot, width: Int, height: Int, marks: Marks = .braille
  ) -> Canvas {
    var canvas = Canvas(width: width, height: height, marks: marks)
    guard width > 0, height > 0 else { return canvas }
    StatusLines.top(
      state, snapshot, in: Area(x: 0, y: 0, width: width, height: 1), on: &canvas)
    if height >= 3 {
      let bottom = Area(x: 0, y: height - 1, width: width, height: 1)
      StatusLines.bottom(state, snapshot, in: bottom, on: &canvas)
    }
    if let row = tabRow(width: width, height: height) {
      Tabs.draw(state, in: Area(x: 0, y: row, width: width, height: 1), on: &canvas)
    }
    let whole = frameArea(width: width, height: height)
    var area = whole
    let card = area.takeBottom(CardPanel.rows(state, snapshot, in: whole))
    draw(state, snapshot, in: area, on: &canvas)
    CardPanel.draw(state, snapshot, in: card, of: whole, on: &canvas)
    if state.isAlarmListShown { AlarmPanel.draw(state, snapshot, in: area, on: &canvas) }
    if state.isHelpShown { HelpPanel.draw(state, snapshot, in: area, on: &canvas) }
    return canvas
  }

  /// The row of the tabs; nil where there is no room for them.
  static func tabRow(width: Int, height: Int) -> Int? { width >= 80 && height >= 20 ? 1 : nil }

  /// What is left between the lines at the top and the bottom.
  private static func frameArea(width: Int, height: Int) -> Area {
    let top = tabRow(width: width, height: height) == nil ? 1 : 2
    return Area(x: 0, y: top, width: width, height: height - top - (height >= 3 ? 1 : 0))
  }

  /// What is left for a screen, above the card where that is shown.
  static func screenArea(
    _ state: WorkbenchState, _ snapshot: Snapshot, width: Int, height: Int
  ) -> Area {
    var area = frameArea(width: width, height: height)
    _ = area.takeBottom(CardPanel.rows(state, snapshot, in: area))
    return area
  }

  /// The screen without its status lines, on any surface: what `export` writes.
  static func draw<S: Surface>(
    _ state: WorkbenchState, _ snapshot: Snapshot, in area: Area, on surface: inout S
  ) {
    guard !snapshot.lanes.isEmpty, area.height >= 2, area.width >= 16 else { return }
    state.screen.screen.draw(state, snapshot, in: area, on: &surface)
  }

  /// The screen as an SVG document.
  public static func svg(
    _ state: WorkbenchState, _ snapshot: Snapshot, width: Int = 120, height: Int = 40
  ) -> String {
    var surface = SVGSurface(width: width, height: height)
    draw(
      state, snapshot, in: Area(x: 0, y: 0, width: width, height: height), on: &surface)
    return surface.document
  }
}
