// SPDX-License-Identifier: MIT

import Experiments
import Diagnosis
import EventPropCore
import SpikeData

/// One network in training: weights, optimiser and loss. Lanes of a trainer see the same batches.
package protocol Lane: AnyObject {
  var name: String { get }
  var options: LaneOptions { get set }
  var network: Network { get }
  /// What its solver solves.
  var problem: Problem { get }
  /// w(t) as it is used, with the profile that `input` takes from the data.
  var shaping: Shaping { get }
  var schedule: Schedule { get set }
  /// Training sums of the current epoch.
  var epochTally: Tally { get set }
  /// Per projection: sum over the epoch's batches of |dL/dW|^2.
  var epochSquares: [Double] { get set }
  var epochBatches: Int { get set }
  /// What keeping spikes did in the current epoch; nil: the lane does not keep them.
  var keeping: KeepingTally? { get set }
  /// Sums over the last batch, and its |dL/dW|^2 per projection.
  var lastTally: Tally { get }
  var lastSquares: [Double] { get }

  /// How far it has come by its validation.
  var progress: LaneProgress { get set }
  var diagnosis: LaneDiagnosis { get set }
  /// Chooses the probe set that updates are observed on.
  func watch(_ samples: [(train: SpikeTrain, label: Int)], _ options: DiagnosisOptions)
  /// Chooses the samples that spikes are kept on, where the lane's options ask for it.
  func keepSpikes(on samples: [(train: SpikeTrain, label: Int)])
  /// On the probe set, under the present weights.
  func margins(pool: WorkerPool) -> Margins?
  func silence(pool: WorkerPool) -> SilenceReport?
  /// Spikes of every spiking layer, per trial of the probe set; empty without one.
  func probeSpikes(pool: WorkerPool) -> [TrialSpikes]
  func gradientFlow() -> (shaped: GradientFlow, plain: GradientFlow)?
  /// On the probe set: spikes of every hidden layer by tenth of the trial, and the gradient by
  /// tenth, on the grid.
  func timing() -> (spikes: [[Int]], gradient: GradientFlow?)
  /// What a comparison of gradients on the probe set needs, by value: problem, samples, weights row
  /// by row.
  func comparable() -> (problem: Problem, samples: [GradientCheck.Sample], weights: [[Double]])?
  /// Matrix by matrix, beside the initial weights.
  func weightStatistics() -> [WeightStatistics]
  /// What the last observed update did to the spikes of one probe trial.
  func stepPicture(trial: Int) -> StepPicture?
  /// V(t) of one neuron on a sample.
  func trace(
    _ data: SpikeDataSet, sample: Int, options: DataOptions?, layer: Int, neuron: Int, spike: Int?
  ) -> Trace?
  /// V of the neurons of every hidden layer on a sample, at the ends of equal parts of the trial:
  /// layers x neurons x points; nil where the trial was given up.
  func hiddenVoltages(_ data: SpikeDataSet, sample: Int, options: DataOptions?, points: Int)
    -> [[[Double]]]?
  /// The weights alone, as they are at this moment.
  func keep() -> KeptLane
  /// When 99 % of a probe sample's input spikes have come, ms, mean over samples; nil without any.
  var inputEnd: Double? { get }
  /// Steps of the grid in a trial.
  var stepsPerTrial: Int { get }
  /// Adds to all incoming weights of some neurons, or draws them anew.
  func cure(_ policy: SilentPolicy, layer: Int, neurons: [Int], random: inout Random)
  /// Multiplies all feed-forward weights into a layer; the last is the output.
  func scale(by factor: Double, layer: Int)

  /// One forward and backward pass over a batch and one update.
  /// - Parameter observation: what to find out about the update on the probe set.
  /// - Throws: `TrainingError` when the loss is not a finite number, and the weights are then as
  ///   before, or the gradient.
  func train(_ batch: SampleBatch, pool: WorkerPool, observation: Observation?) throws
  /// Runs a whole data set forward.
  func evaluate(_ data: SpikeDataSet, options: DataOptions?, pool: WorkerPool) -> Evaluation
  /// Runs one sample forward, for the eye; voltages at `points` times.
  func probe(_ data: SpikeDataSet, sample: Int, options: DataOptions?, points: Int) -> ProbeTrial
  /// lV - lI of every hidden layer on the probe set, on the grid, under the lane's shaping and
  /// under w = 1.
  func errorMaps() -> [ErrorMap]
  /// How its weights stand on some samples, and what would help, on the lane's own solver.
  /// - Parameters:
  ///   - samples: as the network gets them, delay line applied; not empty.
  ///   - target: wished spikes per neuron and trial; nil: `InitReport.target(duration:)`.
  ///   - known: the report of a lane whose hidden layers stand the same, on the same samples.
  func initReport(
    _ samples: [(train: SpikeTrain, label: Int)], target: Double?, known: InitReport?,
    pool: WorkerPool
  ) -> InitReport
  /// Cures silent neurons as the preset says; called at the end of an epoch.
  func applySilentPolicy(epoch: Int, seed: Int)

  /// Weights and optimiser state by file name without `.npy`.
  func arrays() -> [(name: String, array: NPYArray)]
  /// - Throws: `FileError` when one is missing or has the wrong shape.
  func restore(updates: Int, from read: (String) throws -> NPYArray) throws
  /// Takes over weights, as `keep` gives them.
  /// - Throws: `FileError` when they are of another network.
  func take(_ weights: [NPYArray]) throws
  /// That its optimiser has made.
  var updates: Int { get }
}

extension Lane {
  /// Takes over weights that `keep` gave.
  /// - Throws: `FileError` when they are of another network.
  package func take(_ kept: KeptLane) throws { try take(kept.weights) }

  /// - Throws: `FileError` when arrays are not the weights of such a network.
  package func check(_ weights: [NPYArray]) throws { try StartWeights.check(weights, network) }
}

/// What to find out about an update.
package struct Observation: Equatable {
  /// By the preset's schedule: only these go into sums, metrics and alarms, so that looking changes
  /// no record.
  var isScheduled: Bool
  var withMargins: Bool
  /// Whether the weights on both sides are kept.
  var withWeights = false
}
