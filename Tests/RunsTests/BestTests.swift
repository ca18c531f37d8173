// SPDX-License-Identifier: MIT

@testable import Experiments
@testable import Runs
@testable import Training
import Foundation
import SpikeData
import Support
import Testing

/// The best weights, the end by patience, and when the test samples are looked at.
@Suite struct BestTests {
  let scratch = ScratchDirectory()

  static let text = tinyPreset(
    training: "keep_best = true\ncheckpoint = { every = 2, keep = 0 }", extra: twoLanes)

  /// Trains to the end, or so many batches, in a new run or the one that is there.
  @discardableResult
  func train(
    _ text: String, _ name: String, settings: [String] = [], threads: Int = 1,
    batches: Int = .max, keepsLast: Bool = true
  ) throws -> (trainer: Trainer, rows: [EpochMetrics]) {
    let path = scratch.file(name)
    let resumed = RunDirectory.isRun(path) ? try RunToResume(path) : nil
    let preset =
      try resumed?.preset ?? Preset(text: text, file: "test.toml", settings: settings)
    let trainer = try Trainer(preset, data: preset.loadData(), threads: threads)
    if let place = resumed?.place { try trainer.resume(path, at: place) }
    let run =
      try resumed.map { try RunDirectory(resuming: $0, trainer) }
      ?? RunDirectory(creating: path, preset: preset, network: trainer.network)
    var (rows, count) = ([EpochMetrics](), 0)
    while !trainer.isFinished, count < batches {
      if let finished = try trainer.step().rows {
        rows += finished
        try run.finishEpoch(finished, of: trainer)
      }
      count += 1
    }
    if !trainer.isFinished && keepsLast { try Checkpoint.write(trainer, to: run, keep: 0) }
    return (trainer, rows)
  }

  /// Everything of a run that must not depend on how it got there.
  func content(_ name: String) throws -> [String: Data] {
    let path = scratch.file(name)
    var content: [String: Data] = [:]
    for file in try FileManager.default.subpathsOfDirectory(atPath: path)
    where file.hasPrefix("best/") || ["metrics.csv", "results.csv"].contains(file) {
      content[file] = FileManager.default.contents(atPath: path + "/" + file)
    }
    return content
  }

  /// A kill between the two renames and the removal leaves the old folder: it goes at the resume,
  /// also where no better weights come.
  @Test func leftoversOfAKillGo() throws {
    let settings = ["training.epochs=2", "training.checkpoint.every=1"]
    let (trainer, _) = try train(Self.text, "run", settings: settings)
    let (name, best) = (trainer.lanes[0].name, scratch.file("run/best"))
    let whole = try content("run")
    let files = FileManager.default
    try files.copyItem(atPath: "\(best)/\(name)", toPath: "\(best)/.old-\(name)")
    _ = try train(Self.text, "run")
    #expect(try content("run") == whole)
    // One that stands alone is all there is of it.
    try files.moveItem(atPath: "\(best)/\(name)", toPath: "\(best)/.old-\(name)")
    _ = try train(Self.text, "run")
    #expect(try content("run") == whole)
  }

  @Test func theBestOfAllEpochsIsKept() throws {
    let (trainer, rows) = try train(
      Self.text, "run", settings: ["training.epochs=6", "training.checkpoint.every=1"])
    for lane in trainer.lanes {
      let own = rows.filter { $0.lane == lane.name }
      var best = own[0]
      for row in own.dropFirst()
      where (row.validationAccuracy!, -row.validationLoss!)
        > (best.validationAccuracy!, -best.validationLoss!)
      {
        best = row
      }
      #expect(lane.progress.best?.epoch == best.epoch)
      for name in lane.network.parameterNames {
        let kept = try Data(
          contentsOf: URL(fileURLWithPath: scratch.file("run/best/\(lane.name)/\(name).npy")))
        let then = try Data(
          contentsOf: URL(
            fileURLWithPath: scratch.file("run/checkpoints/\(best.epoch)/\(lane.name)/\(name).npy"))
        )
        #expect(kept == then)
      }
    }
    let results = ResultsTable(ofRun: scratch.file("run"))
    #expect(results.rows.map(\.which) == ["last", "best", "last", "best"])
    #expect(results.rows[0].testAccuracy == rows[rows.count - 2].testAccuracy)
    // What the best weights give is what evaluating their files gives, and changes no weights.
    let state = trainer.state
    let tested = try #require(try trainer.evaluateBest(lane: 1, trainer.data.test))
    #expect(trainer.state == state)
    #expect(
      try BestWeights.load(scratch.file("run"), into: trainer)
        == results.rows.filter {
          $0.which == "best"
        }.map(\.epoch))
    #expect(trainer.evaluate(lane: 1, trainer.data.test).accuracy == tested.accuracy)
    #expect(results.rows[3].testAccuracy == tested.accuracy)
  }

  /// Of two with one accuracy the one with less loss, else the earlier.
  @Test func tiesGoByLoss() {
    let best = LaneProgress.Best(epoch: 1, accuracy: 0.5, loss: 1, weights: [])
    func evaluation(_ accuracy: Double, _ loss: Double) -> Evaluation {
      Evaluation(
        loss: loss, accuracy: accuracy, predictions: [], labels: [], meanSpikes: [], dead: [])
    }
    #expect(best.isBeaten(by: evaluation(0.6, 2)))
    #expect(best.isBeaten(by: evaluation(0.5, 0.9)))
    #expect(!best.isBeaten(by: evaluation(0.5, 1)))
    #expect(!best.isBeaten(by: evaluation(0.4, 0.1)))
  }

  /// Killed anywhere, with the best weights of epochs that are lost on disk: they go, and the end
  /// is the same.
  @Test(arguments: [1, 6, 9, 11, 14]) func aKilledRunHasTheSameBest(batches: Int) throws {
    let settings = ["training.epochs=5"]
    try train(Self.text, "whole", settings: settings)
    try train(Self.text, "run", settings: settings, batches: batches, keepsLast: batches % 2 == 0)
    let (trainer, _) = try train(Self.text, "run", threads: 3, batches: 0)
    for lane in trainer.lanes {
      #expect(lane.progress.best.map { $0.epoch <= trainer.epoch } ?? true)
      let kept = try? String(
        contentsOfFile: scratch.file("run/best/\(lane.name)/best.toml"), encoding: .utf8)
      #expect(kept.map { $0.contains("epoch = \(lane.progress.best?.epoch ?? -1)\n") } ?? true)
      #expect((kept == nil) == (lane.progress.best == nil))
    }
    try train(Self.text, "run", threads: 3)
    #expect(try content("run") == content("whole"))
    #expect(try content("whole").count > 6)
  }

  @Test func samplesForValidationMustBeThere() throws {
    for (setting, key) in [
      ("training.keep_best=true", "training.keep_best"),
      ("training.stop={ patience = 3 }", "training.stop.metric = \"validation_accuracy\""),
    ] {
      let error = #expect(throws: FileError.self) {
        try makeTrainer(tinyPreset(), settings: [setting, "data.validate=0"])
      }
      #expect("\(error!)".contains(key) && "\(error!)".contains("set data.validate,"))
    }
    _ = try makeTrainer(
      tinyPreset(),
      settings: ["training.stop={ patience = 3, metric = \"train_accuracy\" }", "data.validate=0"])
  }

  /// What was lost by going back is not the best any more; what is set aside keeps it.
  @Test func aRestartAndARewindSetItAside() throws {
    let (trainer, _) = try train(Self.text, "run", batches: 8)
    let run = scratch.file("run")
    try withRun({ try RunDirectory(resuming: RunToResume(run), trainer) }) { directory in
      try directory.setAside(rewindingTo: trainer)
      try directory.best.follow(trainer)
    }
    let files = FileManager.default
    #expect(files.fileExists(atPath: run + "/before-rewind-1/best/plain/best.toml"))
    #expect(files.fileExists(atPath: run + "/best/plain/best.toml"))
    _ = try RunToResume(run, startingOver: true)
    #expect(files.fileExists(atPath: run + "/before-restart-1/best/plain/best.toml"))
    #expect(!files.fileExists(atPath: run + "/best"))
  }

  /// Without learning the first evaluation is the best; it is looked for again when the patience is
  /// over, whatever `evaluate_every`, and the last epoch is tested.
  @Test(arguments: [("every", 2), ("end", 2), ("never", 3), ("end", 5)])
  func patienceEndsATraining(tests: String, patience: Int) throws {
    let settings = [
      "training.epochs=40", "training.optimiser.rate=1e-12", "training.evaluate_every=4",
      "training.stop={ patience = \(patience) }", "training.test=\(tests)",
    ]
    let (trainer, rows) = try train(Self.text, "run", settings: settings)
    let first = min(patience, 4)
    #expect(trainer.epoch == first + patience)
    #expect(trainer.stopReason?.contains("no validation_accuracy improved for") ?? false)
    let tested = Set(rows.filter { $0.testAccuracy != nil }.map(\.epoch))
    let evaluated = Set(rows.filter { $0.validationAccuracy != nil }.map(\.epoch))
    #expect(evaluated.contains(trainer.epoch))
    switch tests {
    case "every": #expect(tested == evaluated)
    case "end": #expect(tested == [trainer.epoch])
    default: #expect(tested.isEmpty)
    }
    let results = ResultsTable(ofRun: scratch.file("run")).rows
    #expect(results.count == 4)
    #expect(results.allSatisfy { ($0.testAccuracy == nil) == (tests == "never") })
    #expect(trainer.probeData.count == (tests == "every" ? 40 : 20))
  }

  /// In the midst of the patience, with other threads: the same end, bit by bit.
  @Test(arguments: [3, 9, 13, 18]) func patienceGoesOnAfterAResume(batches: Int) throws {
    let text = tinyPreset(
      training: "stop = { patience = 3, metric = \"train_accuracy\", min_delta = 0.02 }",
      extra: twoLanes)
    let settings = ["training.epochs=60", "training.test=end"]
    let (whole, _) = try train(text, "whole", settings: settings, threads: 3)
    #expect(whole.epoch > 3 && whole.epoch < 60)
    try train(text, "run", settings: settings, batches: batches)
    let (trainer, _) = try train(text, "run")
    #expect(trainer.state == whole.state && trainer.epoch == whole.epoch)
    #expect(try content("run") == content("whole"))
    // Finished it stays, also where more epochs are asked for; more patience goes on.
    func resumed(_ setting: String) throws -> Bool {
      let run = try RunToResume(scratch.file("run"), settings: [setting], isKept: false)
      let trainer = try Trainer(run.preset, data: run.preset.loadData(), threads: 1)
      try trainer.resume(run.path, at: #require(run.place))
      return trainer.isFinished
    }
    #expect(try resumed("training.epochs=80"))
    #expect(try !resumed("training.stop.patience=9"))
  }

  /// A fork has neither the best weights nor the patience of the lane it comes from; what is undone
  /// is undone of the best too.
  @Test func forksAndUndo() throws {
    let trainer = try makeTrainer(Self.text, settings: ["training.stop={ patience = 9 }"])
    while trainer.epoch < 1 { _ = try trainer.step() }
    try trainer.apply(Fork(lane: 1, kind: "sum"))
    #expect(trainer.lanes[2].progress.best == nil)
    #expect(trainer.lanes[2].progress.improved.epoch == 1)
    try trainer.apply(SetRate(lane: 0, 0.05))
    let before = trainer.lanes[0].progress.best?.epoch
    let improved = trainer.lanes[0].progress.improved.epoch
    while trainer.epoch < 3 { _ = try trainer.step() }
    try trainer.apply(Undo())
    #expect(trainer.lanes[0].progress.best?.epoch == before)
    #expect(trainer.lanes[0].progress.improved.epoch == improved + 2)
    #expect(trainer.lanes[2].progress.best != nil)
  }

  @Test func keysAreReadAndWritten() throws {
    let text = tinyPreset(training: "stop = { patience = 4 }\nkeep_best = true\ntest = \"end\"")
    let preset = try Preset(text: text, file: "p")
    #expect(preset.training.stop == StopRule(patience: 4, metric: .validationAccuracy, minDelta: 0))
    #expect(preset.training.keepsBest && preset.training.tests == .end)
    let again = try Preset(text: preset.resolvedText, file: "again")
    #expect(again.training == preset.training)
    for (setting, words) in [
      ("training.stop.patience=0", "from 1 to 1000000"),
      ("training.stop.metric=accuracy", "\"validation_loss\""),
      ("training.test=last", "\"every\", \"end\", \"never\""),
      ("training.stop={}", "is missing"),
      ("training.patience=3", "is not a key here"),
    ] {
      let error = #expect(throws: FileError.self) {
        try Preset(text: text, file: "p", settings: [setting])
      }
      #expect("\(error!)".contains(words), "\(error!)")
    }
  }

  @Test func validationIsAskedForInOneWay() throws {
    let text = tinyPreset()
    let fold = ["data.validate=0", "data.validate_fold=[2, 5]"]
    let preset = try Preset(text: text, file: "p", settings: fold)
    #expect(preset.data?.validation == .fold(2, of: 5))
    let again = try Preset(text: preset.resolvedText, file: "again")
    #expect(again.data?.validation == .fold(2, of: 5))
    #expect(try preset.loadData().validate.count == 26)
    let none = ["data.validate=0", "data.validate_fold=[]", "data.validate_speakers=[]"]
    #expect(
      try Preset(text: text, file: "p", settings: none).data?.validation == ValidationSplit.none)
    for (settings, words) in [
      (["data.validate_fold=[1, 5]"], "goes without validate and validate_speakers"),
      (["data.validate=0", "data.validate_fold=[6, 5]"], "allowed is [k, n]"),
      (["data.validate=0", "data.validate_fold=[0, 5]"], "a whole number from 1 on"),
      (["data.validate=0", "data.validate_fold=[1]"], "allowed is [k, n]"),
      (["data.validate_speakers=[1]"], "goes without validate: choose one"),
    ] {
      let error = #expect(throws: FileError.self) {
        try Preset(text: text, file: "p", settings: settings)
      }
      #expect("\(error!)".contains(words), "\(error!)")
    }
  }
}
