// SPDX-License-Identifier: MIT

import Diagnosis
import EventPropCore
import Foundation
import SpikeData

/// A trainer with its histories, as the engine thread drives it: one batch or one command at a
/// time.
final class LiveTraining {
  private let makeTrainer: () throws -> Trainer
  private(set) var trainer: Trainer
  let run: RunDirectory?
  /// What is shown of each lane's past.
  private var histories: [History] = []
  private var marks: [CommandMark] = []
  /// By identity: what was shown of lanes that were dropped.
  private var dropped: [Int: History] = [:]
  private(set) var notice = ""
  private(set) var failure = ""
  /// The run's folder is no longer where it was.
  private(set) var isGone = false
  /// After a failure: lanes are at a place from which training can go on.
  private(set) var canGoOn = false
  private var probeSample = 0
  private var detail: Detail?
  /// Per lane: the last details, and when the next may be found. They take long.
  private var details: [(due: ContinuousClock.Instant, position: Double, lane: LaneSnapshot)?] =
    []
  /// The training gradient against the exact one.
  let truth = GradientTruth()
  private var inspection: Inspection?
  /// When weights were last kept for a look back, and where: at most twice a second, and once per
  /// place.
  private var lastKept: (time: ContinuousClock.Instant, position: Double)?
  /// Compares at once, not beside the training.
  var comparesAtOnce = false
  private var stopCondition: StopCondition?
  /// Set when a stop condition was met; the engine then pauses.
  var hasStopped = false
  static let voltagePoints = 240
  static let markLimit = 1000

  /// - Parameters:
  ///   - makeTrainer: a trainer with its initial weights, at the start and for every restart.
  ///   - resume: takes the first one to a checkpoint.
  ///   - run: nil trains without leaving anything on disk.
  init(
    _ makeTrainer: @escaping () throws -> Trainer, resume: (Trainer) throws -> Void = { _ in },
    run: (Trainer) throws -> RunDirectory?
  ) throws {
    self.makeTrainer = makeTrainer
    trainer = try makeTrainer()
    try resume(trainer)
    do {
      self.run = try run(trainer)
    } catch {
      self.run = nil
      notice = "\(error); nothing of this session is kept on disk"
    }
    attempt {
      try self.run?.logBeginning(of: trainer)
    }
    if notice.isEmpty { notice = trainer.data.notes.joined(separator: "; ") }
    resetHistory()
    if let run = self.run, trainer.epoch > 0 || trainer.batchInEpoch > 0 {
      takeHistory(of: run.path, until: trainer.epoch)
    } else {
      // From the first moment there is something to go on from.
      attempt { try writeCheckpoint() }
    }
  }

  private func resetHistory() {
    histories = trainer.lanes.map { _ in History(trainer.network) }
    dropped = [:]
  }

  /// Fills curves and numbers from a run's metrics.csv and its marks from commands.jsonl, up to an
  /// epoch.
  func takeHistory(of run: String, until epoch: Int) {
    let folder = run as NSString
    let rows = MetricsTable.read(folder.appendingPathComponent("metrics.csv"), trainer.network)
    for row in rows where row.epoch <= epoch {
      guard let lane = trainer.laneNames.firstIndex(of: row.lane) else { continue }
      take(row, lane)
      trainer.lanes[lane].diagnosis.records.note(row.alarms, epoch: row.epoch)
      trainer.lanes[lane].diagnosis.alarms = row.alarms
      let x = Double(row.epoch)
      histories[lane].curves.append(
        x: x, loss: row.trainLoss, accuracy: row.trainAccuracy, spikes: row.spikes,
        norms: row.gradientNorms)
    }
    let log = try? LoggedSession(contentsOf: folder.appendingPathComponent("commands.jsonl"))
    marks = (log?.commands ?? []).filter { ($0.epoch, $0.batch) <= (epoch, trainer.batchInEpoch) }
      .suffix(Self.markLimit).map {
        CommandMark(
          position: trainer.position(epoch: $0.epoch, batch: $0.batch),
          epoch: $0.epoch, batch: $0.batch, lane: $0.lane, text: $0.text)
      }
  }

  /// Takes over the numbers of a finished epoch.
  private func take(_ row: EpochMetrics, _ lane: Int) {
    histories[lane].record = row
    if let accuracy = row.testAccuracy {
      histories[lane].lastEvaluated = row
      histories[lane].curves.testAccuracy.append(x: Double(row.epoch), accuracy)
    }
  }

  private var position: Double {
    trainer.position(epoch: trainer.epoch, batch: trainer.batchInEpoch)
  }

  /// Trains one batch; at the end of an epoch also evaluates and writes what is due.
  /// - Returns: samples trained on.
  func trainBatch() -> Int {
    guard failure.isEmpty else { return 0 }
    do {
      // A checkpoint may stand between the last batch of an epoch and its end.
      if trainer.isEpochComplete {
        finishEpoch()
        return 0
      }
      try trainer.trainBatch()
    } catch {
      fail(error)
      return 0
    }
    let x = position
    for (index, lane) in trainer.lanes.enumerated() {
      let tally = lane.lastTally
      histories[index].curves.append(
        x: x, loss: tally.meanLoss, accuracy: tally.accuracy, spikes: tally.meanSpikes,
        norms: lane.lastSquares.map { $0.squareRoot() })
    }
    let samples = trainer.lastBatchSize
    if trainer.isEpochComplete { finishEpoch() }
    return samples
  }

  /// A batch that failed has changed some lanes and not others: all go back to the beginning of the
  /// epoch, from where the user may go on with other settings.
  private func fail(_ error: any Error) {
    failure = "\(error)"
    hasStopped = true
    var known = dropped
    for (lane, history) in zip(trainer.lanes, histories) {
      known[lane.options.identity] = history
    }
    canGoOn = (try? trainer.rollBack()) ?? false
    guard canGoOn else { return }
    histories = trainer.lanes.map { known[$0.options.identity] ?? History(trainer.network) }
    for index in histories.indices { histories[index].curves.forget(after: position) }
    details = []
    truth.forget()
    attempt {
      try run?.log(
        command: "resume", lane: nil, epoch: trainer.epoch, batch: trainer.batchInEpoch,
        detail: "back after: \(error)", commands: trainer.commandCount)
    }
    failure += "; back at epoch \(Snapshot.words(position))"
  }

  /// Training may go on after a failure: the user says so, or has changed something.
  func forgive() {
    guard canGoOn else { return }
    failure = ""
    canGoOn = false
  }

  private func finishEpoch() {
    let rows = trainer.finishEpoch()
    take(trainer.lastTests)
    for (index, row) in rows.enumerated() { take(row, index) }
    attempt {
      try run?.append(rows)
      let every = trainer.preset.training.checkpointEvery
      if trainer.epoch % every == 0 || trainer.isFinished { try writeCheckpoint() }
    }
    checkStop()
  }

  /// Evaluates every lane on the test samples.
  func evaluateNow() {
    guard trainer.data.test.count > 0 else { return }
    take(trainer.lanes.indices.map { trainer.evaluate(lane: $0, trainer.data.test) })
  }

  private func take(_ evaluations: [Evaluation?]) {
    for (index, evaluation) in evaluations.enumerated() {
      histories[index].evaluation = evaluation
    }
  }

  private func checkStop() {
    let reason: String
    switch stopCondition {
    case .epoch(let epoch) where trainer.epoch >= epoch: reason = "epoch \(epoch) reached"
    case .accuracy(let share):
      guard let lane = histories.firstIndex(where: { $0.evaluation?.accuracy ?? 0 >= share }) else {
        return
      }
      reason = "lane \(trainer.lanes[lane].name) reached \(100 * share) %"
    case .deadLayer:
      let dying = trainer.lanes.indices.first { lane in
        zip(histories[lane].record?.dead ?? [], trainer.lanes[lane].network.layers).contains {
          $0 == $1.size
        }
      }
      guard let dying else { return }
      reason = "a hidden layer of lane \(trainer.lanes[dying].name) has died"
    case .epoch, nil: return
    }
    notice = "paused: \(reason)"
    stopCondition = nil
    hasStopped = true
  }

  /// Writes a checkpoint where there is a run folder.
  func writeCheckpoint() throws {
    guard let run else { return }
    try Checkpoint.write(trainer, to: run, keep: trainer.preset.training.checkpointsKept)
  }

  /// The last thing of a session: what it has is kept, and where it ended.
  func leave() throws {
    guard let run else { return }
    // Half of a batch that failed is not kept; the checkpoint before it stands.
    if !trainer.isBroken { try writeCheckpoint() }
    try run.logEnd(of: trainer, detail: failure)
  }

  private func attempt(_ body: () throws -> Void) {
    do {
      try body()
    } catch {
      notice = "\(error)"
      // A run whose folder has gone keeps nothing more: it ends.
      if let run, (try? run.check()) == nil {
        failure = "\(error)"
        canGoOn = false
        isGone = true
      }
    }
  }

  /// Applies a command that changes the training; the engine keeps the others to itself.
  func apply(_ command: EngineCommand) {
    if let lane = command.lane, !trainer.lanes.indices.contains(lane) { return }
    attempt {
      switch command {
      case .setRate, .setShaping, .setLoss, .setRegularisation, .setOrderSeed, .cure:
        try trainer.apply(command)
        forgive()
        details = []
        truth.forget()
      case .fork(let lane, _):
        try trainer.apply(command)
        details = []
        histories.append(histories[lane])
      case .drop(let lane):
        guard trainer.lanes.count > 1 else {
          notice = "the last lane stays"
          return
        }
        log(command, lane: trainer.lanes[lane].name)
        let identity = trainer.lanes[lane].options.identity
        try trainer.apply(command)
        details = []
        dropped[identity] = histories.remove(at: lane)
        return
      case .undo:
        try undo()
      case .restart(let isKeeping):
        let old = isKeeping ? trainer : nil
        let fresh = try makeTrainer()
        try run?.setAside()
        trainer = fresh
        (failure, canGoOn) = ("", false)
        trainer.observesMargins = detail == .ledger
        details = []
        truth.forget()
        resetHistory()
        log(command, lane: "")
        old?.giveSettings(to: trainer) { apply($0) }
        try writeCheckpoint()
        return
      case .checkpoint:
        try writeCheckpoint()
        notice = run.map { "checkpoint written to \($0.path)" } ?? "no run folder to write to"
      case .probe(let sample):
        probeSample = sample
        details = []
      case .notice(let text):
        notice = text
      case .detail(let detail):
        self.detail = detail
        trainer.observesMargins = detail == .ledger
        details = []
      case .stopWhen(let condition):
        stopCondition = condition
        notice = condition.map { "training will pause \($0.words)" } ?? "no stop condition"
      case .compareGradients(let isOn):
        truth.isOn = isOn
      case .inspect(let serial, let position, let kept, let detail):
        var found = Inspection()
        (found.serial, found.detail) = (serial, detail)
        found.lanes = try kept.map {
          self.detail(detail, of: try trainer.past($0), position: position, isPast: true)
        }
        inspection = found
      case .pause, .resume, .step, .stepEpoch: break
      }
      log(command, lane: command.lane.map { trainer.lanes[$0].name } ?? "")
    }
  }

  /// What is shown of a lane's past.
  private struct History {
    var curves = LaneCurves()
    /// Of the last evaluation.
    var evaluation: Evaluation?
    /// The last row of metrics.csv, and the last one with an evaluation.
    var record: EpochMetrics?
    var lastEvaluated: EpochMetrics?

    init(_ network: Network) {
      curves.spikes = Array(repeating: BoundedSeries(), count: network.hiddenCount)
      curves.norms = Array(repeating: BoundedSeries(), count: network.parameterNames.count)
    }
  }

  private func undo() throws {
    let text = trainer.undoable ?? ""
    let place = trainer.undoPlace
    try trainer.apply(.undo)
    details = []
    truth.forget()
    let then = place.map { trainer.position(epoch: $0.epoch, batch: $0.batch) }
    switch trainer.lastUndone {
    case .changed(let lane):
      // What came after was of weights that are no more.
      if let then { histories[lane].curves.forget(after: then) }
      if let record = histories[lane].record, let place, record.epoch > place.epoch {
        histories[lane].record = nil
      }
      histories[lane].evaluation = nil
      histories[lane].lastEvaluated = nil
    case .removed(let lane): histories.remove(at: lane)
    case .inserted(let lane):
      let identity = trainer.lanes[lane].options.identity
      histories.insert(
        dropped.removeValue(forKey: identity) ?? History(trainer.network), at: lane)
    case nil: break
    }
    notice =
      "taken back: \(text)"
      + (then.map { "; the lane goes on with its weights of epoch \(Snapshot.words($0))" } ?? "")
  }

  private func log(_ command: EngineCommand, lane: String) {
    guard let text = command.logText else { return }
    marks.append(
      CommandMark(
        position: position, epoch: trainer.epoch, batch: trainer.batchInEpoch, lane: lane,
        text: text))
    if marks.count > Self.markLimit { marks.removeFirst() }
    attempt {
      try run?.log(
        command: text, lane: lane.isEmpty ? nil : lane, epoch: trainer.epoch,
        batch: trainer.batchInEpoch)
    }
  }

  private var probeData: SpikeDataSet { trainer.probeData }

  /// The next batch's update is looked at closely: someone steps through the training.
  func observeNext() { trainer.observesNext = detail == .ledger }

  func snapshot() -> Snapshot {
    let preset = trainer.preset
    var snapshot = Snapshot()
    snapshot.presetName = preset.name
    snapshot.runPath = run?.path ?? ""
    snapshot.epoch = trainer.epoch
    snapshot.epochs = preset.training.epochs
    snapshot.batch = trainer.batchInEpoch
    snapshot.batches = trainer.batchesPerEpoch
    snapshot.isFinished = trainer.isFinished
    snapshot.duration = preset.duration
    snapshot.classNames = trainer.data.train.classNames.map { VisibleText.of($0) }
    snapshot.inputs = trainer.network.inputs
    snapshot.probes = probeData.count
    snapshot.probe = ((probeSample % probeData.count) + probeData.count) % probeData.count
    snapshot.marks = marks
    snapshot.undoable = trainer.undoable
    snapshot.hasSettings = trainer.hasOtherSettings
    snapshot.canGoOn = canGoOn
    snapshot.isGone = isGone
    snapshot.notice = notice
    snapshot.failure = failure
    snapshot.resolvedPreset = preset.resolvedText
    if detail == .gradients {
      if comparesAtOnce {
        truth.updateNow(trainer, position: position)
      } else {
        truth.update(trainer, position: position)
      }
    }
    snapshot.inspection = inspection
    let now = ContinuousClock.now
    snapshot.isKept =
      lastKept.map { $0.position != position && now - $0.time >= .milliseconds(400) } ?? true
    if snapshot.isKept { lastKept = (now, position) }
    snapshot.comparesGradients = truth.isOn
    snapshot.probeSamples = min(preset.diagnosis.samples, probeData.count)
    snapshot.lanes = trainer.lanes.indices.map { laneSnapshot($0, probe: snapshot.probe) }
    if snapshot.isKept {
      for index in snapshot.lanes.indices {
        snapshot.lanes[index].kept = trainer.lanes[index].keep()
      }
    }
    return snapshot
  }

  private func laneSnapshot(_ index: Int, probe: Int) -> LaneSnapshot {
    let lane = trainer.lanes[index]
    let tally = lane.lastTally
    var picture = LaneSnapshot()
    picture.identify(lane.options)
    picture.lossKind = lane.options.lossKind
    picture.shaping = lane.shaping
    picture.isShaped = LossTable.entry(lane.options.lossKind)?.isShaped ?? false
    let next = lane.schedule.rate(lane.options.optimiser.rate)
    // Where all is done no batch comes: the rate is that of the last one, as in metrics.csv.
    let isDone = trainer.isFinished && trainer.batchInEpoch == 0 && !hasNewRate(lane)
    picture.rate = isDone ? histories[index].record?.rate ?? next : next
    picture.baseRate = lane.options.optimiser.rate
    // At the very start of an epoch its sums say little: the last epoch's are shown.
    let isEarly = lane.epochTally.trials < 10 * trainer.preset.training.batch
    let isRunning = trainer.batchInEpoch > 0 && lane.epochTally.trials > 0
    let history = histories[index]
    let record = history.record
    let isSameLoss = record.map {
      $0.loss.isEmpty
        || ($0.loss == lane.options.lossKind && $0.shaping == lane.options.shaping.words)
    }
    let isRecord = record != nil && (isEarly || !isRunning)
    picture.trainLoss =
      isRecord && isSameLoss ?? false
      ? record?.trainLoss
      : isRunning && lane.epochTally.lossTrials > 0 ? lane.epochTally.meanLoss : nil
    picture.trainAccuracy =
      isRecord ? record?.trainAccuracy : isRunning ? lane.epochTally.accuracy : nil
    // The row of this very place; else of the same evaluation as the predictions beside them.
    let isHere = history.lastEvaluated?.epoch == trainer.epoch && trainer.batchInEpoch == 0
    let (row, evaluation) = (history.lastEvaluated, history.evaluation)
    picture.testLoss = isHere ? row?.testLoss : evaluation?.loss ?? row?.testLoss
    picture.testAccuracy = isHere ? row?.testAccuracy : evaluation?.accuracy ?? row?.testAccuracy
    picture.predictions = evaluation?.predictions ?? []
    picture.labels = evaluation?.labels ?? []
    picture.trial = lane.probe(
      probeData, sample: probe, options: trainer.preset.data, points: Self.voltagePoints)
    let hasBatch = isRunning && tally.trials > 0
    picture.layers = lane.network.layers.dropLast().enumerated().map { layer, description in
      let dead = record?.dead[layer]
      if hasBatch {
        return LayerActivity(
          size: description.size, mean: tally.meanSpikes[layer], spread: tally.spread[layer],
          silent: tally.meanSilent[layer], dead: dead)
      }
      let spread = record.flatMap { $0.spread.indices.contains(layer) ? $0.spread[layer] : nil }
      return LayerActivity(
        size: description.size, mean: record?.spikes[layer], spread: spread,
        silent: record?.silent[layer], dead: dead)
    }
    picture.flow = lane.network.parameterNames.enumerated().map { p, name in
      ProjectionFlow(
        name: name,
        norm: hasBatch ? lane.lastSquares[p].squareRoot() : record?.gradientNorms[p])
    }
    picture.curves = history.curves
    picture.trainsExactly = lane.options.solver == .exact
    picture.isOffGrid = !GridSolver.runs(lane.network)
    if truth.isOn, let result = truth.result(of: lane.options.identity) {
      picture.comparison = result.comparison
      picture.comparedAt = result.position
    }
    picture.totals = lane.diagnosis.totals
    picture.alarms = lane.diagnosis.alarms
    picture.alarmRecords = lane.diagnosis.records
    picture.deadSince = lane.diagnosis.deadSince
    if var ledger = lane.diagnosis.ledger {
      ledger.events.removeLast(max(0, ledger.events.count - 64))
      picture.ledger = ledger
    }
    picture.atRisk = lane.diagnosis.atRisk
    picture.risks = lane.diagnosis.risks
    addDetail(to: &picture, index)
    return picture
  }

  /// Whether the lane was given a rate that no batch has been trained with.
  private func hasNewRate(_ lane: any Lane) -> Bool {
    marks.contains {
      $0.position == position && $0.lane == lane.name && $0.text.hasPrefix("rate ")
    }
  }

  private func addDetail(to picture: inout LaneSnapshot, _ index: Int) {
    guard let detail else { return }
    if details.count != trainer.lanes.count { details = trainer.lanes.map { _ in nil } }
    let now = ContinuousClock.now
    if details[index].map({ $0.position != position && now > $0.due })
      ?? true
    {
      let found = self.detail(
        detail, of: trainer.lanes[index], position: position, isPast: false)
      // At most twice a second, and a fifth of the time.
      let end = ContinuousClock.now
      let wait = max(Duration.milliseconds(500), now.duration(to: end) * 4)
      details[index] = (end.advanced(by: wait), position, found)
    }
    guard let found = details[index]?.lane else { return }
    picture.takeDetail(from: found)
  }

  /// What only one screen shows, of a lane of now or of the past.
  private func detail(
    _ detail: Detail, of lane: any Lane, position: Double, isPast: Bool
  ) -> LaneSnapshot {
    var found = LaneSnapshot()
    switch detail {
    case .gradients:
      found.errors = lane.errorMaps()
      let flow = lane.gradientFlow()
      found.gradientFlow = flow?.shaped
      found.plainFlow = flow?.plain
      if isPast && truth.isOn && lane.options.solver == .grid, let probe = lane.comparable() {
        found.comparison = GradientComparison(
          probe.problem, samples: probe.samples, weights: probe.weights,
          reach: trainer.preset.diagnosis.reach)
        found.comparedAt = position
      }
    case .ledger:
      found.margins = (lane.margins(pool: trainer.pool)?.layers ?? []).map {
        MarginHistogram(layer: $0.layer, counts: $0.histogram(bins: 40, range: 1), range: 1)
      }
    case .silence:
      found.silence = lane.silence(pool: trainer.pool)
    }
    return found
  }
}
