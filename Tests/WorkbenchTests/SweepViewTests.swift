// SPDX-License-Identifier: MIT

import Charts
import Foundation
import Sweeps
import Testing

@testable import Workbench

/// The screens of a sweep, from files made by hand.
@Suite struct SweepViewTests {
  /// Six points of two axes, two seeds: points 0 to 3 done, the better the larger rate and batch;
  /// 4 failed; 5 waits.
  func state() throws -> SweepState {
    let folder = NSTemporaryDirectory() + "sweep-view-\(UUID().uuidString)"
    let files = FileManager.default
    try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? files.removeItem(atPath: folder) }
    let preset = """
      name = "tiny"
      seeds = 2
      [data]
      kind = "yin-yang"
      [simulation]
      duration = 30.0
      step = 0.5
      [[hidden]]
      size = 5
      [training]
      epochs = 3
      """
    let sweep = """
      name = "rates"
      preset = "tiny.toml"
      [[axis]]
      key = "training.optimiser.rate"
      name = "rate"
      values = [0.001, 0.01, 0.1]
      [[axis]]
      key = "training.batch"
      name = "batch"
      values = [16, 32]
      """
    try preset.write(toFile: folder + "/tiny.toml", atomically: true, encoding: .utf8)
    try sweep.write(toFile: folder + "/sweep.toml", atomically: true, encoding: .utf8)
    let made = try SweepFolder(
      Sweep(contentsOf: folder + "/sweep.toml"), at: folder + "/made")
    for point in 0..<4 {
      for (seed, own) in [(1, ""), (2, "/seed-2")] {
        let run = made.run(point) + own
        try files.createDirectory(atPath: run, withIntermediateDirectories: true)
        var rows = ["epoch,lane,train_loss,test_accuracy,spikes_hidden1,dead_hidden1"]
        for epoch in 1...3 {
          let accuracy = 0.5 + 0.1 * Double(point) + 0.02 * Double(epoch) + 0.01 * Double(seed)
          rows.append("\(epoch),plain,\(1 - 0.1 * Double(epoch)),\(accuracy),1.5,\(point)")
        }
        try rows.joined(separator: "\n").appending("\n").write(
          toFile: run + "/metrics.csv", atomically: true, encoding: .utf8)
      }
    }
    try files.createDirectory(atPath: folder + "/made/state", withIntermediateDirectories: true)
    let name = (made.run(0) as NSString).lastPathComponent
    func mark(_ point: Int, _ kind: String, _ text: String) throws {
      let own = String(repeating: "0", count: name.count - 1) + "\(point).\(kind)"
      try text.write(
        toFile: folder + "/made/state/\(own)", atomically: true, encoding: .utf8)
    }
    for point in 0..<4 { try mark(point, "done", "") }
    try mark(4, "failed", "lane plain: the loss is nan\n")
    return try SweepState(folder + "/made")
  }

  @Test func framesByHand() throws {
    let state = try state()
    let view = SweepView()
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
      let text = view.frame(state, width: width, height: height).plainText
      #expect(text.contains("sweep rates") && text.contains("4 of 6 points done"))
      #expect(text.contains("1 failed") || width == 80)
      // The best has seeds of 87 and 88 %.
      #expect(text.contains("87.50 ± 0.71 %"), "\(text)")
      #expect(text.contains("point 3 (rate = 0.01, batch = 32)"))
    }
    // Nothing is drawn outside, and nothing traps, however small it is.
    for (width, height) in [(1, 1), (20, 5), (40, 12), (79, 11)] {
      for page in SweepView.Page.allCases {
        var small = view
        small.page = page
        let lines = small.frame(state, width: width, height: height).plainText
          .split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.allSatisfy { $0.count <= width })
      }
    }
    var map = view
    map.page = .map
    let text = map.frame(state, width: 120, height: 40).plainText
    #expect(text.contains("down: rate, across: batch") && text.contains("57.5"))
  }

  @Test func keysChooseSortAndOpen() throws {
    let state = try state()
    var view = SweepView()
    #expect(view.handle(.enter, state) == .open(point: 0))
    _ = view.handle(.character("b"), state)
    #expect(view.handle(.enter, state) == .open(point: 3))
    _ = view.handle(.end, state)
    #expect(view.handle(.enter, state) == .open(point: 5))
    // By the metric, the best first; turned round what is known comes first still.
    while !view.frame(state, width: 120, height: 40).plainText.contains("seeds; by test_accuracy") {
      _ = view.handle(.character("s"), state)
    }
    #expect(view.table(state).rows.map(\.point) == [3, 2, 1, 0, 4, 5])
    _ = view.handle(.character("r"), state)
    #expect(view.table(state).rows.map(\.point).prefix(4) == [0, 1, 2, 3])
    _ = view.handle(.tab, state)
    #expect(view.page == .curves)
    _ = view.handle(.character("m"), state)
    #expect(view.frame(state, width: 120, height: 40).plainText.contains("train_loss"))
    _ = view.handle(.character("Z"), state)
    #expect(view.notice.contains("? shows the keys"))
    _ = view.handle(.character("?"), state)
    #expect(view.frame(state, width: 80, height: 24).plainText.contains("open the run"))
    #expect(view.handle(.character("q"), state) == nil)
    #expect(view.handle(.character("q"), state) == .quit)
  }
}
