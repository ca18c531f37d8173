// SPDX-License-Identifier: MIT

@testable import Experiments
@testable import Runs
@testable import Training
import Foundation
import SpikeData
import Support
import Testing

/// Trainings that begin with given weights.
@Suite struct StartTests {
  let scratch = ScratchDirectory()

  /// A run of two epochs.
  @discardableResult
  func makeRun(_ text: String, _ name: String, settings: [String] = []) throws -> Trainer {
    let preset = try Preset(
      text: text, file: "test.toml", settings: ["training.epochs=2"] + settings)
    let trainer = try Trainer(preset, data: preset.loadData(), threads: 1)
    let run = try RunDirectory(
      creating: scratch.file(name), preset: trainer.preset, network: trainer.network)
    while !trainer.isFinished {
      if let rows = try trainer.step().rows { try run.finishEpoch(rows, of: trainer) }
    }
    return trainer
  }

  func weights(_ lane: any Lane) -> [NPYArray] { lane.keep().weights }

  func begin(_ text: String, at path: String, _ settings: [String] = []) throws -> Trainer {
    try makeTrainer(text, settings: ["training.start=\(path)"] + settings)
  }

  @Test func runsCheckpointsAndFolders() throws {
    let two = tinyPreset(extra: twoLanes)
    let old = try makeRun(two, "old")
    let run = scratch.file("old")
    for path in [run, run + "/checkpoints/2"] {
      let trainer = try begin(two, at: path)
      for (lane, before) in zip(trainer.lanes, old.lanes) {
        #expect(weights(lane) == weights(before))
        // Only weights: the optimiser begins anew.
        #expect(lane.updates == 0)
        #expect(
          lane.arrays().filter { $0.name.hasPrefix("adam") }.allSatisfy {
            $0.array.bytes.allSatisfy { $0 == 0 }
          })
      }
    }
    let first = try begin(two, at: run + "/checkpoints/1")
    #expect(weights(first.lanes[0]) != weights(old.lanes[0]))
    // One set for all lanes, from a folder of files and from a run of one lane.
    let one = try begin(two, at: run + "/checkpoints/2/plain")
    #expect(one.lanes.allSatisfy { weights($0) == weights(old.lanes[1]) })
    let single = try makeRun(tinyPreset(), "single")
    let both = try begin(two, at: scratch.file("single"))
    #expect(both.lanes.allSatisfy { weights($0) == weights(single.lanes[0]) })
    // A lane of its own; one that draws.
    let mixed = try makeTrainer(
      two,
      settings: [
        "training.start=\(run)", "lane.0.training.start=\(run)/checkpoints/1",
        "lane.1.training.start=",
      ])
    #expect(weights(mixed.lanes[0]) == weights(first.lanes[0]))
    #expect(try weights(mixed.lanes[1]) == weights(makeTrainer(two).lanes[1]))
    // On the other solver, as near as its numbers are.
    let exact = try begin(two, at: run, ["simulation.solver=exact"])
    #expect(weights(exact.lanes[0])[0].doubles == weights(old.lanes[0])[0].doubles)
  }

  @Test func errorsNameTheFile() throws {
    try makeRun(tinyPreset(), "old")
    let folder = scratch.file("old/checkpoints/2/sum")
    let file = folder + "/hidden1-output.npy"
    func message(_ path: String, _ settings: [String] = []) -> String {
      let error = #expect(throws: FileError.self) {
        try begin(tinyPreset(), at: path, settings)
      }
      return error.map { "\($0)" } ?? ""
    }
    #expect(message("/nowhere").contains("/nowhere: is not there; training.start takes a run"))
    #expect(message(scratch.path).contains("holds neither input-hidden1.npy nor sum/input-hidden1"))
    #expect(message(folder, ["hidden.0.size=21"]).contains("has shape [5, 20], allowed is [5, 21]"))
    try AtomicFile.write(
      NPYArray([Float](repeating: .nan, count: 60), shape: [20, 3]).fileBytes, to: file)
    #expect(message(folder).contains("\(file): entry [0, 0] is nan"))
    try FileManager.default.removeItem(atPath: file)
    #expect(
      message(folder).contains("is not there; training.start needs input-hidden1.npy, hidden"))
  }

  /// The run keeps what it began with: the files may go.
  @Test func theRunKeepsWhatItBeganWith() throws {
    let two = tinyPreset(extra: twoLanes)
    let old = try makeRun(two, "old")
    let settings = ["training.start=\(scratch.file("old"))"]
    let new = try makeRun(two, "new", settings: settings)
    try FileManager.default.removeItem(atPath: scratch.file("old"))
    let preset = try Preset(ofRun: scratch.file("new"))
    #expect(preset.resolvedText.contains("start = \"\(scratch.file("old"))\""))
    // Again from the beginning, of any seed, and from a checkpoint.
    let again = try Trainer(preset, data: preset.loadData(), threads: 3)
    #expect(weights(again.lanes[1]) == weights(old.lanes[1]))
    _ = try again.runAll()
    #expect(again.state == new.state)
    #expect(try preset.ofSeed(1).lanes[0].start == scratch.file("new/start"))
    let resumed = try RunToResume(scratch.file("new"), isKept: false)
    let trainer = try Trainer(resumed.preset, data: resumed.preset.loadData(), threads: 1)
    try trainer.resume(resumed.path, at: #require(Checkpoint.all(in: resumed.path).first))
    _ = try trainer.runAll()
    #expect(trainer.state == new.state)
    // And a trainer's own twin reads nothing.
    let twin = try Trainer(new.preset, data: new.data, threads: 1)
    #expect(weights(twin.lanes[0]) == weights(old.lanes[0]))
  }

  @Test func lanesKeepAbsolutePaths() throws {
    let two = tinyPreset(extra: twoLanes)
    let preset = try Preset(
      text: two, file: "p", settings: ["lane.1.training.start=weights", "training.start=~/w"])
    #expect(preset.lanes[1].start == FileManager.default.currentDirectoryPath + "/weights")
    #expect(preset.lanes[0].start == NSHomeDirectory() + "/w")
    let again = try Preset(text: preset.resolvedText, file: "again")
    #expect(again.lanes.map(\.start) == preset.lanes.map(\.start))
    #expect(preset.resolvedText.contains(preset.lanes[1].start))
  }

  /// What is said of initial weights is said of these; that they were drawn is not.
  @Test func diagnosisKnows() throws {
    try makeRun(tinyPreset(), "old")
    let trainer = try begin(tinyPreset(), at: scratch.file("old"))
    #expect(trainer.lanes[0].weightStatistics().allSatisfy { $0.drift == 0 })
    let drawn = try makeTrainer(tinyPreset())
    func terms(_ trainer: Trainer) -> Bool {
      let samples = trainer.data.train.samples([0, 1], trainer.preset.data, duration: 30)
      return trainer.lanes[0].initReport(samples, target: nil, known: nil, pool: trainer.pool).terms
        .initial != nil
    }
    #expect(terms(drawn) && !terms(trainer))
  }
}
