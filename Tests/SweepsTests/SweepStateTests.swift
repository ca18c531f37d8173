// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import Support
import Testing

@testable import Sweeps

/// Of folders written by hand.
@Suite struct SweepStateTests {
  let tiny = TinySweep()

  /// Four points, two seeds; point 3 has not begun, point 2 is at its first epoch.
  func folder() throws -> SweepFolder {
    let sweep = try tiny.read(
      """
      [[axis]]
      key = "training.optimiser.rate"
      name = "rate"
      values = [0.1, 0.2]
      [[axis]]
      key = "hidden.0.size"
      name = "size"
      values = [10, 20]
      """, head: "seeds = 2\nmetric = \"test_accuracy\"\nset = { training.epochs = 2 }")
    let folder = try SweepFolder(sweep, at: tiny.scratch.file("a"))
    let header = "epoch,lane,loss,shaping,test_loss,test_accuracy,spikes_hidden1,dead_hidden1"
    for (point, rows) in [
      (
        0,
        [
          ["1,sum,sum,none,,0.5,1.5,2", "2,sum,sum,none,,0.6,2.5,4"],
          ["1,sum,sum,none,,0.5,1.5,2", "2,sum,sum,none,,0.8,3.5,6"],
        ]
      ),
      (1, [["2,sum,sum,none,,0.9,2,0"], ["2,sum,sum,none,,0.96,2,0"]]),
      (2, [["1,sum,sum,none,,0.4,2,0", "2,sum"], []]),
    ] {
      for (index, own) in rows.enumerated() {
        let run = folder.run(point) + (index == 1 ? "/seed-4" : "")
        try FileManager.default.createDirectory(
          atPath: run, withIntermediateDirectories: true)
        try ([header] + own).joined(separator: "\n").write(
          toFile: run + "/metrics.csv", atomically: false, encoding: .utf8)
      }
    }
    for point in 0..<2 { try PointMarks(folder: folder).setDone(point) }
    return folder
  }

  @Test func statesOfPoints() throws {
    let folder = try folder()
    var state = SweepState(folder)
    #expect(state.points.map(\.status) == [.done, .done, .waiting, .waiting])
    #expect(state.points[2].seeds.map(\.epochs) == [1, 0] && state.points[2].share == 0.25)
    #expect(state.points[0].seeds[1].lanes[0].values["test_accuracy"] == [0.5, 0.8])
    #expect(state.points[0].seeds[1].lanes[0].values["test_loss"] == [nil, nil])
    #expect(state.share == 2.25 / 4 && !state.isSettled)
    #expect(state.values(ofAxis: 1) == [.integer(10), .integer(20)])
    // A process that is there, one that is not, one of another machine, and an old one of it.
    let marks = PointMarks(folder: folder)
    var mark = RunningMark(share: 0.5)
    try marks.write(mark, 3)
    state = try SweepState(folder.path, after: state)
    #expect(state.points[3].status == .running && state.points[3].share == 0.5)
    mark.process = try gone()
    try marks.write(mark, 3)
    #expect(SweepState(folder).points[3].status == .waiting)
    mark.host = "elsewhere"
    try marks.write(mark, 3)
    #expect(SweepState(folder).points[3].status == .running)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -2 * RunningMark.patience)],
      ofItemAtPath: marks.path(3, .running))
    #expect(SweepState(folder).points[3].status == .waiting)
    try marks.setFailed(2, "nan")
    #expect(SweepState(folder).points[2].message == "nan")
  }

  /// The number of a process that has ended.
  func gone() throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/true")
    try process.run()
    process.waitUntilExit()
    return process.processIdentifier
  }

  /// Another machine's process keeps its point.
  @Test func pointsOfOthersAreLeft() throws {
    let folder = try folder()
    var mark = RunningMark(share: 0)
    mark.host = "elsewhere"
    try PointMarks(folder: folder).write(mark, 3)
    let training = PointTraining(folder, threads: 1) { _, _ in Issue.record("is trained") }
    #expect(try training.train(3) == .busy("process \(mark.process) on elsewhere"))
    #expect(try training.train(0) == .done)
  }

  @Test func tableByHand() throws {
    var table = SweepTable(SweepState(try folder(), curves: false))
    #expect(table.best?.point == 1)
    func order(_ column: String, reversed: Bool = false) -> [Int]? {
      table.sort(by: column, reversed: reversed) ? table.rows.map(\.point) : nil
    }
    #expect(order("test_accuracy") == [1, 0, 2, 3])
    #expect(
      table.text == [
        "   point  rate  size  seeds  epoch    test_accuracy  spikes  dead  status",
        "*      1   0.1    20    2/2      2   93.00 ± 4.24 %    2.00     0  done",
        "       0   0.1    10    2/2      2  70.00 ± 14.14 %    3.00  5.00  done",
        "       2   0.2    10    0/2      0          40.00 %    2.00     0  waiting at 25 %",
        "       3   0.2    20    0/2      0                –                waiting",
      ])
    // Differences by seed: 30 and 16 points.
    #expect(table.verdict[0] == "best: point 1 (rate = 0.1, size = 20): 93.00 ± 4.24 %")
    #expect(
      table.verdict[1].hasPrefix(
        "the best against the second, point 0 (rate = 0.1, size = 10): point 0 and point 1 not distinguishable: point 1 - point 0 = 23.0 ± "
      ))
    #expect(table.verdict[2].contains("The best of 2 was chosen by test_accuracy itself"))
    #expect(order("dead", reversed: true) == [0, 1, 2, 3])
    #expect(order("size") == [0, 2, 1, 3])
    #expect(order("colour") == nil)
    #expect(table.csv.contains("\n0,0.1,10,sum,2,2,0.7,0.1414213562373095"))
    // Of losses the least is the best.
    let spikes = SweepTable(SweepState(try folder(), curves: false), metric: "dead_hidden1")
    #expect(spikes.best?.point == 1)
    #expect(spikes.verdict[1].contains("thousandths of minus dead_hidden1"))
  }

  @Test func heatMapByHand() throws {
    let state = SweepState(try folder(), curves: false)
    let map = try #require(SweepHeatMap(state, SweepTable(state), rows: "rate", columns: "size"))
    #expect(
      map.text == [
        "test_accuracy, %, mean over seeds; down: rate, across: size",
        "           10       20",
        " 0.1  ▓▓ 70.0  ██ 93.0",
        " 0.2  ░░ 40.0      · –",
      ])
    #expect(SweepHeatMap(state, SweepTable(state), rows: "rate", columns: "rate") == nil)
  }

  @Test func resultsByHand() throws {
    var results = SweepResults(try folder())
    let text = results.text()
    #expect(
      text == """
        point,rate,size,seed,lane,epoch,test_loss,test_accuracy,spikes_hidden1,dead_hidden1
        0,0.1,10,3,sum,2,,0.6,2.5,4
        0,0.1,10,4,sum,2,,0.8,3.5,6
        1,0.1,20,3,sum,2,,0.9,2,0
        1,0.1,20,4,sum,2,,0.96,2,0

        """)
  }
}
