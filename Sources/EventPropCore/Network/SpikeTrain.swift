// SPDX-License-Identifier: MIT

/// Input spikes of one sample: times in ms, ascending, and the unit of each.
public struct SpikeTrain: Sendable, Equatable {
  /// ms from the start of the trial, ascending.
  public var times: [Double]
  /// Input unit of the spike at the same index of `times`.
  public var units: [UInt16]

  /// Traps where the lengths differ; order is not checked (`SpikeTrainView.isValid`).
  public init(times: [Double] = [], units: [UInt16] = []) {
    precondition(times.count == units.count)
    self.times = times
    self.units = units
  }

  /// Spikes of all units.
  public var count: Int { times.count }

  /// Puts the spikes in order of time, equal times in order of unit.
  public mutating func sort() {
    let order = times.indices.sorted { (times[$0], units[$0]) < (times[$1], units[$1]) }
    times = order.map { times[$0] }
    units = order.map { units[$0] }
  }

  /// Lends the spikes without a copy; the view must not leave `body`.
  public func withView<Result>(_ body: (SpikeTrainView) throws -> Result) rethrows -> Result {
    try times.withUnsafeBufferPointer { times in
      try units.withUnsafeBufferPointer { units in
        try body(SpikeTrainView(times: times, units: units))
      }
    }
  }
}

/// A borrowed `SpikeTrain`: valid as long as its owner is.
public struct SpikeTrainView {
  /// ms, ascending.
  public var times: UnsafeBufferPointer<Double>
  /// As many as `times`.
  public var units: UnsafeBufferPointer<UInt16>

  /// Lengths must agree; nothing is checked.
  public init(times: UnsafeBufferPointer<Double>, units: UnsafeBufferPointer<UInt16>) {
    self.times = times
    self.units = units
  }

  /// Spikes of all units.
  public var count: Int { times.count }

  /// What the solvers rely on: times from 0 on, ascending; units below the number of inputs.
  public func isValid(inputs: Int) -> Bool {
    zip(times, times.dropFirst()).allSatisfy { $0 <= $1 } && (times.first ?? 0) >= 0
      && units.allSatisfy { Int($0) < inputs }
  }
  /// For what must outlive the owner of the memory.
  public var copy: SpikeTrain { SpikeTrain(times: Array(times), units: Array(units)) }
}
