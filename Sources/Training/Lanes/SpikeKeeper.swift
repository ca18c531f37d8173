// SPDX-License-Identifier: MIT

import EventPropCore
import Experiments
import Foundation

/// What keeping spikes (`training.keep_spikes`) did in an epoch's updates.
package struct KeepingTally: Equatable, Sendable {
  /// Neurons whose step was shortened and that kept their spikes, summed over updates.
  package var kept = 0
  /// Neurons that lost their spikes all the same, summed over updates.
  package var lost = 0
  /// Sum over updates of (|dw given up| / |dw|)^2, the L2 norm taken over all that is trained.
  package var squares = 0.0
  package var batches = 0

  /// Root mean square over updates of |dw given up| / |dw|; 0 without any.
  package var stepGivenUp: Double { (squares / Double(max(batches, 1))).squareRoot() }

  mutating func add(_ other: KeepingTally) {
    kept += other.kept
    lost += other.lost
    squares += other.squares
    batches += other.batches
  }

  /// As a checkpoint keeps them.
  package var numbers: [Double] { [Double(kept), Double(lost), squares, Double(batches)] }

  package init() {}

  /// From what `numbers` gave; nil when it did not.
  package init?(numbers: [Double]) {
    guard numbers.count == 4, numbers.allSatisfy({ $0 >= 0 && $0 < 1e15 }) else { return nil }
    (kept, lost) = (Int(numbers[0]), Int(numbers[1]))
    (squares, batches) = (numbers[2], Int(numbers[3]))
  }
}

/// Shortens a hidden neuron's step of an update where the whole step would take its spikes on a few
/// fixed training samples.
final class SpikeKeeper<S: Solver> {
  typealias Scalar = S.Scalar
  private let rule: KeepSpikes
  private let solver: S
  private let samples: [(train: SpikeTrain, label: Int)]
  /// The layer that each array of parameters leads into; 0 is hidden1.
  private let layers: [Int]
  private lazy var before = Parameters<Scalar>(network)
  private lazy var after = Parameters<Scalar>(network)
  private var slots: [Slot] = []
  /// Per hidden layer and neuron: spikes that count, under the weights in `before`; nil: not known.
  private var counts: [[Int]]?

  private typealias Neuron = (layer: Int, index: Int)
  private var network: Network { solver.problem.network }

  /// Shares of a step, each tried when the one before was too long.
  private static var shares: [Scalar] { [1, 1 / 2, 1 / 4, 1 / 8, 0] }
  /// Neurons of one layer need as many rounds as there are shares. Where one's spikes depend on
  /// another's step there may be more.
  private static var mostRounds: Int { 8 }

  /// What a thread counts every `slots.count`-th sample with.
  private final class Slot {
    let trial: S.Trial
    let workspace: S.Workspace
    var counts: [[Int]] = []
    /// The first sample that was given up, and why.
    var failure: (sample: Int, text: String)?

    init(_ solver: S) {
      trial = solver.makeTrial()
      workspace = solver.makeWorkspace()
    }
  }

  init(_ rule: KeepSpikes, _ solver: S, samples: [(train: SpikeTrain, label: Int)]) {
    self.rule = rule
    self.solver = solver
    self.samples = samples
    let network = solver.problem.network
    layers = network.arrays.map(\.layer)
  }

  /// Takes note of weights and spikes before an update. Counts only where weights are other than
  /// `end` left them: counts follow from the weights, so that it makes no difference.
  /// - Throws: `TrainingError` when a trial is given up.
  func begin(_ weights: Parameters<Scalar>, pool: WorkerPool) throws {
    for (index, layer) in layers.enumerated() where layer < network.hiddenCount {
      let (old, new) = (before.arrays[index], weights.arrays[index])
      if memcmp(old.base, new.base, new.count * MemoryLayout<Scalar>.stride) != 0 { counts = nil }
    }
    copy(weights, to: before)
    if counts == nil { counts = try count(weights, pool) }
  }

  /// Shortens steps of the update since `begin`.
  /// - Throws: `TrainingError` when a trial is given up.
  func end(_ weights: Parameters<Scalar>, pool: WorkerPool) throws -> KeepingTally {
    guard let old = counts else { return KeepingTally() }
    counts = nil
    var tally = KeepingTally()
    tally.batches = 1
    var new = try count(weights, pool)
    var losing = losing(from: old, to: new)
    if !losing.isEmpty {
      copy(weights, to: after)
      var shares = old.map { $0.map { _ in 0 } }
      for _ in 0..<Self.mostRounds {
        let shortened = losing.filter { shares[$0.layer][$0.index] < Self.shares.count - 1 }
        if shortened.isEmpty { break }
        for neuron in shortened {
          shares[neuron.layer][neuron.index] += 1
          step(neuron, Self.shares[shares[neuron.layer][neuron.index]], weights)
        }
        new = try count(weights, pool)
        losing = self.losing(from: old, to: new)
      }
      for neuron in losing { shares[neuron.layer][neuron.index] = 0 }
      tally.kept = shares.reduce(0) { $0 + $1.count { $0 > 0 } }
      tally.lost = losing.count
      tally.squares = squares(from: weights, to: after) / squares(from: before, to: after)
    }
    copy(weights, to: before)
    counts = new
    return tally
  }

  /// Per hidden layer and neuron: spikes that count. They are whole numbers: their sum does not
  /// depend on who counts which sample.
  private func count(_ weights: Parameters<Scalar>, _ pool: WorkerPool) throws -> [[Int]] {
    while slots.count < min(pool.threads, samples.count) { slots.append(Slot(solver)) }
    let (slots, samples, solver, least) = (slots, samples, solver, rule.slope)
    let none = network.layers.dropLast().map { Array(repeating: 0, count: $0.size) }
    pool.forEach(slots.count) { index in
      let slot = slots[index]
      slot.counts = none
      slot.failure = nil
      for k in stride(from: index, to: samples.count, by: slots.count) where slot.failure == nil {
        samples[k].train.withView {
          solver.load($0, label: samples[k].label, into: slot.trial)
        }
        solver.forward(slot.trial, weights: weights, workspace: slot.workspace)
        slot.failure = slot.trial.failure.map { (k, $0) }
        for layer in none.indices {
          for spike in slot.trial.spikes(ofLayer: layer) where spike.slope >= least {
            slot.counts[layer][spike.neuron] += 1
          }
        }
      }
    }
    if let failure = slots.compactMap(\.failure).min(by: { $0.sample < $1.sample }) {
      throw TrainingError(description: "on the samples of training.keep_spikes: \(failure.text)")
    }
    return none.indices.map { layer in
      none[layer].indices.map { neuron in slots.reduce(0) { $0 + $1.counts[layer][neuron] } }
    }
  }

  private func losing(from old: [[Int]], to new: [[Int]]) -> [Neuron] {
    old.indices.flatMap { layer in
      old[layer].indices.compactMap { index in
        new[layer][index] < min(old[layer][index], rule.perNeuron) ? (layer, index) : nil
      }
    }
  }

  /// Gives a neuron's incoming weights, delays and constants a share of their step; what it shares
  /// with others, as axonal delays, goes the whole way.
  private func step(_ neuron: Neuron, _ share: Scalar, _ weights: Parameters<Scalar>) {
    for (index, layer) in layers.enumerated() where layer == neuron.layer {
      let (old, new) = (before.arrays[index], after.arrays[index])
      if old.columns != network.layers[layer].size { continue }
      for row in 0..<old.rows {
        let start = old[row, neuron.index]
        weights.arrays[index][row, neuron.index] = start + share * (new[row, neuron.index] - start)
      }
    }
  }

  private func copy(_ from: Parameters<Scalar>, to copy: Parameters<Scalar>) {
    for (from, to) in zip(from.arrays, copy.arrays) {
      to.base.update(from: from.base, count: from.count)
    }
  }

  /// The square of the distance, summed in order.
  private func squares(from: Parameters<Scalar>, to: Parameters<Scalar>) -> Double {
    var sum = 0.0
    for (from, to) in zip(from.arrays, to.arrays) {
      for (to, from) in zip(to.doubles, from.doubles) { sum += (to - from) * (to - from) }
    }
    return sum
  }
}
