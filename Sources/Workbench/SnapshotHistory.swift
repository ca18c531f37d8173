import Training

/// Past snapshots in bounded memory: when full, every second one goes, so that the whole session stays in reach.
public struct SnapshotHistory {
  private var snapshots: [Snapshot] = []
  private var stride = 1
  private var skipped = 0
  /// Snapshots kept at the most; at about 100 kB each (two lanes), 13 MB.
  public static let limit = 128

  public init() {}

  public var count: Int { snapshots.count }

  /// Adds a snapshot when its turn has come.
  /// - Returns: by how many places older ones have moved back.
  public mutating func append(_ snapshot: Snapshot) -> Int {
    if let last = snapshots.last, last.position == snapshot.position { return 0 }
    skipped += 1
    guard skipped >= stride else { return 0 }
    skipped = 0
    if snapshots.count == Self.limit {
      snapshots = snapshots.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
      stride *= 2
    }
    snapshots.append(snapshot)
    return 1
  }

  public func back(_ steps: Int) -> Snapshot? {
    let index = snapshots.count - 1 - steps
    return snapshots.indices.contains(index) ? snapshots[index] : snapshots.first
  }
}
