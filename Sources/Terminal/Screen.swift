// SPDX-License-Identifier: MIT

import CNCurses
import Charts
import Foundation

/// How many colours there are to use.
public enum ColorMode: String, Sendable, CaseIterable {
  case auto, full = "256", basic = "16", none
}

/// Dark or light background.
public enum Theme: String, Sendable, CaseIterable { case dark, light }

/// A key or mouse event.
public enum InputEvent: Sendable, Equatable {
  case character(Character)
  case enter, escape, tab, backTab, backspace
  case up, down, left, right, pageUp, pageDown, home, end
  case click(x: Int, y: Int)
  case wheel(x: Int, y: Int, down: Bool)
  /// Text that the terminal says was pasted, not typed.
  case paste(String)
  case resize
}

/// Why there is no screen.
public struct TerminalError: Error, CustomStringConvertible {
  /// A phrase without a full stop: `no terminal`.
  public var description: String
}

/// What a terminal's characters are, as far as the locale tells.
public enum TerminalCharacters {
  static func isUTF8(_ codeset: String) -> Bool {
    ["UTF-8", "UTF8"].contains(codeset.uppercased())
  }

  /// Where the locale names no set (C, POSIX, nothing) terminals of today take UTF-8; one that
  /// names another has a terminal of that set, and gets plain characters.
  /// - Parameter codeset: of the locale in force; nil: the one that is asked for is not installed.
  public static func isUnicode(_ environment: [String: String], codeset: String?) -> Bool {
    if let codeset { return isUTF8(codeset) || codeset.hasPrefix("ANSI_X3.4") }
    let names = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }
    guard let name = names.first(where: { !$0.isEmpty }), let dot = name.firstIndex(of: ".") else {
      return true
    }
    return isUTF8(String(name[name.index(after: dot)...].prefix { $0 != "@" }))
  }
}

/// The terminal, by ncurses: started on creation, restored by `restore` (and on the way out of a
/// crash).
public final class Screen {
  private let screen: OpaquePointer
  private let colors: ColorMode
  private let theme: Theme
  private var isActive = true
  private let output: UnsafeMutablePointer<FILE>
  /// Codes of our own, beyond those of ncurses.
  private static let pasteBegins: Int32 = 0o3000
  private static let pasteEnds: Int32 = 0o3001
  private static let longestPaste = 1 << 16
  /// Whether it takes more than ASCII, as far as the locale tells: whether braille marks can be
  /// drawn.
  public let isUnicode: Bool

  /// - Throws: `TerminalError` without a terminal that can place a cursor.
  public init(colors: ColorMode, theme: Theme) throws {
    // Characters only: with a locale's decimal comma, libraries would misread numbers.
    let isSet = setlocale(LC_CTYPE, "") != nil
    isUnicode = TerminalCharacters.isUnicode(
      ProcessInfo.processInfo.environment,
      codeset: isSet ? nl_langinfo(Int32(CODESET)).map { String(cString: $0) } : nil)
    if isUnicode, !isSet || !TerminalCharacters.isUTF8(String(cString: nl_langinfo(Int32(CODESET))))
    {
      setlocale(LC_CTYPE, "C.UTF-8")
    }
    guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else {
      throw TerminalError(description: "no terminal")
    }
    let type = ProcessInfo.processInfo.environment["TERM"] ?? ""
    guard !type.isEmpty, type != "dumb" else {
      throw TerminalError(description: "TERM is \(type.isEmpty ? "not set" : type)")
    }
    guard let output = fdopen(dup(STDOUT_FILENO), "w"), let input = fdopen(dup(STDIN_FILENO), "r"),
      let screen = newterm(nil, output, input)
    else { throw TerminalError(description: "ncurses does not know the terminal \(type)") }
    self.screen = screen
    self.theme = theme
    let noColor = ProcessInfo.processInfo.environment["NO_COLOR"].map { !$0.isEmpty } ?? false
    if colors == .none || (colors == .auto && noColor) || !has_colors() {
      self.colors = .none
    } else {
      start_color()
      use_default_colors()
      self.colors = colors == .basic || eventprop_colors() < 256 ? .basic : .full
      for ink in Ink.allCases {
        init_pair(Int16(ink.rawValue) + 1, Screen.color(ink, self.colors, theme), -1)
      }
    }
    raw()
    noecho()
    nonl()
    keypad(eventprop_stdscr(), true)
    set_escdelay(25)
    curs_set(0)
    _ = eventprop_mouse_on()
    define_key("\u{1B}[200~", Screen.pasteBegins)
    define_key("\u{1B}[201~", Screen.pasteEnds)
    self.output = output
    send("\u{1B}[?2004h")
    CrashGuard.install()
  }

  deinit { restore() }

  /// Gives the terminal back as it was.
  public func restore() {
    guard isActive else { return }
    isActive = false
    CrashGuard.isArmed.store(false, ordering: .releasing)
    send("\u{1B}[?2004l")
    endwin()
    delscreen(screen)
  }

  /// In cells, as ncurses has it: the event `resize` says that it changed.
  public var size: (width: Int, height: Int) {
    (Int(eventprop_columns()), Int(eventprop_lines()))
  }

  /// Palette numbers; series after Okabe & Ito.
  private static func color(_ ink: Ink, _ mode: ColorMode, _ theme: Theme) -> Int16 {
    let isDark = theme == .dark
    if mode == .basic {
      switch ink {
      case .text: return isDark ? 7 : 0
      case .dim, .frame: return isDark ? 7 : 0
      case .accent: return 6
      case .good: return 2
      case .alarm: return 1
      case .series0: return 4
      case .series1: return 3
      case .series2: return 2
      case .series3: return 5
      case .series4: return 6
      case .series5: return 1
      case .series6: return isDark ? 7 : 0
      }
    }
    switch ink {
    case .text: return isDark ? 252 : 235
    case .dim: return isDark ? 245 : 242
    case .frame: return isDark ? 240 : 250
    case .accent: return isDark ? 117 : 25
    case .good: return isDark ? 78 : 29
    case .alarm: return isDark ? 203 : 160
    case .series0: return isDark ? 75 : 25
    case .series1: return isDark ? 214 : 172
    case .series2: return isDark ? 78 : 29
    case .series3: return isDark ? 175 : 132
    case .series4: return isDark ? 117 : 38
    case .series5: return isDark ? 209 : 166
    case .series6: return isDark ? 227 : 100
    }
  }

  /// Shows a canvas; ncurses sends only what changed.
  public func present(_ canvas: Canvas) {
    let (width, height) = size
    var run: [wchar_t] = []
    for y in 0..<min(height, canvas.height) {
      var x = 0
      let columns = min(width, canvas.width)
      while x < columns {
        let style = canvas[x, y].style
        let start = x
        run.removeAll(keepingCapacity: true)
        while x < columns, canvas[x, y].style == style {
          run.append(wchar_t(canvas[x, y].glyph.unicodeScalars.first!.value))
          x += 1
        }
        eventprop_draw(
          Int32(y), Int32(start), run, Int32(run.count), attributes(style),
          colors == .none ? 0 : Int32(style.ink.rawValue) + 1)
      }
    }
    wnoutrefresh(eventprop_stdscr())
    holdingStops { doupdate() }
  }

  private func attributes(_ style: CellStyle) -> attr_t {
    var attributes: attr_t = 0
    if style.isBold { attributes |= eventprop_bold() }
    if style.isReversed { attributes |= eventprop_reverse() }
    // Without shades, what stands back (words, frames, raw curves behind smoothed ones) is dim.
    if colors != .full && (style.ink == .dim || style.ink == .frame) {
      attributes |= eventprop_dim()
    }
    return attributes
  }

  /// The next event within `milliseconds`; nil when none came.
  public func read(milliseconds: Int) -> InputEvent? {
    wtimeout(eventprop_stdscr(), Int32(milliseconds))
    var code: wint_t = 0
    let kind = wget_wch(eventprop_stdscr(), &code)
    if kind == KEY_CODE_YES { return special(Int32(bitPattern: code)) }
    guard kind == OK, let scalar = Unicode.Scalar(code) else { return nil }
    switch scalar {
    case "\r", "\n": return .enter
    case "\t": return .tab
    case "\u{1B}": return .escape
    case "\u{7F}", "\u{08}": return .backspace
    default: return .character(Character(scalar))
    }
  }

  private func special(_ code: Int32) -> InputEvent? {
    switch code {
    case KEY_UP: return .up
    case KEY_DOWN: return .down
    case KEY_LEFT: return .left
    case KEY_RIGHT: return .right
    case KEY_PPAGE: return .pageUp
    case KEY_NPAGE: return .pageDown
    case KEY_HOME: return .home
    case KEY_END: return .end
    case KEY_BTAB: return .backTab
    case KEY_BACKSPACE: return .backspace
    case KEY_ENTER: return .enter
    case KEY_RESIZE: return .resize
    case Screen.pasteBegins: return .paste(pasted())
    case Screen.pasteEnds: return nil
    case KEY_MOUSE:
      var event = MEVENT()
      guard getmouse(&event) == OK else { return nil }
      let wheel = eventprop_wheel(UInt(event.bstate))
      if wheel != 0 { return .wheel(x: Int(event.x), y: Int(event.y), down: wheel > 0) }
      return .click(x: Int(event.x), y: Int(event.y))
    default: return nil
    }
  }

  /// Gives the terminal back, stops the process as Ctrl-Z does, and takes the terminal again on
  /// return.
  public func suspend() {
    send("\u{1B}[?2004l")
    endwin()
    raise(SIGSTOP)
    send("\u{1B}[?2004h")
    clearok(eventprop_stdscr(), true)
    wrefresh(eventprop_stdscr())
  }

  /// A sequence that ncurses has no name for, as it stands. Terminals that do not know it leave it.
  private func send(_ sequence: String) {
    fputs(sequence, output)
    fflush(output)
  }

  /// What comes until the terminal says that the paste ends; what is beyond some length is dropped.
  private func pasted() -> String {
    var text = String.UnicodeScalarView()
    wtimeout(eventprop_stdscr(), 200)
    var code: wint_t = 0
    while !isLost {
      let kind = wget_wch(eventprop_stdscr(), &code)
      if kind == ERR { break }
      if kind == KEY_CODE_YES {
        if Int32(bitPattern: code) == Screen.pasteEnds { break }
        continue
      }
      if text.count < Screen.longestPaste, let scalar = Unicode.Scalar(code) {
        text.append(scalar)
      }
    }
    return String(text)
  }

  /// Whether the terminal has gone: its window closed, or the connection broke.
  public var isLost: Bool {
    var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    guard poll(&input, 1, 0) > 0 else { return false }
    return input.revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0
  }

  /// doupdate ignores SIGTSTP while it draws, and one that comes then is lost; blocked, it waits.
  private func holdingStops(_ draw: () -> Void) {
    var stop = sigset_t()
    var before = sigset_t()
    sigemptyset(&stop)
    sigaddset(&stop, SIGTSTP)
    pthread_sigmask(SIG_BLOCK, &stop, &before)
    draw()
    pthread_sigmask(SIG_SETMASK, &before, nil)
  }

  /// Redraws everything at the next `present`.
  public func invalidate() { clearok(eventprop_stdscr(), true) }
}
