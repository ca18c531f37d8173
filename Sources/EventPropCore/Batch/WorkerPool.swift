// SPDX-License-Identifier: MIT

import Foundation
import Synchronization

/// A fixed number of threads that share out numbered jobs. A thread without work looks for it for
/// at most about 100 us, then is parked: short batches do not pay for waking it, and beside other
/// busy processes nobody spins for long.
///
/// Of `threads` threads, number t begins with the jobs t, t + threads, ... and then helps the
/// others: so a job of a number tends to find in its core's cache what the job of that number left
/// there. Which thread runs a job is left open all the same, so jobs must write only what belongs
/// to their number.
public final class WorkerPool {
  /// The one that calls `forEach` included; 1: jobs run there, in order, unless they are helped.
  public internal(set) var threads: Int
  private let shared: Shared
  private let start: [DispatchSemaphore]
  /// One for each thread, for jobs side by side.
  private(set) lazy var places = (0..<threads).map { _ in WorkerPool(helped: HelpedJobs()) }
  /// Of a pool of one thread that those of a larger one may help.
  let helped: HelpedJobs?

  /// - Parameter threads: the calling thread included.
  public init(threads: Int) {
    precondition(threads > 0)
    self.threads = threads
    helped = nil
    let shared = Shared(threads: threads)
    self.shared = shared
    start = (1..<threads).map { _ in DispatchSemaphore(value: 0) }
    for (index, semaphore) in start.enumerated() {
      let thread = Thread {
        blockAllSignals()
        var seen = 0
        while true {
          shared.spin { shared.round.pointee.load(ordering: .relaxed) != seen }
          semaphore.wait()
          if shared.isStopping { return }
          shared.work(as: index + 1)
          seen = shared.round.pointee.load(ordering: .relaxed)
          // In this order: whoever sees the count finds the semaphore up, and need not sleep.
          shared.done.signal()
          shared.finished.pointee.wrappingAdd(1, ordering: .releasing)
        }
      }
      thread.name = "eventprop worker"
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  private init(helped: HelpedJobs) {
    threads = 1
    self.helped = helped
    shared = Shared(threads: 1)
    start = []
  }

  deinit {
    shared.isStopping = true
    for semaphore in start { semaphore.signal() }
  }

  /// Calls `body` once for each of `0 ..< count` and returns when all are done.
  public func forEach(_ count: Int, _ body: (Int) -> Void) {
    if let helped, count > 1 { return helped.forEach(count, body) }
    if threads == 1 || count <= 1 {
      for index in 0..<count { body(index) }
      return
    }
    withoutActuallyEscaping(body) { body in
      let helpers = start.prefix(count - 1)
      shared.begin(count, body)
      for semaphore in helpers { semaphore.signal() }
      shared.round.pointee.wrappingAdd(1, ordering: .relaxed)
      shared.work(as: 0)
      shared.expected += helpers.count
      shared.spin { shared.finished.pointee.load(ordering: .relaxed) >= shared.expected }
      for _ in helpers { shared.done.wait() }
      shared.job = nil
    }
  }

  /// Sendable because `job`, `count` and `isStopping` are written only while every worker is parked
  /// or spins (before its `start` and after its `done`), and the semaphores order those accesses.
  private final class Shared: @unchecked Sendable {
    var job: ((Int) -> Void)?
    var isStopping = false
    let done = DispatchSemaphore(value: 0)
    private var count = 0
    private let counters: Counters
    private let threads: Int

    init(threads: Int) {
      self.threads = threads
      counters = Counters(threads + 2)
    }

    /// How often workers will have finished; only the calling thread looks at it.
    var expected = 0
    /// Hints for spinning only: the semaphores decide.
    var round: UnsafeMutablePointer<Atomic<Int>> { counters[threads] }
    var finished: UnsafeMutablePointer<Atomic<Int>> { counters[threads + 1] }

    func begin(_ count: Int, _ job: @escaping (Int) -> Void) {
      self.job = job
      self.count = count
      for thread in 0..<threads { counters[thread].pointee.store(0, ordering: .relaxed) }
    }

    /// Runs what is left of the thread's own jobs, then of those of the others.
    func work(as thread: Int) {
      guard let job else { return }
      for turn in 0..<threads {
        let owner = (thread + turn) % threads
        while true {
          let taken = counters[owner].pointee.wrappingAdd(1, ordering: .acquiringAndReleasing)
          let index = owner + taken.oldValue * threads
          if index >= count { break }
          job(index)
        }
      }
    }

    /// Waits a little for something likely.
    func spin(until isSo: () -> Bool) {
      for _ in 0..<100_000 { if isSo() { return } }
    }
  }

  /// Atomic counters, each in a cache line of its own: threads that count do not wait for each
  /// other.
  private final class Counters {
    private static var line: Int { 128 }
    private let memory: UnsafeMutableRawPointer
    private let count: Int

    init(_ count: Int) {
      self.count = count
      memory = .allocate(byteCount: count * Self.line, alignment: Self.line)
      for index in 0..<count {
        (memory + index * Self.line).bindMemory(to: Atomic<Int>.self, capacity: 1)
          .initialize(to: Atomic(0))
      }
    }

    deinit {
      for index in 0..<count { self[index].deinitialize(count: 1) }
      memory.deallocate()
    }

    subscript(index: Int) -> UnsafeMutablePointer<Atomic<Int>> {
      (memory + index * Self.line).assumingMemoryBound(to: Atomic<Int>.self)
    }
  }
}

/// Signals are for the main thread.
public func blockAllSignals() {
  var all = sigset_t()
  sigfillset(&all)
  pthread_sigmask(SIG_BLOCK, &all, nil)
}
