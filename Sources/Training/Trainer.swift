// SPDX-License-Identifier: MIT

import Experiments
import Diagnosis
import EventPropCore
import Foundation
import SpikeData

/// Trains the lanes of a preset in lockstep, batch by batch. Lives on one thread.
public final class Trainer {
  /// As it was read, with the weights that its lanes begin with; commands change the lanes, not the
  /// preset.
  public let preset: Preset
  /// Samples as loaded: augmentation and delay line are applied batch by batch.
  public let data: DataSplits
  package var lanes: [any Lane]
  /// Of the next fork.
  var nextIdentity: Int
  package let pool: WorkerPool
  private let batch: SampleBatch
  /// Training samples by index; from `data.train.count` on, blended ones by number.
  private var order: [Int] = []
  /// Seed of the order of batches from the next epoch on, and in this one.
  package var orderSeed: Int
  package var epochOrderSeed: Int
  /// Logged commands that the lanes have taken since the initial weights.
  package var commandCount = 0
  /// What the last commands are taken back with, the last one last.
  package var undoSteps: [UndoStep] = []
  /// Where a failed batch goes back to.
  package var safePlace: SafePlace?
  /// Batches that a lane is not trained on.
  var skipped: Set<SkippedBatch> = []
  /// Identities of the lanes that did not learn from the last batch.
  package var lastSkipped: Set<Int> = []
  /// A batch has failed and there was nothing to go back to.
  public var isBroken = false
  /// What the last undo did to the lanes.
  package var lastUndone: Undone?

  /// Test results of the last evaluation, per lane.
  package var lastTests: [Evaluation?]

  /// Finished epochs.
  public internal(set) var epoch = 0
  /// Finished batches of the current epoch.
  public internal(set) var batchInEpoch = 0

  /// The most samples that are run at once.
  var capacity: Int { Trainer.capacity(preset, data) }

  private static func capacity(_ preset: Preset, _ data: DataSplits) -> Int {
    let most = max(epochSamples(preset, data), data.test.count, data.validate.count)
    return min(preset.training.batch, max(most, preset.training.shards))
  }

  /// Samples of an epoch: the training samples, and those that are blended of them in addition.
  public var epochSamples: Int { Trainer.epochSamples(preset, data) }

  private static func epochSamples(_ preset: Preset, _ data: DataSplits) -> Int {
    data.train.count + (preset.data?.augmentation.added(to: data.train.count) ?? 0)
  }

  /// The last batch of an epoch may have fewer samples than the others.
  public var batchesPerEpoch: Int {
    (epochSamples + preset.training.batch - 1) / preset.training.batch
  }
  /// The network of the first lane; the others have the same sizes.
  public var network: Network { lanes[0].network }
  /// In the order by which commands count lanes.
  public var laneNames: [String] { lanes.map(\.name) }
  /// All epochs of the preset are done, or its rule ends the training before; `trainBatch` would go
  /// on all the same.
  public var isFinished: Bool { epoch >= preset.training.epochs || isOutOfPatience(at: epoch) }

  /// - Parameter threads: how many work on a batch; the result does not depend on it.
  /// - Throws: `FileError` when network and data do not fit together.
  public convenience init(_ preset: Preset, data: DataSplits, threads: Int) throws {
    try self.init(preset, data: data, pool: WorkerPool(threads: threads))
  }

  /// - Parameter pool: of trainers that are trained together the same one.
  /// - Throws: `FileError` when network and data do not fit together.
  public init(_ preset: Preset, data: DataSplits, pool: WorkerPool) throws {
    if let key = preset.training.keyThatValidates, data.validate.count == 0 {
      throw FileError(
        preset.name,
        "\(key) takes validation samples, and there are none: set data.validate, "
          + "data.validate_speakers, data.validate_fold or data.validate_file")
    }
    let problems = try preset.lanes.map { try preset.problem(for: $0, data: data.train) }
    let preset = try preset.withStart(problems.map(\.network))
    self.preset = preset
    self.data = data
    orderSeed = preset.seed
    epochOrderSeed = preset.seed
    self.pool = pool
    // No batch is larger than the samples there are.
    let batch = Trainer.capacity(preset, data)
    try MemoryNeed(
      zip(problems, preset.lanes).map { ($0, $1.solver, $1.optimiser.state.count) },
      batch: batch, shards: min(preset.training.shards, batch)
    ).check(preset, batch: batch)
    lanes = preset.lanes.enumerated().map { index, options in
      var options = options
      options.identity = index
      return makeLane(options, preset, problems[index], capacity: batch)
    }
    nextIdentity = lanes.count
    lastTests = preset.lanes.map { _ in nil }
    self.batch = SampleBatch(
      data.train, options: preset.data, isTraining: true, duration: preset.duration,
      seed: preset.seed, capacity: batch)
    shuffle()
    for lane in lanes { watch(lane) }
  }

  /// The order of an epoch depends on seed and epoch alone.
  private func shuffle() {
    var random = Random(seed: epochOrderSeed, "order", epoch)
    order = Array(0..<epochSamples).shuffled(using: &random)
  }

  /// Goes to the start of a batch of an epoch.
  package func seek(epoch: Int, batch: Int) {
    self.epoch = epoch
    batchInEpoch = batch
    shuffle()
  }

  /// Observes the next update whatever the preset says, with all that a screen may ask of it.
  package var observesNext = false
  /// Whether observed updates look at margins too: while a screen shows them.
  package var observesMargins = false
  /// Whether observed updates keep the weights on both sides: while a screen shows the slice.
  package var keepsStepWeights = false

  /// What to find out about the update of the batch to come.
  private var observation: Observation? {
    let every = preset.diagnosis.every
    let isScheduled = every > 0 && batchInEpoch % every == 0
    guard isScheduled || observesNext else { return nil }
    return Observation(
      isScheduled: isScheduled, withMargins: observesMargins || observesNext,
      withWeights: keepsStepWeights || observesNext)
  }

  /// The samples that probes are taken from.
  package var probeData: SpikeDataSet {
    if preset.training.tests == .every, data.test.count > 0 { return data.test }
    return preset.training.tests != .every && data.validate.count > 0 ? data.validate : data.train
  }

  /// Gives a lane the probe set.
  func watch(_ lane: any Lane) {
    lane.watch(
      probeData.probeSet(preset.diagnosis.samples, options: preset.data, duration: preset.duration),
      preset.diagnosis)
    guard let rule = lane.options.keepSpikes else { return }
    lane.keepSpikes(
      on: data.train.samples(keptSamples(rule.probe), preset.data, duration: preset.duration))
  }

  /// The training samples on which neurons are to keep their spikes, by seed alone.
  func keptSamples(_ count: Int) -> [Int] {
    var random = Random(seed: preset.seed, "keep spikes")
    return Array((0..<data.train.count).shuffled(using: &random).prefix(count)).sorted()
  }

  /// What every training loop repeats: a batch, and the end of the epoch when it was the last one.
  /// Where a checkpoint stood between the two, the end alone.
  /// - Returns: samples trained on, and the finished epoch's rows, one per lane.
  /// - Throws: `TrainingError`, which names lane, epoch and batch.
  public func step() throws -> Step { try Trainer.step([self], pool: pool)[0].get() }

  /// Trains all lanes on the next batch. After the last one of an epoch, call `finishEpoch`.
  /// - Throws: `TrainingError`, which names lane, epoch and batch.
  public func trainBatch() throws { try Trainer.trainBatch(of: [self], pool: pool)[0].get() }

  /// Gets the next batch ready, and what is to be found out about its update.
  func beginBatch() -> Observation? {
    markSafePlace()
    let start = batchInEpoch * preset.training.batch
    let samples = Array(order[start..<min(start + preset.training.batch, order.count)])
    batch.prepare(samples, epoch: epoch, pool: pool)
    return observation
  }

  /// Trains one lane on the batch that is ready.
  func train(_ lane: any Lane, _ observation: Observation?, pool: WorkerPool) throws {
    do {
      try lane.train(batch, pool: pool, observation: observation)
      if observation != nil {
        lane.diagnosis.ledger?.epoch = epoch
        lane.diagnosis.ledger?.batch = batchInEpoch
      }
    } catch let error as TrainingError {
      throw TrainingError(
        description: "lane \(lane.name), epoch \(epoch + 1), batch \(batchInEpoch + 1): "
          + error.description)
    }
  }

  func endBatch() {
    observesNext = false
    batchInEpoch += 1
  }

  /// A place in the training as a number of epochs.
  package func position(epoch: Int, batch: Int) -> Double {
    Double(epoch) + Double(batch) / Double(max(batchesPerEpoch, 1))
  }

  /// Samples in the batch trained last.
  public var lastBatchSize: Int { batch.samples.count }

  func replace(_ index: Int, with lane: any Lane) {
    lanes[index] = lane
    watch(lane)
  }
  /// Identity and name of a fork: `C`, unless another lane is called so.
  func takeIdentity() -> (identity: Int, name: String) {
    defer { nextIdentity += 1 }
    let letter = Trainer.letter(nextIdentity)
    var name = letter
    var number = 2
    while laneNames.contains(name) {
      name = "\(letter)-\(number)"
      number += 1
    }
    return (nextIdentity, name)
  }

  /// A, B, ..., Z, A2, ...
  public static func letter(_ identity: Int) -> String {
    let letter = String(UnicodeScalar(UInt8(65 + identity % 26)))
    return identity < 26 ? letter : "\(letter)\(identity / 26 + 1)"
  }

  func append(_ lane: any Lane) {
    lanes.append(lane)
    watch(lane)
    lastTests.append(nil)
  }
  func insert(_ lane: any Lane, at index: Int) {
    lanes.insert(lane, at: index)
    watch(lane)
    lastTests.insert(nil, at: min(index, lastTests.count))
  }
  func drop(_ index: Int) {
    lanes.remove(at: index)
    lastTests.remove(at: index)
  }

  /// All batches of the epoch are trained: `finishEpoch` comes next.
  public var isEpochComplete: Bool { batchInEpoch == batchesPerEpoch }

  /// Cures silent neurons, evaluates, adapts learning rates and begins the next epoch.
  /// - Returns: one row per lane.
  public func finishEpoch() -> [EpochMetrics] { Trainer.finishEpoch(of: [self], pool: pool)[0] }

  /// Whether the epoch that ends is evaluated.
  var isEvaluated: Bool {
    (epoch + 1) % preset.training.evaluateEvery == 0 || epoch + 1 == preset.training.epochs
      || isOutOfPatience(at: epoch + 1)
  }

  /// What is found of a lane at the end of an epoch.
  struct Ending {
    /// nil where there are no samples, or no evaluation was asked for.
    var validation: Evaluation?
    var test: Evaluation?
    /// nil: updates are not observed.
    var timing: (spikes: [[Int]], gradient: GradientFlow?)?
  }

  /// What of it does not depend on the other lanes; those may be looked at at the same time.
  func ending(of lane: any Lane, pool: WorkerPool) -> Ending {
    var ending = Ending()
    if preset.diagnosis.every > 0 { ending.timing = lane.timing() }
    guard isEvaluated else { return ending }
    ending.validation = evaluate(lane, data.validate, pool: pool)
    if preset.training.tests == .every {
      ending.test = evaluate(lane, data.test, pool: pool)
    }
    return ending
  }

  /// The end of an epoch after its evaluation.
  /// - Parameter endings: per lane.
  /// - Returns: one row per lane.
  func endEpoch(_ endings: [Ending]) -> [EpochMetrics] {
    if endings.contains(where: { $0.test != nil }) { lastTests = endings.map(\.test) }
    let rows = zip(lanes, endings).map { lane, ending in
      let (validation, test) = (ending.validation, ending.test)
      lane.diagnosis.note(
        dead: lane.epochTally.dead, sizes: lane.network.layers.dropLast().map(\.size),
        epoch: epoch + 1)
      let signs = signs(of: lane, ending.timing)
      lane.diagnosis.alarms = lane.diagnosis.watch.check(signs, lane: lane.name)
      lane.diagnosis.records.note(lane.diagnosis.alarms, epoch: epoch + 1)
      var row = EpochMetrics(lane, epoch: epoch + 1, validation: validation, test: test)
      row.activity = activity(of: lane, signs)
      lane.diagnosis.epoch = LedgerTotals()
      // R^2 may be below 0, where the averages begin.
      lane.schedule.finishEpoch(
        accuracy: max(0, validation?.accuracy ?? lane.epochTally.accuracy))
      lane.epochTally.clear()
      lane.epochBatches = 0
      for index in lane.epochSquares.indices { lane.epochSquares[index] = 0 }
      if lane.keeping != nil { lane.keeping = KeepingTally() }
      return row
    }
    epoch += 1
    batchInEpoch = 0
    epochOrderSeed = orderSeed
    shuffle()
    safePlace = nil
    return rows
  }

  private func activity(of lane: any Lane, _ signs: EpochSigns) -> [LayerEpoch] {
    let tally = lane.epochTally
    return zip(tally.spikes, signs.layers).map { spikes, layer in
      LayerEpoch(
        rates: spikes.map { Float(Double($0) / Double(max(tally.trials, 1))) },
        gradientByTenth: layer.gradientByTenth, spikesByTenth: layer.spikesByTenth)
    }
  }

  /// What the alarms look at.
  private func signs(
    of lane: any Lane, _ timing: (spikes: [[Int]], gradient: GradientFlow?)?
  ) -> EpochSigns {
    var signs = lane.epochSigns
    signs.updates = lane.epochBatches
    signs.duration = preset.duration
    let tally = lane.epochTally
    signs.classes = zip(data.train.classNames, zip(tally.ofClass, tally.mute)).map {
      ($0, $1.0, $1.1)
    }
    guard let (spikes, gradient) = timing else { return signs }
    signs.probeSpikes = spikes.reduce(0) { $0 + $1.reduce(0, +) }
    for layer in signs.layers.indices {
      let all = Double(max(spikes[layer].reduce(0, +), 1))
      signs.layers[layer].spikesByTenth = spikes[layer].map { Double($0) / all }
      signs.layers[layer].gradientByTenth = gradient?.norms[layer] ?? []
    }
    return signs
  }

  func evaluate(_ lane: any Lane, _ data: SpikeDataSet, pool: WorkerPool) -> Evaluation? {
    data.count > 0 ? lane.evaluate(data, options: preset.data, pool: pool) : nil
  }

  /// Runs a data set forward through one lane.
  public func evaluate(lane index: Int, _ data: SpikeDataSet) -> Evaluation {
    lanes[index].evaluate(data, options: preset.data, pool: pool)
  }

  /// Running training loss and accuracy of the current epoch, per lane.
  public var runningMetrics: [(loss: Double, accuracy: Double)] {
    lanes.map { ($0.epochTally.meanLoss, $0.epochTally.accuracy) }
  }
}

extension Lane {
  /// Per projection: root mean square of |dL/dW| over the epoch's batches.
  var epochNorms: [Double] {
    epochSquares.map { ($0 / Double(max(epochBatches, 1))).squareRoot() }
  }

  /// What the alarms look at.
  fileprivate var epochSigns: EpochSigns {
    var signs = EpochSigns()
    signs.created = diagnosis.epoch.created
    signs.deleted = diagnosis.epoch.deleted
    signs.predicted = diagnosis.epoch.predicted
    signs.actual = diagnosis.epoch.actual
    signs.observed = diagnosis.epoch.updates
    signs.loss = epochTally.meanLoss
    let rates = epochTally.meanSpikes
    let dead = epochTally.dead
    let steps = options.solver == .grid ? Double(stepsPerTrial) : .infinity
    signs.layers = network.layers.dropLast().indices.map { index in
      var layer = EpochSigns.LayerSigns(
        name: network.name(ofPopulation: index + 1), size: network.layers[index].size)
      layer.dead = dead[index].count
      layer.rate = rates[index]
      layer.saturated = epochTally.spikes[index].count {
        Double($0) >= 0.9 * steps * Double(max(epochTally.trials, 1))
      }
      return layer
    }
    signs.norms = Array(zip(network.parameterNames, epochNorms))
    return signs
  }
}
