// SPDX-License-Identifier: MIT

import Experiments
import EventPropCore
import Foundation
import SpikeData

/// Weights that a lane begins with instead of drawn ones: `training.start`.
package enum StartWeights {
  /// - Parameters:
  ///   - path: a run, of which the last checkpoint counts; a checkpoint; or a folder of .npy files.
  ///   - lane: its own folder there is looked for first, then files for all lanes.
  /// - Throws: `FileError` when a file is missing, or not of such a network.
  static func read(_ path: String, lane: String, _ network: Network) throws -> [NPYArray] {
    let folder = try folder(path, lane: lane, first: network.parameterNames[0])
    return try network.parameterNames.map { name in
      let file = (folder as NSString).appendingPathComponent(name + ".npy")
      guard FileManager.default.fileExists(atPath: file) else {
        throw FileError(
          file,
          "is not there; training.start needs "
            + network.parameterNames.map { "\($0).npy" }.joined(separator: ", "))
      }
      return try NPYArray(contentsOf: file)
    }
  }

  private static func names(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter { !$0.hasPrefix(".") }.sorted()
  }

  /// Where the files are.
  private static func folder(_ path: String, lane: String, first: String) throws -> String {
    guard FileManager.default.fileExists(atPath: path) else {
      throw FileError(
        path,
        "is not there; training.start takes a run, a checkpoint, or a folder with \(first).npy")
    }
    let checkpoints = (path as NSString).appendingPathComponent("checkpoints")
    let last = names(checkpoints).compactMap { name -> (epoch: Int, batch: Int, name: String)? in
      let parts = name.split(separator: "+", omittingEmptySubsequences: false).map { Int($0) }
      guard (1...2).contains(parts.count), let epoch = parts[0],
        let batch = parts.count > 1
          ? parts[1] : 0
      else { return nil }
      return (epoch, batch, name)
    }.max { ($0.epoch, $0.batch) < ($1.epoch, $1.batch) }
    let base =
      last.map { (checkpoints as NSString).appendingPathComponent($0.name) } ?? path
    func holds(_ folder: String) -> Bool {
      FileManager.default.fileExists(
        atPath: (folder as NSString).appendingPathComponent(first + ".npy"))
    }
    let own = (base as NSString).appendingPathComponent(lane)
    if holds(own) { return own }
    if holds(base) { return base }
    // One set is for all lanes, whatever it is called.
    let lanes = names(base).filter { holds((base as NSString).appendingPathComponent($0)) }
    if lanes.count == 1 { return (base as NSString).appendingPathComponent(lanes[0]) }
    throw FileError(
      base,
      "holds neither \(first).npy nor \(lane)/\(first).npy"
        + (lanes.isEmpty ? "" : "; there are lanes \(lanes.joined(separator: ", "))"))
  }
}

extension Preset {
  /// The same with the weights of `training.start` read and checked.
  /// - Throws: `FileError`.
  package func withStart(_ networks: [Network]) throws -> Preset {
    var preset = self
    for (index, network) in networks.enumerated() {
      let lane = lanes[index]
      guard !lane.start.isEmpty, lane.startWeights == nil else { continue }
      let weights = try StartWeights.read(lane.start, lane: lane.name, network)
      try StartWeights.check(weights, network)
      preset.lanes[index].startWeights = weights
    }
    return preset
  }
}

extension StartWeights {
  /// - Throws: `FileError` when arrays are not the weights of such a network.
  package static func check(_ weights: [NPYArray], _ network: Network) throws {
    let shapes = network.arrays.map { [$0.rows, $0.columns] }
    for (name, (array, shape)) in zip(network.parameterNames, zip(weights, shapes)) {
      let file = array.file.isEmpty ? "\(name).npy" : array.file
      guard array.shape == shape else {
        throw FileError(file, "has shape \(array.shape), allowed is \(shape) (pre x post)")
      }
      _ = try array.finite(file)
    }
  }
}

extension LaneOptions {
  /// What a lane begins with: weights drawn by the seed, or those that were read.
  package func beginning<Scalar: NetworkScalar>(
    _ network: Network, seed: Int, as: Scalar.Type
  ) -> Parameters<Scalar> {
    let parameters = Parameters<Scalar>(network, initial: initial, seed: seed)
    for (array, matrix) in zip(startWeights ?? [], parameters.arrays) {
      matrix.values = array.doubles.map { Scalar($0) }
    }
    return parameters
  }
}
