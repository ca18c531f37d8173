// SPDX-License-Identifier: MIT

import Diagnosis
import EventPropCore
import Foundation

/// Some samples that are run again and again under weights of its own: those of a lane, and what
/// may be better ones.
final class InitProbe<S: Solver> {
  typealias Scalar = S.Scalar
  let solver: S
  let weights: Parameters<Scalar>
  let pool: WorkerPool
  let trials: [S.Trial]
  private let workspaces: [S.Workspace]

  init(
    _ solver: S, _ samples: [(train: SpikeTrain, label: Int)], weights: Parameters<Scalar>,
    pool: WorkerPool
  ) {
    self.solver = solver
    self.weights = weights
    self.pool = pool
    trials = samples.map { _ in solver.makeTrial() }
    workspaces = (0..<min(4, samples.count)).map { _ in solver.makeWorkspace() }
    for (sample, trial) in zip(samples, trials) {
      sample.train.withView { solver.load($0, label: sample.label, into: trial) }
    }
  }

  private var network: Network { solver.problem.network }

  func run() {
    pool.forEach(workspaces.count) { index in
      for k in stride(from: index, to: trials.count, by: workspaces.count) {
        solver.forward(trials[k], weights: weights, workspace: workspaces[index])
      }
    }
  }

  /// The gradient of the last pass's mean loss, without phantom spikes; the trials forget those.
  func gradient() -> Parameters<Scalar> {
    let sum = Parameters<Scalar>(network)
    let tape = solver.makeTape()
    for trial in trials {
      trial.withholdPhantom()
      solver.backward(
        trial, weights: weights, push: [], gradient: sum, tape: tape, workspace: workspaces[0])
    }
    solver.finish(sum, trials: trials.count)
    return sum
  }

  /// Each neuron's spikes in the last pass, over all trials.
  func counts(ofLayer layer: Int) -> [Int] {
    var counts = Array(repeating: 0, count: network.layers[layer].size)
    for trial in trials { trial.addSpikeCounts(ofLayer: layer, to: &counts) }
    return counts
  }

  func inputCounts() -> [Int] {
    var counts = Array(repeating: 0, count: network.inputs)
    for trial in trials { for spike in trial.inputSpikes { counts[spike.neuron] += 1 } }
    return counts
  }

  /// Of the last pass.
  func rates(ofLayer layer: Int, steps: Int?) -> SpikeRates? {
    guard network.layers[layer].neuron.isSpiking else { return nil }
    if trials.contains(where: { explodedLayer($0) == layer }) { return .exploded }
    return SpikeRates(counts: counts(ofLayer: layer), trials: trials.count, steps: steps)
  }

  /// Samples whose label's output had no gradient in the last pass.
  var mute: Int { trials.count { $0.isLabelMute } }

  var failure: String? { trials.lazy.compactMap(\.failure).first }

  /// A layer for whose spikes a pass was given up has none: it is the first without, for what a
  /// silent layer drives does not spike either.
  private func explodedLayer(_ trial: S.Trial) -> Int? {
    guard trial.failure != nil else { return nil }
    return network.layers.indices.first { trial.spikes(ofLayer: $0).isEmpty }
  }

  /// Share of a layer's spikes of the last pass in the last three tenths of the trial.
  func lateSpikes(ofLayer layer: Int) -> Double {
    let border = 0.7 * solver.problem.duration
    var (late, all) = (0, 0)
    for trial in trials {
      for spike in trial.spikes(ofLayer: layer) {
        all += 1
        if spike.time >= border { late += 1 }
      }
    }
    return Double(late) / Double(max(all, 1))
  }
}

/// A search by doubling and halving for the least change, of three significant digits, that is
/// enough.
/// - Parameters:
///   - start: not enough, or the direction is downwards: then too much.
///   - range: where to look.
///   - isEnough: whether a number is enough; false below some number and true above it, roughly.
/// - Returns: nil where none is enough, or all are.
func leastEnough(
  from start: Double, in range: ClosedRange<Double>, isEnough: (Double) -> Bool
) -> Double? {
  var (low, high) = (start, start)
  if isEnough(start) {
    repeat {
      high = low
      guard high > range.lowerBound else { return nil }
      low = max(low / 2, range.lowerBound)
    } while isEnough(low)
  } else {
    repeat {
      low = high
      guard low < range.upperBound else { return nil }
      high = min(high * 2, range.upperBound)
    } while !isEnough(high)
  }
  // Below a thousandth of each other both are one number of three digits.
  while high > low * 1.002 {
    let middle = (low * high).squareRoot()
    if isEnough(middle) { high = middle } else { low = middle }
  }
  return high
}

extension Double {
  /// The next number of three significant digits, as it is printed, from a positive one upwards.
  var roundedUpToThreeDigits: Double {
    guard isFinite, self > 0 else { return self }
    let unit = pow(10, log10(self).rounded(.down) - 2)
    let near = Double(String(format: "%.2e", self)) ?? self
    return near >= self ? near : Double(String(format: "%.2e", near + unit)) ?? self
  }
}
