// SPDX-License-Identifier: MIT

import Live

/// Past snapshots in bounded memory: when full, every second one goes, so that the whole session
/// stays in reach.
public struct SnapshotHistory {
  private var snapshots: [Snapshot] = []
  private var stride = 1
  private var skipped = 0
  /// Snapshots kept at the most: besides their weights about 100 kB each (two lanes).
  public static let limit = 128
  /// For the weights in them; where they are large, fewer snapshots are kept.
  public static let memory = 256 << 20
  private var limit = Self.limit

  /// Empty; thinning begins when it is full.
  public init() {}

  /// Snapshots held; at most `limit`, fewer where their weights are large.
  public var count: Int { snapshots.count }

  /// Adds a snapshot when its turn has come.
  /// - Returns: by how many places older ones have moved back.
  public mutating func append(_ snapshot: Snapshot) -> Int {
    guard snapshot.isKept else { return 0 }
    if let last = snapshots.last, last.position == snapshot.position { return 0 }
    let bytes = snapshot.lanes.reduce(0) { $0 + ($1.kept?.bytes ?? 0) }
    limit = min(Self.limit, max(8, Self.memory / max(bytes, 1) / 2 * 2))
    skipped += 1
    guard skipped >= stride else { return 0 }
    skipped = 0
    if snapshots.count >= limit {
      snapshots = snapshots.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
      stride *= 2
    }
    snapshots.append(snapshot)
    return 1
  }

  /// Adds a snapshot of the past among those there are.
  /// - Parameter live: the newest there is, which comes after it.
  /// - Returns: how many places back it is; above 0.
  public mutating func insert(_ snapshot: Snapshot, before live: Snapshot) -> Int {
    if snapshots.last.map({ $0.position <= snapshot.position }) ?? true { snapshots.append(live) }
    let last = snapshots.count - 1
    let index = snapshots[..<last].firstIndex { $0.position > snapshot.position } ?? last
    // Of the same place there may be one already; this one is looked at more closely.
    if index > 0, snapshots[index - 1].position == snapshot.position {
      snapshots[index - 1] = snapshot
      return snapshots.count - index
    }
    snapshots.insert(snapshot, at: index)
    return snapshots.count - 1 - index
  }

  /// The training has gone back: what came after is no more.
  public mutating func forget(after position: Double) {
    snapshots.removeAll { $0.position > position }
  }

  /// How many places back the snapshot nearest to a position is.
  public func back(to position: Double) -> Int? {
    let nearest = snapshots.indices.min {
      abs(snapshots[$0].position - position) < abs(snapshots[$1].position - position)
    }
    return nearest.map { snapshots.count - 1 - $0 }
  }

  /// 0 is the newest; beyond the oldest it is the oldest. nil when there is none.
  public func back(_ steps: Int) -> Snapshot? {
    let index = snapshots.count - 1 - steps
    return snapshots.indices.contains(index) ? snapshots[index] : snapshots.first
  }
}
