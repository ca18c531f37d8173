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
}
