// SPDX-License-Identifier: MIT

import Charts
import SpikeData
import Experiments
import Interchange
import Live
import Runs
import Training
import ArgumentParser
import Foundation
import Workbench

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train the lanes of a preset, or go on with a run.",
    discussion: """
      Results go to runs/<name>-<n>/: preset.toml, metrics.csv (a row per epoch and lane), commands.jsonl, \
      checkpoints/. Ctrl-C, SIGTERM and SIGHUP end the training after the current batch with a checkpoint.
      """)

  @Argument(help: "A preset by name or path.", completion: .preset)
  var preset: String?

  @Option(
    name: .customLong("set"), help: "Override a key: training.epochs=5, hidden.0.size=100.",
    completion: .settings)
  var settings: [String] = []

  @Option(help: "Train until this many epochs are done (overrides training.epochs).")
  var epochs: Int?

  @Option(help: "Train every lane with so many seeds (overrides seeds of the preset).")
  var seeds: Int?

  @Option(help: "Threads to train with; the result does not depend on it.")
  var threads: Int = ProcessInfo.processInfo.activeProcessorCount

  @Option(help: "Folder of the run; must not exist or be empty.", completion: .directory)
  var out: String?

  @Option(
    help: ArgumentHelp("Go on with this run from its last checkpoint.", valueName: "run"),
    completion: .run)
  var resume: String?

  @Flag(
    help: "With --resume: begin anew; what the run has so far moves to before-restart-n/ in it.")
  var startOver = false

  @Option(
    help: ArgumentHelp("Apply the commands of a session's commands.jsonl.", valueName: "log"),
    completion: .file(extensions: ["jsonl"]))
  var replay: String?

  @Option(
    name: .customLong("tensorboard"),
    help: ArgumentHelp(
      "Also write TensorBoard event files: DIR/<lane>, of several seeds DIR/<lane>/seed-<n>.",
      valueName: "dir"))
  var tensorBoard: String?

  func validate() throws {
    guard (preset == nil) != (resume == nil) else {
      throw ValidationError("name a PRESET, or a run with --resume RUN")
    }
    guard (1...256).contains(threads) else {
      throw ValidationError("--threads is \(threads), allowed is 1 to 256")
    }
    guard epochs.map({ (0...1_000_000).contains($0) }) ?? true else {
      throw ValidationError("--epochs is \(epochs!), allowed is 0 to 1000000")
    }
    guard seeds.map({ (1...Preset.mostSeeds).contains($0) }) ?? true else {
      throw ValidationError("--seeds is \(seeds!), allowed is 1 to \(Preset.mostSeeds)")
    }
    guard resume == nil || out == nil else {
      throw ValidationError("--resume goes on in the run's own folder: no --out")
    }
    guard resume == nil || replay == nil else {
      throw ValidationError("--replay begins a new run: no --resume")
    }
    guard replay == nil || tensorBoard == nil else {
      throw ValidationError("--replay repeats what was: no --tensorboard")
    }
    guard resume != nil || !startOver else {
      throw ValidationError("--start-over goes with --resume")
    }
  }

  func run() throws {
    var console = Console()
    var settings = settings
    if let epochs { settings.append("training.epochs=\(epochs)") }
    if let seeds { settings.append("seeds=\(seeds)") }
    if let replay {
      let preset = try Preset(
        contentsOf: PresetLibrary.path(of: self.preset!), settings: settings + ["seeds=1"])
      return try self.replay(preset, log: replay, &console)
    }
    let resumed = try resume.map {
      try RunToResume($0, settings: settings, startingOver: startOver)
    }
    if let place = resumed?.place, let epochs, epochs < place.epoch {
      throw FileError(
        resumed!.path, "has \(place.words) behind it; --epochs \(epochs) would take it back")
    }
    let preset =
      try resumed?.preset
      ?? Preset(contentsOf: PresetLibrary.path(of: self.preset!), settings: settings)
    if let tensorBoard, resumed == nil {
      try TensorBoardLog.makeFolder(tensorBoard, for: preset)
    }
    let plan = TrainingPlan(
      preset, threads: threads, resumed: resumed, out: out, progress: { Console.say($0) })
    let members = try SeedMembers(
      plan, detail: "threads \(threads)", willResume: StopSignal.install)
    let trainer = members.first.trainer
    for note in trainer.data.notes { console.line(note) }
    console.note("")
    console.clear()
    announce(members, &console)
    let logs = try tensorBoard.map { folder in
      try members.all.enumerated().map { index, member in
        try TensorBoardLog(
          folder, member.trainer, run: member.run, isFirst: index == 0,
          hasSeeds: members.all.count > 1)
      }
    }
    if members.isFinished, resumed != nil {
      let training = HeadlessTraining(members)
      if let reason = trainer.stopReason {
        console.line(
          "finished already, after epoch \(trainer.epoch): \(reason); "
            + "--set training.stop.patience=N with a larger N trains on")
      } else {
        console.line(
          "finished already: \(trainer.epoch) of \(preset.training.epochs) epochs are done; "
            + "--epochs N with a larger N trains on")
      }
      try training.finish(&console)
      return
    }
    var training = HeadlessTraining(members)
    if let logs {
      let ofRun = Dictionary(zip(members.all.map(\.run.path), logs)) { a, _ in a }
      training.epochEnded = { try ofRun[$0.run.path]?.append($1, of: $0.trainer) }
    }
    try training.run(&console)
  }

  /// Repeats a session of the workbench without its screen: the same weights, bit by bit.
  private func replay(_ preset: Preset, log: String, _ console: inout Console) throws {
    let session = try LoggedSession(contentsOf: log)
    let (threads, out) = (threads, out)
    var replay = try Replay(session) {
      try Trainer(preset, data: preset.loadData(), threads: threads)
    } run: {
      try RunDirectory(
        creating: out, preset: $0.preset, network: $0.network, score: $0.score)
    }
    StopSignal.install()
    console.line("run \(replay.path)")
    let start = ContinuousClock.now
    let isWhole = try replay.run { trainer in
      let all = session.end?.epoch ?? preset.training.epochs
      if trainer.batchInEpoch == 0 {
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        console.line(
          "epoch \(trainer.epoch)/\(all) replayed, \(Text.duration(seconds))")
      } else {
        console.progress("epoch \(trainer.epoch + 1)/\(all), batch \(trainer.batchInEpoch)")
      }
      return StopSignal.current == 0
    }
    let place = "\(replay.trainer.epoch) epochs and \(replay.trainer.batchInEpoch) batches"
    guard isWhole else {
      console.line("stopped after \(place)")
      throw ExitCode(128 + StopSignal.current)
    }
    console.line(
      "replayed \(session.commands.count) commands over \(place)"
        + (session.end == nil
          ? ": the log does not say where the session ended, so to the preset's last epoch"
          : ": where the session ended"))
  }

  private func announce(_ members: SeedMembers, _ console: inout Console) {
    let (trainer, run) = (members.first.trainer, members.first.run)
    let data = trainer.data
    let blended = trainer.epochSamples - data.train.count
    console.line(
      "\(trainer.preset.name): \(data.train.count) training"
        + (blended > 0 ? " and \(blended) blended" : "") + ", \(data.validate.count) validation, "
        + "\(data.test.count) test samples; \(trainer.laneNames.count) "
        + (trainer.laneNames.count == 1
          ? "lane" : "lanes: " + trainer.laneNames.joined(separator: ", "))
        + (members.all.count > 1
          ? "; seeds \(members.all.map { "\($0.trainer.preset.seed)" }.joined(separator: ", "))"
          : ""))
    let place =
      trainer.batchInEpoch > 0
      ? "in epoch \(trainer.epoch + 1) after batch \(trainer.batchInEpoch)"
      : "after epoch \(trainer.epoch)"
    console.line(
      "run \(run.path)"
        + (trainer.epoch > 0 || trainer.batchInEpoch > 0 ? ", going on \(place)" : ""))
    let dropped = members.all.reduce(0) { $0 + $1.run.droppedRows }
    if dropped > 0 {
      console.line(
        "\(dropped) rows of metrics.csv are beyond the checkpoint: their epochs are trained again"
      )
    }
  }
}
