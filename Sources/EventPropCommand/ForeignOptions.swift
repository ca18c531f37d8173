// SPDX-License-Identifier: MIT

import ArgumentParser
import EventPropCore
import Experiments
import Foundation
import Interchange
import SpikeData

/// How a network of another program is read, and what stands around it.
struct ForeignOptions: ParsableArguments {
  enum Dialect: String, CaseIterable, ExpressibleByArgument { case pure, step, brainscales }

  @Option(
    help: ArgumentHelp(
      "The preset whose data, simulation, loss and training go with a network of another program.",
      valueName: "preset"))
  var data: String?

  @Option(
    help: "What a spike is in a NIR file: pure, step or brainscales (default: by its numbers).")
  var dialect: Dialect?

  @Option(help: "Step of the dialect step, ms (default: by the file's numbers).")
  var dt: Double?

  @Option(help: "Of the times in a NIR file: s or ms (default: by their size).")
  var timeUnit: String?

  func validate() throws {
    guard dt == nil || (dialect == .step && dt! > 0 && dt!.isFinite) else {
      throw ValidationError("--dt goes with --dialect step, and is above 0")
    }
    guard dialect != .step || dt != nil else {
      throw ValidationError("--dialect step needs --dt, ms")
    }
    if let timeUnit, NIRTimeUnit(rawValue: timeUnit) == nil {
      throw ValidationError("--time-unit is \(timeUnit), allowed are s, ms")
    }
  }

  /// Whether a name is that of a network of another program.
  static func isForeign(_ name: String) -> Bool {
    name.hasSuffix(".nir") || name.hasSuffix(".h5") || MLGeNNFiles.isFolder(name)
  }

  /// The preset of such a network: it begins with its weights.
  /// - Throws: `FileError`.
  func preset(_ name: String, settings: [String]) throws -> (
    preset: Preset, network: ForeignNetwork
  ) {
    guard let data else {
      throw FileError(
        name,
        "says nothing of data, loss and duration: name a preset that does, as --data shd (eventprop presets)"
      )
    }
    let path = try PresetLibrary.path(of: data)
    let own = try Preset(contentsOf: path, settings: settings)
    let network: ForeignNetwork
    if MLGeNNFiles.isFolder(name) {
      let inputs = try own.loadData { Console.say($0) }.train.unitCount
      network = try MLGeNNFiles.read(
        name, inputs: inputs * (own.data?.delayLine.copies ?? 1))
    } else {
      let read: NIRDialect? =
        switch dialect {
        case .pure: .pure
        case .step: .step(dt: dt ?? 1)
        case .brainscales: .brainScaleS
        case nil: nil
        }
      network = try NIRReader(
        dialect: read, timeUnit: timeUnit.flatMap(NIRTimeUnit.init)
      ).read(name)
    }
    try network.check(reads: own.lanes[0].loss.readout)
    let start = NSTemporaryDirectory() + "eventprop-import-\(getpid())"
    defer { try? FileManager.default.removeItem(atPath: start) }
    try network.writeStart(to: start)
    // The user's settings have the last word.
    let all = settings + network.settings(for: own, start: start) + settings
    var preset = try Preset(contentsOf: path, settings: all)
    // The files go away; what they hold is held in memory.
    let inputs = network.inputs
    let outputs = network.layers[network.layers.count - 1].size
    for lane in preset.lanes {
      let lost = lane.network(inputs: inputs, outputs: outputs).parameterNames.filter {
        $0.contains("/")
      }
      if let first = lost.first {
        throw FileError(
          data,
          "has \(first), which a network of another program does not bring; allowed are weights alone"
        )
      }
    }
    preset = try preset.withStart(
      preset.lanes.map { $0.network(inputs: inputs, outputs: outputs) })
    return (preset, network)
  }

  /// The same with its data, which fit it; what was taken for granted is said.
  /// - Throws: `FileError`.
  func presetAndData(_ name: String, settings: [String], threads: Int) throws -> (
    preset: Preset, network: ForeignNetwork, data: DataSplits
  ) {
    let (preset, network) = try preset(name, settings: settings)
    for note in network.notes { Console.out(note) }
    let data = try preset.loadData(threads: threads) { Console.say($0) }
    try network.check(against: data.train, copies: preset.data?.delayLine.copies ?? 1)
    return (preset, network, data)
  }
}

extension ForeignNetwork {
  /// - Throws: `FileError` where data have other numbers of units or classes.
  func check(against data: SpikeDataSet, copies: Int) throws {
    guard inputs == data.unitCount * copies else {
      throw FileError(
        source, "has \(inputs) inputs, \(data.name) has \(data.unitCount * copies) units")
    }
    let outputs = layers[layers.count - 1].size
    guard outputs == data.classNames.count else {
      throw FileError(
        source, "has \(outputs) outputs, \(data.name) has \(data.classNames.count) classes")
    }
  }

  /// `700 inputs, 256 hidden (recurrent), 20 outputs`
  var words: String {
    let hidden = layers.dropLast().map {
      "\($0.size) hidden\($0.loop == nil ? "" : " (recurrent)")"
    }
    return (["\(inputs) inputs"] + hidden + ["\(layers[layers.count - 1].size) outputs"])
      .joined(separator: ", ")
  }
}
