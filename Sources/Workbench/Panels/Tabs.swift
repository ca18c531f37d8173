// SPDX-License-Identifier: MIT

import Charts
import Foundation

/// The screens with their keys in one line, the chosen one marked; a click shows another.
enum Tabs {
  /// Columns and text of every tab: whole titles where they fit, else their beginnings.
  static func layout(width: Int, _ keys: KeyMap = KeyMap()) -> [(
    screen: ScreenKind, x: Range<Int>, text: String
  )] {
    let screens = ScreenKind.allCases
    func text(_ screen: ScreenKind, _ letters: Int) -> String {
      "\(label(screen, keys)) \(screen.description.capitalized.prefix(letters))"
    }
    func length(_ texts: [String], _ gap: Int) -> Int {
      texts.reduce(1) { $0 + $1.count + gap }
    }
    var (chosen, letters, gap) = (screens.map { text($0, 2) }, 2, 1)
    search: for more in (3...16).reversed() {
      for wide in [2, 1] {
        let candidate = screens.map { text($0, more) }
        guard length(candidate, wide) <= width else { continue }
        (chosen, letters, gap) = (candidate, more, wide)
        break search
      }
    }
    // What is left over gives some one letter more.
    for index in chosen.indices {
      var more = chosen
      more[index] = text(screens[index], letters + 1)
      if length(more, gap) <= width { chosen = more }
    }
    var x = 0
    return zip(screens, chosen).map { screen, text in
      defer { x += text.count + gap }
      return (screen, x..<min(x + text.count + gap, width), text)
    }
  }

  static func draw(_ state: WorkbenchState, in area: Area, on canvas: inout Canvas) {
    for tab in layout(width: area.width, state.keys) {
      let x = area.x + tab.x.lowerBound + 1
      if tab.screen == state.screen {
        canvas.text(
          " \(tab.text) ", x: x - 1, y: area.y,
          style: CellStyle(.accent, bold: true, reversed: true))
      } else {
        canvas.text(tab.text, x: x, y: area.y, style: .dim)
        canvas.text(String(tab.text.prefix { $0 != " " }), x: x, y: area.y, style: .plain)
      }
    }
  }

  private static func label(_ screen: ScreenKind, _ keys: KeyMap) -> String {
    keys.key(of: screen.action)?.label ?? "-"
  }

  static func screen(at x: Int, width: Int, _ keys: KeyMap = KeyMap()) -> ScreenKind? {
    layout(width: width, keys).first { $0.x.contains(x) }?.screen
  }
}
