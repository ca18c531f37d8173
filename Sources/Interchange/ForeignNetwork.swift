// SPDX-License-Identifier: MIT

import EventPropCore
import Experiments
import Foundation
import SpikeData

/// A network as another program has it, in our units: ms, unit jumps of I, weights pre x post.
public struct ForeignNetwork: Sendable {
  /// A layer of neurons and what reaches it.
  public struct Layer: Sendable {
    /// pre x post, row by row.
    public var weights: [Double]
    /// Of the layer to itself, row by row; nil: none.
    public var loop: [Double]?
    /// By `NeuronParameter`, one for each neuron; what is not there stays as the preset has it.
    public var constants: [NeuronParameter: [Double]] = [:]
    /// Neurons.
    public var size: Int
    /// Whether they have a threshold; nil: nothing is said of it.
    public var isSpiking: Bool?
  }

  /// The file or folder it comes from.
  public var source: String
  /// Input units.
  public var inputs: Int
  /// Hidden ones, then the outputs.
  public var layers: [Layer]
  /// What the reader took for granted, and what it could not take; a line each.
  public var notes: [String] = []

  /// Settings that turn a preset into one of this network that begins with its weights.
  /// - Parameters:
  ///   - preset: whose data, simulation, loss and training stay.
  ///   - start: the folder that `writeStart` has made.
  public func settings(for preset: Preset, start: String) -> [String] {
    let hidden = layers.dropLast().map { layer in
      "{ "
        + ([
          "size = \(layer.size)", "recurrent = \(layer.loop != nil)",
        ] + Self.words(layer.constants)).joined(separator: ", ") + " }"
    }
    let output = Self.words(layers[layers.count - 1].constants).map {
      "output." + $0.replacingOccurrences(of: " = ", with: "=")
    }
    return ["lane=[]", "hidden=[\(hidden.joined(separator: ", "))]"] + output
      + ["training.start=\(ConfigValue.quoted(start))"]
  }

  private static func words(_ constants: [NeuronParameter: [Double]]) -> [String] {
    constants.sorted { $0.key.name < $1.key.name }.map { parameter, values in
      let isOne = Set(values).count == 1
      let numbers = values.map { "\($0)" }
      return "\(parameter.name) = " + (isOne ? numbers[0] : "[\(numbers.joined(separator: ", "))]")
    }
  }

  /// Writes the weights as `training.start` takes them, to a new folder.
  /// - Throws: `FileError`.
  public func writeStart(to folder: String) throws {
    var sizes = [inputs]
    sizes += layers.map(\.size)
    func name(_ layer: Int) -> String {
      layer == 0 ? "input" : layer == layers.count ? "output" : "hidden\(layer)"
    }
    func write(_ values: [Double], _ shape: [Int], _ from: Int, _ to: Int) throws {
      let path = (folder as NSString).appendingPathComponent("\(name(from))-\(name(to)).npy")
      try AtomicFile.write(NPYArray(values, shape: shape).fileBytes, to: path)
    }
    try AtomicFile.makeFolder(folder)
    for (index, layer) in layers.enumerated() {
      try write(layer.weights, [sizes[index], layer.size], index, index + 1)
      if let loop = layer.loop { try write(loop, [layer.size, layer.size], index + 1, index + 1) }
    }
  }

  /// - Throws: `FileError` where the outputs are of another kind than the loss reads.
  public func check(reads readout: Readout) throws {
    let spikes = readout == .firstSpike
    guard let isSpiking = layers[layers.count - 1].isSpiking, isSpiking != spikes else { return }
    throw FileError(
      source,
      "its outputs \(isSpiking ? "spike" : "have no threshold"), the preset's loss reads "
        + (spikes ? "their spikes" : "voltages")
        + ": choose another, as --set loss.kind=\(spikes ? "sum" : "first_spike")")
  }

  /// - Throws: `FileError` where sizes do not follow from each other.
  func checked() throws -> ForeignNetwork {
    if let leaky = layers.dropLast().firstIndex(where: { $0.isSpiking == false }) {
      throw FileError(
        source, "layer \(leaky + 1) has no threshold; allowed is so of the last alone")
    }
    if layers[layers.count - 1].loop != nil {
      throw FileError(source, "its outputs have weights to themselves; allowed are none")
    }
    var below = inputs
    guard inputs > 0, inputs <= Int(UInt16.max) else {
      throw FileError(source, "has \(inputs) inputs; allowed are 1 to \(UInt16.max)")
    }
    for (index, layer) in layers.enumerated() {
      guard layer.size > 0, layer.weights.count == below * layer.size,
        layer.loop?.count ?? layer.size * layer.size == layer.size * layer.size
      else {
        throw FileError(
          source,
          "layer \(index + 1) has \(layer.weights.count) weights for \(below) x \(layer.size)")
      }
      for values in [layer.weights, layer.loop ?? []] + Array(layer.constants.values) {
        guard values.allSatisfy(\.isFinite) else {
          throw FileError(source, "layer \(index + 1) has a number that is not finite")
        }
      }
      below = layer.size
    }
    return self
  }
}
