// SPDX-License-Identifier: MIT

extension WorkerPool {
  /// Calls `body` once for each of `0 ..< count`, each with a pool for what is in it: as many at a
  /// time as there are threads, each on one of them; those left over share the threads out, or
  /// have them all one after another. Jobs must not write what others read.
  public func sideBySide(_ count: Int, _ body: (Int, WorkerPool) -> Void) {
    let whole = count / threads * threads
    if whole > 0 {
      let alone = parts(1, of: 1)[0]
      forEach(whole) { body($0, alone) }
    }
    let left = count - whole
    let share = threads / max(left, 1)
    if left > 1 && share > 1 {
      let parts = parts(left, of: share)
      forEach(left) { body(whole + $0, parts[$0]) }
    } else {
      for index in whole..<count { body(index, self) }
    }
  }
}
