import Testing
import Training

@testable import Workbench

@Suite struct HistoryTests {
  /// However long it trains, the ring stays within its bound and still reaches back to the beginning.
  @Test func theRingIsBoundedAndReachesBack() throws {
    var history = SnapshotHistory()
    for batch in 0..<20_000 {
      var snapshot = Snapshot()
      snapshot.batches = 100
      snapshot.epoch = batch / 100
      snapshot.batch = batch % 100
      let before = history.count
      let moved = history.append(snapshot)
      #expect(history.count <= SnapshotHistory.limit)
      #expect(moved == 1 || history.count == before)
    }
    #expect(history.count > SnapshotHistory.limit / 2)
    let positions = try (0..<history.count).map { try #require(history.back($0)).position }
    #expect(positions == positions.sorted(by: >))
    #expect(positions.last! < 5)
    #expect(positions.first! > 195)
    // Beyond the end: the oldest.
    #expect(history.back(10_000)?.position == positions.last)
  }

  /// A snapshot at the same batch is not history.
  @Test func pausedSnapshotsAreNotKept() {
    var history = SnapshotHistory()
    for _ in 0..<10 { _ = history.append(sampleSnapshot()) }
    #expect(history.count == 1)
  }
}
