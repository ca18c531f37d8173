// SPDX-License-Identifier: MIT

import Charts
import SpikeData
import Experiments
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
      Results go to runs/<name>-<n>/: preset.toml, metrics.csv (a row per epoch and lane), commands.jsonl,
      checkpoints/. Ctrl-C, SIGTERM and SIGHUP end the training after the current batch with a checkpoint.
      """)

  @Argument(help: "A preset by name or path.")
  var preset: String?

  @Option(name: .customLong("set"), help: "Override a key: training.epochs=5, hidden.0.size=100.")
  var settings: [String] = []

  @Option(help: "Train until this many epochs are done (overrides training.epochs).")
  var epochs: Int?

  @Option(help: "Threads to train with; the result does not depend on it.")
  var threads: Int = ProcessInfo.processInfo.activeProcessorCount

  @Option(help: "Folder of the run; must not exist or be empty.")
  var out: String?

  @Option(help: ArgumentHelp("Go on with this run from its last checkpoint.", valueName: "run"))
  var resume: String?

  @Flag(
    help: "With --resume: begin anew; what the run has so far moves to before-restart-n/ in it.")
  var startOver = false

  @Option(help: ArgumentHelp("Apply the commands of a session's commands.jsonl.", valueName: "log"))
  var replay: String?

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
    guard resume == nil || out == nil else {
      throw ValidationError("--resume goes on in the run's own folder: no --out")
    }
    guard resume == nil || replay == nil else {
      throw ValidationError("--replay begins a new run: no --resume")
    }
    guard resume != nil || !startOver else {
      throw ValidationError("--start-over goes with --resume")
    }
  }

  func run() throws {
    var console = Console()
    var settings = settings
    if let epochs { settings.append("training.epochs=\(epochs)") }
    if let replay {
      let preset = try Preset(
        contentsOf: PresetLibrary.path(of: self.preset!), settings: settings)
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
    let data = try preset.loadData { console.note($0) }
    for note in data.notes { console.line(note) }
    console.clear()
    let trainer = try Trainer(preset, data: data, threads: threads)
    // Until here there was nothing to keep, and signals ended the program at once.
    StopSignal.install()
    if let resumed, let place = resumed.place { try trainer.resume(resumed.path, at: place) }
    let run =
      try resumed.map { try RunDirectory(resuming: $0, trainer) }
      ?? RunDirectory(creating: out, preset: preset, network: trainer.network)
    try run.logBeginning(of: trainer, detail: "threads \(threads)")
    announce(trainer, run, &console)
    if trainer.isFinished, resumed != nil {
      console.line(
        "finished already: \(trainer.epoch) of \(preset.training.epochs) epochs are done; "
          + "--epochs N with a larger N trains on")
      return
    }
    try HeadlessTraining(trainer: trainer, run: run).run(&console)
  }

  /// Repeats a session of the workbench without its screen: the same weights, bit by bit.
  private func replay(_ preset: Preset, log: String, _ console: inout Console) throws {
    let session = try LoggedSession(contentsOf: log)
    let (threads, out) = (threads, out)
    var replay = try Replay(session) {
      try Trainer(preset, data: preset.loadData(), threads: threads)
    } run: {
      try RunDirectory(creating: out, preset: preset, network: $0.network)
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

  private func announce(_ trainer: Trainer, _ run: RunDirectory, _ console: inout Console) {
    let data = trainer.data
    let blended = trainer.epochSamples - data.train.count
    console.line(
      "\(trainer.preset.name): \(data.train.count) training"
        + (blended > 0 ? " and \(blended) blended" : "") + ", \(data.validate.count) validation, "
        + "\(data.test.count) test samples; \(trainer.laneNames.count) "
        + (trainer.laneNames.count == 1
          ? "lane" : "lanes: " + trainer.laneNames.joined(separator: ", "))
    )
    let place =
      trainer.batchInEpoch > 0
      ? "in epoch \(trainer.epoch + 1) after batch \(trainer.batchInEpoch)"
      : "after epoch \(trainer.epoch)"
    console.line(
      "run \(run.path)"
        + (trainer.epoch > 0 || trainer.batchInEpoch > 0 ? ", going on \(place)" : ""))
    if run.droppedRows > 0 {
      console.line(
        "\(run.droppedRows) rows of metrics.csv are beyond the checkpoint: their epochs are trained again"
      )
    }
  }
}

/// The loop of a training without a screen.
struct HeadlessTraining {
  let trainer: Trainer
  let run: RunDirectory
  private let clock = ContinuousClock()

  init(trainer: Trainer, run: RunDirectory) {
    self.trainer = trainer
    self.run = run
  }

  /// - Throws: `ExitCode` after an orderly stop by a signal; errors of training and files.
  func run(_ console: inout Console) throws {
    let training = trainer.preset.training
    let start = clock.now
    let batchesAtStart = trainer.epoch * trainer.batchesPerEpoch + trainer.batchInEpoch
    if trainer.epoch == 0 && trainer.batchInEpoch == 0 { try checkpoint() }
    var epochStart = clock.now
    var samples = 0
    while !trainer.isFinished {
      if StopSignal.current != 0 {
        try stop(&console)
      }
      let rows: [EpochMetrics]?
      do {
        let step = try trainer.step()
        samples += step.samples
        rows = step.rows
      } catch let error as TrainingError {
        keep(after: error, &console)
        throw error
      }
      console.progress(progress(since: start, from: batchesAtStart))
      if let rows {
        let seconds = (clock.now - epochStart) / .seconds(1)
        try run.append(rows)
        for row in rows {
          console.line(summary(row, rate: Double(samples) / seconds))
          for alarm in row.alarms {
            console.line("  ! \(row.lane): \(alarm.kind.rawValue): \(alarm.text)")
          }
        }
        if trainer.epoch % training.checkpointEvery == 0 || trainer.isFinished { try checkpoint() }
        epochStart = clock.now
        samples = 0
      }
    }
    console.clear()
    try run.logEnd(of: trainer, detail: "finished")
  }

  private func checkpoint() throws {
    try Checkpoint.write(trainer, to: run, keep: trainer.preset.training.checkpointsKept)
  }

  /// A batch that failed has changed some lanes and not others: all go back to the beginning of the
  /// epoch, and that is kept.
  private func keep(after error: TrainingError, _ console: inout Console) {
    do {
      guard try trainer.rollBack() else { return }
      try checkpoint()
      try run.logEnd(of: trainer, detail: error.description)
    } catch {
      console.line("\(error)")
    }
  }

  private func stop(_ console: inout Console) throws -> Never {
    try checkpoint()
    try run.logEnd(of: trainer, detail: "signal \(StopSignal.current)")
    console.line(
      "stopped in epoch \(trainer.epoch + 1) after batch \(trainer.batchInEpoch); "
        + "go on with: eventprop train --resume \(Console.shellQuoted(run.path))")
    throw ExitCode(128 + StopSignal.current)
  }

  private func progress(since start: ContinuousClock.Instant, from first: Int) -> String {
    let done = trainer.epoch * trainer.batchesPerEpoch + trainer.batchInEpoch
    let all = trainer.preset.training.epochs * trainer.batchesPerEpoch
    let seconds = (clock.now - start) / .seconds(1)
    let rate = Double(done - first) / max(seconds, 1e-9)
    let left = Text.duration(Double(all - done) / max(rate, 1e-9))
    let losses = zip(trainer.laneNames, trainer.runningMetrics).map { name, metrics in
      String(format: "loss %.4f  acc %.1f %%", metrics.loss, 100 * metrics.accuracy)
    }.joined(separator: " | ")
    let samples = Text.grouped(rate * Double(trainer.preset.training.batch))
    return "epoch \(trainer.epoch + 1)/\(trainer.preset.training.epochs) "
      + Console.bar(Double(done) / Double(max(all, 1)), width: 20)
      + " \(left) left  \(samples) samples/s  \(losses)"
  }

  private func summary(_ row: EpochMetrics, rate: Double) -> String {
    var text = "epoch \(row.epoch)"
    if trainer.laneNames.count > 1 { text += "  \(row.lane)" }
    text +=
      String(format: "  loss %.4f  train ", row.trainLoss) + Console.percent(row.trainAccuracy)
    if let accuracy = row.validationAccuracy { text += "  valid " + Console.percent(accuracy) }
    if let accuracy = row.testAccuracy { text += "  test " + Console.percent(accuracy) }
    for (index, spikes) in row.spikes.enumerated() {
      text += String(format: "  hidden%d %.2f spikes, %d dead", index + 1, spikes, row.dead[index])
    }
    return text + "  \(Text.grouped(rate)) samples/s"
  }
}
