// SPDX-License-Identifier: MIT

import EventPropCore

/// What one update did to every spike of one trial.
public struct StepPicture: Sendable, Equatable {
  /// What became of a spike.
  public enum Fate: Sendable, Equatable {
    /// Before and after at the same time.
    case kept
    /// After the update; before it was at this time, ms.
    case moved(from: Double)
    /// After the update only.
    case created
    /// Before the update only.
    case deleted
  }

  /// A spike of before or after.
  public struct Spike: Sendable, Equatable {
    /// Index in its layer.
    public var neuron: Int
    /// ms: after the update; of a deleted spike before it.
    public var time: Double
    /// What became of it.
    public var fate: Fate
    /// How far V would have risen above threshold, in units of V; nil: not known (deleted).
    public var margin: Double?
    /// By how much a creation or deletion raised the probe's mean loss; nil: not priced.
    public var price: Double?
    /// At its pace it is gone within two hundred updates.
    public var isAtRisk = false

    /// Margin and price are filled in where they are known.
    public init(
      neuron: Int, time: Double, fate: Fate, margin: Double? = nil, price: Double? = nil,
      isAtRisk: Bool = false
    ) {
      (self.neuron, self.time, self.fate) = (neuron, time, fate)
      (self.margin, self.price, self.isAtRisk) = (margin, price, isAtRisk)
    }
  }

  /// Number of the probe trial.
  public var trial: Int
  /// Per layer, in order of time.
  public var layers: [[Spike]]

  /// - Parameters:
  ///   - events: priced where the ledger has priced them.
  ///   - margins: of the trial after the update, alone; nil: not looked at.
  ///   - reach: as for the ledger, ms.
  public init(
    _ network: Network, trial: Int, before: TrialSpikes, after: TrialSpikes,
    events: [SpikeEvent], atRisk: [SpikeAtRisk], margins: Margins?, reach: Double
  ) {
    self.trial = trial
    layers = []
    let spiking = network.layers.indices.filter { network.layers[$0].neuron.isSpiking }
    for index in network.layers.indices {
      var known: [Int: [Double: Double]] = [:]
      if let row = spiking.firstIndex(of: index), let margins {
        for spike in margins.layers[row].spikes {
          known[spike.neuron, default: [:]][spike.time] = spike.margin
        }
      }
      let priced = events.filter { $0.trial == trial && $0.layer == index }
      func price(_ kind: SpikeEvent.Kind, _ neuron: Int, _ time: Double) -> Double? {
        priced.first { $0.kind == kind && $0.neuron == neuron && $0.time == time }?.lossChange
      }
      let risky = atRisk.filter { $0.trial == trial && $0.layer == index }
      var spikes: [Spike] = []
      network.forEachMatching(ofLayer: index, before: before, after: after, reach: reach) {
        neuron, old, new, matching in
        for (i, j) in matching.moved {
          let time = new[j]
          spikes.append(
            Spike(
              neuron: neuron, time: time,
              fate: old[i] == time ? .kept : .moved(from: old[i]),
              margin: known[neuron]?[time],
              isAtRisk: risky.contains { $0.neuron == neuron && $0.time == time }))
        }
        for j in matching.created {
          let time = new[j]
          spikes.append(
            Spike(
              neuron: neuron, time: time, fate: .created, margin: known[neuron]?[time],
              price: price(.created, neuron, time)))
        }
        for i in matching.deleted {
          let time = old[i]
          spikes.append(
            Spike(
              neuron: neuron, time: time, fate: .deleted,
              price: price(.deleted, neuron, time)))
        }
      }
      layers.append(spikes.sorted { ($0.time, $0.neuron) < ($1.time, $1.neuron) })
    }
  }

  /// Spikes of a layer by fate: kept, moved, created, deleted.
  public func counts(layer: Int) -> (kept: Int, moved: Int, created: Int, deleted: Int) {
    var counts = (kept: 0, moved: 0, created: 0, deleted: 0)
    for spike in layers[layer] {
      switch spike.fate {
      case .kept: counts.kept += 1
      case .moved: counts.moved += 1
      case .created: counts.created += 1
      case .deleted: counts.deleted += 1
      }
    }
    return counts
  }
}
