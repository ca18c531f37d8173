// SPDX-License-Identifier: MIT

import EventPropCore

/// A spike whose margin shrinks.
public struct SpikeAtRisk: Sendable, Equatable {
  /// Number of the probe trial.
  public var trial: Int
  /// `0` is hidden1.
  public var layer: Int
  /// Index in its layer.
  public var neuron: Int
  /// After the update, ms.
  public var time: Double
  /// After the update, in units of V: how far V would have risen above threshold.
  public var margin: Double
  /// Change of the margin per update: below 0.
  public var change: Double
  /// Updates until the margin is used up, if it goes on shrinking like this.
  public var updates: Double { margin / -change }

  /// Spikes that at this pace are gone within `horizon` updates, the next to go first.
  /// - Parameters:
  ///   - before: margins of the same trials earlier; `after` now.
  ///   - updates: how many came between them.
  ///   - reach: as for the ledger, ms.
  public static func list(
    _ network: Network, before: Margins, after: Margins, updates: Int = 1, reach: Double,
    horizon: Double
  ) -> [SpikeAtRisk] {
    let spiking = network.layers.indices.filter { network.layers[$0].neuron.isSpiking }
    var list: [SpikeAtRisk] = []
    for (row, layer) in spiking.enumerated() {
      var old = Dictionary(grouping: before.layers[row].spikes) { [$0.trial, $0.neuron] }
      for (key, new) in Dictionary(
        grouping: after.layers[row].spikes, by: { [$0.trial, $0.neuron] })
      {
        guard let was = old.removeValue(forKey: key) else { continue }
        let matching = SpikeMatching(
          before: was.map(\.time), after: new.map(\.time), reach: reach)
        for (i, j) in matching.moved {
          let change = (new[j].margin - was[i].margin) / Double(max(updates, 1))
          guard change < 0, new[j].margin / -change <= horizon else { continue }
          list.append(
            SpikeAtRisk(
              trial: key[0], layer: layer, neuron: key[1], time: new[j].time,
              margin: new[j].margin, change: change))
        }
      }
    }
    return list.sorted {
      ($0.updates, $0.layer, $0.neuron, $0.trial, $0.time)
        < ($1.updates, $1.layer, $1.neuron, $1.trial, $1.time)
    }
  }
}

/// Keeps at-risk predictions until they are due, and counts how often they came true.
public struct RiskRecord: Sendable, Equatable {
  private struct Prediction: Sendable, Equatable {
    var spike: SpikeAtRisk
    var made: Int
    var due: Int
    /// The neuron's spikes in that trial when last seen, and which of them it is.
    var train: [Double]
    var index: Int
  }

  private var open: [Prediction] = []
  /// Spikes predicted to go that were gone when due, or before.
  public private(set) var cameTrue = 0
  /// Those that were still there.
  public private(set) var didNot = 0
  /// Predictions watched at a time.
  public static let limit = 64

  /// Nothing watched, nothing counted.
  public init() {}

  /// Predictions that are not due yet, at most `limit`.
  public var watched: Int { open.count }

  /// Gives up what is watched: the layers have changed.
  public mutating func forget() { open = [] }

  /// A spike is followed from look to look by matching its neuron's trains. One found gone long
  /// after it was due (as late again as it was early) counts neither way: nobody looked in time.
  /// - Parameters:
  ///   - update: number of the update just made.
  ///   - trials: the probe's spikes after it.
  ///   - reach: as for the ledger, ms.
  public mutating func check(
    update: Int, trials: [TrialSpikes], reach: Double, adding list: [SpikeAtRisk]
  ) {
    func train(_ spike: SpikeAtRisk) -> [Double] {
      trials[spike.trial][spike.layer].filter { $0.neuron == spike.neuron }.map(\.time)
    }
    var still: [Prediction] = []
    for var prediction in open {
      let now = train(prediction.spike)
      let matching = SpikeMatching(before: prediction.train, after: now, reach: reach)
      guard let pair = matching.moved.first(where: { $0.before == prediction.index }) else {
        if update <= 2 * prediction.due - prediction.made { cameTrue += 1 }
        continue
      }
      if update >= prediction.due {
        didNot += 1
      } else {
        prediction.train = now
        prediction.index = pair.after
        prediction.spike.time = now[pair.after]
        still.append(prediction)
      }
    }
    for spike in list where still.count < Self.limit {
      let now = train(spike)
      guard let index = now.firstIndex(of: spike.time) else { continue }
      let isWatched = still.contains {
        $0.spike.trial == spike.trial && $0.spike.layer == spike.layer
          && $0.spike.neuron == spike.neuron && $0.index == index
      }
      if !isWatched {
        still.append(
          Prediction(
            spike: spike, made: update, due: update + max(1, Int(spike.updates.rounded(.up))),
            train: now, index: index))
      }
    }
    open = still
  }
}
