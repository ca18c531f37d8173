// SPDX-License-Identifier: MIT

import Synchronization

/// A `Mutex` whose order ThreadSanitizer sees. Where threads wait for each other, the library's own
/// code hands the lock on, which is not instrumented: what is right would be reported as a race.
struct Guarded<Value>: ~Copyable, Sendable {
  private let mutex: Mutex<Value>
  private let turns = Atomic<UInt>(0)

  init(_ value: consuming sending Value) { mutex = Mutex(value) }

  /// As `Mutex.withLock`.
  func withLock<Result, E: Error>(
    _ body: (inout sending Value) throws(E) -> sending Result
  ) throws(E) -> sending Result {
    try mutex.withLock { value throws(E) in
      _ = turns.load(ordering: .acquiring)
      defer { turns.wrappingAdd(1, ordering: .releasing) }
      return try body(&value)
    }
  }
}
