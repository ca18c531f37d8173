import CNCurses
import Foundation
import Synchronization

/// Restores the terminal when the program traps: once, then the signal takes its usual way.
enum CrashGuard {
  static let isArmed = Atomic<Bool>(false)

  static func install() {
    isArmed.store(true, ordering: .releasing)
    var wanted = sigset_t()
    sigemptyset(&wanted)
    // Whoever started us may have blocked them.
    defer { pthread_sigmask(SIG_UNBLOCK, &wanted, nil) }
    for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT] {
      sigaddset(&wanted, number)
      signal(number) { number in
        if CrashGuard.isArmed.exchange(false, ordering: .acquiringAndReleasing) { endwin() }
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }
}
