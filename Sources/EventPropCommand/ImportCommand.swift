// SPDX-License-Identifier: MIT

import ArgumentParser
import Experiments
import Foundation
import Interchange
import Runs
import SpikeData
import Training

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Make a run of a network that another program has trained.",
    discussion: """
      NETWORK is a NIR file (.nir, .h5), or a folder with weights as mlGeNN's Numpy serialiser or genn_eventprop \
      leave them. The run has its weights as the checkpoint of epoch 0: it is evaluated at once, trains on with \
      `eventprop train --resume`, and is looked at like any other.

      eventprop import net.nir --data shd --set data.path=FOLDER --out runs/net
      """)

  @Argument(help: "A NIR file, or a folder of weights.")
  var network: String

  @OptionGroup var options: ForeignOptions

  @Option(help: "Folder of the run (default: the next under runs/).")
  var out: String?

  @Option(name: .customLong("set"), help: "Override a key of the preset.")
  var settings: [String] = []

  @Option(help: "Threads to use.")
  var threads: Int = ProcessInfo.processInfo.activeProcessorCount

  func run() throws {
    guard ForeignOptions.isForeign(network) else {
      throw FileError(network, "is no .nir or .h5 file, and no folder with weights of mlGeNN")
    }
    let (preset, foreign, data) = try options.presetAndData(
      network, settings: settings, threads: threads)
    let trainer = try Trainer(preset, data: data, threads: threads)
    let run = try RunDirectory(
      creating: out, preset: trainer.preset, network: trainer.network, score: trainer.score)
    try Checkpoint.write(trainer, to: run, keep: preset.training.checkpointsKept)
    try run.logEnd(of: trainer, detail: "imported from \(network)")
    Console.out("\(foreign.words); run \(run.path)")
    let set = data.test.count > 0 ? data.test : data.train
    let result = trainer.evaluate(lane: 0, set)
    Console.out(
      "\(data.test.count > 0 ? "test" : "training") \(trainer.score.word) "
        + "\(Console.percent(result.accuracy)), loss \(String(format: "%.4f", result.loss))")
  }
}
