// SPDX-License-Identifier: MIT

import ArgumentParser
import EventPropCore
import Experiments
import Foundation
import Interchange
import Runs
import SpikeData

struct ExportCommand: ParsableCommand {
  enum Format: String, CaseIterable, ExpressibleByArgument { case nir, mlgenn, npz }

  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a run's network for another program.",
    discussion: """
      nir: one file of the Neuromorphic Intermediate Representation; what it has no words for is said. mlgenn: a folder \
      of weights as mlGeNN's Numpy serialiser reads them. npz: all arrays under their names here.

      eventprop export runs/NAME-1 --to nir --out net.nir
      eventprop export runs/NAME-1 --to nir --dialect step --dt 0.1 --nested --out net.nir
      """)

  @Argument(help: "The folder of a run.")
  var folder: String

  @Option(help: "nir, mlgenn or npz.")
  var to: Format

  @Option(help: "The file, of mlgenn the folder.")
  var out: String

  @Option(help: "Name of the lane (default: the first).")
  var lane: String?

  @Option(
    help:
      "Checkpoint of this epoch, 12, or 12+40 for one after 40 more batches (default: the last)."
  )
  var epoch: String?

  @Option(help: "nir: what a spike is: pure, step (snnTorch, Norse) or brainscales.")
  var dialect: ForeignOptions.Dialect = .pure

  @Option(help: "nir: step of the dialect step, ms (default: that of the run).")
  var dt: Double?

  @Option(help: "nir: unit of times, s or ms.")
  var timeUnit = NIRTimeUnit.seconds.rawValue

  @Option(help: "nir: what stands for outputs without a threshold: none or cubali.")
  var readout = NIRWriter.Readout.none.rawValue

  @Flag(help: "nir: recurrent layers as graphs of their own, as snnTorch and Spyx want them.")
  var nested = false

  func validate() throws {
    guard NIRTimeUnit(rawValue: timeUnit) != nil else {
      throw ValidationError("--time-unit is \(timeUnit), allowed are s, ms")
    }
    guard NIRWriter.Readout(rawValue: readout) != nil else {
      throw ValidationError("--readout is \(readout), allowed are none, cubali")
    }
    guard dt.map({ $0 > 0 && $0.isFinite && dialect == .step }) ?? true else {
      throw ValidationError("--dt goes with --dialect step, and is above 0")
    }
  }

  func run() throws {
    let preset = try Preset(ofRun: folder)
    let names = preset.lanes.map(\.name)
    guard let index = lane.map({ names.firstIndex(of: $0) }) ?? 0 else {
      throw FileError(
        folder, "has no lane \(lane!); allowed are \(names.joined(separator: ", "))")
    }
    let place = try Checkpoint.find(in: folder, named: epoch)
    let options = preset.lanes[index]
    let (network, weights) = try Checkpoint.weights(place, of: options)
    var notes: [String] = []
    switch to {
    case .nir:
      let writer = NIRWriter(
        dialect: dialect == .pure
          ? .pure : dialect == .step ? .step(dt: dt ?? options.step) : .brainScaleS,
        timeUnit: NIRTimeUnit(rawValue: timeUnit) ?? .seconds,
        readout: NIRWriter.Readout(rawValue: readout) ?? .none, isNested: nested)
      notes = try writer.write(network, weights, tool: "eventprop \(Version.text)", to: out)
    case .mlgenn:
      notes = try MLGeNNFiles.write(network, weights, key: place.name, to: out)
    case .npz:
      try ArrayArchive.write(
        zip(network.parameterNames, weights.arrays).map { ($0, NPYArray($1).fileBytes) }, to: out)
    }
    for note in notes { Console.out(note) }
    Console.out("\(options.name), \(place.words): \(out)")
  }
}
