// SPDX-License-Identifier: MIT

import ArgumentParser
import Diagnosis
import Experiments
import Foundation
import SpikeData
import Training
import Workbench

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Look at a preset's network before the first batch, and say what to change.",
    discussion: """
      Runs some training samples, evenly spread, through the initial weights of every lane: who spikes, what drives \
      whom, how far down the gradient comes, which samples give their label's output none. Then advice, each with a \
      number and the key to change; factors are found on these samples. Lanes that start alike share a table. Exit \
      status 0 whatever is found.
      """)

  @Argument(help: "A preset by name or path.", completion: .preset)
  var preset: String

  @Option(help: "Training samples to look at.")
  var samples: Int = 32

  @Option(
    help:
      "Spikes per neuron and trial that hidden layers are to have (default: 1 in trials under 100 ms, else 10)."
  )
  var target: Double?

  @Option(help: "Also write the table to this file.", completion: .file())
  var csv: String?

  @Option(help: "Threads; the result does not depend on it.")
  var threads: Int = ProcessInfo.processInfo.activeProcessorCount

  @Option(name: .customLong("set"), help: "Override a key of the preset.", completion: .settings)
  var settings: [String] = []

  func validate() throws {
    guard (1...100_000).contains(samples) else {
      throw ValidationError("--samples is \(samples), allowed is 1 to 100000")
    }
    if let target, !(1e-3...1e4).contains(target) {
      throw ValidationError("--target is \(target), allowed is 0.001 to 10000")
    }
    guard (1...256).contains(threads) else {
      throw ValidationError("--threads is \(threads), allowed is 1 to 256")
    }
  }

  func run() throws {
    let preset = try Preset(contentsOf: PresetLibrary.path(of: preset), settings: settings)
    let data = try preset.loadData()
    let trainer = try Trainer(preset, data: data, threads: threads)
    let reports = trainer.initReports(samples: samples, target: target)
    Console.out(
      DoctorText.wrapped(
        "\(preset.name): \(reports[0].report.samples) training samples, initial weights, "
          + DoctorText.target(reports[0].report, because: target == nil ? nil : "--target")))
    for (lanes, report) in reports {
      Console.out("")
      for line in DoctorText.lines(lanes, report) { Console.out(line) }
    }
    try write(reports)
  }

  private func write(_ reports: [(lanes: [String], report: InitReport)]) throws {
    guard let csv else { return }
    let lines =
      [DoctorText.header]
      + reports.flatMap { lanes, report in lanes.flatMap { DoctorText.rows($0, report) } }
    guard
      FileManager.default.createFile(
        atPath: csv, contents: Data((lines.joined(separator: "\n") + "\n").utf8))
    else { throw FileError(csv, "cannot be written") }
    Console.out("\nwrote \(csv)")
  }
}
