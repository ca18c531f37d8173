// SPDX-License-Identifier: MIT

import Foundation
import Synchronization

extension WorkerPool {
  /// Calls `body` once for each of `0 ..< count`, each on one thread and with a pool for what is in
  /// it: threads that find no job left help those at work with theirs. So the threads wait for each
  /// other once, and not for the longest job. Jobs must not write what others read.
  public func sideBySide(_ count: Int, _ body: (Int, WorkerPool) -> Void) {
    if threads == 1 || count <= 1 {
      for index in 0..<count { body(index, self) }
      return
    }
    let places = places
    // What is cut by the number of threads is cut for as many as may come to a job.
    for place in places { place.threads = max(threads / count, 1) }
    let table = JobTable(count)
    forEach(threads) { thread in
      while let index = table.next() {
        body(index, places[thread])
        table.end()
      }
      var idle = 0
      while !table.isDone {
        let hasHelped = places.contains { $0.helped?.help() ?? false }
        idle = hasHelped ? 0 : idle + 1
        // Not for long at full speed: other programs may have use for the core.
        if idle > 2000 { usleep(20) }
      }
    }
  }

  /// The jobs of `sideBySide`, handed out in order.
  private final class JobTable: Sendable {
    private let count: Int
    private let taken = Atomic(0)
    private let done = Atomic(0)

    init(_ count: Int) { self.count = count }

    func next() -> Int? {
      let index = taken.wrappingAdd(1, ordering: .relaxed).oldValue
      return index < count ? index : nil
    }

    func end() { done.wrappingAdd(1, ordering: .releasing) }
    var isDone: Bool { done.load(ordering: .acquiring) == count }
  }
}

/// Jobs of one thread that others may help with while they last. All of it in an order that all
/// threads see alike: whoever enters has found it open, and is waited for.
///
/// Sendable because `job` and `count` are written only while it is closed and nobody is in it.
final class HelpedJobs: @unchecked Sendable {
  private var job: ((Int) -> Void)?
  private var count = 0
  private let isOpen = Atomic(false)
  private let entered = Atomic(0)
  private let taken = Atomic(0)

  /// `WorkerPool.forEach`, on the thread that they belong to.
  func forEach(_ count: Int, _ body: (Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      (job, self.count) = (body, count)
      taken.store(0, ordering: .relaxed)
      isOpen.store(true, ordering: .sequentiallyConsistent)
      work(body)
      isOpen.store(false, ordering: .sequentiallyConsistent)
      while entered.load(ordering: .sequentiallyConsistent) > 0 {}
      job = nil
    }
  }

  /// Takes part, if there is anything to do.
  /// - Returns: whether there was.
  func help() -> Bool {
    guard isOpen.load(ordering: .relaxed) else { return false }
    entered.wrappingAdd(1, ordering: .sequentiallyConsistent)
    defer { entered.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
    guard isOpen.load(ordering: .sequentiallyConsistent), let job else { return false }
    return work(job)
  }

  @discardableResult
  private func work(_ job: (Int) -> Void) -> Bool {
    var hasWorked = false
    while true {
      let index = taken.wrappingAdd(1, ordering: .relaxed).oldValue
      if index >= count { return hasWorked }
      job(index)
      hasWorked = true
    }
  }
}
