// SPDX-License-Identifier: MIT

import ArgumentParser
import Diagnosis
import Experiments
import Foundation
import Live
import Runs
import SpikeData
import Training

struct CrossvalidateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crossvalidate",
    abstract: "Train a preset once for each part of its training samples that is left out.",
    discussion: """
      Validates on what is left out; the test samples are not looked at without --test. Each fold is a run in DIR; the \
      same command again goes on where it was, and leaves finished folds as they are. DIR/folds.csv has the results.
      """)

  enum Part: String, ExpressibleByArgument, CaseIterable { case speaker }

  @Argument(help: "A preset by name or path.", completion: .preset)
  var preset: String

  @Option(help: "Leave out one speaker at a time: speaker.")
  var by: Part?

  @Option(help: "Leave out one of so many parts at a time, alike in classes and drawn by the seed.")
  var folds: Int?

  @Option(help: "Train until this many epochs are done (overrides training.epochs).")
  var epochs: Int?

  @Option(help: "Train every lane of each fold with so many seeds (overrides seeds of the preset).")
  var seeds: Int?

  @Option(help: ArgumentHelp("Folder of the folds.", valueName: "dir"), completion: .directory)
  var out: String

  @Option(
    name: .customLong("set"), help: "Override a key: training.epochs=5, hidden.0.size=100.",
    completion: .settings)
  var settings: [String] = []

  @Option(help: "Threads to train with; the result does not depend on it.")
  var threads: Int = ProcessInfo.processInfo.activeProcessorCount

  @Flag(help: "Look at the test samples after the last epoch of each fold.")
  var test = false

  static let mostFolds = 1000

  func validate() throws {
    guard (by == nil) != (folds == nil) else {
      throw ValidationError("say what is left out: --by speaker, or --folds K")
    }
    guard folds.map({ (2...Self.mostFolds).contains($0) }) ?? true else {
      throw ValidationError("--folds is \(folds!), allowed is 2 to \(Self.mostFolds)")
    }
    guard (1...256).contains(threads) else {
      throw ValidationError("--threads is \(threads), allowed is 1 to 256")
    }
    guard epochs.map({ (1...1_000_000).contains($0) }) ?? true else {
      throw ValidationError("--epochs is \(epochs!), allowed is 1 to 1000000")
    }
    guard seeds.map({ (1...Preset.mostSeeds).contains($0) }) ?? true else {
      throw ValidationError("--seeds is \(seeds!), allowed is 1 to \(Preset.mostSeeds)")
    }
  }

  func run() throws {
    var console = Console()
    let base = try Preset(
      contentsOf: PresetLibrary.path(of: preset),
      settings: settings + (seeds.map { ["seeds=\($0)"] } ?? [])
        + (epochs.map { ["training.epochs=\($0)"] } ?? []))
    let whole = try CrossValidation(
      base, by: folds.map { .fold(of: $0) } ?? .speaker, in: out, tests: test,
      progress: { Console.say($0) })
    var results: [FoldResult] = []
    for (index, fold) in whole.folds.enumerated() {
      console.line("\(fold.name), \(index + 1) of \(whole.folds.count)")
      try train(fold, &console)
      results += fold.results()
      try AtomicFile.write(
        Array(FoldResult.csv(results).utf8),
        to: (out as NSString).appendingPathComponent("folds.csv"))
    }
    for line in FoldLines.lines(results) { console.line(line) }
  }

  private func train(_ fold: CrossValidation.Fold, _ console: inout Console) throws {
    let resumed = try fold.resumed()
    if resumed != nil, try fold.isFinished() {
      console.line("finished already")
      return
    }
    let plan = TrainingPlan(
      resumed?.preset ?? fold.preset, threads: threads, resumed: resumed, out: fold.folder,
      progress: { Console.say($0) })
    let members = try SeedMembers(
      plan, detail: "threads \(threads)", willResume: StopSignal.install)
    console.note("")
    console.clear()
    let data = members.first.trainer.data
    console.line(
      "\(data.train.count) training, \(data.validate.count) left out; run \(fold.folder)")
    try HeadlessTraining(members, goOn: "eventprop crossvalidate ..., as before").run(&console)
  }
}

/// The results of all folds in a few lines.
enum FoldLines {
  static func lines(_ results: [FoldResult]) -> [String] {
    let score = (results.first?.score ?? .accuracy).word
    var lines = table(
      "\(score) on what was left out, last epoch", results, isCompared: true
    ) { $0.accuracy }
    lines += table(
      "the same in the best epoch: optimistic, since chosen on the same samples", results
    ) { $0.best?.validationAccuracy }
    lines += table("test \(score), last epoch", results) { $0.last?.testAccuracy }
    lines += table("test \(score) of the best epoch's weights", results) {
      $0.best?.testAccuracy
    }
    return lines
  }

  /// A line for each fold, a column for each lane; nothing where a value is not known.
  private static func table(
    _ title: String, _ results: [FoldResult], isCompared: Bool = false,
    _ value: (FoldResult) -> Double?
  ) -> [String] {
    var (folds, lanes) = ([String](), [String]())
    for result in results {
      if !folds.contains(result.fold) { folds.append(result.fold) }
      if !lanes.contains(result.lane) { lanes.append(result.lane) }
    }
    // Over seeds, where there are several.
    func mean(_ fold: String, _ lane: String) -> Double? {
      let values = results.filter { $0.fold == fold && $0.lane == lane }.map(value)
      let known = values.compactMap { $0 }
      guard !known.isEmpty, known.count == values.count else { return nil }
      return known.reduce(0, +) / Double(known.count)
    }
    let columns = lanes.map { lane in folds.map { mean($0, lane) } }
    guard columns.contains(where: { $0.contains { $0 != nil } }) else { return [] }
    let seeds = Set(results.map(\.seed)).count
    let width = max(11, folds.map(\.count).max() ?? 0)
    let letters = lanes.indices.map { Trainer.letter($0) }
    let heads = zip(letters, lanes).map { "\($0) \($1)" }
    let widths = heads.map { max(16, $0.count + 2) }
    func row(_ head: String, _ cells: [String]) -> String {
      Console.pad(head, width)
        + zip(cells, widths).map { String(repeating: " ", count: max(1, $1 - $0.count)) + $0 }
        .joined()
    }
    var lines = ["", title + (seeds > 1 ? ", mean over \(seeds) seeds" : "")]
    lines.append(row("", heads))
    for (index, fold) in folds.enumerated() {
      lines.append(row(fold, columns.map { Console.percent($0[index]) }))
    }
    let spreads = columns.map { ResultLines.spread($0) }
    lines.append(row("mean ± sd", spreads))
    if isCompared { lines += verdicts(columns, letters) }
    return lines
  }

  private static func verdicts(_ columns: [[Double?]], _ letters: [String]) -> [String] {
    func points(_ column: [Double?]) -> [Double] { column.compactMap { $0.map { 100 * $0 } } }
    let lines = columns.indices.dropFirst().compactMap { index in
      SeedComparison(first: points(columns[0]), second: points(columns[index])).map {
        $0.verdict(first: letters[0], second: letters[index], of: "fold")
      }
    }
    guard !lines.isEmpty else { return [] }
    return lines + ["folds share training samples: p and interval are optimistic"]
  }
}
