// SPDX-License-Identifier: MIT

import EventPropCore
import Experiments
import Foundation
import SpikeData

extension Checkpoint {
  /// The weights of a lane, without data: how many inputs and outputs there are, the arrays say.
  /// - Throws: `FileError` for a missing or damaged array.
  public static func weights(_ place: Place, of lane: LaneOptions) throws -> (
    network: Network, weights: Parameters<Double>
  ) {
    let folder = (place.path as NSString).appendingPathComponent(lane.name) as NSString
    func read(_ name: String) throws -> NPYArray {
      try NPYArray(contentsOf: folder.appendingPathComponent(name + ".npy"))
    }
    // Names do not depend on how many there are.
    let names = lane.network(inputs: 1, outputs: 1).projections
    let known = lane.network(inputs: 1, outputs: 1)
    let (first, last) = (names[0], names[names.count - 1])
    let inputs = try read(known.name(of: first)).shape.first ?? 0
    let outputs = try read(known.name(of: last)).shape.last ?? 0
    guard inputs > 0, outputs > 0, inputs <= Int(UInt16.max) else {
      throw FileError(folder as String, "has weights for \(inputs) inputs, \(outputs) outputs")
    }
    let network = lane.network(inputs: inputs, outputs: outputs)
    let weights = Parameters<Double>(network)
    for (name, matrix) in zip(network.parameterNames, weights.arrays) {
      try read(name).copy(to: matrix, name: name)
    }
    return (network, weights)
  }
}
