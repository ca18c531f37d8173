// SPDX-License-Identifier: MIT

import Terminal
import Workbench

extension InputEvent {
  /// The workbench's key; nil: the mouse, pasted text, another size.
  var key: Key? {
    switch self {
    case .character(let c): .character(c)
    case .enter: .enter
    case .escape: .escape
    case .tab: .tab
    case .backTab: .backTab
    case .backspace: .backspace
    case .up: .up
    case .down: .down
    case .left: .left
    case .right: .right
    case .pageUp: .pageUp
    case .pageDown: .pageDown
    case .home: .home
    case .end: .end
    case .click, .wheel, .paste, .resize: nil
    }
  }

  /// In a list: the wheel moves the choice, Ctrl-C leaves; after a resize all is drawn anew.
  func listKey(on screen: Screen) -> Key? {
    switch self {
    case .character("\u{03}"): return .character("q")
    case .wheel(_, _, let down): return down ? .down : .up
    case .resize:
      screen.invalidate()
      return nil
    default: return key
    }
  }
}
