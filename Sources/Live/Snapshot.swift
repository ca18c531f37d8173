// SPDX-License-Identifier: MIT

import Experiments
import Training
import Diagnosis
import EventPropCore
import Foundation

/// What a screen shows: an immutable picture of all lanes at one batch border.
public struct Snapshot: Sendable {
  /// Counts up with every snapshot of an engine.
  public var serial = 0
  /// `name` of the preset; `3 runs` where several are shown.
  public var presetName = ""
  /// Folder of the run; empty when there is none.
  public var runPath = ""
  /// Finished epochs; of several runs the most.
  public var epoch = 0
  /// Epochs that the preset asks for.
  public var epochs = 0
  /// Finished batches of the epoch after `epoch`.
  public var batch = 0
  /// Batches in an epoch.
  public var batches = 0
  /// By a command, a stop condition or a failure; always where runs are only looked at.
  public var isPaused = false
  /// Where the training is now, when this is a snapshot of the past: curves go on until there.
  public var livePosition: Double?
  /// Its lanes hold their weights: it can be looked at again when it is past.
  public var isKept = true
  /// The last that was asked for of a past snapshot.
  public var inspection: Inspection?
  /// Finished runs are looked at: nothing trains.
  public var isStill = false
  /// All epochs are done, or a rule has ended the training before.
  public var isFinished = false
  /// When the test samples are looked at.
  public var tests = TestTime.every
  /// Training speed over the last half second or more; 0 while nothing trains.
  public var samplesPerSecond = 0.0
  /// Batches per second of slow motion; 0 at full speed.
  public var speed = 0.0
  /// What the preset's comments say.
  public var card = PresetCard()
  /// To the preset's last epoch, at the last speed measured; infinite before the first.
  public var secondsLeft = 0.0
  /// Trial length T, ms.
  public var duration = 0.0
  /// By label; control characters are spelled out.
  public var classNames: [String] = []
  /// Outputs follow target series: there are no classes, and what is called accuracy is R^2.
  public var isRegression = false
  /// What lanes are measured by.
  public var score: ScoreName { isRegression ? .r2 : .accuracy }
  /// Input units, copies by the delay line included.
  public var inputs = 0
  /// Index of the sample that `LaneSnapshot.trial` shows: of the test set, or of the training set.
  public var probe = 0
  /// Samples of the probe set, which diagnosis looks at.
  public var probeSamples = 0
  /// Whether training gradients are held against exact ones.
  public var comparesGradients = true
  /// Samples that `probe` can choose from.
  public var probes = 0
  /// In the order by which commands count lanes; of several runs one after another.
  public var lanes: [LaneSnapshot] = []
  /// Commands so far, oldest first; the last thousand.
  public var marks: [CommandMark] = []
  /// The command that `undo` would take back; and whether any changed settings since the beginning.
  public var undoable: String?
  /// Whether any command has changed settings since the beginning.
  public var hasSettings = false
  /// Another process trains it; this one looks on.
  public var isWatched = false
  /// It is watched, but no process of this machine trains it at this moment.
  public var isLeft = false
  /// Commands that the lanes have taken since the initial weights.
  public var commands = 0
  /// What the engine does instead of training: bisecting, going back; empty: nothing.
  public var job = ""
  /// The update that the last bisection found.
  public var found: FoundUpdate?
  /// How often the training went back to a place in the past.
  public var rewinds = 0
  /// Seeds that the lanes are trained with; one where there is but the preset's own.
  public var seeds: [Int] = []
  /// Whose network is shown, an index of `seeds`.
  public var shownSeed = 0
  /// How many numbers of seeds the results were looked at with.
  public var looks = 1
  /// The breakpoint that was hit last.
  public var breakHit: BreakHit?
  /// The last thing worth a line: an error, a file written.
  public var notice = ""
  /// Training has stopped with an error.
  public var failure = ""
  /// From which it can go on.
  public var canGoOn = false
  /// The run's folder is no longer where it was.
  public var isGone = false
  /// TOML with all defaults filled in; of several runs one after another, each under its folder.
  public var resolvedPreset = ""
  /// One for each run shown.
  public var sources: [RunSource] = []

  /// Where figures go: of a run that is only watched, beside the work of whoever looks on.
  public var figuresFolder: String { isWatched ? "\(runName)-figures" : runPath + "/figures" }
  /// Where a report goes; nil: into the run.
  public var reportFolder: String? { isWatched ? "\(runName)-report" : nil }
  private var runName: String {
    let words = runPath.split(separator: "/").filter { $0 != "." && $0 != ".." }
    return words.last.map(String.init) ?? "run"
  }

  /// The sample that `p` shows of a trial of the probe set.
  public func sample(ofTrial trial: Int) -> Int {
    probeSamples > 0 ? trial * probes / probeSamples : trial
  }

  /// A position in epochs, whole or with a tenth.
  public static func words(_ position: Double) -> String {
    position == position.rounded() ? String(Int(position)) : String(format: "%.1f", position)
  }

  /// The border it is of.
  public var place: PastPlace { PastPlace(epoch: epoch, batch: batch, commands: commands) }
  /// Where the x axis of curves ends.
  public var end: Double { max(livePosition ?? position, 1e-3) }
  /// Epochs as a number with fraction: the x of all curves.
  public var position: Double { Double(epoch) + Double(batch) / Double(max(batches, 1)) }

  /// Without lanes; serial 0, which is older than any.
  public init() {}
}

/// One lane of a snapshot.
@dynamicMemberLookup
public struct LaneSnapshot: Sendable {
  /// The lane's name in files.
  public var name = ""
  /// A, B, ...: stays whatever is changed or dropped.
  public var letter = "A"
  /// As `LaneOptions.identity`; where several runs are shown, the index in `Snapshot.lanes`.
  public var identity = 0
  /// Folder of the run it comes from, where several are shown.
  public var run = ""
  /// The loss it is trained on now, `sum · exponential`, and what it was trained on before.
  public var description = ""
  /// The lane's name, where another one is trained on the same; else empty.
  public var caption = ""
  /// Losses that it was trained on before, in order; empty when the loss was never changed.
  public var past: [LossPeriod] = []
  /// `loss.kind`.
  public var lossKind = ""
  /// w(t) as it is used, with the profile that `input` takes from the data.
  public var shaping = Shaping.none
  /// The loss has an integral to shape, whether or not w = 1.
  public var isShaped = false
  /// Learning rate of the next batch, where training is finished that of the last; and before the
  /// schedule.
  public var rate = 0.0
  /// Learning rate before the schedule.
  public var baseRate = 0.0
  /// Mean over the epoch so far once ten batches of it are done; before, and between epochs, that
  /// of the last epoch, as in metrics.csv. nil: not known yet.
  public var trainLoss: Double?
  /// Share 0...1, as `trainLoss`; a change of loss does not interrupt it.
  public var trainAccuracy: Double?
  /// Of the last evaluation, as in metrics.csv.
  public var testLoss: Double?
  /// Share 0...1; nil: not known.
  public var testAccuracy: Double?
  /// The sample `Snapshot.probe` under the weights of this snapshot.
  public var trial = ProbeTrial()
  /// Per hidden layer.
  public var layers: [LayerActivity] = []
  /// Per projection, in the order of `Network.projections`.
  public var flow: [ProjectionFlow] = []
  /// What `training.keep_spikes` did in the epoch so far; nil without.
  public var keeping: String?
  /// One sentence: what is wrong, since when, why, what to do; nil when there is nothing to say.
  public var verdict: String?
  /// Who spiked how much, by epoch, the last one last.
  public var activity: [EpochActivity] = []
  /// Under each seed, in the order of `Snapshot.seeds`; empty with one.
  public var seeds: [SeedCurves] = []
  /// From the beginning of the run on; a fork's begin with those of the lane it was copied from.
  public var curves = LaneCurves()
  /// Whether `gradientFlow` cannot be made: the grid does not run the network.
  public var isOffGrid = false
  /// What the screen asked for (`EngineCommand.detail`); its parts are read as the lane's own.
  public var detail = LaneDetail()
  /// Weights and options, for a look back; nil where there was no time to keep them.
  public var kept: KeptLane?
  /// The lane's solver is the exact one.
  public var trainsExactly = false
  /// The last observed update, its largest events only; and the sums over all observed updates.
  public var ledger: Ledger?
  /// Only over updates that the preset's schedule observes, not those looked at by hand.
  public var totals = LedgerTotals()
  /// The next to go first; empty until an update was observed with margins.
  public var atRisk: [SpikeAtRisk] = []
  /// How often such predictions came true.
  public var risks = RiskRecord()
  /// Per hidden layer and neuron: the epoch since which it has been dead.
  public var deadSince: [[Int?]] = []
  /// Alarms of the last epoch.
  public var alarms: [Alarm] = []
  /// All of them so far, in order of their first epoch.
  public var alarmRecords: [AlarmRecord] = []
  /// Last evaluation: predictions (-1: none) and labels of the test samples.
  public var predictions: [Int] = []
  /// Class per test sample; empty where there are no `predictions`.
  public var labels: [Int] = []

  /// What `detail` holds: `lane.silence`.
  public subscript<T>(dynamicMember part: WritableKeyPath<LaneDetail, T>) -> T {
    get { detail[keyPath: part] }
    set { detail[keyPath: part] = newValue }
  }
}

/// What takes long to find, and only one screen shows: of its parts there are those that `Detail`
/// asks for.
public struct LaneDetail: Sendable {
  /// With `.gradients`; empty where the grid cannot run the network.
  public var errors: [ErrorMap] = []
  /// Shaped, and under w = 1; with `.gradients`.
  public var gradientFlow: GradientFlow?
  /// Under w = 1, with the same weights.
  public var plainFlow: GradientFlow?
  /// The training gradient against the exact one on the probe set, and at which position; with
  /// `.gradients`.
  public var comparison: GradientComparison?
  /// What a surrogate gradient would say at that position; nil where there is none of the loss.
  public var surrogate: SurrogateComparison?
  /// In epochs; without meaning where `comparison` is nil.
  public var comparedAt = 0.0
  /// Per LIF layer; with `.ledger`.
  public var margins: [MarginHistogram] = []
  /// With `.silence`.
  public var silence: SilenceReport?
  /// With `.weights`.
  public var weights: [WeightStatistics] = []
  /// With `.step`; nil before the first observed update, or where the shown sample is not of the
  /// probe set.
  public var step: StepPicture?
  /// With `.slice`; nil before there is something to see of the first one.
  public var slice: Slice?
  /// With `.slice`: the update that one is or will be made of; nil before the first observed one.
  public var sliced: Int?
  /// With `.trace`.
  public var trace: Trace?
  /// With `.doctor`; nil while it is made.
  public var doctor: InitFinding?

  /// Of nothing.
  public init() {}
}

/// All hidden layers in one epoch.
public struct EpochActivity: Sendable, Equatable {
  /// From 1 on.
  public var epoch: Int
  /// From hidden1 on.
  public var layers: [LayerEpoch]

  /// Layers in order.
  public init(epoch: Int, layers: [LayerEpoch]) { (self.epoch, self.layers) = (epoch, layers) }
}

extension [EpochActivity] {
  /// A hidden layer spikes less than a tenth of what it did at its best.
  public var hasStarved: Bool {
    (last?.layers.indices ?? 0..<0).contains { layer in
      LaneVerdict.starvingSince(map { $0.layers[layer].mean }) != nil
    }
  }
}

extension LaneSnapshot {
  /// Of the hidden layers the largest share of the gradient that comes from the last three tenths
  /// of the trial, in the last epoch; nil: not known.
  public var lateShare: Double? { activity.last?.layers.compactMap(\.lateShare).max() }
}

/// Margins of a layer's spikes (right half) and silent stretches (left half).
public struct MarginHistogram: Sendable, Equatable {
  /// `hidden1`, ...
  public var layer: String
  /// Per bin of equal width over -`range`...`range`; what lies beyond is in the outermost bins.
  public var counts: [Int]
  /// Half the width of the histogram, in units of V.
  public var range: Double
}

/// Spikes of a hidden layer in the last batch; between epochs those of the last epoch, as in
/// metrics.csv. nil: not known.
public struct LayerActivity: Sendable, Equatable {
  /// Neurons of the layer.
  public var size: Int
  /// Spikes per neuron and trial: mean over neurons, standard deviation over neurons.
  public var mean: Double?
  /// In spikes per trial; nil: not known.
  public var spread: Double?
  /// Neurons without a spike in a trial, mean over trials.
  public var silent: Double?
  /// Neurons without a spike in the last whole epoch.
  public var dead: Int?
}

/// Gradient of one array of parameters in the last batch; between epochs the root mean square over
/// the last epoch's batches.
public struct ProjectionFlow: Sendable, Equatable {
  /// As in files: `input-hidden1`, `delays/input-hidden1`, `neurons/hidden1-tau_mem`.
  public var name: String
  /// L2; nil: not known.
  public var norm: Double?
  /// Whether updates change it.
  public var isTrained = true
}

/// Histories of a lane; x is the epoch with fraction.
public struct LaneCurves: Sendable {
  /// Mean over trials: per batch, and per epoch where it was read from metrics.csv.
  public var loss = BoundedSeries()
  /// Share 0...1, at the same x as `loss`.
  public var trainAccuracy = BoundedSeries()
  /// Share 0...1; a point for each epoch that was evaluated.
  public var testAccuracy = BoundedSeries()
  /// Per hidden layer: spikes per neuron and trial.
  public var spikes: [BoundedSeries] = []
  /// Per projection.
  public var norms: [BoundedSeries] = []

  mutating func append(
    x: Double, loss: Double, accuracy: Double, spikes: [Double], norms: [Double]
  ) {
    self.loss.append(x: x, loss)
    trainAccuracy.append(x: x, accuracy)
    for (layer, mean) in spikes.enumerated() { self.spikes[layer].append(x: x, mean) }
    for (projection, norm) in norms.enumerated() { self.norms[projection].append(x: x, norm) }
  }

  mutating func forget(after x: Double) {
    loss.forget(after: x)
    trainAccuracy.forget(after: x)
    testAccuracy.forget(after: x)
    for index in spikes.indices { spikes[index].forget(after: x) }
    for index in norms.indices { norms[index].forget(after: x) }
  }
}

/// A command as the curves mark it.
public struct CommandMark: Sendable, Equatable {
  /// Epochs with fraction: the x of the curves.
  public var position: Double
  /// Finished epochs.
  public var epoch: Int
  /// Finished batches of the epoch after `epoch`.
  public var batch: Int
  /// Name of the lane; empty for commands to all.
  public var lane: String
  /// As in commands.jsonl: `rate 0.001`.
  public var text: String
}
