// SPDX-License-Identifier: MIT

import ArgumentParser
import Experiments
import Foundation
import Interchange
import Runs
import SpikeData
import Training

struct NIRDataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nirdata",
    abstract: "Rasters and voltages of a run as NIRGraphData (HDF5).",
    discussion: """
      Samples of the probe are run forward with the weights of a checkpoint; FOLDER/<lane>.h5 has spikes of input and
      layers, and V of the outputs, with --voltages of hidden layers too. nir.read_data reads it. The run stays as it is.
      """)

  @Argument(help: ArgumentHelp("The folder of a run.", valueName: "run"))
  var folder: String

  @Option(help: ArgumentHelp("Folder for the files; made when missing.", valueName: "folder"))
  var out: String

  @Option(help: "Samples, spread evenly over the test samples (default: diagnosis.samples).")
  var samples: Int?

  @Option(
    help:
      "Checkpoint of this epoch, 12, or 12+40 for one after 40 more batches (default: the last)."
  )
  var epoch: String?

  @Flag(help: "V of hidden neurons too, at the end of each step.")
  var voltages = false

  @Option(help: "Of times: s, as most files of NIR have them, or ms.")
  var unit: NIRData.Unit = .s

  @Option(name: .customLong("set"), help: "Override a key, as data.path=FOLDER.")
  var settings: [String] = []

  func validate() throws {
    guard samples.map({ (1...100_000).contains($0) }) ?? true else {
      throw ValidationError("--samples is \(samples!), allowed is 1 to 100000")
    }
  }

  func run() throws {
    let preset = try Preset(ofRun: folder, settings: settings)
    let place = try Checkpoint.find(in: folder, named: epoch)
    let trainer = try Trainer(preset, data: preset.loadData(), threads: 1)
    try trainer.resume(folder, at: place)
    try AtomicFile.makeFolder(out)
    for (index, lane) in trainer.laneNames.enumerated() {
      let file = (out as NSString).appendingPathComponent(lane + ".h5")
      let count = try NIRData.write(
        trainer, lane: index, samples: samples ?? preset.diagnosis.samples, unit: unit,
        hiddenVoltages: voltages, to: file,
        source: "eventprop \(Version.text), \(folder), \(place.words)")
      Console.out("wrote \(count) samples to \(file)")
    }
  }
}

extension NIRData.Unit: ExpressibleByArgument {}
