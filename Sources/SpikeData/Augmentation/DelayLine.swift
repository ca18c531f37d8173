// SPDX-License-Identifier: MIT

import EventPropCore

/// Copies of the input on further units, each later than the one before: memory without recurrence.
public struct DelayLine: Sendable, Equatable {
  /// Number of copies, the undelayed one included; 1 is no delay line.
  public var copies: Int
  /// Delay from one copy to the next, ms.
  public var step: Double

  /// One copy is no delay line; `step` is in ms.
  public init(copies: Int = 1, step: Double = 0) {
    self.copies = copies
    self.step = step
  }

  /// Adds the delayed copies; spikes at or after `duration` are left out.
  public func apply(to train: inout SpikeTrain, units: Int, duration: Double) {
    guard copies > 1 else { return }
    let count = train.count
    for copy in 1..<copies {
      let delay = Double(copy) * step
      for k in 0..<count {
        let time = train.times[k] + delay
        if time >= duration { break }
        train.times.append(time)
        train.units.append(UInt16(Int(train.units[k]) + copy * units))
      }
    }
    train.sortByTime()
  }
}
