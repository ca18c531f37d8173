// SPDX-License-Identifier: MIT

import EventPropCore

extension SpikeTrain {
  /// A stable sort by time in linear time: buckets of equal width, then insertion.
  mutating func sortByTime() {
    let count = times.count
    guard count > 1, let last = times.max(), last > 0 else { return }
    let scale = Double(count - 1) / last
    // Times next to 0: their buckets would be beyond Int.
    guard scale.isFinite else { return sort() }
    var starts = Array(repeating: 0, count: count + 1)
    for time in times { starts[Int(time * scale) + 1] += 1 }
    for bucket in 0..<count { starts[bucket + 1] += starts[bucket] }
    var sortedTimes = times
    var sortedUnits = units
    for k in 0..<count {
      let bucket = Int(times[k] * scale)
      sortedTimes[starts[bucket]] = times[k]
      sortedUnits[starts[bucket]] = units[k]
      starts[bucket] += 1
    }
    for k in 1..<count {
      let (time, unit) = (sortedTimes[k], sortedUnits[k])
      var slot = k
      while slot > 0, sortedTimes[slot - 1] > time {
        sortedTimes[slot] = sortedTimes[slot - 1]
        sortedUnits[slot] = sortedUnits[slot - 1]
        slot -= 1
      }
      sortedTimes[slot] = time
      sortedUnits[slot] = unit
    }
    times = sortedTimes
    units = sortedUnits
  }
}
