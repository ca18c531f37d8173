// SPDX-License-Identifier: MIT

@testable import Live
@testable import Runs
@testable import Training
import EventPropCore
import Experiments
import Foundation
import Support
import Testing

/// Lanes under several seeds.
@Suite struct SeedTests {
  static let text = tinyPreset(extra: twoLanes)

  func preset(_ seeds: Int, _ settings: [String] = []) throws -> Preset {
    try Preset(text: Self.text, file: "test.toml", settings: settings + ["seeds=\(seeds)"])
  }

  func temporary() -> String { NSTemporaryDirectory() + "seeds-\(UUID().uuidString)" }

  /// State after all epochs of a training with one seed.
  func alone(_ seed: Int, _ apply: (Trainer) throws -> Void = { _ in }) throws -> [[UInt8]] {
    let trainer = try makeTrainer(Self.text, settings: ["seed=\(seed)"])
    while !trainer.isFinished {
      try apply(trainer)
      _ = try trainer.step()
    }
    return trainer.state
  }

  func finish(_ group: TrainingGroup) {
    while !group.isFinished { _ = group.trainBatch() }
  }

  /// Each seed is what it is alone, whatever the number of threads.
  @Test(arguments: [1, 2, 3]) func everySeedTrainsAsAlone(threads: Int) throws {
    let group = try TrainingGroup(TrainingPlan(preset(3), threads: threads, isKept: false))
    finish(group)
    #expect(group.sessions.map(\.trainer.preset.seed) == [3, 4, 5])
    for session in group.sessions {
      #expect(try session.trainer.state == alone(session.trainer.preset.seed))
    }
    #expect(group.sessions[0].trainer.state != group.sessions[1].trainer.state)
  }

  @Test func dataAreTheSeedsOwnUnlessGiven() throws {
    let own = TrainingPlan(try preset(2), threads: 1, isKept: false)
    #expect(try own.data(0).train.times != own.data(1).train.times)
    let fixed = TrainingPlan(try preset(2, ["data.seed=9"]), threads: 1, isKept: false)
    #expect(try fixed.data(0).train.times == fixed.data(1).train.times)
  }

  /// Commands take effect at the same place of every seed, those that join later included; about
  /// certain neurons only the network that is shown is told.
  @Test func seedsThatJoinLaterTakeTheCommandsOfThePast() throws {
    let group = try TrainingGroup(TrainingPlan(preset(2), threads: 2, isKept: false))
    for _ in 0..<3 { _ = group.trainBatch() }
    group.apply(.change(SetRate(lane: 1, 1e-3)))
    for _ in 0..<3 { _ = group.trainBatch() }
    group.apply(.show(seed: 1))
    group.apply(.change(Cure(lane: 0, .lift(by: 0.1), layer: 0, neurons: [2, 3])))
    group.apply(.seeds(3))
    #expect(group.sessions.count == 3 && group.snapshot().seeds == [3, 4, 5])
    // Given while the third is behind, at the place of the others.
    group.apply(.change(SetShaping(lane: 0, .none)))
    finish(group)
    for session in group.sessions {
      let seed = session.trainer.preset.seed
      let state = try alone(seed) { trainer in
        let place = (trainer.epoch, trainer.batchInEpoch)
        if place == (0, 3) { try trainer.apply(SetRate(lane: 1, 1e-3)) }
        if place == (1, 2) {
          if seed == 4 {
            try trainer.apply(Cure(lane: 0, .lift(by: 0.1), layer: 0, neurons: [2, 3]))
          }
          try trainer.apply(SetShaping(lane: 0, .none))
        }
      }
      #expect(session.trainer.state.hashValue == state.hashValue, "seed \(seed)")
    }
    let snapshot = group.snapshot()
    #expect(snapshot.lanes.allSatisfy { $0.seeds.map(\.seed) == [3, 4, 5] })
    #expect(snapshot.lanes.allSatisfy { $0.seeds.allSatisfy { $0.tests.keys.max() == 3 } })
    #expect(snapshot.looks == 2)
  }

  /// Undone is what was done: by the one network that was told, or by all.
  @Test func undoGoesToThoseThatWereTold() throws {
    let group = try TrainingGroup(TrainingPlan(preset(2), threads: 1, isKept: false))
    for _ in 0..<2 { _ = group.trainBatch() }
    group.apply(.change(SetRate(lane: 0, 1e-3)))
    _ = group.trainBatch()
    group.apply(.change(Cure(lane: 0, .lift(by: 0.1), layer: 0, neurons: [1])))
    group.apply(.change(Undo()))
    #expect(group.sessions.map { $0.trainer.lanes[0].options.optimiser.rate } == [1e-3, 1e-3])
    group.apply(.change(Undo()))
    #expect(group.sessions.map { $0.trainer.lanes[0].options.optimiser.rate } == [5e-3, 5e-3])
  }

  /// Killed between the checkpoints of two seeds, each goes on from its own, and one waits.
  @Test func seedsGoOnEachFromItsOwnPlace() throws {
    let folder = temporary()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let whole = try preset(2, ["training.checkpoint.keep=0"])
    try withRun({
      try SeedMembers(TrainingPlan(whole, threads: 2, out: folder), detail: "")
    }) { members in
      for member in members.all { try Checkpoint.write(member.trainer, to: member.run, keep: 0) }
      while members.first.trainer.epoch < 2 {
        for (index, result) in try members.step() {
          let member = members.all[index]
          guard let rows = try result.get().rows else { continue }
          try member.run.append(rows)
          // The second seed's last checkpoint never came to be.
          if index == 0 || member.trainer.epoch < 2 {
            try Checkpoint.write(member.trainer, to: member.run, keep: 0)
          }
        }
      }
    }
    let resumed = try RunToResume(folder)
    #expect(resumed.place?.epoch == 2)
    #expect(try resumed.ofSeed(1, isKept: false)?.place?.epoch == 1)
    try withRun({
      try SeedMembers(TrainingPlan(resumed.preset, threads: 1, resumed: resumed), detail: "")
    }) { members in
      #expect(members.all.map(\.trainer.epoch) == [2, 1])
      while !members.isFinished {
        for (index, result) in try members.step() {
          guard let rows = try result.get().rows else { continue }
          try members.all[index].run.append(rows)
        }
      }
      #expect(try members.all[0].trainer.state == alone(3))
      #expect(try members.all[1].trainer.state == alone(4))
    }
    let results = SeedResults(whole, runs: [folder, folder + "/seed-4"])
    #expect(results.lanes.map(\.name) == ["shaped", "plain"])
    #expect(results.lanes.allSatisfy { $0.epoch == 3 && $0.accuracies.count == 2 })
    #expect(results.looks == 1)
  }

  /// Seeds that leave and come back go on from where they left.
  @Test func seedsComeBack() throws {
    let folder = temporary()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try withRun({ try TrainingGroup(TrainingPlan(preset(3), threads: 1, out: folder)) }) { group in
      for _ in 0..<5 { _ = group.trainBatch() }
      group.apply(.seeds(1))
      for _ in 0..<3 { _ = group.trainBatch() }
      group.apply(.change(SetRate(lane: 0, 1e-3)))
      group.apply(.seeds(3))
      #expect(group.sessions.map(\.place.0) == [2, 1, 1], "\(group.snapshot().notice)")
      #expect(group.sessions.allSatisfy { $0.run != nil })
      finish(group)
      for session in group.sessions {
        let state = try alone(session.trainer.preset.seed) { trainer in
          if (trainer.epoch, trainer.batchInEpoch) == (2, 0) {
            try trainer.apply(SetRate(lane: 0, 1e-3))
          }
        }
        #expect(session.trainer.state.hashValue == state.hashValue)
      }
      try group.leave()
    }
  }

  /// Where a batch of one seed fails, all go back with it: what is changed then holds for all.
  @Test func aFailedBatchTakesAllSeedsBack() throws {
    let group = try TrainingGroup(TrainingPlan(preset(2), threads: 1, isKept: false))
    for _ in 0..<5 { _ = group.trainBatch() }
    // Such weights make the loss no number.
    group.apply(.show(seed: 1))
    group.apply(
      .change(Cure(lane: 0, .lift(by: 1e6), layer: 0, neurons: Array(0..<20))))
    group.sessions[1].trainer.lanes[0].scale(by: .infinity, layer: 1)
    for _ in 0..<3 where group.failure.isEmpty { _ = group.trainBatch() }
    #expect(group.failure.contains("seed 4"))
    #expect(group.sessions.map(\.place.1) == [0, 0] && group.sessions.map(\.place.0) == [1, 1])
    group.apply(.change(SetRate(lane: 0, 1e-3)))
    group.forgive()
    #expect(group.sessions.map { $0.trainer.lanes[0].options.optimiser.rate } == [1e-3, 1e-3])
    finish(group)
    #expect(group.sessions.map(\.place.0) == [3, 3])
  }

  /// What another seed was told alone since is not taken back in its stead.
  @Test func undoIsRefusedWhereSeedsDiffer() throws {
    let group = try TrainingGroup(TrainingPlan(preset(2), threads: 1, isKept: false))
    _ = group.trainBatch()
    group.apply(.change(SetRate(lane: 0, 1e-3)))
    _ = group.trainBatch()
    group.apply(.change(Cure(lane: 0, .lift(by: 0.1), layer: 0, neurons: [1])))
    group.apply(.show(seed: 1))
    group.apply(.change(Undo()))
    #expect(group.snapshot().notice.contains("seed 3 alone was told"))
    #expect(group.sessions.map { $0.trainer.lanes[0].options.optimiser.rate } == [1e-3, 1e-3])
    let logged = group.sessions[0].commands
    #expect(LoggedCommand.ofAll(logged).map(\.text) == ["rate 0.001"])
    let undone = logged + [LoggedCommand(epoch: 0, batch: 2, lane: "", text: "undo")]
    #expect(LoggedCommand.ofAll(undone).map(\.text) == ["rate 0.001"])
  }

  /// A run of two seeds that is told to have three: the new one catches up and the preset says so.
  @Test func aRunTakesMoreSeeds() throws {
    let folder = temporary()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try withRun({ try TrainingGroup(TrainingPlan(preset(1), threads: 1, out: folder)) }) { group in
      for _ in 0..<6 { _ = group.trainBatch() }
      group.apply(.change(SetRate(lane: 0, 1e-3)))
      group.apply(.seeds(2))
      for _ in 0..<8 { _ = group.trainBatch() }
      try group.leave()
    }
    #expect(try Preset(ofRun: folder).seeds == 2)
    let resumed = try RunToResume(folder, settings: ["seeds=3"])
    try withRun({
      try TrainingGroup(TrainingPlan(resumed.preset, threads: 2, resumed: resumed))
    }) { group in
      finish(group)
      for session in group.sessions {
        let state = try alone(session.trainer.preset.seed) { trainer in
          if (trainer.epoch, trainer.batchInEpoch) == (1, 2) {
            try trainer.apply(SetRate(lane: 0, 1e-3))
          }
        }
        #expect(session.trainer.state.hashValue == state.hashValue)
      }
      #expect(group.snapshot().looks == 2)
      try group.leave()
    }
    #expect(FileManager.default.fileExists(atPath: folder + "/seed-5/metrics.csv"))
  }
}
