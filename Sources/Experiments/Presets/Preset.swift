// SPDX-License-Identifier: MIT

import EventPropCore
import SpikeData

/// A complete description of an experiment, read from TOML. The keys are in the article Presets of
/// Workbench.docc.
public struct Preset: Sendable {
  /// Names new run folders: `runs/<name>-<n>`.
  public var name: String
  /// Of initial weights, order of batches and augmentation; `data.seed` may differ.
  public var seed: Int
  /// How many networks every lane is trained as, with seeds `seed`, `seed` + 1, ...: initial
  /// weights, order of batches and, unless `data.seed` is given, generated data differ.
  public var seeds: Int
  /// nil only for cases, which bring their own spikes.
  public var data: DataOptions?
  /// `[training]` but for what a lane may override.
  public var training: TrainingOptions
  /// `[diagnosis]`, for all lanes.
  public var diagnosis: DiagnosisOptions
  /// At least one; all start from the same weights and see the same batches.
  public var lanes: [LaneOptions]
  /// Trial length T, ms.
  public var duration: Double
  /// What the comments that open the file say.
  public var card = PresetCard()
  /// Those comments, and everything above with defaults filled in, as TOML: reads back to an equal
  /// preset.
  public var resolvedText: String
  /// What it was read from.
  var source = PresetSource()
}

/// The text that a preset was read from.
struct PresetSource: Sendable {
  var text = ""
  /// What messages call it.
  var file = ""
  var settings: [String] = []
  /// Of a run that keeps the weights it began with.
  var start: String?
}

/// Where samples come from and how they are changed on the way.
public struct DataOptions: Sendable {
  let source: any DataSource
  /// What the source is asked for.
  let request: DataRequest
  /// Of generated samples and the validation split; without `data.seed` the preset's.
  public var seed: Int { request.seed }
  /// `.none` where the preset asks for no validation samples.
  public var validation: ValidationSplit
  /// At most one input spike per unit and step.
  public var mergesPerStep: Bool
  /// Changes all samples as they are loaded; 1 and 1: none.
  public var rescale: (units: Double, time: Double)
  /// Changes training samples alone, anew in every epoch.
  public var augmentation: Augmentation
  /// Applies to all samples: training, evaluation, probes.
  public var delayLine: DelayLine

  /// `data.kind`.
  public var kind: String { type(of: source).kind }
  /// Samples are drawn by the seed, not read from files.
  public var isGenerated: Bool { type(of: source).isGenerated }
  /// Every sample has a target series, whatever is in files.
  public var hasTargets: Bool { type(of: source).hasTargets }
}

/// What all lanes share.
public struct TrainingOptions: Sendable, Equatable {
  /// Where training ends; 0 trains nothing.
  public var epochs: Int
  /// Batches per second in the workbench until something goes wrong; 0 is full speed. Without a
  /// screen it has no effect.
  public var speed: Double
  /// Samples in a batch; the last one of an epoch may have fewer.
  public var batch: Int
  /// Parts a batch is cut into; their gradients are added in order. Weights depend on it (by
  /// rounding), not on the number of threads.
  public var shards: Int
  /// Epochs from one evaluation on validation and test samples to the next.
  public var evaluateEvery: Int
  /// Epochs from one checkpoint to the next, and how many of the last ones stay; 0 keeps all.
  public var checkpointEvery: Int
  /// Of those at the end of an epoch; ones within an epoch go when the next is written.
  public var checkpointsKept: Int
  /// Whether each lane's weights of the epoch with the best validation accuracy are kept.
  public var keepsBest: Bool
  /// nil: training ends after `epochs`.
  public var stop: StopRule?
  /// When the test samples are looked at.
  public var tests: TestTime
}

/// How the ledger watches updates.
public struct DiagnosisOptions: Sendable, Equatable {
  /// Batches from one observed update to the next; 0 observes none.
  public var every: Int
  /// Samples of the probe set.
  public var samples: Int
  /// Creations and deletions of an observed update that are priced by a counterfactual pass.
  public var costs: Int
  /// How far a spike may move in one update and still be the same, ms.
  public var reach: Double
}

/// What a lane may have for itself.
public struct LaneOptions: Sendable {
  /// `grid` goes by steps of equal length, `exact` from event to event.
  public enum SolverKind: String, Sendable, CaseIterable { case grid, exact }

  /// As in the preset: the lane's name in files. What it is trained on is another matter: see
  /// `description`.
  public var name: String
  /// In the order in which lanes come to be: 0 is A. Stays whatever is changed or dropped.
  public var identity = 0
  /// What it was trained on before, in order.
  public var past: [LossPeriod] = []
  /// `simulation.solver`; lanes of one preset may differ in it.
  public var solver: SolverKind
  /// Step of the grid, ms.
  public var step: Double
  /// How the grid reads output voltages.
  public var rule: ReadoutRule
  /// What the grid leaves of V at a spike.
  public var reset: ResetRule
  /// From input to output; may be empty.
  public var hidden: [Layer]
  /// Its size is 1 here; `network` sets it to the number of classes.
  public var output: Layer
  /// Initial weights in the order of `Network.projections`.
  public var initial: [InitialWeights]
  /// Where weights are that the lane begins with instead; empty: `initial` is drawn from.
  public var start: String
  /// What is there, in the order of `Network.parameterNames`, once it has been read.
  package var startWeights: [NPYArray]?
  /// `loss.kind`: a kind of `LossTable`.
  public var lossKind: String
  /// That of `lossKind` with `lossParameters`, without the shaping.
  public var loss: any Loss
  /// Of all losses: kept, so that a change of loss keeps them.
  public var lossParameters: LossParameters
  /// What follows the input is given it by `Preset.problem`.
  public var shaping: Shaping
  /// Its rate is the one before the schedule.
  public var optimiser: any Optimiser
  /// What the optimiser's rate is multiplied by in the course of training.
  public var schedule: ScheduleOptions
  /// nil: silent neurons are left as they are.
  public var silent: SilentPolicy?
  /// nil: output neurons without a gradient are left as they are.
  public var muteOutputs: MuteOutputs?
  /// nil: updates may silence neurons.
  public var keepSpikes: KeepSpikes?
  /// Global norm that gradients are clipped to; 0 is no clipping.
  public var clip: Double
  /// Size that every element of a gradient is then limited to; 0: none is.
  public var clipValue: Double

  /// The loss it is trained on: `sum · exponential`.
  public var description: String { LossPeriod.describe(lossKind, shaping) }

  /// - Parameters:
  ///   - inputs: input units, copies by the delay line included.
  ///   - outputs: number of classes.
  public func network(inputs: Int, outputs: Int) -> Network {
    var output = output
    output.size = outputs
    var layers = hidden + [output]
    if solver == .grid && reset == .carried {
      for index in layers.indices where layers[index].neuron.isSpiking {
        layers[index].lateness = step / 2
      }
    }
    return Network(inputs: inputs, layers: layers)
  }
}

/// What every hidden neuron is to keep of its spikes in an update.
public struct KeepSpikes: Sendable, Equatable {
  /// Spikes over all samples together, at least 1; a neuron that has fewer is left alone.
  public var perNeuron: Int
  /// How many training samples are looked at, at least 1; where there are fewer, all.
  public var probe: Int
  /// A spike counts from this slope on, tau_m dV/dt at the threshold: one below it is about to
  /// vanish, and its gradient is beyond use. 0: all spikes count.
  public var slope: Double
}

/// A stretch of a lane's training under one loss.
public struct LossPeriod: Sendable, Equatable {
  /// `sum · exponential`.
  public var description: String
  /// Where it ended: finished epochs and batches of the one after.
  public var epoch: Int
  /// Finished batches of the epoch after `epoch`.
  public var batch: Int
  /// The same as a number of epochs.
  public var end: Double

  /// - Parameter end: `epoch` and `batch` as a number of epochs; not checked against them.
  public init(description: String, epoch: Int, batch: Int, end: Double) {
    self.description = description
    self.epoch = epoch
    self.batch = batch
    self.end = end
  }

  static func describe(_ kind: String, _ shaping: Shaping) -> String {
    guard LossTable.entry(kind)?.isShaped ?? false else { return kind }
    return "\(kind) · \(shaping.title)"
  }
}
