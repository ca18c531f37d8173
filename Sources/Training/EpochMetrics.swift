// SPDX-License-Identifier: MIT

import Diagnosis

/// One row of metrics.csv.
public struct EpochMetrics: Sendable {
  /// From 1 on.
  public var epoch: Int
  /// The lane's name.
  public var lane: String
  /// What the lane was trained on: `sum`, and `exponential 1.0`.
  public var loss = ""
  /// Empty in rows of files without that column.
  public var shaping = ""
  /// Learning rate of the epoch's last batch.
  public var rate = Double.nan
  /// Mean over the epoch's trials, while the weights change; of the present loss only.
  public var trainLoss: Double
  /// Share 0...1 of the epoch's trials, while the weights change.
  public var trainAccuracy: Double
  /// Mean over samples; nil: not evaluated in this epoch, or no validation samples.
  public var validationLoss: Double?
  /// Share 0...1; nil as `validationLoss`.
  public var validationAccuracy: Double?
  /// Mean over samples; nil: not evaluated in this epoch, or no test samples.
  public var testLoss: Double?
  /// Share 0...1; nil as `testLoss`.
  public var testAccuracy: Double?
  /// Training trials with a silent label neuron.
  public var phantoms = 0
  /// Training trials whose label's output had no gradient.
  public var mute = 0
  /// Per hidden layer: spikes per neuron and trial, and their standard deviation over neurons
  /// (empty: not known); silent neurons per trial; dead neurons.
  public var spikes: [Double] = []
  /// Per hidden layer, in spikes per trial.
  public var spread: [Double] = []
  /// Per hidden layer: neurons without a spike in a trial, mean over trials.
  public var silent: [Double] = []
  /// Per hidden layer: how many neurons had no spike in the whole epoch.
  public var dead: [Int] = []
  /// By name of the lane's arrays: root mean square over batches of |dL/dw|.
  public var gradientNorms: [String: Double] = [:]
  /// By `training.keep_spikes`: neurons whose step was shortened and that kept their spikes, summed
  /// over updates; nil: the lane does not keep spikes, or not known.
  public var kept: Int?
  /// Neurons that fell silent all the same, summed over updates; nil as `kept`.
  public var lost: Int?
  /// Root mean square over batches of the share 0...1 of the update's L2 norm that was given up;
  /// nil as `kept`.
  public var stepGivenUp: Double?
  /// By the ledger, over the epoch's observed updates.
  public var ledger = LedgerTotals()
  /// Per hidden layer; not in metrics.csv but in activity.csv. Empty: not known.
  public var activity: [LayerEpoch] = []
  /// Raised in this epoch; those read back from metrics.csv have kind and epoch only.
  public var alarms: [Alarm] = []

  /// What every row has; all else is not known.
  package init(epoch: Int, lane: String, trainLoss: Double, trainAccuracy: Double) {
    self.epoch = epoch
    self.lane = lane
    self.trainLoss = trainLoss
    self.trainAccuracy = trainAccuracy
  }

  init(_ lane: any Lane, epoch: Int, validation: Evaluation?, test: Evaluation?) {
    let tally = lane.epochTally
    self.init(
      epoch: epoch, lane: lane.name, trainLoss: tally.meanLoss, trainAccuracy: tally.accuracy)
    loss = lane.options.lossKind
    shaping = lane.options.shaping.words
    rate = lane.schedule.rate(lane.options.optimiser.rate)
    validationLoss = validation?.loss
    validationAccuracy = validation?.accuracy
    testLoss = test?.loss
    testAccuracy = test?.accuracy
    phantoms = tally.phantoms
    mute = tally.mute.reduce(0, +)
    spikes = tally.meanSpikes
    spread = tally.spread
    silent = tally.meanSilent
    dead = tally.dead.map(\.count)
    gradientNorms = Dictionary(
      uniqueKeysWithValues: zip(lane.network.parameterNames, lane.epochNorms))
    kept = lane.keeping?.kept
    lost = lane.keeping?.lost
    stepGivenUp = lane.keeping?.stepGivenUp
    ledger = lane.diagnosis.epoch
    alarms = lane.diagnosis.alarms
  }
}
