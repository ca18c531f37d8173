// SPDX-License-Identifier: MIT

import CNCurses
import Foundation
import Synchronization

/// Restores the terminal when the program traps or is ended by a signal: once, then the signal
/// takes its usual way.
enum CrashGuard {
  static let isArmed = Atomic<Bool>(false)
  /// Of the C library's, those that are for programs.
  private static let realTime: (Int32, Int32) = (34, 64)

  static func install() {
    isArmed.store(true, ordering: .releasing)
    var wanted = sigset_t()
    sigemptyset(&wanted)
    // Whoever started us may have blocked them.
    defer { pthread_sigmask(SIG_UNBLOCK, &wanted, nil) }
    // Crashes, and signals that end a program which does not ask for them.
    let deadly =
      [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGSYS]
      + [SIGQUIT, SIGALRM, SIGVTALRM, SIGPROF, SIGUSR2, SIGIO, SIGPWR, SIGSTKFLT]
      + (realTime.0...realTime.1)
    for number in deadly {
      sigaddset(&wanted, number)
      signal(number) { number in
        if CrashGuard.isArmed.exchange(false, ordering: .acquiringAndReleasing) {
          let noPaste: StaticString = "\u{1B}[?2004l"
          _ = write(STDOUT_FILENO, noPaste.utf8Start, noPaste.utf8CodeUnitCount)
          endwin()
        }
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }
}
