// SPDX-License-Identifier: MIT

@testable import Experiments
@testable import Live
@testable import Runs
@testable import Training
import EventPropCore
import Foundation
import Support
import Testing

/// One source of what an epoch was: its row of metrics.csv, on every way to a screen.
@Suite struct OneSourceTests {
  static let text = tinyPreset(
    extra: "[[lane]]\nname = \"a\"\n[[lane]]\nname = \"b\"\nloss.shaping = \"linear\"")
  let scratch = ScratchDirectory()

  /// Trains to the end into a run folder.
  func trained() throws -> (run: String, rows: [EpochMetrics], training: TrainingSession) {
    let path = scratch.file("run")
    let training = try TrainingSession({ try makeTrainer(Self.text) }) {
      try RunDirectory(creating: path, preset: $0.preset, network: $0.network)
    }
    while !training.trainer.isFinished { _ = training.trainBatch() }
    return (
      path, MetricsTable.read(path + "/metrics.csv", training.trainer.network), training
    )
  }

  /// The run of a session that has ended; of one that has not, a copy.
  func reopened(_ original: String) throws -> TrainingSession {
    let path = original + "-copy"
    try FileManager.default.copyItem(atPath: original, toPath: path)
    let place = try #require(try Checkpoint.all(in: path).last)
    return try TrainingSession(
      { try makeTrainer(Self.text) }, resume: { try $0.resume(path, at: place) }
    ) {
      try RunDirectory(resuming: RunToResume(path), $0)
    }
  }

  @Test func afinishedRunShowsItsMetrics() throws {
    let (path, rows, training) = try trained()
    #expect(rows.count == 6)
    for (lane, row) in zip(training.snapshot().lanes, rows.suffix(2)) { #expect(lane.shows(row)) }
    // The same run, opened again to go on with.
    let again = try reopened(path).snapshot()
    for (index, lane) in again.lanes.enumerated() {
      #expect(lane.shows(rows[4 + index]))
      #expect(lane.curves.loss.xs == [1, 2, 3])
      #expect(lane.curves.loss.ys == rows.filter { $0.lane == lane.name }.map(\.trainLoss))
      #expect(lane.curves.testAccuracy.ys.count == 3)
      #expect(lane.trainLoss == lane.curves.loss.ys.last)
    }
    // And to look at, as figures and several runs are.
    let preset = try Preset(contentsOf: path + "/preset.toml")
    let still = try finishedRun(preset, path)
    for (lane, row) in zip(still.lanes, rows.suffix(2)) { #expect(lane.shows(row)) }
  }

  /// The learning rate of a finished run is that of its last row, not of a batch that never comes.
  @Test func afinishedRunShowsItsLastRate() throws {
    let path = scratch.file("decaying")
    let text = tinyPreset(training: "schedule = { decay = 0.5 }")
    let training = try TrainingSession({ try makeTrainer(text) }) {
      try RunDirectory(creating: path, preset: $0.preset, network: $0.network)
    }
    let first = training.snapshot().lanes[0].rate
    while !training.trainer.isFinished { _ = training.trainBatch() }
    let row = try #require(
      MetricsTable.read(path + "/metrics.csv", training.trainer.network).last)
    #expect(row.rate < first)
    #expect(training.snapshot().lanes[0].rate == row.rate)
    let still = try finishedRun(try Preset(ofRun: path), path)
    #expect(still.lanes[0].rate == row.rate)
    // A rate given then is one of a batch to come.
    training.apply(.change(SetRate(lane: 0, 0.8)))
    #expect(training.snapshot().lanes[0].rate > row.rate)
  }

  private func finishedRun(_ preset: Preset, _ path: String) throws -> Snapshot {
    let place = try Checkpoint.find(in: path, named: nil)
    let runs = try FinishedRuns([FinishedRuns.Item(preset: preset, folder: path, place: place)])
    return try #require(runs.snapshot(after: 0))
  }

  /// What was evaluated is what was kept: the last checkpoint's accuracy is that of metrics.csv,
  /// lifted neurons or not.
  @Test(arguments: ["grid", "exact"]) func theNetworkEvaluatedIsTheOneKept(solver: String) throws {
    let text = tinyPreset(
      solver: solver, loss: "first_spike",
      training: "silent = { policy = \"lift\", by = 0.5, lift_outputs = 0.05 }")
    let path = scratch.file("kept")
    let training = try TrainingSession({ try makeTrainer(text) }) {
      try RunDirectory(creating: path, preset: $0.preset, network: $0.network)
    }
    while !training.trainer.isFinished { _ = training.trainBatch() }
    let rows = MetricsTable.read(path + "/metrics.csv", training.trainer.network)
    #expect(rows.contains { $0.dead[0] > 0 })
    let fresh = try makeTrainer(text)
    try fresh.resume(path, at: try #require(try Checkpoint.all(in: path).last))
    let result = fresh.evaluate(lane: 0, fresh.data.test)
    #expect(result.accuracy == rows.last?.testAccuracy)
    #expect(result.loss == rows.last?.testLoss)
  }

  @Test func nothingIsKnownBeforeTheFirstBatch() throws {
    let lane = try TrainingSession({ try makeTrainer(Self.text) }, run: { _ in nil }).snapshot()
      .lanes[
        0]
    #expect(lane.trainLoss == nil && lane.trainAccuracy == nil && lane.testAccuracy == nil)
    #expect(lane.layers.allSatisfy { $0.mean == nil && $0.dead == nil && $0.silent == nil })
    #expect(lane.flow.allSatisfy { $0.norm == nil })
  }

  /// Every column that a row has is read back, names with commas and quotes included.
  @Test func metricsReadBack() throws {
    let (path, rows, training) = try trained()
    let network = training.trainer.network
    let columns = MetricsTable.columns([network], .accuracy)
    let text = try String(contentsOfFile: path + "/metrics.csv", encoding: .utf8)
    let lines = text.split(separator: "\n").dropFirst()
    for (row, line) in zip(rows, lines) {
      let numbers = columns.prefix { $0 != "observed_updates" }
      let again = MetricsTable.row(row, columns: Array(numbers))
      #expect(line.hasPrefix(again + ","))
    }
    #expect(CSV.fields("1,\"a, \"\"b\"\"\",,x") == ["1", "a, \"b\"", "", "x"])
    // Windows line ends, and a line cut off by a crash.
    let file = scratch.write(
      text.replacingOccurrences(of: "\n", with: "\r\n") + "4,a,sum", to: "crlf.csv")
    #expect(MetricsTable.read(file, network).count == 6)
  }

  /// A file of before has fewer columns: a resumed run keeps to them.
  @Test func olderFilesKeepTheirColumns() throws {
    let (path, _, _) = try trained()
    let csv = path + "/metrics.csv"
    try "epoch,lane,train_loss,train_accuracy\n1,a,0.5,0.75\n1,b,0.5,0.75\n".write(
      toFile: csv, atomically: true, encoding: .utf8)
    let training = try reopened(path)
    _ = training.trainBatch()
    for _ in 0..<4 { _ = training.trainBatch() }
    let kept = path + "-copy/metrics.csv"
    let lines = try String(contentsOfFile: kept, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 5)
    #expect(lines.allSatisfy { $0.split(separator: ",").count == 4 })
  }

  /// Checkpoints of before the alarms looked at effects have other numbers for them: they are
  /// resumed.
  @Test func checkpointsWithOlderAlarmsAreResumed() throws {
    let (path, _, _) = try trained()
    let place = try #require(try Checkpoint.all(in: path).last)
    let file = place.path + "/state.toml"
    let state = try String(contentsOfFile: file, encoding: .utf8)
    let lines = state.split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.hasPrefix("alarm_signs") ? "alarm_watch = [0.0, 3.0, 5.0, 1.0, 0.25, 0.5]" : String($0)
    }
    #expect(lines.contains { $0.hasPrefix("alarm_watch") })
    try lines.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
    #expect(try reopened(path).trainer.epoch == 3)
  }

  /// Numbers that no count can be do not stop a run from being opened.
  @Test func oddNumbersInMetricsAreNoCounts() throws {
    let (path, _, training) = try trained()
    let file = path + "/metrics.csv"
    let text =
      "epoch,lane,train_loss,train_accuracy,dead_hidden1,mute_trials\n1,a,0.5,0.5,nan,1e30\n"
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    let rows = MetricsTable.read(file, training.trainer.network)
    #expect(rows.count == 1 && rows[0].dead == [0] && rows[0].mute == 0)
  }

  // MARK: - Who a lane is, and what it is trained on

  @Test func descriptionsAreDerivedAndLettersStay() throws {
    let training = try TrainingSession({ try makeTrainer(Self.text) }, run: { _ in nil })
    func lanes() -> [LaneSnapshot] { training.snapshot().lanes }
    #expect(lanes().map(\.letter) == ["A", "B"])
    #expect(lanes().map(\.description) == ["sum · plain", "sum · linear"])
    // Before the first batch there is nothing that it was.
    training.apply(.change(SetShaping(lane: 0, .sigmoid)))
    #expect(lanes()[0].past.isEmpty && lanes()[0].description == "sum · sigmoid")
    for _ in 0..<5 { _ = training.trainBatch() }
    // A key pressed three times on the way is one change, and back is none.
    training.apply(.change(SetShaping(lane: 0, .none)))
    training.apply(.change(SetShaping(lane: 0, .linear)))
    training.apply(.change(SetShaping(lane: 0, .exponential(scale: 0.5))))
    #expect(lanes()[0].past.map(\.description) == ["sum · sigmoid"])
    #expect(lanes()[0].past.map(\.end) == [1.25])
    #expect(lanes()[0].description == "sum · exponential 0.5")
    training.apply(.change(SetShaping(lane: 1, .none)))
    training.apply(.change(SetShaping(lane: 1, .linear)))
    #expect(lanes()[1].past.isEmpty)
    training.apply(.change(Fork(lane: 1, kind: "sum")))
    training.apply(.change(Fork(lane: 1, kind: "max")))
    #expect(lanes().map(\.letter) == ["A", "B", "C", "D"])
    #expect(lanes()[2].description == "sum · linear" && lanes()[2].past.isEmpty)
    #expect(
      lanes()[3].description == "max" && lanes()[3].past.map(\.description) == ["sum · linear"])
    training.apply(.change(Drop(lane: 1)))
    #expect(lanes().map(\.letter) == ["A", "C", "D"])
    training.apply(.change(Fork(lane: 0, kind: "sum")))
    #expect(lanes().map(\.letter) == ["A", "C", "D", "E"])
  }

  /// A mean loss over two kinds of loss is no loss: the sum begins again at a change.
  @Test func lossesOfTwoKindsAreNotAveraged() throws {
    let training = try TrainingSession({ try makeTrainer(Self.text) }, run: { _ in nil })
    for _ in 0..<2 { _ = training.trainBatch() }
    training.apply(.change(SetLoss(lane: 0, kind: "max")))
    #expect(training.snapshot().lanes[0].trainLoss == nil)
    _ = training.trainBatch()
    let lane = training.trainer.lanes[0]
    #expect(training.snapshot().lanes[0].trainLoss == lane.lastTally.meanLoss)
    #expect(training.snapshot().lanes[0].trainAccuracy == lane.epochTally.accuracy)
  }

  /// A resumed session knows what its lanes were.
  @Test func thePastOfALaneSurvivesAResume() throws {
    let path = scratch.file("past")
    let training = try TrainingSession({ try makeTrainer(Self.text) }) {
      try RunDirectory(creating: path, preset: $0.preset, network: $0.network)
    }
    for batch in 0..<10 {
      if batch == 7 { training.apply(.change(SetLoss(lane: 0, kind: "max"))) }
      if batch == 8 { training.apply(.change(Fork(lane: 0, kind: "max"))) }
      _ = training.trainBatch()
    }
    try training.writeCheckpoint()
    let again = try reopened(path).snapshot()
    let before = training.snapshot()
    #expect(again.lanes.map(\.past) == before.lanes.map(\.past))
    #expect(again.lanes.map(\.letter) == ["A", "B", "C"])
    #expect(again.lanes[0].past.map(\.end) == [1.75])
    #expect(again.marks.map(\.text) == ["loss max", "fork max"])
  }

  /// Within an epoch, the commands given in it are marks too, and the accuracy is that of the
  /// predictions beside it.
  @Test func aPlaceWithinAnEpochShowsWhatIsOfIt() throws {
    let path = scratch.file("within")
    let training = try TrainingSession({ try makeTrainer(Self.text) }) {
      try RunDirectory(creating: path, preset: $0.preset, network: $0.network)
    }
    for batch in 0..<6 {
      if batch == 5 { training.apply(.change(SetRate(lane: 0, 0.1))) }
      _ = training.trainBatch()
    }
    try training.writeCheckpoint()
    #expect(try reopened(path).snapshot().marks.map(\.text) == ["rate 0.1"])
    let place = try #require(try Checkpoint.all(in: path).last)
    #expect((place.epoch, place.batch) == (1, 2))
    let preset = try Preset(contentsOf: path + "/preset.toml")
    let runs = try FinishedRuns([FinishedRuns.Item(preset: preset, folder: path, place: place)])
    for lane in try #require(runs.snapshot(after: 0)).lanes {
      let right = zip(lane.labels, lane.predictions).count { $0 == $1 }
      #expect(lane.testAccuracy == Double(right) / Double(lane.labels.count))
    }
  }
}
