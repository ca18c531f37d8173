// SPDX-License-Identifier: MIT

import Foundation

/// EventProp event by event, in Double: exact up to rounding (Wunderlich & Pehle 2021).
///
/// Layers are solved one after the other. A layer without recurrence is solved neuron by neuron
/// (`ExactSolver+FeedForward.swift`); a recurrent one as a whole (`ExactSolver+Recurrent.swift`);
/// the read-out of LI outputs has its own file (`ExactSolver+Readout.swift`). In each, the forward
/// pass and its adjoint are neighbours.
public final class ExactSolver: Solver {
  /// `step` is used for `mergesInput` alone, `rule` not at all.
  public let problem: Problem
  /// Times at which w(t) is not smooth, ms.
  let kinks: [Double]
  /// What the loss reads; nil: classes alone.
  let targets: Targets?
  /// As they are where nothing of them is trained.
  private let fixedLayers: [ExactLayer]

  /// More spikes of a layer in one trial than this means that the weights have exploded: 200 a
  /// neuron in each tau_mem, 2000 a neuron in short trials, a million in all.
  func spikeLimit(_ layer: Layer) -> Int {
    let ofNeuron = max(2000, 200 * problem.duration / layer.tauMem[0])
    return Int(min(Double(layer.size) * ofNeuron, 1e6))
  }

  /// Whether all layers are solved neuron by neuron, as those are that have no kernels.
  let isOneByOne: Bool

  /// Takes every network, also layers with constants of each neuron, or trained ones.
  public convenience init(_ problem: Problem) { self.init(problem, isOneByOne: false) }

  /// Without kernels: what these are held against.
  package init(_ problem: Problem, isOneByOne: Bool) {
    self.problem = problem
    self.isOneByOne = isOneByOne
    targets = problem.lossTargets
    let bends = problem.shaping.kinks + (targets?.kinks ?? [])
    kinks = bends.sorted().map { $0 * problem.duration }
    fixedLayers = ExactLayer.layers(problem.network.layers)
  }

  /// Without a sample: no spikes, class 0, until `load`.
  public func makeTrial() -> ExactTrial { ExactTrial(network: problem.network) }
  /// As large as the parameters: it holds the gradient itself.
  public func makeTape() -> ExactTape { ExactTape(problem.network) }
  /// Holds nothing: one may serve any number of trials.
  public func makeWorkspace() -> ExactWorkspace { ExactWorkspace() }

  /// Copies the spikes at their exact times. With `mergesInput`, of those of a unit that round to
  /// the same step the first stays.
  public func load(_ input: SpikeTrainView, label: Int, into trial: ExactTrial) {
    assert(input.isValid(inputs: problem.network.inputs))
    trial.label = label
    var count = input.count
    while count > 0 && input.times[count - 1] >= problem.duration { count -= 1 }
    trial.input.times = Array(input.times[..<count])
    trial.input.sources = input.units[..<count].map { UInt32($0) }
    guard problem.mergesInput else { return }
    var last = Array(repeating: -1, count: problem.network.inputs)
    var kept = 0
    for k in 0..<count {
      let (time, unit) = (input.times[k], Int(input.units[k]))
      let step = Int((time / problem.step).rounded())
      if last[unit] == step { continue }
      last[unit] = step
      (trial.input.times[kept], trial.input.sources[kept]) = (time, UInt32(unit))
      kept += 1
    }
    trial.input.times.removeLast(count - kept)
    trial.input.sources.removeLast(count - kept)
  }

  /// Gives up when a layer has too many spikes: `failure` then says so, the loss is NaN and the
  /// prediction -1, and of the layers above the spikes of the pass before are left.
  public func forward(
    _ trial: ExactTrial, weights: Parameters<Double>, workspace: ExactWorkspace
  ) {
    trial.failure = nil
    for own in layers(weights) {
      own.layer.neuron.exact.forward(
        ExactPass(solver: self, trial: trial, own: own, weights: weights))
      if trial.failure != nil {
        trial.loss = .nan
        trial.prediction = -1
        trial.fit = problem.targets.map {
          Fit(error: .nan, spread: $0.spreads[trial.label])
        }
        (trial.needsPhantom, trial.isLabelMute) = (false, false)
        return
      }
    }
    if problem.loss.readout == .firstSpike { readFirstSpikes(trial) }
    let total = trial.loss
    (trial.prediction, trial.loss, trial.needsPhantom, trial.isLabelMute) =
      problem.loss.conclude(
        &trial.readout, label: trial.label, duration: problem.duration,
        gradient: &trial.readoutGradient)
    if problem.loss.readout == .instantaneous { trial.loss = total }
    trial.fit = problem.targets.map {
      Fit(error: trial.error, spread: $0.spreads[trial.label])
    }
    if trial.fit != nil { trial.prediction = -1 }
  }

  /// The spike may be forced at any time, not only where V comes near the threshold.
  public func forward(
    _ trial: ExactTrial, weights: Parameters<Double>, workspace: ExactWorkspace,
    with intervention: Intervention
  ) {
    trial.intervention = intervention
    forward(trial, weights: weights, workspace: workspace)
    trial.intervention = nil
  }

  /// Adds to the tape's gradient at once; does nothing after a pass that was given up. `push` may
  /// be shorter than the layers: those beyond have none.
  public func backward(
    _ trial: ExactTrial, weights: Parameters<Double>, push: [[Double]], tape: ExactTape,
    workspace: ExactWorkspace
  ) {
    guard trial.failure == nil else { return }
    let gradient = tape.gradient
    trial.clearAdjoints(problem.network)
    let last = problem.network.layers.count - 1
    // Per spike of the layer at hand: sum_j w_nj (lV_j - lI_j) over the layer above, and dl/dt.
    var errors = Array(repeating: 0.0, count: trial.layers[last].count)
    if problem.loss.readout == .firstSpike { addSpikeTimes(trial, &errors) }
    for own in layers(weights).reversed() {
      errors = own.layer.neuron.exact.backward(
        ExactPass(solver: self, trial: trial, own: own, weights: weights), errors,
        own.index < push.count ? push[own.index] : [], gradient)
    }
  }

  /// The layers in order, with the values of the moment of what is trained.
  private func layers(_ weights: Parameters<Double>) -> [ExactLayer] {
    weights.vectors.isEmpty ? fixedLayers : ExactLayer.layers(weights.layers)
  }

  /// Clears the gradient of all parameters, whichever of them were used.
  public func rewind(_ tape: ExactTape) { tape.gradient.clear() }

  /// Plain addition: the tapes hold the gradients of their trials already.
  public func gather(
    _ tapes: [ExactTape], array: Int, scalars: Range<Int>, into gradient: Parameters<Double>
  ) {
    let sum = gradient.arrays[array].base
    for tape in tapes {
      let part = tape.gradient.arrays[array].base
      for k in scalars { sum[k] += part[k] }
    }
  }

  private func readFirstSpikes(_ trial: ExactTrial) {
    for j in trial.readout.indices { trial.readout[j] = .infinity }
    for spike in trial.layers[trial.layers.count - 1].reversed() {
      trial.readout[Int(spike.neuron)] = spike.time
    }
  }

  /// dl/dt_j belongs to the first spike of output j.
  private func addSpikeTimes(_ trial: ExactTrial, _ errors: inout [Double]) {
    var seen = Array(repeating: false, count: trial.readout.count)
    for (index, spike) in trial.layers[trial.layers.count - 1].enumerated() {
      let neuron = Int(spike.neuron)
      if seen[neuron] { continue }
      seen[neuron] = true
      errors[index] += trial.readoutGradient[neuron]
    }
  }
}
