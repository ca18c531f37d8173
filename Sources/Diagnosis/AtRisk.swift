import EventPropCore

/// A spike whose margin shrinks.
public struct SpikeAtRisk: Sendable, Equatable {
  /// Number of the probe trial.
  public var trial: Int
  /// `0` is hidden1.
  public var layer: Int
  public var neuron: Int
  /// After the update, ms.
  public var time: Double
  public var margin: Double
  /// Change of the margin by the update: below 0.
  public var change: Double
  /// Updates until the margin is used up, if it goes on shrinking like this.
  public var updates: Double { margin / -change }

  /// Spikes that at this pace are gone within `horizon` updates, the next to go first.
  /// - Parameters:
  ///   - before: margins of the same trials before the update; `after` after it.
  ///   - reach: as for the ledger, ms.
  public static func list(
    _ network: Network, before: Margins, after: Margins, reach: Double, horizon: Double
  ) -> [SpikeAtRisk] {
    let spiking = network.layers.indices.filter { network.layers[$0].neuron == .lif }
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
          let change = new[j].margin - was[i].margin
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
    var due: Int
  }

  private var open: [Prediction] = []
  /// Spikes predicted to go that were gone when due, or before.
  public private(set) var cameTrue = 0
  /// Those that were still there.
  public private(set) var didNot = 0
  /// Predictions watched at a time.
  public static let limit = 64

  public init() {}

  public var watched: Int { open.count }

  /// - Parameters:
  ///   - update: number of the update just made.
  ///   - trials: the probe's spikes after it.
  ///   - reach: how far a watched spike may have moved since it was last seen, ms.
  public mutating func check(
    update: Int, trials: [TrialSpikes], reach: Double, adding list: [SpikeAtRisk]
  ) {
    var still: [Prediction] = []
    for var prediction in open {
      let spike = prediction.spike
      let times = trials[spike.trial][spike.layer].filter { $0.neuron == spike.neuron }.map(\.time)
      let nearest = times.min { abs($0 - spike.time) < abs($1 - spike.time) }
      if let nearest, abs(nearest - spike.time) <= reach {
        if update >= prediction.due {
          didNot += 1
        } else {
          prediction.spike.time = nearest
          still.append(prediction)
        }
      } else {
        cameTrue += 1
      }
    }
    for spike in list where still.count < Self.limit {
      let isWatched = still.contains {
        $0.spike.trial == spike.trial && $0.spike.layer == spike.layer
          && $0.spike.neuron == spike.neuron && abs($0.spike.time - spike.time) <= reach
      }
      if !isWatched {
        still.append(Prediction(spike: spike, due: update + Int(spike.updates.rounded(.up))))
      }
    }
    open = still
  }
}
