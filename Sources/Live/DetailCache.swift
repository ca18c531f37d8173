// SPDX-License-Identifier: MIT

/// What only one screen shows takes long to find: of each lane the last is kept, and found anew at
/// most twice a second, in at most a fifth of the time.
struct DetailCache {
  private struct Found {
    var due: Duration
    var position: Double
    var detail: LaneDetail
  }

  private var found: [Int: Found] = [:]
  private let time: TimeSource

  init(_ time: TimeSource) { self.time = time }

  /// Lanes, or what is asked of them, are others now.
  mutating func forget() { found = [:] }

  /// - Parameters:
  ///   - identity: the lane's.
  ///   - position: where its training is; at the same place nothing is found anew.
  mutating func detail(of identity: Int, at position: Double, find: () -> LaneDetail) -> LaneDetail
  {
    let now = time.now()
    if let known = found[identity], known.position == position || now <= known.due {
      return known.detail
    }
    let detail = find()
    let end = time.now()
    let wait = max(.milliseconds(500), (end - now) * 4)
    found[identity] = Found(due: end + wait, position: position, detail: detail)
    return detail
  }
}
