// SPDX-License-Identifier: MIT

import Foundation
import Synchronization

/// Renews the mark of a point that is being trained, from a thread of its own: loading data or a
/// batch may take long.
final class Heartbeat: Sendable {
  private struct State {
    var share = 0.0
    var isEnded = false
  }

  private let marks: PointMarks
  private let point: Int
  private let state = Mutex(State())

  init(_ folder: SweepFolder, _ point: Int) throws {
    (marks, self.point) = (PointMarks(folder: folder), point)
    try marks.write(RunningMark(share: 0), point)
    let thread = Thread { [self] in
      var last = Date()
      while !state.withLock({ $0.isEnded }) {
        usleep(50_000)
        guard -last.timeIntervalSinceNow >= RunningMark.pace else { continue }
        last = Date()
        // Under the lock: none is written after the end. A full disk is the training's to report.
        state.withLock { if !$0.isEnded { try? marks.write(RunningMark(share: $0.share), point) } }
      }
    }
    thread.start()
  }

  /// Share of the point's batches that are done.
  func tell(share: Double) { state.withLock { $0.share = share } }

  /// The point is no longer trained.
  func end() {
    state.withLock {
      $0.isEnded = true
      unlink(marks.path(point, .running))
    }
  }
}
