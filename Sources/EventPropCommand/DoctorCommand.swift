// SPDX-License-Identifier: MIT

import ArgumentParser
import Diagnosis
import Experiments
import Foundation
import SpikeData
import Training

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

  @Argument(help: "A preset by name or path.")
  var preset: String

  @Option(help: "Training samples to look at.")
  var samples: Int = 32

  @Option(
    help:
      "Spikes per neuron and trial that hidden layers are to have (default: 1 in trials under 100 ms, else 10)."
  )
  var target: Double?

  @Option(help: "Also write the table to this file.")
  var csv: String?

  @Option(help: "Threads; the result does not depend on it.")
  var threads: Int = ProcessInfo.processInfo.activeProcessorCount

  @Option(name: .customLong("set"), help: "Override a key of the preset.")
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
        String(
          format: "%@: %d training samples, initial weights, target %g %@ per neuron and "
            + "trial (%@)", preset.name, min(samples, data.train.count),
          reports[0].report.target, reports[0].report.target == 1 ? "spike" : "spikes",
          reason(preset.duration))))
    for (lanes, report) in reports {
      Console.out("")
      for line in DoctorText.lines(lanes, report) { Console.out(line) }
    }
    try write(reports)
  }

  private func reason(_ duration: Double) -> String {
    if target != nil { return "--target" }
    return duration < 100 ? "trials under 100 ms" : "trials of 100 ms and more"
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

/// A report as text: in 80 columns, and as CSV.
enum DoctorText {
  static let columns = 80

  /// Title, tables and advice.
  static func lines(_ lanes: [String], _ report: InitReport) -> [String] {
    var lines = [wrapped(lanes.joined(separator: ", "))]
    lines.append(
      "  layer     neurons spikes/trial  silent  satur.    below   itself ratio  level")
    lines += report.layers.map(activity)
    lines.append("")
    lines.append("  gradient of weights into  per weight  of layer above   late  (its spikes)")
    for index in report.layers.indices { lines += gradients(report, index) }
    lines.append(
      "  samples without a gradient of their label's output: "
        + "\(report.mute) of \(report.samples) (\(percent(report.muteShare)))")
    lines.append("")
    let advice = report.advice
    lines += advice.isEmpty ? ["  nothing to complain of"] : advice.map { wrapped($0, indent: 2) }
    return lines.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false) }
      .map(String.init)
  }

  private static func activity(_ layer: LayerStart) -> String {
    let rates = layer.rates
    return "  " + Console.pad(layer.name, 9)
      + right("\(layer.size)", 8)
      + right(rates.map { short($0.mean) + " ± " + short($0.sd) } ?? "–", 13)
      + right(rates.map { percent($0.silent) } ?? "–", 8)
      + right(rates.map { percent($0.saturated) } ?? "–", 8)
      + right(short(layer.drive.below), 9) + right(layer.drive.own.map(short) ?? "–", 9)
      + right(layer.drive.ratio.map(short) ?? "–", 6)
      + right(layer.drive.level.map(short) ?? "–", 7)
  }

  /// The weights from below, then the layer's own.
  private static func gradients(_ report: InitReport, _ index: Int) -> [String] {
    let layer = report.layers[index]
    var lines = [
      "  " + Console.pad(layer.name, 24)
        + right(layer.gradient.map(small) ?? "–", 12)
        + right(report.gradientRatio(ofLayer: index).map(small) ?? "–", 16)
        + right(layer.timing.map { percent($0.late) } ?? "–", 7)
        + right(layer.timing.map { "(" + percent($0.lateSpikes) + ")" } ?? "–", 14)
    ]
    if let own = layer.recurrentGradient {
      lines.append("  " + Console.pad(layer.name + " from itself", 24) + right(small(own), 12))
    }
    return lines
  }

  /// Of the table that `rows` gives.
  static let header =
    "lane,layer,neurons,samples,target,spikes_mean,spikes_sd,silent,saturated,drive_below,drive_own,"
    + "level,gradient,gradient_own,gradient_ratio,late_gradient,late_spikes,mute,scale,scaled_spikes"

  /// A line for each layer; what is not known is empty.
  static func rows(_ lane: String, _ report: InitReport) -> [String] {
    report.layers.enumerated().map { index, layer in
      let remedy = report.remedies.first { $0.layer == index }
      var factor: Double?
      if case .scale(let by)? = remedy?.change { factor = by }
      let numbers: [Double?] = [
        report.target, layer.rates?.mean, layer.rates?.sd, layer.rates?.silent,
        layer.rates?.saturated, layer.drive.below, layer.drive.own, layer.drive.level,
        layer.gradient, layer.recurrentGradient, report.gradientRatio(ofLayer: index),
        layer.timing?.late, layer.timing?.lateSpikes, report.muteShare, factor,
        factor == nil ? nil : remedy?.after?.mean,
      ]
      return "\(CSV.quoted(lane)),\(layer.name),\(layer.size),\(report.samples),"
        + numbers.map { $0.map { "\($0)" } ?? "" }.joined(separator: ",")
    }
  }

  /// Words in lines of at most `columns` characters; later lines are indented further. What is in
  /// braces stays whole.
  static func wrapped(_ text: String, indent: Int = 0) -> String {
    var lines: [String] = []
    var line = String(repeating: " ", count: indent)
    var isEmpty = true
    var isInBraces = false
    let bound = text.map { c -> Character in
      if c == "{" || c == "}" { isInBraces = c == "{" }
      return c == " " && isInBraces ? "\u{A0}" : c
    }
    for word in String(bound).split(separator: " ") {
      if !isEmpty, line.count + 1 + word.count > columns {
        lines.append(line)
        line = String(repeating: " ", count: indent + 2)
        isEmpty = true
      }
      line += (isEmpty ? "" : " ") + word
      isEmpty = false
    }
    return (lines + [line]).joined(separator: "\n").replacingOccurrences(of: "\u{A0}", with: " ")
  }

  private static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
  private static func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }

  /// Three digits, in six characters.
  private static func short(_ number: Double) -> String {
    if number != 0, abs(number) < 0.01 || abs(number) >= 1e5 {
      return String(format: "%.0e", number)
    }
    return String(format: abs(number) < 10 ? "%.2f" : abs(number) < 100 ? "%.1f" : "%.0f", number)
  }
  private static func small(_ number: Double) -> String { String(format: "%.2e", number) }
}
