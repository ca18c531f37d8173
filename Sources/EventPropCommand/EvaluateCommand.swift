// SPDX-License-Identifier: MIT

import Charts
import Experiments
import Runs
import Training
import ArgumentParser
import Foundation
import SpikeData
import Workbench

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Accuracy of checkpoints of runs, by class and by speaker.",
    discussion: """
      All seeds of a run are evaluated. Several of them, or several runs, are a line each, with mean and standard \
      deviation over seeds.
      """)

  enum Split: String, ExpressibleByArgument, CaseIterable { case test, validation, train }

  @Argument(help: ArgumentHelp("Folders of runs.", valueName: "run"), completion: .run)
  var folders: [String]

  @Option(help: "Which samples.")
  var split: Split = .test

  @Option(
    help:
      "Checkpoint of this epoch, 12, or 12+40 for one after 40 more batches (default: the last).")
  var epoch: String?

  @Flag(help: "The weights with the best validation accuracy, in place of a checkpoint's.")
  var best = false

  @Option(
    help: ArgumentHelp("Folder of the data files, in place of data.path.", valueName: "path"),
    completion: .directory)
  var data: String?

  @Option(
    name: .customLong("set"), help: "Override a key, as data.path=FOLDER or data.test_file=FILE.",
    completion: .settings)
  var settings: [String] = []

  @Option(
    help: ArgumentHelp(
      "Write a row per run, seed and lane; FILE-groups.csv has classes and speakers.",
      valueName: "file"), completion: .file())
  var csv: String?

  @Option(
    help: ArgumentHelp("Write the prediction for every sample as CSV.", valueName: "file"),
    completion: .file())
  var predictions: String?

  @Option(help: "Threads to use.")
  var threads: Int = ProcessInfo.processInfo.activeProcessorCount

  @Flag(help: "Also list every speaker.")
  var speakers = false

  @Flag(help: "Also print the confusion matrix of every lane.")
  var confusion = false

  func validate() throws {
    guard (1...256).contains(threads) else {
      throw ValidationError("--threads is \(threads), allowed is 1 to 256")
    }
    guard !folders.isEmpty else { throw ValidationError("name the folder of a RUN") }
    guard !best || epoch == nil else {
      throw ValidationError("--best is of an epoch of its own: no --epoch")
    }
  }

  func run() throws {
    let settings = settings + (data.map { ["data.path=\($0)"] } ?? [])
    let runs = try folders.map { folder in
      let preset = try Preset(ofRun: folder, settings: settings)
      return (folder, preset, seeds: SeedFolder.all(of: folder, preset))
    }
    let isOne = runs.count == 1 && runs[0].seeds.count == 1
    var scores: [Score] = []
    for (folder, preset, seeds) in runs {
      var known: DataSplits?
      for (seed, path) in seeds {
        let own = try path == folder ? preset : Preset(ofRun: path, settings: settings)
        let isSame = known != nil && !(own.data?.isGenerated ?? true)
        let data = try isSame ? known! : own.loadData()
        if known == nil { for note in data.notes { Console.out(note) } }
        known = data
        let found = try evaluate(own, data, run: folder, seed: seed, path)
        if isOne { report(found, unseen: data.unseenSpeakers) }
        scores += found
      }
    }
    if !isOne { for line in EvaluationTables.summary(scores) { Console.out(line) } }
    if let csv {
      try write(EvaluationTables.scores(scores, split: split.rawValue), to: csv)
      try write(EvaluationTables.groups(scores), to: EvaluationTables.groupsFile(csv))
    }
    if let predictions { try write(EvaluationTables.predictions(scores), to: predictions) }
  }

  private func write(_ lines: [String], to path: String) throws {
    try AtomicFile.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: path)
  }

  /// All lanes of a run of one seed.
  private func evaluate(
    _ preset: Preset, _ data: DataSplits, run: String, seed: Int, _ folder: String
  ) throws -> [Score] {
    let place = try Checkpoint.find(in: folder, named: epoch)
    let trainer = try Trainer(preset, data: data, threads: threads)
    try trainer.resume(folder, at: place)
    let epochs = try best ? BestWeights.load(folder, into: trainer) : nil
    let chosen = split == .test ? data.test : split == .train ? data.train : data.validate
    guard chosen.count > 0 else {
      throw FileError(folder, "the preset has no \(split.rawValue) samples")
    }
    return trainer.laneNames.enumerated().map { lane, name in
      Score(
        run: run, seed: seed, lane: name, which: best ? "best" : "checkpoint",
        epoch: epochs.map { String($0[lane]) } ?? place.name,
        words: epochs.map { "best weights, of epoch \($0[lane])" }
          ?? "checkpoint of \(place.words)",
        result: trainer.evaluate(lane: lane, chosen), data: chosen)
    }
  }

  private func report(_ scores: [Score], unseen: [Int]) {
    for (index, score) in scores.enumerated() {
      if index == 0 || best {
        Console.out(
          "\(score.words), \(score.data.count) \(split.rawValue) samples of \(score.data.name)")
      }
      report(score, unseen: unseen)
    }
  }

  private func report(_ score: Score, unseen: [Int]) {
    let (result, data) = (score.result, score.data)
    Console.out(
      String(
        format: "\n%@: %@ %@, loss %.4f", score.lane, data.score.word,
        Console.percent(result.accuracy), result.loss)
    )
    for (layer, spikes) in result.meanSpikes.enumerated() {
      Console.out(
        String(
          format: "  hidden%d: %.2f spikes per neuron and trial, %d neurons silent throughout",
          layer + 1, spikes, result.dead[layer]))
    }
    if !data.speakers.isEmpty && !unseen.isEmpty {
      let seen = result.accuracy { !unseen.contains(data.speakers[$0]) }
      let new = result.accuracy { unseen.contains(data.speakers[$0]) }
      Console.out(
        "  seen speakers \(Console.percent(seen)), unseen speakers \(Console.percent(new))")
    }
    let width = max(8, data.classNames.map(\.count).max() ?? 0)
    for group in score.classes { list(group, width) }
    if speakers {
      Console.out(data.speakers.isEmpty ? "  these data name no speakers" : "  by speaker")
      for group in score.speakers { list(group, width) }
    }
    if confusion, data.targets == nil { printConfusion(result, data.classNames, width) }
  }

  private func list(_ group: Score.Group, _ width: Int) {
    let bar = Console.bar(group.accuracy, width: 20)
    Console.out("  \(Console.pad(group.name, width)) \(bar) " + Console.percent(group.accuracy))
  }

  private func printConfusion(_ result: Evaluation, _ classes: [String], _ width: Int) {
    var counts = Array(
      repeating: Array(repeating: 0, count: classes.count + 1), count: classes.count)
    for (label, prediction) in zip(result.labels, result.predictions) {
      counts[label][prediction < 0 ? classes.count : prediction] += 1
    }
    Console.out("  confusion (rows: label; columns: prediction)")
    let titles = classes + ["none"]
    let cell = max(5, min(10, titles.map(\.count).max()! + 1))
    // Names over columns are cut to fit; those that then look alike give way to their numbers.
    var heads = titles.map { $0.count < cell ? $0 : $0.prefix(cell - 2) + "…" }
    if Set(heads).count < heads.count { heads = classes.indices.map(String.init) + ["none"] }
    Console.out(
      "  \(Console.pad("", width))" + heads.map { Text.right($0, cell) }.joined())
    for row in counts.indices {
      let cells = counts[row].map { Text.right(String($0), cell) }.joined()
      Console.out("  \(Console.pad(classes[row], width))\(cells)")
    }
  }
}
