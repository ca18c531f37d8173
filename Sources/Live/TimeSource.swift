// SPDX-License-Identifier: MIT

/// Where a session takes the time from: the machine's clock, or a test's.
struct TimeSource: Sendable {
  /// Since some fixed moment; never goes back.
  let now: @Sendable () -> Duration

  /// The machine's continuous clock.
  static let machine: TimeSource = {
    let clock = ContinuousClock()
    let start = clock.now
    return TimeSource { start.duration(to: clock.now) }
  }()
}

extension Duration {
  var seconds: Double { self / .seconds(1) }
}
