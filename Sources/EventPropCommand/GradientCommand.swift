// SPDX-License-Identifier: MIT

import Runs
import ArgumentParser
import Foundation

struct GradientCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gradient",
    abstract:
      "Loss, gradients, spikes and voltages of a case, for cross-checks with other simulators.",
    discussion: """
      CASE is a folder with preset.toml, weights/<from>-<to>.npy (pre x post), spikes.npy (rows of sample, unit, \
      time in ms) and labels.npy, or for loss.kind = "mse" targets.npy (sample x point x output, points evenly from 0 to \
      T; or sample x output); where there are any also delays/<from>-<to>.npy (pre x post, ms; with form = "axonal" \
      pre x 1, with "dendritic" 1 x post) and \
      neurons/<layer>-<parameter>.npy (one for each neuron; tau_mem, tau_syn, threshold, adaptation, tau_adapt).
      Written: loss.npy (mean), losses.npy (per sample), gradients/<from>-<to>.npy, gradients/delays/ and \
      gradients/neurons/ (on the grid where the case has such files), spikes/<layer>.npy (rows of sample, neuron, time), \
      voltages/output.npy (grid: sample x step x output), with --traces traces/<layer>-lambda_v.npy and -lambda_i.npy \
      (sample x step x neuron: at the start of each step, just after what happens there in forward time).
      """)

  @Argument(help: "The folder of a case.", completion: .directory)
  var folder: String

  @Option(help: "Folder for the results; made if needed.", completion: .directory)
  var out: String

  @Flag(
    help: "Gradients of single samples too, in gradients-per-sample/ with samples as first axis.")
  var perSample = false

  @Flag(help: "The adjoints of all layers too, step by step, in traces/.")
  var traces = false

  @Option(
    name: .customLong("set"), help: "Override a key of the case's preset.", completion: .settings)
  var settings: [String] = []

  func run() throws {
    let summary = try GradientCase(folder, settings: settings).run(
      into: out, perSample: perSample, traces: traces)
    let score = summary.explained.map { "R² \($0)" } ?? "\(summary.correct) correct"
    let late =
      summary.late == 0 ? "" : "; \(summary.late) input spikes at or beyond T are left out"
    Console.out("\(summary.samples) samples, \(score), mean loss \(summary.loss)\(late)")
    for (name, norm) in summary.norms {
      let what = name.hasPrefix("delays/") ? "d" : name.hasPrefix("neurons/") ? "p" : "W"
      Console.out("|dL/d\(what)| \(name): \(norm)")
    }
  }
}
