// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import Synchronization

/// What goes to the terminal: plain lines, or on a terminal one line that is rewritten.
struct Console {
  let isTerminal: Bool
  /// Nothing is shown: the lines are of something that others tell of.
  private(set) var isQuiet = false
  private var lastDraw: ContinuousClock.Instant?
  private var hasLine = false

  init() {
    isTerminal =
      isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] ?? "dumb" != "dumb"
  }

  /// One that shows nothing.
  static var quiet: Console {
    var console = Console(isTerminal: false)
    console.isQuiet = true
    return console
  }

  private init(isTerminal: Bool) { self.isTerminal = isTerminal }

  var columns: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Rewrites the progress line, at most ten times a second.
  mutating func progress(_ text: @autoclosure () -> String) {
    guard isTerminal else { return }
    let now = ContinuousClock.now
    if let lastDraw, now - lastDraw < .milliseconds(100) { return }
    lastDraw = now
    hasLine = true
    Console.rewrite(String(text().prefix(columns - 1)))
  }

  /// A line of what is going on, rewritten by the next.
  mutating func note(_ text: String) {
    guard isTerminal else { return }
    hasLine = true
    Console.rewrite(String(text.prefix(columns - 1)))
  }

  /// The same, from wherever; a `note` and a `clear` take it away.
  static func say(_ text: String) {
    var console = Console()
    console.note(text)
  }

  /// A line that stays.
  mutating func line(_ text: String) {
    if isQuiet { return }
    clear()
    Console.out(text)
  }

  /// To standard output. What names from files hold beyond text is spelled out; that a line could
  /// not be written is known at the end (`failure`).
  static func out(_ text: String, terminator: String = "\n") {
    let all = VisibleText.of(text, keeping: "\n\t") + terminator
    if !write(all, to: STDOUT_FILENO) { isCut.store(errno, ordering: .releasing) }
  }

  private static let isCut = Atomic<Int32>(0)

  /// Why output could not be written; nil when all of it was.
  static var failure: String? {
    let number = isCut.load(ordering: .acquiring)
    return number == 0 ? nil : String(cString: strerror(number))
  }

  /// A path as it can be pasted into a shell.
  static func shellQuoted(_ path: String) -> String { ShellWord.quoted(path) }

  mutating func clear() {
    if hasLine { Console.rewrite("") }
    hasLine = false
  }

  static func error(_ text: String) {
    _ = write(VisibleText.of(text, keeping: "\n\t") + "\n", to: STDERR_FILENO)
  }

  private static func rewrite(_ text: String) {
    _ = write("\r\u{1B}[K" + VisibleText.of(text), to: STDERR_FILENO)
  }

  /// - Returns: whether all of it went where it should.
  private static func write(_ text: String, to file: Int32) -> Bool {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      bytes = bytes.dropFirst(count)
    }
    return true
  }

  /// `━━━━╸────`, `width` cells for a share of 0...1.
  static func bar(_ share: Double, width: Int) -> String {
    let share = share.isNaN ? 0 : share
    let halves = Int((min(max(share, 0), 1) * Double(2 * width)).rounded(.down))
    let full = halves / 2
    let tip = halves % 2 == 1 ? "╸" : ""
    return String(repeating: "━", count: full) + tip
      + String(repeating: "─", count: width - full - tip.count)
  }

  static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  static func percent(_ share: Double?) -> String {
    share.map { String(format: "%.2f %%", 100 * $0) } ?? "-"
  }
}

/// SIGTSTP while the screen is up: the loop gives the terminal back first, then stops.
enum SuspendSignal {
  private static let received = Atomic<Bool>(false)

  /// Whether one has come since the last call.
  static func take() -> Bool { received.exchange(false, ordering: .acquiringAndReleasing) }

  static func install() {
    _ = take()
    signal(SIGTSTP) { _ in SuspendSignal.received.store(true, ordering: .releasing) }
    var wanted = sigset_t()
    sigemptyset(&wanted)
    sigaddset(&wanted, SIGTSTP)
    pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
  }
}

/// The signals that ask for an orderly end.
enum StopSignal {
  private static let received = Atomic<Int32>(0)

  /// The signal that came, 0 for none.
  static var current: Int32 { received.load(ordering: .acquiring) }

  /// From now on SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGXCPU (by which clusters announce the end)
  /// only set a flag; a second one of the same kind ends the program.
  static func install() {
    _ = current  // makes the global before a handler can run
    var wanted = sigset_t()
    sigemptyset(&wanted)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGXCPU] {
      let before = signal(number) { number in
        StopSignal.received.store(number, ordering: .releasing)
        signal(number, SIG_DFL)
      }
      let ignored = unsafeBitCast(SIG_IGN, to: Int.self)
      if unsafeBitCast(before, to: Int.self) == ignored {
        signal(number, SIG_IGN)  // nohup, or a shell's background job: stays as it is
      }
      sigaddset(&wanted, number)
    }
    // Whoever started this program may have blocked them.
    pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
    signal(SIGPIPE, SIG_IGN)
  }
}
