// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation

/// Small seeded networks and samples for the tests.
public struct Fixture {
  public var problem: Problem
  public var weights: Parameters<Double>
  public var samples: [GradientCheck.Sample]

  /// - Parameters:
  ///   - hidden: sizes of the hidden layers.
  ///   - recurrent: whether each hidden layer has recurrent weights.
  public init(
    loss: String, shaping: Shaping = .none, hidden: [Int] = [12], recurrent: Bool = false,
    inputs: Int = 6, outputs: Int = 3, duration: Double = 30, step: Double = 0.1,
    tauMem: Double = 20, tauSyn: Double = 5, samples count: Int = 3, spikesPerUnit: Int = 1,
    seed: Int = 1
  ) {
    let entry = LossTable.entry(loss)!
    let layers =
      hidden.map {
        Layer(size: $0, tauMem: tauMem, tauSyn: tauSyn, isRecurrent: recurrent)
      } + [
        Layer(
          size: outputs, neuron: entry.readout == .firstSpike ? .lif : .li, tauMem: tauMem,
          tauSyn: tauSyn)
      ]
    let network = Network(inputs: inputs, layers: layers)
    var chance = Random(seed: seed, "targets")
    // A series of its own for every class; some are constant.
    let points = seed % 3 == 0 ? 1 : 7
    let targets =
      entry.readsTargets
      ? Targets(
        outputs: outputs, points: points,
        values: (0..<outputs * outputs * points).map { _ in chance.uniform(-1, 1) }) : nil
    problem = Problem(
      network: network, duration: duration, step: step,
      loss: entry.make(LossParameters(duration: duration)), shaping: shaping,
      targets: targets)
    let initial = network.projections.map { projection in
      let fanIn = Double(network.size(ofPopulation: projection.source))
      if projection.source == projection.target {
        return InitialWeights(mean: 0, sd: 0.5 / fanIn.squareRoot())
      }
      let drive = (projection.source == 0 ? 14.0 : 9.0) / Double(spikesPerUnit).squareRoot()
      let isReadout = projection.target == network.layers.count && entry.readout != .firstSpike
      return InitialWeights(mean: isReadout ? 0 : drive / fanIn, sd: drive / fanIn)
    }
    weights = Parameters(network, initial: initial, seed: seed)
    var random = Random(seed: seed, "fixture")
    samples = (0..<count).map { index in
      var train = SpikeTrain()
      for unit in 0..<inputs {
        for _ in 0..<spikesPerUnit {
          train.times.append(random.uniform(0, 0.7 * duration))
          train.units.append(UInt16(unit))
        }
      }
      train.sort()
      return (train, index % outputs)
    }
  }
}

/// A directory that is removed when the test ends.
public final class ScratchDirectory {
  public let path: String

  public init() {
    path = NSTemporaryDirectory() + "eventprop-test-" + UUID().uuidString
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  public func file(_ name: String) -> String { path + "/" + name }

  public func write(_ bytes: [UInt8], to name: String) -> String {
    let path = file(name)
    _ = FileManager.default.createFile(atPath: path, contents: Data(bytes))
    return path
  }

  public func write(_ text: String, to name: String) -> String { write(Array(text.utf8), to: name) }
}
