// SPDX-License-Identifier: MIT

import EventPropCore
import Experiments
import Foundation
import SpikeData
import Training

/// Rasters and output voltages of a lane as NIRGraphData, the companion of the Neuromorphic
/// Intermediate Representation for what was recorded.
///
/// Nodes are called as the populations: input, hidden1, ..., output. What spikes has the observable
/// `spikes` (EventData), the output has `v` (TimeGriddedData; V at the end of each step), and where
/// it is asked for hidden layers have it too. Without
/// meaning for NIR, the file says what is in it: attributes `source`, `lane` and `time_unit`, and
/// metadata/sample, label and prediction (-1: none).
public enum NIRData {
  /// Of times in the file.
  public enum Unit: String, Sendable, CaseIterable {
    case s, ms

    var ofMillisecond: Double { self == .s ? 1e-3 : 1 }
  }

  /// Runs samples of the probe data forward and writes what they do; nothing else changes.
  /// - Parameters:
  ///   - lane: its index.
  ///   - samples: how many, spread evenly; no more than there are.
  ///   - hiddenVoltages: whether V of hidden layers is written.
  ///   - path: of the file, which is replaced.
  ///   - source: where the weights are from, in words.
  /// - Returns: how many samples are in it.
  /// - Throws: `FileError` when there are no samples, or the file cannot be written.
  @discardableResult
  public static func write(
    _ trainer: Trainer, lane index: Int, samples: Int, unit: Unit, hiddenVoltages: Bool = false,
    to path: String, source: String
  ) throws -> Int {
    let (lane, data) = (trainer.lanes[index], trainer.probeData)
    let count = min(samples, data.count)
    guard count > 0 else { throw FileError(path, "the preset has no samples to write of") }
    let (network, duration) = (lane.network, trainer.preset.duration)
    let chosen = (0..<count).map { $0 * data.count / count }
    let points = max(lane.stepsPerTrial, 1)
    var trials: [ProbeTrial] = []
    var inputs: [[(time: Double, neuron: Int)]] = []
    /// By sample and hidden layer, neurons x points.
    var hidden: [[[[Double]]]] = []
    for sample in chosen {
      trials.append(
        lane.probe(data, sample: sample, options: trainer.preset.data, points: points))
      if hiddenVoltages {
        let voltages = lane.hiddenVoltages(
          data, sample: sample, options: trainer.preset.data, points: points)
        guard let voltages else {
          throw FileError(path, "sample \(sample) has more spikes than can be: no voltages")
        }
        hidden.append(voltages)
      }
      var train = data[sample]
      trainer.preset.data?.delayLine.apply(to: &train, units: data.unitCount, duration: duration)
      inputs.append(
        zip(train.times, train.units).map { (Double($0), Int($1)) }.filter { $0.time < duration })
    }

    let file = try HDF5Maker(path)
    file.attribute("/", "__type__", "NIRGraphData")
    file.attribute("/", "source", source)
    file.attribute("/", "lane", lane.name)
    file.attribute("/", "time_unit", unit.rawValue)
    file.group("metadata")
    for (name, values) in [
      ("sample", chosen), ("label", trials.map(\.label)), ("prediction", trials.map(\.prediction)),
    ] {
      file.write("metadata/" + name, values, shape: [count])
    }
    file.group("nodes")
    func node(_ name: String) -> String {
      let node = "nodes/" + name
      file.group(node)
      file.attribute(node, "__type__", "NIRNodeData")
      file.group(node + "/observables")
      return node + "/observables/"
    }
    func put(_ spikes: [[(time: Double, neuron: Int)]], _ size: Int, in node: String) {
      let group = node + "spikes"
      let most = max(spikes.map(\.count).max() ?? 0, 1)
      var indices = Array(repeating: -1, count: count * most)
      var times = Array(repeating: Double.infinity, count: count * most)
      for (row, own) in spikes.enumerated() {
        for (column, spike) in own.enumerated() {
          indices[row * most + column] = spike.neuron
          times[row * most + column] = spike.time * unit.ofMillisecond
        }
      }
      file.group(group)
      file.attribute(group, "__type__", "EventData")
      file.attribute(group, "n_neurons", size)
      // On the grid a spike of the last step lies at T: a step more has room for it.
      file.attribute(
        group, "t_max", duration * (1 + 1 / Double(points)) * unit.ofMillisecond)
      file.write(group + "/idx", indices, shape: [count, most])
      file.write(group + "/time", times, shape: [count, most], isDouble: true)
    }
    put(inputs, network.inputs, in: node("input"))
    var spiking = 0
    for (index, layer) in network.layers.enumerated() {
      let node = node(network.name(ofPopulation: index + 1))
      if layer.neuron.isSpiking {
        put(
          trials.map { $0.layers[spiking].map { ($0.time, $0.neuron) } }, layer.size, in: node)
        spiking += 1
      }
      let isOutput = index == network.layers.count - 1
      guard isOutput || hiddenVoltages else { continue }
      let group = node + "v"
      file.group(group)
      file.attribute(group, "__type__", "TimeGriddedData")
      file.attribute(group, "dt", duration / Double(points) * unit.ofMillisecond)
      let curves = isOutput ? trials.map(\.voltages) : hidden.map { $0[index] }
      let values = curves.flatMap { curves in
        (0..<points).flatMap { point in curves.map { $0[point] } }
      }
      file.write(group + "/data", values, shape: [count, points, layer.size], isDouble: true)
    }
    try file.finish()
    return count
  }
}
