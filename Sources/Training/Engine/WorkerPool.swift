import Foundation
import Synchronization

/// A fixed number of threads that share out numbered jobs. A thread without work looks for it for at most about 100 us,
/// then is parked: short batches do not pay for waking it, and beside other busy processes nobody spins for long.
///
/// Which thread runs a job is left open, so jobs must write only what belongs to their number.
final class WorkerPool {
  let threads: Int
  private let shared: Shared
  private let start: [DispatchSemaphore]

  /// - Parameter threads: the calling thread included.
  init(threads: Int) {
    precondition(threads > 0)
    self.threads = threads
    let shared = Shared()
    self.shared = shared
    start = (1..<threads).map { _ in DispatchSemaphore(value: 0) }
    for semaphore in start {
      let thread = Thread {
        blockAllSignals()
        var seen = 0
        while true {
          shared.spin { shared.round.load(ordering: .relaxed) != seen }
          semaphore.wait()
          seen = shared.round.load(ordering: .relaxed)
          if shared.isStopping { return }
          shared.work()
          shared.finished.wrappingAdd(1, ordering: .releasing)
          shared.done.signal()
        }
      }
      thread.name = "eventprop worker"
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  deinit {
    shared.isStopping = true
    for semaphore in start { semaphore.signal() }
  }

  /// Calls `body` once for each of `0 ..< count` and returns when all are done.
  func forEach(_ count: Int, _ body: (Int) -> Void) {
    if threads == 1 || count <= 1 {
      for index in 0..<count { body(index) }
      return
    }
    withoutActuallyEscaping(body) { body in
      shared.job = body
      shared.count = count
      shared.next.store(0, ordering: .releasing)
      shared.finished.store(0, ordering: .releasing)
      let helpers = start.prefix(count - 1)
      for semaphore in helpers { semaphore.signal() }
      shared.round.wrappingAdd(1, ordering: .relaxed)
      shared.work()
      shared.spin { shared.finished.load(ordering: .relaxed) == helpers.count }
      for _ in helpers { shared.done.wait() }
      shared.job = nil
    }
  }

  /// Sendable because `job`, `count` and `isStopping` are written only while every worker is parked or spins
  /// (before its `start` and after its `done`), and the semaphores order those accesses.
  private final class Shared: @unchecked Sendable {
    var job: ((Int) -> Void)?
    var count = 0
    var isStopping = false
    let next = Atomic<Int>(0)
    let done = DispatchSemaphore(value: 0)
    /// Hints for spinning only: the semaphores decide.
    let round = Atomic<Int>(0)
    let finished = Atomic<Int>(0)

    func work() {
      guard let job else { return }
      while true {
        let index = next.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
        if index >= count { return }
        job(index)
      }
    }

    /// Waits a little for something likely.
    func spin(until isSo: () -> Bool) {
      for _ in 0..<100_000 { if isSo() { return } }
    }
  }
}

/// Signals are for the main thread.
func blockAllSignals() {
  var all = sigset_t()
  sigfillset(&all)
  pthread_sigmask(SIG_BLOCK, &all, nil)
}
