// SPDX-License-Identifier: MIT

import Diagnosis
import Experiments
import EventPropCore
import SpikeData

/// Weights on both sides of an observed update, by value.
package struct StepWeights: Sendable {
  /// In the order of `Network.projections`, row-major pre x post.
  package var before: [[Double]]
  package var after: [[Double]]
  /// Which update it was.
  package var update: Int
}

/// The probe's spikes on both sides of an observed update.
package struct StepSpikes: Sendable {
  package var before: [TrialSpikes]
  package var after: [TrialSpikes]
  /// Which update it was.
  package var update: Int
}

extension SolverLane {
  private var present: Network { network.with(weights) }

  /// What the last observed update did to the spikes of one probe trial; nil before the first.
  package func stepPicture(trial: Int) -> StepPicture? {
    guard let observer, let spikes = diagnosis.step, spikes.after.indices.contains(trial) else {
      return nil
    }
    // Margins are of the present weights: known as long as these are those after the update.
    let isCurrent = spikes.update == updates && !isTouched
    let margins =
      !isCurrent
      ? nil
      : Margins(
        present, duration: solver.problem.duration, inputs: [observer.inputs(of: trial)],
        trials: [spikes.after[trial]], weights: weights.matrices.map { WeightRows($0) },
        delays: solver.delays(weights))
    return StepPicture(
      network, trial: trial, before: spikes.before[trial], after: spikes.after[trial],
      events: diagnosis.ledger?.events ?? [], atRisk: diagnosis.atRisk, margins: margins,
      reach: observer.reach)
  }

  package func hiddenVoltages(
    _ data: SpikeDataSet, sample: Int, options: DataOptions?, points: Int
  ) -> [[[Double]]]? {
    let trial = run(data, sample: sample, options: options).trial
    guard trial.failure == nil else { return nil }
    let spikes = network.layers.indices.map { trial.spikes(ofLayer: $0) }
    let rows = weights.matrices.map { WeightRows($0) }
    return (0..<network.hiddenCount).map {
      present.voltages(
        ofLayer: $0, duration: solver.problem.duration, input: trial.inputSpikes, spikes: spikes,
        weights: rows, delays: solver.delays(weights), points: points)
    }
  }

  /// V(t) of one neuron on a sample under the present weights.
  /// - Parameter spike: which of its spikes the shares are of, and what goes on without it; nil:
  ///   where it comes closest to threshold.
  package func trace(
    _ data: SpikeDataSet, sample: Int, options: DataOptions?, layer: Int, neuron: Int, spike: Int?
  ) -> Trace? {
    guard network.layers.indices.contains(layer), network.layers[layer].neuron.isSpiking,
      (0..<network.layers[layer].size).contains(neuron)
    else { return nil }
    let trial = run(data, sample: sample, options: options).trial
    guard trial.failure == nil else { return nil }
    let spikes = network.layers.indices.map { trial.spikes(ofLayer: $0) }
    let loss = trial.loss
    var trace = Trace(
      present, duration: solver.problem.duration, input: trial.inputSpikes, spikes: spikes,
      weights: weights.matrices.map { WeightRows($0) }, delays: solver.delays(weights),
      layer: layer, neuron: neuron, spike: spike)
    if let chosen = trace.spike {
      let time = trace.spikes[chosen]
      solver.forward(
        trial, weights: weights, workspace: probeWorkspace,
        with: Intervention(.suppress, layer: layer, neuron: neuron, time: time))
      if trial.failure == nil {
        trace.downstream = Trace.Downstream(
          network, before: spikes, after: network.layers.indices.map { trial.spikes(ofLayer: $0) },
          lossChange: trial.loss - loss, removed: (layer, neuron, time),
          reach: observer?.reach ?? 10)
      }
    }
    return trace
  }
}
