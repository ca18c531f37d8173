// SPDX-License-Identifier: MIT

@testable import Live
@testable import Runs
@testable import Training
import Experiments
import Foundation
import Support
import Testing

/// An end by patience, in the workbench and of several seeds.
@Suite struct StoppingTests {
  let scratch = ScratchDirectory()

  static let text = tinyPreset(
    training: """
      keep_best = true
      stop = { patience = 2, metric = "validation_accuracy", min_delta = 0.02 }
      """, extra: twoLanes)

  func preset(_ seeds: Int, _ settings: [String] = []) throws -> Preset {
    try Preset(
      text: Self.text, file: "test.toml",
      settings: ["training.epochs=40", "seeds=\(seeds)"] + settings)
  }

  /// Epochs and state of a seed that is trained alone.
  func alone(_ seed: Int) throws -> (epoch: Int, state: [[UInt8]]) {
    let trainer = try makeTrainer(Self.text, settings: ["training.epochs=40", "seed=\(seed)"])
    while !trainer.isFinished { _ = try trainer.step() }
    return (trainer.epoch, trainer.state)
  }

  @Test func theWorkbenchSaysWhyItIsFinished() throws {
    let path = scratch.file("run")
    try withRun({ try TrainingGroup(TrainingPlan(preset(1), threads: 1, out: path)) }) { group in
      while !group.isFinished { _ = group.trainBatch() }
      let snapshot = group.snapshot()
      #expect(snapshot.isFinished && snapshot.epoch < 40 && group.batchesLeft == 0)
      #expect(snapshot.notice.hasPrefix("finished: no validation_accuracy improved for 2 epochs"))
      try group.leave()
    }
    let log = try String(contentsOfFile: path + "/commands.jsonl", encoding: .utf8)
    #expect(log.contains("\"detail\": \"no validation_accuracy improved for 2 epochs"))
    #expect(ResultsTable(ofRun: path).rows.map(\.which) == ["last", "best", "last", "best"])
  }

  /// Each seed ends by itself, in the workbench and without one, and is what it is alone.
  @Test(arguments: [1, 3]) func everySeedEndsByItself(threads: Int) throws {
    let expected = try (3...6).map { try alone($0) }
    #expect(Set(expected.map(\.epoch)).count > 1)
    let group = try TrainingGroup(TrainingPlan(preset(4), threads: threads, isKept: false))
    while !group.isFinished { _ = group.trainBatch() }
    #expect(group.sessions.map(\.trainer.epoch) == expected.map(\.epoch))
    #expect(group.sessions.map(\.trainer.state.hashValue) == expected.map(\.state.hashValue))
  }

  /// Killed after one seed has ended, whose last checkpoints are of other epochs than those of the
  /// others: they go on, it does not.
  @Test func aSeedThatHasEndedWaits() throws {
    let path = scratch.file("run")
    let expected = try (3...6).map { try alone($0) }
    let last = expected.map(\.epoch).max()!
    try withRun({ try SeedMembers(TrainingPlan(preset(4), threads: 2, out: path), detail: "") }) {
      members in
      while members.all.map(\.trainer.epoch).max()! < last - 1 { try step(members) }
    }
    let resumed = try RunToResume(path)
    #expect(
      try (0..<4).map {
        try $0 == 0 ? resumed.place?.epoch : resumed.ofSeed($0, isKept: false)?.place?.epoch
      } == expected.map { min($0.epoch, last - 1) })
    try withRun({
      try SeedMembers(TrainingPlan(resumed.preset, threads: 1, resumed: resumed), detail: "")
    }) { members in
      while !members.isFinished { try step(members) }
      #expect(members.all.map(\.trainer.epoch) == expected.map(\.epoch))
      #expect(members.all.map(\.trainer.state.hashValue) == expected.map(\.state.hashValue))
    }
    let whole = try Preset(ofRun: path)
    let results = SeedResults(whole, runs: SeedFolder.all(of: path, whole).map(\.folder))
    #expect(results.lanes.map(\.accuracies.count) == [4, 4])
    // The screen of the finished run has the same numbers.
    let item = FinishedRuns.Item(
      preset: whole, folder: path, place: try Checkpoint.find(in: path, named: nil))
    let shown = try #require(try FinishedRuns([item]).snapshot(after: 0))
    #expect(
      shown.lanes.map {
        ComparedTests.accuracies($0.seeds.map(\.tests), isOver: $0.seeds.map(\.isOver))?.values
      } == results.lanes.map(\.accuracies))
  }

  /// By hand: of seeds that go on the last epoch that both have; of one that is over its own last.
  @Test func whichTestCounts() throws {
    let tests = [[1: 0.1, 2: 0.2, 3: 0.3], [1: 0.4, 2: 0.5], [1: 0.6]]
    func found(_ isOver: [Bool]) -> [Double]? {
      ComparedTests.accuracies(tests, isOver: isOver)?.values
    }
    #expect(found([false, false, false]) == [0.1, 0.4, 0.6])
    #expect(found([false, false, true]) == [0.2, 0.5, 0.6])
    #expect(found([true, true, true]) == [0.3, 0.5, 0.6])
    #expect(found([true, false, false]) == [0.1, 0.4, 0.6])
    #expect(ComparedTests.accuracies([[1: 0.1], [:]], isOver: [true, true]) == nil)
  }

  func step(_ members: SeedMembers) throws {
    for (index, result) in try members.step() {
      let member = members.all[index]
      guard let rows = try result.get().rows else { continue }
      try member.run.finishEpoch(rows, of: member.trainer)
    }
  }

  /// Test samples are left alone until the end, by screens too.
  @Test func testsAtTheEndOnly() throws {
    let group = try TrainingGroup(
      TrainingPlan(
        preset(1, ["training.test=end", "training.epochs=2"]), threads: 1, isKept: false))
    while group.trainer.epoch < 1 { _ = group.trainBatch() }
    group.first.evaluateNow()
    #expect(group.snapshot().lanes.allSatisfy { $0.testAccuracy == nil && $0.predictions.isEmpty })
    while !group.isFinished { _ = group.trainBatch() }
    #expect(group.snapshot().lanes.allSatisfy { $0.testAccuracy != nil })
    #expect(group.snapshot().lanes[0].curves.testAccuracy.xs == [2])
  }
}
