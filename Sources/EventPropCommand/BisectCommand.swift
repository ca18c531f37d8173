// SPDX-License-Identifier: MIT

import ArgumentParser
import Diagnosis
import Foundation
import Live
import Runs
import Experiments
import SpikeData
import Workbench

struct BisectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bisect",
    abstract: "Find the one update of a run that killed a neuron, or that cost the accuracy.",
    discussion: """
      Goes back over the run's checkpoints to one at which it was not yet so, trains on from there again, bit by bit, \
      and looks after every batch. What can be looked for: \(BisectQuestion.usage). Of several such updates it is \
      the last one. Prints the ledger of the update; the run stays as it is. Exit status 1 when no update did it.
      """)

  @Argument(help: ArgumentHelp("The folder of a run.", valueName: "run"), completion: .run)
  var folder: String

  @Argument(help: ArgumentHelp("What to look for, as dead hidden1 17.", valueName: "what"))
  var question: [String]

  @Option(help: "Lane by its name (default: the first).")
  var lane: String?

  @Option(help: "Checkpoint at which it is so: 12, or 12+40 (default: the last).")
  var epoch: String?

  @Option(
    help: "Write all created and deleted spikes of the update to this file.", completion: .file())
  var csv: String?

  @Option(help: "Threads; the result does not depend on it.")
  var threads: Int = ProcessInfo.processInfo.activeProcessorCount

  @Option(
    name: .customLong("set"), help: "Override a key, as data.path=FOLDER.", completion: .settings)
  var settings: [String] = []

  func validate() throws {
    guard BisectQuestion(words: question) != nil else {
      throw ValidationError(
        "\"\(question.joined(separator: " "))\" cannot be looked for; allowed is \(BisectQuestion.usage)"
      )
    }
    guard (1...256).contains(threads) else {
      throw ValidationError("--threads is \(threads), allowed is 1 to 256")
    }
  }

  func run() throws {
    let preset = try Preset(ofRun: folder, settings: settings)
    let place = try Checkpoint.find(in: folder, named: epoch)
    var console = Console()
    let bisection = try RunBisection(
      BisectQuestion(words: question)!, run: folder, preset: preset, at: place, lane: lane,
      threads: threads)
    let result = bisection.find { console.progress($0) }
    console.clear()
    guard let found = result.found else {
      Console.out(result.words)
      throw ExitCode(1)
    }
    Console.out(found.sentence)
    guard found.batch != nil,
      let lane = found.snapshot.lanes.first(where: { $0.identity == found.lane }),
      let ledger = lane.ledger
    else { return }
    Console.out(
      String(
        format: "loss of the probe: %.4g before, %.4g after; predicted change %+.3e, actual %+.3e",
        ledger.lossBefore, ledger.lossAfter, ledger.predicted, ledger.lossAfter - ledger.lossBefore)
    )
    Console.out("\(ledger.created) spikes created, \(ledger.deleted) deleted on the probe")
    for event in ledger.events.prefix(10) {
      let cost = event.lossChange.map { String(format: "  change of loss %+.3e", $0) } ?? ""
      Console.out(
        String(
          format: "  %@ %@ neuron %d, sample %d, %.1f ms",
          event.kind.rawValue, lane.layerName(event.layer), event.neuron,
          found.snapshot.sample(ofTrial: event.trial), event.time) + cost)
    }
    guard let csv else { return }
    let lines = [DiagnosisFiles.eventsHeader] + DiagnosisFiles.events(ledger, lane: lane.fields)
    guard
      FileManager.default.createFile(
        atPath: csv, contents: Data((lines.joined(separator: "\n") + "\n").utf8))
    else { throw FileError(csv, "cannot be written") }
    Console.out("wrote \(csv)")
  }
}
