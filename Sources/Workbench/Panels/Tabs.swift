// SPDX-License-Identifier: MIT

import Charts
import Foundation

/// The screens with their keys in one line, the chosen one marked; a click shows another.
enum Tabs {
  /// Columns and text of every tab: whole titles where they fit, else their beginnings.
  static func layout(width: Int) -> [(screen: ScreenKind, x: Range<Int>, text: String)] {
    let screens = ScreenKind.allCases
    func texts(_ letters: Int) -> [String] {
      screens.map { "\($0.key.label) \($0.description.capitalized.prefix(letters))" }
    }
    var chosen = texts(2)
    for letters in (3...16).reversed() {
      let candidate = texts(letters)
      if candidate.reduce(0, { $0 + $1.count + 2 }) <= width {
        chosen = candidate
        break
      }
    }
    var x = 0
    return zip(screens, chosen).map { screen, text in
      defer { x += text.count + 2 }
      return (screen, x..<min(x + text.count + 2, width), text)
    }
  }

  static func draw(_ state: WorkbenchState, in area: Area, on canvas: inout Canvas) {
    for tab in layout(width: area.width) {
      let isChosen = tab.screen == state.screen
      let style = isChosen ? CellStyle(.accent, bold: true, reversed: true) : CellStyle.dim
      canvas.text(
        " \(tab.text) ", x: area.x + tab.x.lowerBound, y: area.y, style: style)
    }
  }

  static func screen(at x: Int, width: Int) -> ScreenKind? {
    layout(width: width).first { $0.x.contains(x) }?.screen
  }
}
