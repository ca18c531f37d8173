// SPDX-License-Identifier: MIT

@testable import Live
@testable import Runs
@testable import Training
import EventPropCore
import Experiments
import Foundation
import Support
import Testing

/// Going back in the training: the update that did it, and another way on.
@Suite struct PastTests {
  /// A rate so large that neurons fall silent.
  static let text = tinyPreset(
    loss: "first_spike", training: "epochs = 8\n", extra: ""
  ).replacingOccurrences(of: "epochs = 3\n", with: "")
    .replacingOccurrences(of: "rate = 5e-3", with: "rate = 1e-1")

  func session(_ text: String = Self.text, run: String? = nil) throws -> TrainingSession {
    try TrainingSession({ try makeTrainer(text) }) { trainer in
      try run.map {
        try RunDirectory(creating: $0, preset: trainer.preset, network: trainer.network)
      }
    }
  }

  func finish(_ session: TrainingSession) {
    while session.job != nil { session.stepJob() }
  }

  func temporary() -> String {
    NSTemporaryDirectory() + "past-\(UUID().uuidString)"
  }

  /// Spikes of every neuron of hidden1 on the probe, counted from the trials.
  func counts(_ trainer: Trainer) -> [Int] {
    var counts = Array(repeating: 0, count: trainer.network.layers[0].size)
    for trial in trainer.lanes[0].probeSpikes(pool: trainer.pool) {
      for spike in trial[0] { counts[spike.neuron] += 1 }
    }
    return counts
  }

  /// Every neuron that is silent in the end and spiked before: found is the update after which a
  /// plain loop over all batches saw its last spike, by states in memory and by checkpoints alike.
  @Test func bisectionFindsTheUpdateThatAPlainLoopFinds() throws {
    let folder = temporary()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let plain = try makeTrainer(Self.text)
    var last: [(epoch: Int, batch: Int, count: Int)?] = Array(repeating: nil, count: 20)
    var before = counts(plain)
    let training = try session(run: folder)
    while !plain.isFinished {
      let place = (plain.epoch, plain.batchInEpoch)
      _ = try plain.step()
      let after = counts(plain)
      for neuron in after.indices where before[neuron] > 0 && after[neuron] == 0 {
        last[neuron] = (place.0, place.1, before[neuron])
      }
      before = after
      _ = training.trainBatch()
    }
    try training.leave()
    let dead = before.indices.filter { before[$0] == 0 && last[$0] != nil }
    try #require(dead.count >= 3)
    for neuron in dead.prefix(6) {
      training.apply(.bisect(.dead(layer: 0, neuron: neuron), lane: 0))
      finish(training)
      let found = try #require(training.found)
      let truth = try #require(last[neuron])
      // A state in memory, one an epoch, may be later than a spike that came back and went.
      #expect(found.batch! == (truth.epoch, truth.batch), "neuron \(neuron)")
      let lane = found.snapshot.lanes[0]
      #expect(found.sentence.contains("had \(truth.count) spike"))
      #expect(lane.ledger?.epoch == truth.epoch && lane.ledger?.batch == truth.batch)
      #expect(
        lane.ledger!.events.contains {
          $0.kind == .deleted && $0.layer == 0 && $0.neuron == neuron
        })
    }
    let place = try Checkpoint.find(in: folder, named: nil)
    let preset = try Preset(ofRun: folder)
    let bisection = try RunBisection(
      .dead(layer: 0, neuron: dead[0]), run: folder, preset: preset, at: place, lane: nil,
      threads: 2)
    let found = try #require(bisection.find { _ in }.found)
    #expect(found.batch! == (last[dead[0]]!.epoch, last[dead[0]]!.batch))
  }

  /// Of a long training every second, fourth, ... state is kept, the first one always.
  @Test func keptPlacesAreThinnedOut() throws {
    let trainer = try makeTrainer(tinyPreset())
    trainer.markSafePlace()
    var place = try #require(trainer.safePlace)
    var places = PastPlaces()
    for epoch in 0..<1000 {
      place.epoch = epoch
      // Offered before every batch of the epoch.
      for _ in 0..<4 { places.keep(place) }
      #expect(places.all.count <= PastPlaces.most)
    }
    let epochs = places.all.map(\.epoch)
    #expect(epochs.first == 0 && epochs.last! > 900)
    #expect(Set(zip(epochs.dropFirst(), epochs).map { $0 - $1 }).count <= 2)
    places.forget(after: 500, batch: 0)
    #expect(places.all.allSatisfy { $0.epoch <= 500 })
  }

  @Test func bisectionFindsACommand() throws {
    let training = try session(tinyPreset())
    for _ in 0..<6 { _ = training.trainBatch() }
    let neuron = counts(training.trainer).firstIndex { $0 > 0 }!
    training.apply(.change(Cure(lane: 0, .lift(by: -50), layer: 0, neurons: [neuron])))
    for _ in 0..<4 { _ = training.trainBatch() }
    training.apply(.bisect(.dead(layer: 0, neuron: neuron), lane: 0))
    finish(training)
    let found = try #require(training.found)
    #expect(found.batch == nil)
    #expect(found.sentence.contains("the command \"lift -50.0 hidden1 \(neuron)\""))
  }

  @Test func bisectionSaysWhereThereIsNothingToFind() throws {
    let training = try session(tinyPreset())
    for _ in 0..<6 { _ = training.trainBatch() }
    let alive = counts(training.trainer).firstIndex { $0 > 0 }!
    training.apply(.bisect(.dead(layer: 0, neuron: alive), lane: 0))
    #expect(training.job == nil && training.notice.contains("nothing to look for"))
    training.apply(.bisect(.dead(layer: 0, neuron: 99), lane: 0))
    #expect(training.notice == "bisect: hidden1 has no neuron 99: 0 to 19")
    training.apply(.bisect(.accuracy(0.001), lane: 0))
    finish(training)
    #expect(training.found == nil && training.notice.contains("no update did it"))
  }

  /// By a plain loop over all updates: the last one that took the accuracy over a share.
  @Test func bisectionFindsWhereAnAccuracyWasReached() throws {
    let plain = try makeTrainer(tinyPreset())
    var accuracies = [plain.evaluate(lane: 0, plain.probeData).accuracy]
    var places: [(Int, Int)] = []
    while !plain.isFinished {
      places.append((plain.epoch, plain.batchInEpoch))
      _ = try plain.step()
      accuracies.append(plain.evaluate(lane: 0, plain.probeData).accuracy)
    }
    let share = (accuracies[0] + accuracies.last!) / 2
    let isSo = accuracies.last! < share
    let truth = places.indices.last {
      (accuracies[$0] < share) != isSo && (accuracies[$0 + 1] < share) == isSo
    }
    let training = try session(tinyPreset())
    while !training.trainer.isFinished { _ = training.trainBatch() }
    training.apply(.bisect(.accuracy(share), lane: 0))
    finish(training)
    let found = try #require(training.found)
    #expect(found.batch! == places[try #require(truth)])
  }

  /// Gone back, lane A trains as it did, bit by bit; the fork is that of a trainer which left the
  /// batch out by hand; and the log of it all replays to the same weights.
  @Test func aRewoundTrainingGoesOnAsItDid() throws {
    let folder = temporary()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let text = tinyPreset()
    let undisturbed = try makeTrainer(text)
    try undisturbed.apply(SetRate(lane: 0, 1e-3))
    _ = try undisturbed.runAll()

    var ended: [[UInt8]] = []
    try withRun({ try session(text, run: folder) }) { training in
      training.apply(.change(SetRate(lane: 0, 1e-3)))
      for _ in 0..<9 { _ = training.trainBatch() }
      training.apply(.change(SetRate(lane: 0, 0.5)))
      _ = training.trainBatch()
      training.apply(
        .rewind(Rewind(to: PastPlace(epoch: 1, batch: 2), lane: 0, skipsBatch: true)))
      while training.job != nil { training.stepJob() }
      #expect(training.trainer.laneNames.count == 2)
      #expect(training.trainer.epoch == 1 && training.trainer.batchInEpoch == 2)
      #expect(training.rewinds == 1)
      while !training.trainer.isFinished { _ = training.trainBatch() }
      ended = training.trainer.state
      try training.leave()
    }
    let half = ended.count / 2
    #expect(Array(ended.prefix(half)) == undisturbed.state)

    let other = try makeTrainer(text)
    try other.apply(SetRate(lane: 0, 1e-3))
    while (other.epoch, other.batchInEpoch) != (1, 2) { _ = try other.step() }
    try other.apply(SkipBatch(lane: 0))
    let before = other.state
    _ = try other.step()
    #expect(other.state == before)
    _ = try other.runAll()
    #expect(Array(ended.suffix(half)) == other.state)

    let log = try LoggedSession(contentsOf: folder + "/commands.jsonl")
    #expect(log.commands.map(\.text) == ["rate 0.001", "fork sum", "skip"])
    var replay = try Replay(log, makeTrainer: { try makeTrainer(text) }, run: { _ in nil })
    #expect(try replay.run())
    #expect(replay.trainer.state == ended)
    // What there was is kept, and the run goes on from its last checkpoint.
    #expect(FileManager.default.fileExists(atPath: folder + "/before-rewind-1/metrics.csv"))
    let rows = MetricsTable.read(folder + "/metrics.csv", undisturbed.network)
    #expect(rows.map(\.epoch) == [1, 2, 2, 3, 3])
    let resumed = try makeTrainer(text)
    try resumed.resume(folder, at: Checkpoint.find(in: folder, named: nil))
    #expect(resumed.state == ended)
  }

  /// An update that ends an epoch is found, and forked from: the next epoch begins there.
  @Test func anEpochsLastUpdateCanBeForked() throws {
    let text = tinyPreset(training: "").replacingOccurrences(of: "batch = 32", with: "batch = 200")
    let training = try session(text)
    while !training.trainer.isFinished { _ = training.trainBatch() }
    let accuracies = try (0...3).map { epochs in
      let plain = try makeTrainer(text)
      for _ in 0..<epochs { _ = try plain.step() }
      return plain.evaluate(lane: 0, plain.probeData).accuracy
    }
    try #require(accuracies[0] != accuracies[3])
    training.apply(.bisect(.accuracy((accuracies[0] + accuracies[3]) / 2), lane: 0))
    finish(training)
    let found = try #require(training.found)
    training.apply(
      .rewind(Rewind(to: found.snapshot.place, lane: found.snapshot.lanes[0].identity)))
    finish(training)
    #expect(training.trainer.lanes.count == 2, "\(training.notice)")
    #expect(training.trainer.epoch == found.batch!.epoch + 1 && training.trainer.batchInEpoch == 0)
    // Of its one batch an epoch can do without none.
    training.apply(.change(SkipBatch(lane: 1)))
    #expect(training.notice.contains("an epoch has one batch"))
  }

  /// A run that is looked at without keeping anything: its own log and checkpoints are the past.
  @Test func bisectionsOfAKeptRunKnowItsCommands() throws {
    let folder = temporary()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try withRun({ try session(tinyPreset(), run: folder) }) { training in
      for _ in 0..<5 { _ = training.trainBatch() }
      let neuron = counts(training.trainer).firstIndex { $0 > 0 }!
      training.apply(.change(Cure(lane: 0, .lift(by: -50), layer: 0, neurons: [neuron])))
      for _ in 0..<4 { _ = training.trainBatch() }
      try training.leave()
    }
    let resumed = try RunToResume(folder, isKept: false)
    let group = try TrainingGroup(
      TrainingPlan(resumed.preset, threads: 1, resumed: resumed, isKept: false))
    let command = try #require(group.first.commands.first)
    let neuron = Int(command.text.split(separator: " ").last!)!
    group.apply(.bisect(.dead(layer: 0, neuron: neuron), lane: 0))
    while group.hasJob { group.stepJob() }
    #expect(group.first.found?.sentence.contains("the command") ?? false)
  }

  /// Undo takes weights of before: what it needs is trained again too.
  @Test func aRewindingTrainsUndoneCommandsAgain() throws {
    let text = tinyPreset()
    let training = try session(text)
    for _ in 0..<5 { _ = training.trainBatch() }
    training.apply(.change(SetLoss(lane: 0, kind: "max")))
    for _ in 0..<4 { _ = training.trainBatch() }
    training.apply(.change(Undo()))
    for _ in 0..<3 { _ = training.trainBatch() }
    let there = training.trainer.state
    let place = PastPlace(
      epoch: training.trainer.epoch, batch: training.trainer.batchInEpoch,
      commands: training.trainer.commandCount)
    for _ in 0..<2 { _ = training.trainBatch() }
    training.apply(.rewind(Rewind(to: place, lane: 0)))
    finish(training)
    #expect(Array(training.trainer.state.prefix(there.count)) == there)
    #expect(training.trainer.lanes.count == 2)
  }
}
