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
    commandName: "evaluate", abstract: "Accuracy of a run's checkpoint, by class and by speaker.")

  enum Split: String, ExpressibleByArgument, CaseIterable { case test, validation, train }

  @Argument(help: ArgumentHelp("The folder of a run.", valueName: "run"))
  var folder: String

  @Option(help: "Which samples.")
  var split: Split = .test

  @Option(
    help:
      "Checkpoint of this epoch, 12, or 12+40 for one after 40 more batches (default: the last).")
  var epoch: String?

  @Option(name: .customLong("set"), help: "Override a key, as data.path=FOLDER.")
  var settings: [String] = []

  @Option(help: "Threads to use.")
  var threads: Int = ProcessInfo.processInfo.activeProcessorCount

  @Flag(help: "Also print the confusion matrix of every lane.")
  var confusion = false

  func validate() throws {
    guard (1...256).contains(threads) else {
      throw ValidationError("--threads is \(threads), allowed is 1 to 256")
    }
  }

  func run() throws {
    let preset = try Preset(ofRun: folder, settings: settings)
    let place = try Checkpoint.find(in: folder, named: epoch)
    let data = try preset.loadData()
    for note in data.notes { Console.out(note) }
    let trainer = try Trainer(preset, data: data, threads: threads)
    try trainer.resume(folder, at: place)
    let chosen = split == .test ? data.test : split == .train ? data.train : data.validate
    guard chosen.count > 0 else {
      throw FileError(folder, "the preset has no \(split.rawValue) samples")
    }
    Console.out(
      "checkpoint of \(place.words), \(chosen.count) \(split.rawValue) samples of \(chosen.name)"
    )
    for (lane, name) in trainer.laneNames.enumerated() {
      report(name, trainer.evaluate(lane: lane, chosen), chosen, unseen: data.unseenSpeakers)
    }
  }

  private func report(
    _ name: String, _ result: Evaluation, _ data: SpikeDataSet, unseen: [Int]
  ) {
    Console.out(
      String(
        format: "\n%@: accuracy %@, loss %.4f", name, Console.percent(result.accuracy), result.loss)
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
    for (label, title) in data.classNames.enumerated() {
      guard let accuracy = result.accuracy(where: { result.labels[$0] == label }) else { continue }
      let bar = Console.bar(accuracy, width: 20)
      Console.out(
        "  \(Console.pad(title, width)) \(bar) "
          + Console.percent(accuracy))
    }
    if confusion { printConfusion(result, data.classNames, width) }
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
