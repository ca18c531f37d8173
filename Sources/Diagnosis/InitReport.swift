// SPDX-License-Identifier: MIT

import EventPropCore

/// How a network stands on some samples before it is trained: who spikes, what drives whom, how far
/// down the gradient comes; and what would help. The sentences are in `advice`.
public struct InitReport: Sendable, Equatable {
  /// Samples looked at.
  public var samples: Int
  /// T, ms.
  public var duration: Double
  /// Spikes per neuron and trial that hidden layers are wished to have.
  public var target: Double
  /// Hidden layers from the input on, then the output.
  public var layers: [LayerStart]
  /// Samples whose label output has no gradient: without a spike (first-spike losses), or with a
  /// voltage that never rises above 0 (`max`).
  public var mute = 0
  /// What a lane is trained on.
  public var terms: LossTerms
  /// What helps, layers in order from the input; each is found with those before it done.
  public var remedies: [Remedy] = []
  /// Why a pass was given up; there is no gradient then.
  public var failure: String?

  /// Nothing found wrong yet.
  public init(
    samples: Int, duration: Double, target: Double, layers: [LayerStart], terms: LossTerms
  ) {
    (self.samples, self.duration, self.target) = (samples, duration, target)
    (self.layers, self.terms) = (layers, terms)
  }

  /// What is wished where nobody says: 1 spike per neuron in trials under 100 ms, else 10.
  public static func target(duration: Double) -> Double { duration < 100 ? 1 : 10 }

  /// `mute` as a share of the samples.
  public var muteShare: Double { Double(mute) / Double(max(samples, 1)) }

  /// The gradient of the weights from below as a share of that of the layer above, both per
  /// weight; nil for the output, and where there is none above.
  public func gradientRatio(ofLayer layer: Int) -> Double? {
    guard layer + 1 < layers.count, let own = layers[layer].gradient,
      let above = layers[layer + 1].gradient, above > 0
    else { return nil }
    return own / above
  }

  /// Whether a layer's gradient per weight is far below that of the layer above.
  public func hasWeakGradient(_ layer: Int) -> Bool {
    gradientRatio(ofLayer: layer).map { $0 > 0 && $0 < Limit.ratio } ?? false
  }

  /// Where things are worth a sentence.
  public enum Limit {
    /// Share of a layer's neurons silent on all samples; with a third some presets do well.
    public static let silent = 0.5
    /// By how much a layer's rate may be below the target. Yin-Yang's presets that learn are at
    /// half of it; failure-moved-silent is at a third.
    public static let quiet = 2.5
    /// By how much it may be above.
    public static let loud = 5.0
    /// Share of a layer's neurons that spike in nearly every step.
    public static let saturated = 0.1
    /// Drive by the layer itself over that from below.
    public static let recurrent = 2.0
    /// Share of a layer's gradient from the last three tenths of the trial, with less than half of
    /// its spikes there.
    public static let late = 0.6
    /// Gradient per weight over that of the layer above. Presets that learn are at 8e-4 and more,
    /// failure-starved at 5e-5 to 1.3e-4.
    public static let ratio = 3e-4
    /// Share of samples without a gradient of their label's output.
    public static let mute = 0.2
    /// The share of such samples that a remedy is to reach.
    public static let curedMute = 0.05
  }
}

/// What of a lane's options the sentences speak of.
public struct LossTerms: Sendable, Equatable {
  /// `loss.kind`.
  public var loss: String
  /// Whether it reads the times of first spikes.
  public var readsSpikes: Bool
  /// Whether outputs without a gradient are lifted in training (`training.silent.lift_outputs`).
  public var liftsOutputs: Bool
  /// Labels are classes, each with an output of its own; else outputs follow target series.
  public var hasClasses: Bool
  /// `training.optimiser.epsilon`; nil: the optimiser's steps go with the gradient.
  public var epsilon: Double?
  /// What the weights were drawn from, in the order of `Network.projections`; nil: they have been
  /// trained since.
  public var initial: [InitialWeights]?

  /// As the lane has them.
  public init(
    loss: String, readsSpikes: Bool, liftsOutputs: Bool, epsilon: Double?,
    initial: [InitialWeights]?, hasClasses: Bool = true
  ) {
    (self.loss, self.readsSpikes, self.liftsOutputs) = (loss, readsSpikes, liftsOutputs)
    (self.epsilon, self.initial, self.hasClasses) = (epsilon, initial, hasClasses)
  }
}

/// One layer on the samples.
public struct LayerStart: Sendable, Equatable {
  /// `hidden1`, ..., `output`.
  public var name: String
  /// Neurons.
  public var size: Int
  /// nil: it does not spike.
  public var rates: SpikeRates?
  /// What reaches it.
  public var drive: SynapticDrive
  /// L2 norm of dL/dW of the weights from below, of the mean loss of the samples, divided by the
  /// root of their number; without phantom spikes. nil: not known.
  public var gradient: Double?
  /// The same of its recurrent weights.
  public var recurrentGradient: Double?
  /// On the grid, of a hidden layer.
  public var timing: GradientTiming?

  /// Without gradient.
  /// - Parameters:
  ///   - layer: `0` is hidden1.
  ///   - steps: of the grid in a trial; nil: there is none.
  ///   - counts: per population, the input first, each neuron's spikes over all trials.
  ///   - weights: per projection of the network.
  public init(
    _ network: Network, layer: Int, duration: Double, steps: Int?, trials: Int, counts: [[Int]],
    weights: [WeightRows]
  ) {
    name = network.name(ofPopulation: layer + 1)
    size = network.layers[layer].size
    if network.layers[layer].neuron.isSpiking {
      rates = SpikeRates(counts: counts[layer + 1], trials: trials, steps: steps)
    }
    drive = SynapticDrive(
      network, layer: layer, duration: duration, trials: trials, counts: counts, weights: weights)
  }
}

/// Who spikes in a layer, over some trials.
public struct SpikeRates: Sendable, Equatable {
  /// Spikes per neuron and trial; infinite: more than a solver goes through.
  public var mean: Double
  /// Standard deviation of the neurons' rates about `mean`, over all neurons.
  public var sd: Double
  /// Share of neurons without a spike in any trial.
  public var silent: Double
  /// Share of neurons with a spike in nine of ten steps; 0 without steps.
  public var saturated: Double

  /// - Parameters:
  ///   - counts: each neuron's spikes over all trials; not empty.
  ///   - trials: 1 or more.
  ///   - steps: of the grid in a trial; nil: there is none.
  public init(counts: [Int], trials: Int, steps: Int?) {
    let rates = counts.map { Double($0) / Double(trials) }
    let size = Double(counts.count)
    let mean = rates.reduce(0, +) / size
    self.mean = mean
    sd = (rates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / size).squareRoot()
    silent = Double(counts.count { $0 == 0 }) / size
    saturated =
      steps.map { steps in
        Double(rates.count { $0 >= 0.9 * Double(steps) }) / size
      } ?? 0
  }

  /// Of a layer for whose spikes trials were given up.
  public static let exploded = SpikeRates(mean: .infinity, sd: .infinity, silent: 0, saturated: 0)

  private init(mean: Double, sd: Double, silent: Double, saturated: Double) {
    (self.mean, self.sd, self.silent, self.saturated) = (mean, sd, silent, saturated)
  }

  /// What is the matter with a hidden layer; nil: nothing.
  public func complaint(target: Double) -> RateComplaint? {
    typealias Limit = InitReport.Limit
    if saturated >= Limit.saturated { return .saturated }
    if mean > target * Limit.loud { return .loud }
    if silent >= Limit.silent { return .silent }
    return mean * Limit.quiet < target ? .quiet : nil
  }
}

/// What may be wrong with a layer's rates.
public enum RateComplaint: Sendable, Equatable {
  /// Many neurons without any spike.
  case silent
  /// A rate far below the target, or far above it.
  case quiet, loud
  /// Neurons that spike in nearly every step.
  case saturated
}

/// What reaches a layer by its synapses: means over its neurons.
public struct SynapticDrive: Sendable, Equatable {
  /// Per trial, sum of |weight| x arriving spikes from the layer below.
  public var below: Double
  /// The same from the layer itself; nil: it is not recurrent.
  public var own: Double?
  /// The voltage that a constant current of the trial's mean would settle at, over the threshold:
  /// tau_syn x sum of weight x spikes per ms / theta, of both sources. Above 1 such a current makes
  /// spikes. nil: there is no threshold.
  public var level: Double?

  /// - Parameters:
  ///   - layer: `0` is hidden1.
  ///   - counts: per population, the input first, each neuron's spikes over all trials.
  ///   - weights: per projection of the network.
  public init(
    _ network: Network, layer: Int, duration: Double, trials: Int, counts: [[Int]],
    weights: [WeightRows]
  ) {
    let target = network.layers[layer]
    var net = Array(repeating: 0.0, count: target.size)
    var sums: [Double] = []
    for (index, projection) in network.projections.enumerated()
    where projection.target == layer + 1 {
      var sum = 0.0
      for (source, count) in counts[projection.source].enumerated() where count > 0 {
        for j in 0..<target.size {
          let charge = weights[index][source, j] * Double(count)
          sum += abs(charge)
          net[j] += charge
        }
      }
      sums.append(sum / Double(trials * target.size))
    }
    below = sums[0]
    own = sums.count > 1 ? sums[1] : nil
    if target.neuron.isSpiking {
      let levels = net.indices.map {
        target.tauSyn[$0] * net[$0] / (Double(trials) * duration * target.threshold[$0])
      }
      level = levels.reduce(0, +) / Double(target.size)
    }
  }

  /// Own drive over that from below; nil where there is none.
  public var ratio: Double? { own.flatMap { below > 0 ? $0 / below : nil } }
}

/// When in the trial a hidden layer's gradient comes, and what shaping would make of it.
public struct GradientTiming: Sendable, Equatable {
  /// Share of the gradient of the weights from below that comes from the last three tenths.
  public var late: Double
  /// Share of the layer's spikes there.
  public var lateSpikes: Double
  /// Under an exponential shaping, where the loss can have it and the gradient is late or weak.
  public var shaped: Shaped?

  /// The same samples and weights under another shaping.
  public struct Shaped: Sendable, Equatable {
    /// Of the exponential, in trial lengths.
    public var scale: Double
    /// Share of the gradient from the last three tenths.
    public var late: Double
    /// Sum of the tenths' norms over that under the lane's own shaping.
    public var gain: Double

    /// Found on the samples of the report.
    public init(scale: Double, late: Double, gain: Double) {
      (self.scale, self.late, self.gain) = (scale, late, gain)
    }
  }

  /// Shares are 0...1.
  public init(late: Double, lateSpikes: Double, shaped: Shaped? = nil) {
    (self.late, self.lateSpikes, self.shaped) = (late, lateSpikes, shaped)
  }

  /// Whether the gradient comes late and the spikes do not.
  public var isLate: Bool { late > InitReport.Limit.late && lateSpikes < 0.5 }
}

/// A change of a layer's weights from below, and what it did on the samples.
public struct Remedy: Sendable, Equatable {
  /// What is done to the weights.
  public enum Change: Sendable, Equatable {
    /// All times a factor; the command `scale` does it.
    case scale(Double)
    /// Their distance from the mean that they were drawn with, times a factor.
    case spread(Double)
    /// A number is added to all.
    case shift(Double)
    /// No such change was found.
    case none
  }

  /// `0` is hidden1; the output is the last.
  public var layer: Int
  /// The layer's rates with the remedies of the layers below done; nil: it does not spike.
  public var before: SpikeRates?
  /// What is the matter then; nil: nothing any more, or it is an output.
  public var complaint: RateComplaint?
  /// What helps.
  public var change: Change
  /// The rates with it.
  public var after: SpikeRates?
  /// Of an output: the share of mute samples with it.
  public var mute: Double?

  /// Rates are of the samples of the report.
  public init(
    layer: Int, before: SpikeRates?, complaint: RateComplaint?, change: Change,
    after: SpikeRates? = nil, mute: Double? = nil
  ) {
    (self.layer, self.before, self.complaint) = (layer, before, complaint)
    (self.change, self.after, self.mute) = (change, after, mute)
  }
}
