// SPDX-License-Identifier: MIT

@testable import Experiments
@testable import Live
@testable import Runs
@testable import Training
import SpikeData
import EventPropCore
import Foundation
import Support
import Testing

@Suite struct BoundedSeriesTests {
  @Test func memoryIsBoundedOverAnHourOfBatches() {
    var series = BoundedSeries(capacity: 256)
    for batch in 0..<500_000 { series.append(x: Double(batch), Double(batch)) }
    #expect(series.count <= 256)
    #expect(series.count >= 128)
    #expect(series.xs == series.xs.sorted())
    #expect(series.xs.last! > 490_000)
    // Values are means of the stretch before their x.
    for (x, y) in zip(series.xs, series.ys) { #expect(y <= x && y > x - 10_000) }
  }

  @Test func smoothingKeepsConstants() {
    var series = BoundedSeries()
    for k in 0..<50 { series.append(x: Double(k), 3) }
    for y in series.smoothed(0.9, per: 1) { #expect(abs(y - 3) < 1e-12) }
    #expect(series.smoothed(0, per: 1) == series.ys)
  }

  /// The mean of the values so far, by hand; points far apart, as epochs are among batches, stay as
  /// they are.
  @Test func smoothingHasNoBiasToTheStart() {
    var series = BoundedSeries()
    series.append(x: 1, 4)
    series.append(x: 2, 1)
    #expect(abs(series.smoothed(0.5, per: 1)[1] - (0.5 * 4 + 1) / 1.5) < 1e-12)
    series.append(x: 202, 7)
    #expect(series.smoothed(0.9, per: 1)[2] > 6.999_999)
    // An epoch is as many batches as it is long: the next batch is one of them.
    series.append(x: 203, 0)
    let after = series.smoothed(0.9, per: 1)[3]
    #expect(abs(after - 0.9 * 7) < 1e-6)
  }
}

@Suite struct EngineTests {
  static let text = tinyPreset(
    extra: "[[lane]]\nname = \"a\"\n[[lane]]\nname = \"b\"\nloss.shaping = \"linear\"")

  /// Waits for a snapshot that satisfies a condition, a minute at the most.
  func wait(_ engine: Engine, until isReached: (Snapshot) -> Bool) -> Snapshot? {
    var serial = 0
    for _ in 0..<60_000 {
      if let snapshot = engine.snapshot(after: serial) {
        serial = snapshot.serial
        if isReached(snapshot) { return snapshot }
      }
      usleep(1000)
    }
    Issue.record("no such snapshot within a minute")
    return nil
  }

  func engine(paused: Bool = true) -> Engine {
    let text = Self.text
    return Engine(isPaused: paused) {
      try makeTrainer(text)
    } run: { _ in
      nil
    }
  }

  @Test func stepsPausesAndFinishes() throws {
    let engine = engine()
    let first = try #require(wait(engine) { !$0.lanes.isEmpty })
    #expect(first.isPaused && first.epoch == 0 && first.batch == 0)
    engine.send(.step(batches: 1))
    _ = wait(engine) { $0.batch == 1 && $0.isPaused }
    engine.send(.stepEpoch)
    let epoch = try #require(wait(engine) { $0.epoch == 1 && $0.isPaused })
    #expect(epoch.batch == 0)
    #expect(epoch.lanes.allSatisfy { $0.testAccuracy != nil })
    #expect(epoch.lanes[0].curves.loss.count == 4)
    engine.send(.resume)
    let last = try #require(wait(engine) { $0.isFinished })
    #expect(last.epoch == 3)
    #expect(engine.stop() == nil)
    #expect(engine.hasEnded)
  }

  @Test func trainsAsTheHeadlessTrainerDoes() throws {
    let engine = engine(paused: false)
    let last = try #require(wait(engine) { $0.isFinished })
    #expect(engine.stop() == nil)
    let trainer = try makeTrainer(Self.text)
    let rows = try trainer.runAll()
    #expect(last.lanes.map(\.testAccuracy) == rows.suffix(2).map(\.testAccuracy))
    // Finished, the numbers are those of the last rows of metrics.csv.
    for (lane, row) in zip(last.lanes, rows.suffix(2)) { #expect(lane.shows(row)) }
  }

  @Test func probesAndSnapshotsDoNotDisturbTraining() throws {
    let training = try TrainingSession({ try makeTrainer(Self.text) }, run: { _ in nil })
    let undisturbed = try makeTrainer(Self.text)
    for batch in 0..<6 {
      _ = training.trainBatch()
      _ = training.snapshot()
      training.apply(.probe(batch * 7))
      try undisturbed.trainBatch()
      if undisturbed.isEpochComplete { _ = undisturbed.finishEpoch() }
    }
    #expect(training.trainer.state == undisturbed.state)
  }

  @Test func forksStartFromTheLanesState() throws {
    let training = try TrainingSession({ try makeTrainer(Self.text) }, run: { _ in nil })
    for _ in 0..<3 { _ = training.trainBatch() }
    training.apply(.change(Fork(lane: 0, kind: "max")))
    let state = training.trainer.state
    #expect(training.trainer.laneNames == ["a", "b", "C"])
    #expect(state[0..<6].elementsEqual(state[12..<18]))
    _ = training.trainBatch()
    let later = training.trainer.state
    #expect(!later[0..<6].elementsEqual(later[12..<18]))
    training.apply(.change(Drop(lane: 1)))
    #expect(training.trainer.laneNames == ["a", "C"])
    let snapshot = training.snapshot()
    #expect(snapshot.marks.map(\.text) == ["fork max", "drop"])
    #expect(snapshot.lanes[1].lossKind == "max")
  }

  /// The same commands at the same batches give the same bits; another rate or loss gives others.
  @Test func commandsAreRepeatable() throws {
    func run(_ commands: [Int: EngineCommand]) throws -> [[UInt8]] {
      let training = try TrainingSession({ try makeTrainer(Self.text) }, run: { _ in nil })
      for batch in 0..<8 {
        if let command = commands[batch] { training.apply(command) }
        _ = training.trainBatch()
      }
      return training.trainer.state
    }
    let commands: [Int: EngineCommand] = [
      1: .change(SetRate(lane: 0, 1e-2)), 3: .change(SetShaping(lane: 1, .exponential(scale: 1))),
      5: .change(SetLoss(lane: 0, kind: "first_spike")),
      6: .change(Fork(lane: 1, kind: "avg_xentropy")),
    ]
    let once = try run(commands)
    #expect(try run(commands) == once)
    #expect(try run([:]) != once)
    #expect(try run([1: .change(SetRate(lane: 0, 1e-2))]) != run([:]))
    // A change to what is there already changes nothing.
    #expect(try run([2: .change(SetLoss(lane: 0, kind: "sum"))]) == run([:]))
  }

  /// A session's own log, replayed without a screen, ends in the same bits.
  @Test func replayedLogsGiveTheSameWeights() throws {
    let scratch = ScratchDirectory()
    let text = Self.text
    let training = try TrainingSession({ try makeTrainer(text) }) {
      try RunDirectory(
        creating: scratch.file("live"), preset: $0.preset, network: $0.network)
    }
    let commands: [Int: [EngineCommand]] = [
      0: [
        .change(
          SetShaping(lane: 1, .custom([.init(x: 0.1, weight: 1), .init(x: 0.7, weight: 1 / 3)])))
      ],
      2: [.change(SetRate(lane: 0, 1.0 / 300)), .change(SetOrderSeed(77))],
      5: [
        .change(Fork(lane: 0, kind: "max")),
        .change(SetRegularisation(lane: 0, upper: 1e-3, lower: 1e-4)),
      ],
      7: [.change(Drop(lane: 1)), .change(SetLoss(lane: 1, kind: "first_spike_exp"))],
    ]
    for batch in 0..<12 {
      for command in commands[batch] ?? [] { training.apply(command) }
      _ = training.trainBatch()
    }
    #expect(training.notice.isEmpty, "\(training.notice)")
    let log = try LoggedSession(contentsOf: scratch.file("live/commands.jsonl"))
    #expect(log.commands.count == 7)
    // A resumed session has the lanes and losses that it had, too.
    try training.writeCheckpoint()
    let resumed = try makeTrainer(text)
    let place = try #require(try Checkpoint.all(in: scratch.file("live")).last)
    try resumed.resume(scratch.file("live"), at: place)
    #expect(resumed.laneNames == training.trainer.laneNames)
    #expect(resumed.lanes.map(\.options.lossKind) == ["sum", "first_spike_exp"])
    #expect(resumed.lanes[0].options.hidden[0].rate?.lambdaUpper == 1e-3)
    #expect(resumed.state == training.trainer.state)
    var replay = try Replay(log) {
      try makeTrainer(text, threads: 2)
    } run: { _ in
      nil
    }
    _ = try replay.run()
    #expect(replay.trainer.state == training.trainer.state)
    #expect(replay.trainer.laneNames == training.trainer.laneNames)
  }

  /// Killed in the middle of an epoch: what was given after the checkpoint is gone, a new order of
  /// batches waits for the next epoch as it would have.
  @Test func resumesFromTheMiddleOfAnEpoch() throws {
    let scratch = ScratchDirectory()
    let path = scratch.file("run")
    let text = Self.text
    func begin(_ training: TrainingSession) {
      for batch in 0..<6 {
        if batch == 5 { training.apply(.change(SetOrderSeed(77))) }
        _ = training.trainBatch()
      }
      training.apply(.change(Fork(lane: 0, kind: "max")))
    }
    let whole = try TrainingSession({ try makeTrainer(text) }, run: { _ in nil })
    begin(whole)
    for _ in 6..<12 { _ = whole.trainBatch() }

    try withRun { () throws -> TrainingSession in
      try TrainingSession({ try makeTrainer(text) }) {
        try RunDirectory(creating: path, preset: $0.preset, network: $0.network)
      }
    } _: { killed in
      begin(killed)
      try killed.writeCheckpoint()
      killed.apply(.change(SetRate(lane: 0, 1)))
      killed.apply(.change(Drop(lane: 1)))
      _ = killed.trainBatch()
    }

    let place = try #require(try Checkpoint.all(in: path).last)
    #expect((place.epoch, place.batch) == (1, 2))
    let resumed = try TrainingSession(
      { try makeTrainer(text) }, resume: { try $0.resume(path, at: place) }
    ) {
      try RunDirectory(resuming: RunToResume(path), $0)
    }
    #expect(resumed.trainer.laneNames == ["a", "b", "C"])
    for _ in 6..<12 { _ = resumed.trainBatch() }
    #expect(resumed.trainer.state == whole.trainer.state)
    // The log knows what was lost: replayed, it gives the same bits.
    let log = try LoggedSession(contentsOf: path + "/commands.jsonl")
    #expect(log.commands.map(\.text) == ["order-seed 77", "fork max"])
    var replay = try Replay(log) {
      try makeTrainer(text)
    } run: { _ in
      nil
    }
    _ = try replay.run()
    #expect(replay.trainer.state == whole.trainer.state)
  }

  /// Undone, a lane is as it was just before the command; a session with undos replays and resumes
  /// to the same bits.
  @Test func undoTakesBackTheLastChange() throws {
    let scratch = ScratchDirectory()
    let text = Self.text
    let path = scratch.file("undo")
    let training = try TrainingSession({ try makeTrainer(text) }) {
      try RunDirectory(creating: path, preset: $0.preset, network: $0.network)
    }
    func weights(_ lane: Int) -> [NPYArray] {
      training.trainer.lanes[lane].arrays().map(\.array)
    }
    func train(_ batches: Int) { for _ in 0..<batches { _ = training.trainBatch() } }
    training.apply(.change(Undo()))
    #expect(training.notice.contains("there is nothing to take back"))
    train(2)
    let before = weights(0)
    training.apply(.change(SetLoss(lane: 0, kind: "max")))
    // A key held down is one change.
    training.apply(.change(SetLoss(lane: 0, kind: "avg_xentropy")))
    train(3)
    #expect(weights(0) != before)
    let other = weights(1)
    training.apply(.change(Undo()))
    #expect(weights(0) == before && weights(1) == other)
    #expect(training.trainer.lanes[0].options.lossKind == "sum")
    #expect(training.trainer.lanes[0].options.past.isEmpty)
    #expect(training.snapshot().lanes[0].curves.loss.xs.allSatisfy { $0 <= 0.5 })
    train(1)
    // A lane that was dropped comes back as it was, in its place, with its curves.
    let dropped = weights(0)
    let curve = training.snapshot().lanes[0].curves.loss.xs
    training.apply(.change(Drop(lane: 0)))
    train(2)
    #expect(training.trainer.laneNames == ["b"])
    training.apply(.change(Undo()))
    #expect(training.trainer.laneNames == ["a", "b"] && weights(0) == dropped)
    #expect(training.snapshot().lanes[0].curves.loss.xs == curve)
    // A fork goes.
    training.apply(.change(Fork(lane: 1, kind: "max")))
    train(1)
    training.apply(.change(Undo()))
    #expect(training.trainer.laneNames == ["a", "b"])
    // Neurons lifted one by one at the same place are one change.
    let unlifted = weights(1)
    for neuron in 0..<3 {
      training.apply(.change(Cure(lane: 1, .lift(by: 0.5), layer: 0, neurons: [neuron])))
    }
    #expect(weights(1) != unlifted)
    training.apply(.change(Undo()))
    #expect(weights(1) == unlifted)
    training.apply(.change(SetRate(lane: 1, 0.1)))
    train(1)
    try training.leave()

    let resumed = try makeTrainer(text)
    try resumed.resume(path, at: try #require(try Checkpoint.all(in: path).last))
    #expect(resumed.state == training.trainer.state)
    #expect(resumed.laneNames == ["a", "b"] && resumed.lanes[1].options.optimiser.rate == 0.1)
    let session = try LoggedSession(contentsOf: path + "/commands.jsonl")
    #expect(
      session.end == .init(epoch: training.trainer.epoch, batch: training.trainer.batchInEpoch))
    var replay = try Replay(session) {
      try makeTrainer(text, threads: 2)
    } run: { _ in
      nil
    }
    #expect(try replay.run())
    #expect(replay.trainer.state == training.trainer.state)
    #expect(replay.trainer.epoch == training.trainer.epoch)
  }

  /// What could be taken back goes with the process that remembers it: a resumed session begins
  /// with nothing to undo, and its log, replayed, gives its bits.
  @Test func undosEndWithTheirProcess() throws {
    let scratch = ScratchDirectory()
    let text = Self.text
    let path = scratch.file("run")
    try withRun { () throws -> TrainingSession in
      try TrainingSession({ try makeTrainer(text) }) {
        try RunDirectory(creating: path, preset: $0.preset, network: $0.network)
      }
    } _: { first in
      for _ in 0..<3 { _ = first.trainBatch() }
      first.apply(.change(SetRate(lane: 0, 0.02)))
      try first.leave()
    }
    let run = try RunToResume(path)
    let second = try TrainingSession(
      { try makeTrainer(text) }, resume: { try $0.resume(path, at: run.place!) }
    ) {
      try RunDirectory(resuming: run, $0)
    }
    #expect(second.snapshot().undoable == nil)
    let before = second.trainer.state
    second.apply(.change(Undo()))
    #expect(second.notice.contains("nothing to take back") && second.trainer.state == before)
    // The same key before and after a resume is two changes.
    second.apply(.change(SetRate(lane: 0, 0.03)))
    _ = second.trainBatch()
    second.apply(.change(Undo()))
    #expect(second.trainer.lanes[0].options.optimiser.rate == 0.02)
    for _ in 0..<3 { _ = second.trainBatch() }
    try second.leave()
    var replay = try Replay(try LoggedSession(contentsOf: path + "/commands.jsonl")) {
      try makeTrainer(text)
    } run: { _ in
      nil
    }
    #expect(try replay.run() && replay.trainer.state == second.trainer.state)
    // A log that has lost lines does not pass for a whole one.
    let log = try String(contentsOfFile: path + "/commands.jsonl", encoding: .utf8)
    try log.split(separator: "\n").prefix(1).joined().write(
      toFile: path + "/commands.jsonl", atomically: true, encoding: .utf8)
    let error = #expect(throws: FileError.self) {
      try makeTrainer(text).resume(path, at: try Checkpoint.find(in: path, named: nil))
    }
    #expect(error?.message.contains("lines are missing") == true)
  }

  /// A batch in which one lane fails: all lanes go back to the beginning of the epoch, keep that,
  /// and can go on from there.
  @Test func failuresKeepLanesInStep() throws {
    let scratch = ScratchDirectory()
    let text = Self.text
    let path = scratch.file("run")
    let training = try TrainingSession({ try makeTrainer(text) }) {
      try RunDirectory(creating: path, preset: $0.preset, network: $0.network)
    }
    let batches = training.trainer.batchesPerEpoch
    for _ in 0..<batches { _ = training.trainBatch() }
    let atEpoch = training.trainer.state
    _ = training.trainBatch()
    training.apply(.change(Fork(lane: 1, kind: "max")))
    // Weights beyond all bounds by hand: the second lane's next batch fails, the first has learned
    // from it by then.
    let lane = training.trainer.lanes[1]
    let arrays = Dictionary(uniqueKeysWithValues: lane.arrays().map { ($0.name, $0.array) })
    try lane.restore(updates: lane.updates) { name in
      let array = arrays[name]!
      return name == "hidden1-output"
        ? NPYArray(array.doubles.map { Float($0 * 1e30) }, shape: array.shape) : array
    }
    _ = training.trainBatch()
    try #require(!training.failure.isEmpty)
    #expect(training.failure.contains("lane b") && training.failure.hasSuffix("back at epoch 1"))
    #expect(training.canGoOn && training.hasStopped)
    #expect(training.trainer.state == atEpoch && training.trainer.laneNames == ["a", "b"])
    #expect(training.snapshot().lanes.allSatisfy { $0.curves.loss.xs.allSatisfy { $0 <= 1 } })
    try training.leave()
    // What is kept is in step, too.
    let resumed = try makeTrainer(text)
    try resumed.resume(path, at: try Checkpoint.find(in: path, named: nil))
    #expect(resumed.state == atEpoch)
    // And so does the session go on, as if nothing had been.
    training.forgive()
    for _ in 0..<batches { _ = training.trainBatch() }
    #expect(training.failure.isEmpty)
    let quiet = try TrainingSession({ try makeTrainer(text) }, run: { _ in nil })
    for _ in 0..<(2 * batches) { _ = quiet.trainBatch() }
    #expect(training.trainer.state == quiet.trainer.state)
    try training.leave()
    var replay = try Replay(try LoggedSession(contentsOf: path + "/commands.jsonl")) {
      try makeTrainer(text)
    } run: { _ in
      nil
    }
    #expect(try replay.run() && replay.trainer.state == quiet.trainer.state)
  }

  /// A restart may keep what was set, without what was taken back; replayed, the log gives the
  /// same.
  @Test func restartsKeepSettings() throws {
    let scratch = ScratchDirectory()
    let text = Self.text
    let path = scratch.file("kept")
    let training = try TrainingSession({ try makeTrainer(text) }) {
      try RunDirectory(creating: path, preset: $0.preset, network: $0.network)
    }
    for _ in 0..<2 { _ = training.trainBatch() }
    training.apply(.change(SetRate(lane: 0, 1e-4)))
    training.apply(.change(SetLoss(lane: 1, kind: "max")))
    training.apply(.change(Undo()))
    // A key pressed again is taken back as one; an order of batches cannot be.
    training.apply(.change(SetOrderSeed(9)))
    for rate in [0.01, 0.02, 0.04] { training.apply(.change(SetRate(lane: 1, rate))) }
    training.apply(.change(SetOrderSeed(7)))
    training.apply(.change(Undo()))
    // A fork that was taken back, and one that stays.
    training.apply(.change(Fork(lane: 0, kind: "max")))
    training.apply(.change(Undo()))
    training.apply(.change(Fork(lane: 0, kind: "avg_xentropy")))
    training.apply(.change(Cure(lane: 0, .lift(by: 0.5), layer: 0, neurons: [1])))
    #expect(training.snapshot().hasSettings)
    training.apply(.restart(keeping: true))
    #expect(training.trainer.orderSeed == 7 && training.snapshot().hasSettings)
    let trainer = training.trainer
    #expect(trainer.epoch == 0 && trainer.batchInEpoch == 0)
    #expect(trainer.laneNames == ["a", "b", "C"])
    #expect(trainer.lanes.map(\.options.lossKind) == ["sum", "sum", "avg_xentropy"])
    #expect(trainer.lanes.map(\.options.optimiser.rate) == [1e-4, 5e-3, 1e-4])
    // From the initial weights: nobody is lifted.
    let fresh = try makeTrainer(text)
    #expect(trainer.lanes[0].arrays().map(\.array) == fresh.lanes[0].arrays().map(\.array))
    for _ in 0..<3 { _ = training.trainBatch() }
    try training.leave()
    var replay = try Replay(try LoggedSession(contentsOf: path + "/commands.jsonl")) {
      try makeTrainer(text)
    } run: { _ in
      nil
    }
    #expect(try replay.run() && replay.trainer.state == trainer.state)
    // As the preset says, there is nothing to keep.
    training.apply(.restart(keeping: false))
    #expect(!training.snapshot().hasSettings && training.trainer.orderSeed == fresh.orderSeed)
  }

  @Test func commandsForUnknownLanesAreRefused() throws {
    let logged = LoggedCommand(epoch: 0, batch: 0, lane: "c", text: "rate 1")
    #expect(throws: FileError("command log", "\"rate 1\" is for lane c; there are a, b")) {
      try makeTrainer(Self.text).command(logged)
    }
  }

  @Test func damagedLogsAreNamed() throws {
    let scratch = ScratchDirectory()
    let path = scratch.write(
      "{\"command\": \"rate 1\", \"epoch\": 0, \"batch\": 1}\n{oops\n", to: "log")
    #expect(throws: FileError(path, line: 2, "is not a command with epoch and batch")) {
      try LoggedSession(contentsOf: path)
    }
    #expect(CommandTable.command(text: "rate fast", lane: 0) == nil)
    #expect(CommandTable.command(text: "shaping custom 0:1 0:2", lane: 0) == nil)
    #expect(Shaping(words: ["exponential", "-1"]) == nil)
  }

  @Test(arguments: [StopCondition.epoch(1), .accuracy(0.01), .deadLayer])
  func stopConditionsPause(condition: StopCondition) throws {
    let engine = engine()
    engine.send(.stopWhen(condition))
    engine.send(.resume)
    let last = try #require(wait(engine) { $0.isFinished || ($0.isPaused && $0.epoch > 0) })
    if condition == .deadLayer {
      #expect(last.isFinished)
    } else {
      #expect(last.epoch == 1 && last.isPaused)
      #expect(last.notice.hasPrefix("paused: "))
    }
    #expect(engine.stop() == nil)
  }

  /// lV - lI under w = 1 vanishes early in a long trial; shaping gives early spikes a share.
  @Test func errorMapsShowWhatShapingDoes() throws {
    let text = tinyPreset(extra: "[[lane]]\nname = \"a\"\nloss.shaping = \"exponential\"")
    let training = try TrainingSession(
      { try makeTrainer(text, settings: ["simulation.duration=300"]) }, run: { _ in nil })
    #expect(training.snapshot().lanes[0].errors.isEmpty)
    training.apply(.detail(.gradients))
    let maps = training.snapshot().lanes[0].errors
    #expect(maps.map(\.layer) == ["hidden1"])
    let map = maps[0]
    #expect(map.rows == 20 && map.columns == 120 && map.shaped.count == 2400)
    // Input ends at 20 ms: without shaping its error is that of the trial's far end, exp(-280/20).
    let early = 0..<4
    let shaped = early.map { map.shapedNorm[$0] }.reduce(0, +)
    let plain = early.map { map.plainNorm[$0] }.reduce(0, +)
    #expect(shaped > 0)
    #expect(plain < 0.01 * shaped)
  }

  @Test func restartIsTheIdenticalRun() throws {
    let scratch = ScratchDirectory()
    let path = scratch.file("run")
    let training = try TrainingSession({ try makeTrainer(Self.text) }) {
      try RunDirectory(creating: path, preset: $0.preset, network: $0.network)
    }
    for _ in 0..<5 { _ = training.trainBatch() }
    let first = training.trainer.state
    try training.writeCheckpoint()
    training.apply(.change(SetRate(lane: 0, 1)))
    training.apply(.restart(keeping: false))
    #expect(training.snapshot().position == 0)
    // The run before is kept apart: a resume finds nothing of it.
    // From its first moment on there is something to go on from.
    #expect(try Checkpoint.all(in: path).map(\.name) == ["0"])
    #expect(try Checkpoint.all(in: path + "/before-restart-1").map(\.name) == ["0", "1", "1+1"])
    #expect(try LoggedSession(contentsOf: path + "/commands.jsonl").commands.isEmpty)
    let header = try String(contentsOfFile: path + "/metrics.csv", encoding: .utf8)
    #expect(header.hasPrefix("epoch,lane,") && header.split(separator: "\n").count == 1)
    for _ in 0..<5 { _ = training.trainBatch() }
    #expect(training.trainer.state == first)
  }

  /// Epochs without an evaluation, with lanes coming and going.
  @Test func rareEvaluationsAreFine() throws {
    let training = try TrainingSession(
      { try makeTrainer(Self.text, settings: ["training.evaluate_every=3"]) }, run: { _ in nil })
    for batch in 0..<12 {
      if batch == 5 { training.apply(.change(Fork(lane: 1, kind: "max"))) }
      if batch == 10 { training.apply(.change(Drop(lane: 0))) }
      _ = training.trainBatch()
      let tests = training.snapshot().lanes.map { $0.testAccuracy != nil }
      #expect(tests == (batch == 11 ? [true, true] : tests.map { _ in false }))
    }
  }

  /// A change of loss keeps the preset's tau0, tau1 and alpha: away and back is no change.
  @Test func lossesKeepThePresetsParameters() throws {
    func state(_ kinds: [String]) throws -> [[UInt8]] {
      let text = tinyPreset(loss: "first_spike")
      let training = try TrainingSession(
        { try makeTrainer(text, settings: ["loss.tau0=0.3", "loss.alpha=0.1"]) },
        run: { _ in nil })
      for kind in kinds { training.apply(.change(SetLoss(lane: 0, kind: kind))) }
      for _ in 0..<3 { _ = training.trainBatch() }
      return training.trainer.state
    }
    #expect(try state(["sum", "first_spike"]) == state([]))
  }

  @Test func badCommandsLeaveANoticeAndTheTrainingAlone() throws {
    let training = try TrainingSession({ try makeTrainer(Self.text) }, run: { _ in nil })
    let before = training.trainer.state
    training.apply(.change(SetLoss(lane: 0, kind: "nonsense")))
    #expect(training.notice.contains("there is no loss nonsense; allowed are sum"))
    training.apply(.change(Drop(lane: 0)))
    training.apply(.change(Drop(lane: 0)))
    #expect(training.notice == "drop: the last lane stays")
    training.apply(.change(SetRate(lane: 9, 1)))
    #expect(training.trainer.state.elementsEqual(before.suffix(before.count / 2)))
  }

  @Test func aFailedStartIsSaid() throws {
    let engine = Engine {
      throw FileError("x.toml", "broken")
    } run: { _ in
      nil
    }
    for _ in 0..<5000 where !engine.hasEnded { usleep(1000) }
    #expect(engine.startFailure == "x.toml: broken")
    #expect(engine.stop() == nil)
  }
}

extension LaneSnapshot {
  /// Whether the numbers are exactly those of a row of metrics.csv.
  func shows(_ row: EpochMetrics) -> Bool {
    trainLoss == row.trainLoss && trainAccuracy == row.trainAccuracy && testLoss == row.testLoss
      && testAccuracy == row.testAccuracy
      && flow.map(\.norm) == flow.map { row.gradientNorms[$0.name] }
      && layers.map(\.mean) == row.spikes && layers.map(\.spread) == row.spread
      && layers.map(\.silent) == row.silent && layers.map(\.dead) == row.dead
  }
}
