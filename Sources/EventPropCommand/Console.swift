import Foundation
import Synchronization

/// What goes to the terminal: plain lines, or on a terminal one line that is rewritten.
struct Console {
  let isTerminal: Bool
  private var lastDraw: ContinuousClock.Instant?
  private var hasLine = false

  init() {
    isTerminal =
      isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] ?? "dumb" != "dumb"
  }

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
    Console.error("\r\u{1B}[K" + String(text().prefix(columns - 1)), terminator: "")
  }

  /// A line that stays.
  mutating func line(_ text: String) {
    clear()
    print(text)
    fflush(nil)
  }

  mutating func clear() {
    if hasLine { Console.error("\r\u{1B}[K", terminator: "") }
    hasLine = false
  }

  static func error(_ text: String, terminator: String = "\n") {
    FileHandle.standardError.write(Data((text + terminator).utf8))
  }

  /// `━━━━╸────`, `width` cells for a share of 0...1.
  static func bar(_ share: Double, width: Int) -> String {
    let halves = Int((min(max(share, 0), 1) * Double(2 * width)).rounded(.down))
    let full = halves / 2
    let tip = halves % 2 == 1 ? "╸" : ""
    return String(repeating: "━", count: full) + tip
      + String(repeating: "─", count: width - full - tip.count)
  }

  static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
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

  /// From now on SIGINT, SIGTERM and SIGHUP only set a flag; a second one of the same kind ends the program.
  static func install() {
    _ = current  // makes the global before a handler can run
    var wanted = sigset_t()
    sigemptyset(&wanted)
    for number in [SIGINT, SIGTERM, SIGHUP] {
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
