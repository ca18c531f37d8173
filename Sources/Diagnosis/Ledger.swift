// SPDX-License-Identifier: MIT

import EventPropCore

/// What one weight update did to the spikes of a probe set, and what that did to the loss.
public struct Ledger: Sendable, Equatable {
  /// Epoch and batch after which the update came.
  public var epoch = 0
  /// From 0 within the epoch; screens and files count from 1.
  public var batch = 0
  /// Mean loss over the probe set before and after the update.
  public var lossBefore = 0.0
  /// L(w + dw), on the same trials as `lossBefore`.
  public var lossAfter = 0.0
  /// g . dw: the change that the gradient of the probe set's loss promises, by the solver that
  /// trains.
  public var predicted = 0.0
  /// Per LIF layer (an output that spikes included).
  public var layers: [LayerChange] = []
  /// Creations and deletions, those with the largest effect on the loss first; costs are known for
  /// `priced` of them.
  public var events: [SpikeEvent] = []
  /// How many events have a cost: small sets all, of large ones an even selection.
  public var priced = 0

  /// No layers, no events, all sums 0.
  public init() {}

  /// L(w + dw) - L(w).
  public var actual: Double { lossAfter - lossBefore }
  /// What the gradient missed.
  public var gap: Double { actual - predicted }
  /// Over all LIF layers and probe trials, priced or not.
  public var created: Int { layers.reduce(0) { $0 + $1.created } }
  /// Over all LIF layers and probe trials, priced or not.
  public var deleted: Int { layers.reduce(0) { $0 + $1.deleted } }
  /// Spikes with a partner whose time differs, over all LIF layers and probe trials.
  public var moved: Int { layers.reduce(0) { $0 + $1.moved } }

  /// The change of the loss by creations and deletions: the sum over priced events, scaled up to
  /// all of them.
  public var byCreationAndDeletion = 0.0

  /// Standard error of `byCreationAndDeletion` for having priced only n of m events: m s/sqrt(n)
  /// sqrt(1 - n/m), s their standard deviation. 0 when all were; nil when fewer than two of more
  /// were, which says nothing.
  public private(set) var creationAndDeletionError: Double? = 0

  private func scalingError() -> Double? {
    if priced == events.count { return 0 }
    let changes = events.compactMap(\.lossChange)
    guard changes.count >= 2 else { return nil }
    let (n, m) = (Double(changes.count), Double(events.count))
    let mean = changes.reduce(0, +) / n
    let variance = changes.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)
    return m * (variance / n * (1 - n / m)).squareRoot()
  }
}

/// Sums over one layer, all its neurons and all probe trials.
public struct LayerChange: Sendable, Equatable {
  /// `hidden1`, ...
  public var layer: String
  /// Spikes after the update without a partner before it.
  public var created = 0
  /// Spikes before the update without a partner after it.
  public var deleted = 0
  /// Spikes with a partner whose time differs.
  public var moved = 0
  /// Spikes with a partner at the same time.
  public var unchanged = 0
  /// Mean of t' - t over pairs, ms: above 0, the layer spikes later.
  public var meanShift = 0.0
}

/// A spike that an update created or deleted.
public struct SpikeEvent: Sendable, Equatable {
  /// The raw values are the words of events.csv.
  public enum Kind: String, Sendable { case created, deleted }
  /// Created: only the network after the update has the spike; deleted: only the one before.
  public var kind: Kind
  /// Number of the probe trial.
  public var trial: Int
  /// `0` is hidden1.
  public var layer: Int
  /// Index in its layer.
  public var neuron: Int
  /// ms: after the update for a creation, before it for a deletion.
  public var time: Double
  /// By how much the event raised the probe set's mean loss: L of the new network, minus L of the
  /// new network with the deleted spike forced at its old time (or the created one's crossing
  /// suppressed). nil when not computed.
  public var lossChange: Double?

  /// The forward pass in which this did not happen.
  public var undoing: Intervention {
    Intervention(
      kind == .deleted ? .force : .suppress, layer: layer, neuron: neuron, time: time)
  }
}

/// The spikes of one trial, per layer, in order of time; empty for LI layers.
public typealias TrialSpikes = [[LayerSpike]]

extension Ledger {
  /// Matches the spikes of every neuron and trial.
  /// - Parameters:
  ///   - reach: how far a spike may move in one update and still be the same, ms.
  public init(
    _ network: Network, before: [TrialSpikes], after: [TrialSpikes], reach: Double
  ) {
    for (index, layer) in network.layers.enumerated() where layer.neuron.isSpiking {
      var change = LayerChange(layer: network.name(ofPopulation: index + 1))
      var (shift, pairs) = (0.0, 0)
      for trial in before.indices {
        network.forEachMatching(
          ofLayer: index, before: before[trial], after: after[trial], reach: reach
        ) { neuron, old, new, matching in
          for (i, j) in matching.moved {
            let moved = new[j] - old[i]
            if moved == 0 { change.unchanged += 1 } else { change.moved += 1 }
            shift += moved
            pairs += 1
          }
          change.deleted += matching.deleted.count
          change.created += matching.created.count
          events += matching.deleted.map {
            SpikeEvent(kind: .deleted, trial: trial, layer: index, neuron: neuron, time: old[$0])
          }
          events += matching.created.map {
            SpikeEvent(kind: .created, trial: trial, layer: index, neuron: neuron, time: new[$0])
          }
        }
      }
      if pairs > 0 { change.meanShift = shift / Double(pairs) }
      layers.append(change)
    }
  }

  /// Finds what each event did to the loss, by counterfactual forward passes.
  /// - Parameters:
  ///   - limit: how many to price at the most; of more, an even selection.
  ///   - trials: of the probe set.
  ///   - loss: of one trial of the new network under an intervention.
  public mutating func price(
    limit: Int, trials: Int, lossesAfter: [Double],
    loss: (_ trial: Int, Intervention) -> Double
  ) {
    let count = min(limit, events.count)
    for k in 0..<count {
      let index = k * events.count / count
      let event = events[index]
      events[index].lossChange =
        (lossesAfter[event.trial] - loss(event.trial, event.undoing)) / Double(trials)
    }
    priced = count
    creationAndDeletionError = scalingError()
    if count > 0 {
      byCreationAndDeletion =
        events.reduce(0) { $0 + ($1.lossChange ?? 0) } * Double(events.count) / Double(count)
    }
    events.sort { a, b in
      switch (a.lossChange, b.lossChange) {
      case (let x?, let y?): abs(x) > abs(y)
      case (_?, nil): true
      default: false
      }
    }
  }
}

/// Spike times of each neuron, ascending.
func timesByNeuron(_ spikes: [LayerSpike], size: Int) -> [[Double]] {
  var times = Array(repeating: [Double](), count: size)
  for spike in spikes { times[spike.neuron].append(spike.time) }
  return times
}

/// Running sums over the updates that the ledger looked at.
public struct LedgerTotals: Sendable, Equatable {
  /// How many ledgers were added.
  public var updates = 0
  /// Spikes created, over layers, probe trials and updates.
  public var created = 0
  /// Spikes deleted, over layers, probe trials and updates.
  public var deleted = 0
  /// Spikes with a partner whose time differs, over layers, probe trials and updates.
  public var moved = 0
  /// Sum of g . dw.
  public var predicted = 0.0
  /// Sum of L(w + dw) - L(w).
  public var actual = 0.0
  /// Change of the loss by them, each update's scaled up from its priced events to all.
  public var byCreationAndDeletion = 0.0
  /// Creations and deletions of which the effect on the loss was computed; `byCreationAndDeletion`
  /// is scaled up from them.
  public var priced = 0
  /// Sum of squares of the standard errors of that scaling; nil where one is not known.
  public var squaredError: Double? = 0
  /// Standard error of `byCreationAndDeletion`; nil where too few events were priced to tell.
  public var byCreationAndDeletionError: Double? { squaredError?.squareRoot() }
  /// Updates whose predicted and actual change had opposite signs.
  public var opposed = 0

  /// No updates: all sums 0, and no error in them.
  public init() {}

  /// Call it once per observed update, when its events have been priced.
  public mutating func add(_ ledger: Ledger) {
    updates += 1
    created += ledger.created
    deleted += ledger.deleted
    moved += ledger.moved
    predicted += ledger.predicted
    actual += ledger.actual
    byCreationAndDeletion += ledger.byCreationAndDeletion
    priced += ledger.priced
    squaredError = squaredError.flatMap { sum in
      ledger.creationAndDeletionError.map { sum + $0 * $0 }
    }
    if ledger.predicted * ledger.actual < 0 { opposed += 1 }
  }
}
