// SPDX-License-Identifier: MIT

import SpikeData
import Experiments
import Live
import Runs
import ArgumentParser
import Diagnosis
import Foundation
import Workbench

struct DiagnoseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diagnose",
    abstract:
      "Watch updates closely: spikes created and deleted, their cost, margins, silence, gradient in time.",
    discussion: """
      Trains a preset from its initial weights, or a run from a checkpoint, for some updates, each of which is observed \
      on the probe set (diagnosis.samples test samples). Writes updates.csv, events.csv, ledger.jsonl (an object for \
      each update and lane), margins.csv, silence.csv and flow.csv. The run itself stays as it is. A network of another \
      program, a NIR file or a folder of weights, is looked at in the same way:

      eventprop diagnose net.nir --data shd --out DIR
      """)

  @Argument(
    help: ArgumentHelp(
      "A preset by name or path, the folder of a run, or a network of another program.",
      valueName: "preset|run|network"), completion: .presetOrRun)
  var name: String

  @Option(help: "Folder for the tables; made when missing.", completion: .directory)
  var out: String

  @OptionGroup var foreign: ForeignOptions

  @Option(help: "Updates to observe.")
  var updates: Int = 20

  @Option(
    help:
      "Of a run: the checkpoint of this epoch, 12, or 12+40 for one after 40 more batches (default: the last)."
  )
  var epoch: String?

  @Option(help: "Threads; the result does not depend on it.")
  var threads: Int = ProcessInfo.processInfo.activeProcessorCount

  @Option(
    name: .customLong("set"), help: "Override a key, as diagnosis.samples=32.",
    completion: .settings)
  var settings: [String] = []

  func validate() throws {
    guard (1...1_000_000).contains(updates) else {
      throw ValidationError("--updates is \(updates), allowed is 1 to 1000000")
    }
    guard (1...256).contains(threads) else {
      throw ValidationError("--threads is \(threads), allowed is 1 to 256")
    }
  }

  func run() throws {
    let isRun = RunDirectory.isRun(name)
    guard isRun || epoch == nil else {
      throw FileError(name, "is not the folder of a run: --epoch needs one")
    }
    let preset =
      !isRun && ForeignOptions.isForeign(name)
      ? try foreign.presetAndData(name, settings: settings, threads: threads).preset
      : isRun
        ? try Preset(ofRun: name, settings: settings)
        : try Preset(contentsOf: PresetLibrary.path(of: name), settings: settings)
    let place = isRun ? try Checkpoint.find(in: name, named: epoch) : nil
    let session = try DiagnosisSession(
      preset, run: isRun ? name : nil, place: place, threads: threads)
    var updateLines = [DiagnosisFiles.updatesHeader]
    var eventLines = [DiagnosisFiles.eventsHeader]
    var ledgers: [(lane: String, ledger: Ledger)] = []
    let fields = Dictionary(session.identities.map { ($0.name, $0.fields) }) { a, _ in a }
    for _ in 0..<updates {
      for (lane, ledger) in try session.observeUpdate() {
        updateLines += DiagnosisFiles.updates(ledger, lane: fields[lane] ?? lane)
        eventLines += DiagnosisFiles.events(ledger, lane: fields[lane] ?? lane)
        ledgers.append((lane, ledger))
      }
    }
    let gradients = session.snapshot(.gradients)
    let ledger = session.snapshot(.ledger)
    let silence = session.snapshot(.silence)
    try write(updateLines.joined(separator: "\n") + "\n", to: "updates.csv")
    try write(eventLines.joined(separator: "\n") + "\n", to: "events.csv")
    let lines = ledgers.map {
      LedgerLines.line($0.ledger, lane: $0.lane, sample: ledger.sample(ofTrial:))
    }
    try write(lines.joined(separator: "\n") + "\n", to: "ledger.jsonl")
    try write(DiagnosisFiles.margins(ledger), to: "margins.csv")
    try write(DiagnosisFiles.silence(silence), to: "silence.csv")
    try write(DiagnosisFiles.flow(gradients), to: "flow.csv")
    report(session.totals, silence)
  }

  private func write(_ text: String, to file: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
      try text.write(
        toFile: (out as NSString).appendingPathComponent(file), atomically: true, encoding: .utf8)
    } catch {
      throw FileError(
        (out as NSString).appendingPathComponent(file),
        "cannot be written: \((error as NSError).localizedDescription)")
    }
  }

  private func report(_ sums: [LedgerTotals], _ silence: Snapshot) {
    Console.out(
      "lane             updates  created  deleted    moved   predicted      actual  silent  by creation, deletion"
    )
    for (totals, lane) in zip(sums, silence.lanes) {
      Console.out(
        Console.pad(lane.name, 16)
          + String(
            format: "%8d %8d %8d %8d  %+10.3e  %+10.3e%8d  ", totals.updates,
            totals.created, totals.deleted, totals.moved, totals.predicted, totals.actual,
            lane.silence?.neurons.count ?? 0) + LedgerScreen.effect(totals))
    }
    Console.out(
      "wrote updates.csv, events.csv, ledger.jsonl, margins.csv, silence.csv, flow.csv in \(out)")
  }
}
