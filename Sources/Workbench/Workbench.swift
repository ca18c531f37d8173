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
    var area = Area(x: 0, y: 0, width: width, height: height)
    StatusLines.top(state, snapshot, in: area.takeTop(1), on: &canvas)
    if height >= 3 {
      let bottom = Area(x: 0, y: height - 1, width: width, height: 1)
      area.height -= 1
      StatusLines.bottom(state, snapshot, in: bottom, on: &canvas)
    }
    draw(state, snapshot, in: area, on: &canvas)
    if state.isAlarmListShown { AlarmPanel.draw(state, snapshot, in: area, on: &canvas) }
    if state.isHelpShown { HelpPanel.draw(state, snapshot, in: area, on: &canvas) }
    return canvas
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
