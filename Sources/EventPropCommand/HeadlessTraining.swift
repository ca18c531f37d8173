// SPDX-License-Identifier: MIT

import Charts
import ArgumentParser
import Diagnosis
import Foundation
import Live
import Runs
import Training

/// The loop of a training without a screen.
struct HeadlessTraining {
  let members: SeedMembers
  /// Told the share of all batches that are done, after every batch.
  var tell: ((Double) -> Void)?
  /// Told the rows of a member's epoch, once they are kept.
  var epochEnded: ((SeedMembers.Member, [EpochMetrics]) throws -> Void)?
  /// How a stopped training is gone on with; nil: by `train --resume`.
  var goOn: String?
  private let clock = ContinuousClock()

  init(_ members: SeedMembers, tell: ((Double) -> Void)? = nil, goOn: String? = nil) {
    (self.members, self.tell, self.goOn) = (members, tell, goOn)
  }

  private var trainer: Trainer { members.first.trainer }
  private var hasSeeds: Bool { members.all.count > 1 }

  /// - Throws: `ExitCode` after an orderly stop by a signal; errors of training and files.
  func run(_ console: inout Console) throws {
    let start = clock.now
    let batchesAtStart = batchesDone
    for member in members.all where member.trainer.epoch == 0 && member.trainer.batchInEpoch == 0 {
      try checkpoint(member)
    }
    var epochStart = clock.now
    var samples = 0
    var tests: [[EpochMetrics]] = members.all.map { _ in [] }
    while !members.isFinished {
      if StopSignal.current != 0 {
        try stop(&console)
      }
      let steps = try members.step()
      for (index, result) in steps {
        let member = members.all[index]
        let rows: [EpochMetrics]?
        do {
          let step = try result.get()
          samples += step.samples
          rows = step.rows
        } catch let error as TrainingError {
          let named =
            hasSeeds
            ? TrainingError(
              description: "seed \(member.trainer.preset.seed): \(error.description)") : error
          for member in members.all { keep(member, after: named, &console) }
          throw named
        }
        guard let rows else { continue }
        let seconds = (clock.now - epochStart) / .seconds(1)
        for row in rows {
          // Of several seeds there is one line for all; each has its own metrics.csv.
          if !hasSeeds { console.line(summary(row, rate: Double(samples) / seconds)) }
          let place = hasSeeds ? "seed \(member.trainer.preset.seed), \(row.lane)" : row.lane
          for alarm in row.alarms {
            console.line("  ! \(place): \(alarm.kind.rawValue): \(alarm.text)")
          }
        }
        tests[index] = rows
        try member.run.finishEpoch(rows, of: member.trainer)
        try epochEnded?(member, rows)
        if let reason = member.trainer.stopReason {
          console.line("\(seed(member))finished: \(reason)")
        }
        if index == steps.last?.index {
          for line in SeedSummary.lines(tests, epoch: rows[0].epoch) { console.line(line) }
          epochStart = clock.now
          samples = 0
        }
      }
      console.progress(progress(since: start, from: batchesAtStart))
      tell?(Double(batchesDone) / Double(max(allBatches, 1)))
    }
    console.clear()
    for member in members.all {
      try member.run.logEnd(of: member.trainer, detail: member.trainer.stopReason ?? "finished")
    }
    try finish(&console)
  }

  /// What the training has come to, written where it is missing.
  func finish(_ console: inout Console) throws {
    let results = try members.all.map { try $0.run.writeResults(of: $0.trainer) }
    for line in ResultLines.lines(results.compactMap { $0 }) { console.line(line) }
    guard hasSeeds else { return }
    let runs = members.all.map { $0.run.path }
    let score = trainer.score.word
    for line in SeedSummary.verdicts(trainer.preset, runs: runs, score: score) {
      console.line(line)
    }
  }

  private func seed(_ member: SeedMembers.Member) -> String {
    hasSeeds ? "seed \(member.trainer.preset.seed): " : ""
  }

  private func checkpoint(_ member: SeedMembers.Member) throws {
    try Checkpoint.write(
      member.trainer, to: member.run, keep: trainer.preset.training.checkpointsKept)
  }

  /// A batch that failed has changed some lanes and not others: all go back to the beginning of the
  /// epoch, and that is kept.
  private func keep(
    _ member: SeedMembers.Member, after error: TrainingError, _ console: inout Console
  ) {
    do {
      guard try member.trainer.rollBack() else { return }
      try checkpoint(member)
      try member.run.logEnd(of: member.trainer, detail: error.description)
    } catch {
      console.line("\(error)")
    }
  }

  private func stop(_ console: inout Console) throws -> Never {
    for member in members.all {
      try checkpoint(member)
      try member.run.logEnd(of: member.trainer, detail: "signal \(StopSignal.current)")
    }
    console.line(
      "stopped in epoch \(trainer.epoch + 1) after batch \(trainer.batchInEpoch); "
        + "go on with: "
        + (goOn ?? "eventprop train --resume \(Console.shellQuoted(members.first.run.path))"))
    throw ExitCode(128 + StopSignal.current)
  }

  private var batchesDone: Int {
    members.all.reduce(0) {
      $0 + $1.trainer.epoch * $1.trainer.batchesPerEpoch + $1.trainer.batchInEpoch
    }
  }

  private var allBatches: Int {
    batchesDone + members.all.reduce(0) { $0 + $1.trainer.batchesLeft }
  }

  private func progress(since start: ContinuousClock.Instant, from first: Int) -> String {
    let done = batchesDone
    let all = allBatches
    let seconds = (clock.now - start) / .seconds(1)
    let rate = Double(done - first) / max(seconds, 1e-9)
    let left = Text.duration(Double(all - done) / max(rate, 1e-9))
    // Of several seeds one that others wait for.
    let trainer = members.behind.trainer
    let losses = zip(trainer.laneNames, trainer.runningMetrics).map { name, metrics in
      String(
        format: "loss %.4f  %@ %.1f %%", metrics.loss,
        trainer.score == .accuracy ? "acc" : "R²", 100 * metrics.accuracy)
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
      String(format: "  loss %.4f  ", row.trainLoss) + trainer.score.prefix
      + "train " + Console.percent(row.trainAccuracy)
    if let accuracy = row.validationAccuracy { text += "  valid " + Console.percent(accuracy) }
    if let accuracy = row.testAccuracy { text += "  test " + Console.percent(accuracy) }
    for (index, spikes) in row.spikes.enumerated() {
      text += String(format: "  hidden%d %.2f spikes, %d dead", index + 1, spikes, row.dead[index])
    }
    return text + "  \(Text.grouped(rate)) samples/s"
  }
}
