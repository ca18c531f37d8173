// SPDX-License-Identifier: MIT

import Live
import Testing

@testable import Workbench

@Suite struct HistoryTests {
  /// However long it trains, the ring stays within its bound and still reaches back to the
  /// beginning.
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

  /// `:goto` finds the nearest snapshot; those without weights are no history.
  @Test func epochsAreFound() throws {
    var history = SnapshotHistory()
    for batch in 0..<50 {
      var snapshot = Snapshot()
      snapshot.batches = 10
      (snapshot.epoch, snapshot.batch) = (batch / 10, batch % 10)
      snapshot.isKept = batch % 5 == 0
      _ = history.append(snapshot)
    }
    #expect(history.count == 10)
    let back = try #require(history.back(to: 2.6))
    #expect(history.back(back)?.position == 2.5)
    #expect(history.back(to: 99) == 0)
    var state = WorkbenchState()
    let snapshot = sampleSnapshot()
    func press(_ keys: [Key]) -> [Effect] { keys.flatMap { state.handle($0, snapshot) } }
    #expect(press(":goto 7.5".map { .character($0) } + [.enter]) == [.goTo(7.5)])
    #expect(press(":goto x".map { .character($0) } + [.enter]).isEmpty)
    #expect(state.notice.contains("allowed is an epoch"))
    // A click on the curve goes there: in its middle, to the middle of the training.
    let area = OverviewScreen.laneAreas(state, snapshot, width: 120, height: 40)[0].area
    let plot = try #require(OverviewScreen.curveArea(snapshot, 0, in: area))
    let effects = state.click(
      x: plot.x + plot.width / 2, y: plot.y + 1, width: 120, height: 40, snapshot)
    guard case .goTo(let position)? = effects.first else {
      Issue.record("no way to the past")
      return
    }
    #expect(abs(position - snapshot.position / 2) < 0.3)
    // What is drawn there is the curve: its frame of the past has a cursor in the same columns.
    var past = snapshot
    past.livePosition = 24.6
    let frame = Workbench.frame(state, past, width: 120, height: 40)
    #expect((plot.x..<plot.x + plot.width).contains { frame[$0, plot.y + 1].glyph == "│" })
  }

  /// A snapshot at the same batch is not history.
  @Test func pausedSnapshotsAreNotKept() {
    var history = SnapshotHistory()
    for _ in 0..<10 { _ = history.append(sampleSnapshot()) }
    #expect(history.count == 1)
  }
}
