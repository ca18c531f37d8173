// SPDX-License-Identifier: MIT

import Experiments
import Training
import Diagnosis
import EventPropCore
import Foundation

/// From trainer and histories to what a screen shows.
extension TrainingSession {
  private static let voltagePoints = 240

  /// The sample that is shown.
  private var shownProbe: Int {
    let count = max(trainer.probeData.count, 1)
    return ((probeSample % count) + count) % count
  }

  /// The probe trial that the shown sample is; nil where it is none.
  private var probeTrial: Int? {
    let count = trainer.probeData.count
    let chosen = min(trainer.preset.diagnosis.samples, count)
    return (0..<chosen).first { $0 * count / chosen == shownProbe }
  }

  func snapshot() -> Snapshot {
    let preset = trainer.preset
    var snapshot = Snapshot()
    snapshot.presetName = preset.name
    snapshot.card = preset.card
    snapshot.runPath = run?.path ?? ""
    snapshot.epoch = trainer.epoch
    snapshot.epochs = preset.training.epochs
    snapshot.batch = trainer.batchInEpoch
    snapshot.batches = trainer.batchesPerEpoch
    snapshot.isFinished = trainer.isFinished
    snapshot.tests = preset.training.tests
    snapshot.duration = preset.duration
    snapshot.classNames = trainer.data.train.classNames.map { VisibleText.of($0) }
    snapshot.isRegression = trainer.data.train.targets != nil
    snapshot.inputs = trainer.network.inputs
    let probeData = trainer.probeData
    snapshot.probes = probeData.count
    snapshot.probe = shownProbe
    snapshot.marks = marks
    snapshot.undoable = trainer.undoable
    snapshot.hasSettings = trainer.hasOtherSettings
    snapshot.canGoOn = canGoOn
    snapshot.isGone = isGone
    snapshot.notice = notice
    snapshot.breakHit = breakHit
    snapshot.commands = trainer.commandCount
    snapshot.job = job?.progress ?? ""
    snapshot.found = found
    snapshot.rewinds = rewinds
    snapshot.failure = failure
    snapshot.resolvedPreset = preset.resolvedText
    snapshot.sources = [source]
    if detail == .gradients {
      if comparesAtOnce {
        truth.updateNow(trainer, position: position)
      } else {
        truth.update(trainer, position: position)
      }
    }
    if detail == .slice {
      slices.update(
        trainer.lanes, reach: trainer.preset.diagnosis.reach, atOnce: comparesAtOnce)
    }
    if case .doctor(let target) = detail {
      doctor.update(
        trainer, target: target, position: position, isResting: truth.isResting,
        atOnce: reportsAtOnce)
      inspection = doctor.takeInspection() ?? inspection
    }
    snapshot.inspection = inspection
    let now = time.now()
    snapshot.isKept =
      lastKept.map { $0.position != position && now - $0.time >= .milliseconds(400) } ?? true
    if snapshot.isKept { lastKept = (now, position) }
    snapshot.comparesGradients = truth.isOn
    snapshot.probeSamples = min(preset.diagnosis.samples, probeData.count)
    snapshot.lanes = trainer.lanes.map { picture(of: $0, probe: snapshot.probe) }
    let trained = Dictionary(grouping: snapshot.lanes.map(\.description)) { $0 }
    for (index, lane) in snapshot.lanes.enumerated() where trained[lane.description]!.count > 1 {
      snapshot.lanes[index].caption = VisibleText.of(lane.name)
    }
    if snapshot.isKept {
      for index in snapshot.lanes.indices {
        snapshot.lanes[index].kept = trainer.lanes[index].keep()
      }
    }
    return snapshot
  }

  private var source: RunSource {
    var source = RunSource()
    source.folder = run?.path ?? ""
    source.preset = trainer.preset.name
    source.seed = trainer.preset.seed
    source.dataSeed = trainer.preset.data?.seed
    (source.epoch, source.batch) = (trainer.epoch, trainer.batchInEpoch)
    source.commands = marks.count
    return source
  }

  private func picture(of lane: any Lane, probe: Int) -> LaneSnapshot {
    let tally = lane.lastTally
    var picture = LaneSnapshot()
    let history = history(of: lane)
    let record = history.record
    picture.identify(lane.options)
    picture.lossKind = lane.options.lossKind
    picture.shaping = lane.shaping
    picture.isShaped = LossTable.entry(lane.options.lossKind)?.isShaped ?? false
    let next = lane.schedule.rate(lane.options.optimiser.rate)
    // Where all is done no batch comes: the rate is that of the last one, as in metrics.csv.
    let isDone = trainer.isFinished && trainer.batchInEpoch == 0 && !hasNewRate(lane)
    picture.rate = isDone ? record?.rate ?? next : next
    picture.baseRate = lane.options.optimiser.rate
    // At the very start of an epoch its sums say little: the last epoch's are shown.
    let isEarly = lane.epochTally.trials < 10 * trainer.preset.training.batch
    let isRunning = trainer.batchInEpoch > 0 && lane.epochTally.trials > 0
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
      trainer.probeData, sample: probe, options: trainer.preset.data, points: Self.voltagePoints)
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
    picture.flow = lane.network.arrays.enumerated().map { p, array in
      ProjectionFlow(
        name: array.name,
        norm: hasBatch ? lane.lastSquares[p].squareRoot() : record?.gradientNorms[array.name],
        isTrained: array.isTrained)
    }
    picture.curves = history.curves
    picture.activity = history.epochs
    picture.keeping = lane.keeping.map {
      "steps shortened: \($0.kept) neurons kept, \($0.lost) lost, "
        + String(format: "%.0f %% of |dw| given up", 100 * $0.stepGivenUp)
    }
    picture.verdict = LaneVerdict.sentence(signs(of: lane, history.record, picture.activity))
    picture.trainsExactly = lane.options.solver == .exact
    picture.isOffGrid = !GridSolver.runs(lane.network)
    if truth.isOn, let result = truth.result(of: lane.options.identity) {
      picture.comparison = result.comparison
      picture.surrogate = result.surrogate
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
    if detail == .slice {
      picture.detail.slice = slices.slice(of: lane.options.identity)
      picture.detail.sliced = lane.diagnosis.stepWeights?.update
    } else if case .doctor = detail {
      picture.detail.doctor = doctor.finding(of: lane.options.identity)
    } else if let detail {
      picture.take(
        details.detail(of: lane.options.identity, at: position) {
          find(detail, of: lane, position: position, isPast: false, probe: probe)
        })
    }
    return picture
  }

  private func signs(
    of lane: any Lane, _ record: EpochMetrics?, _ epochs: [EpochActivity]
  ) -> VerdictSigns {
    var signs = VerdictSigns()
    signs.epochs = epochs.map(\.epoch)
    signs.layers = lane.network.layers.dropLast().indices.map { layer in
      var own = VerdictSigns.Layer(
        name: lane.network.name(ofPopulation: layer + 1), size: lane.network.layers[layer].size,
        dead: record?.dead[layer] ?? 0,
        rates: epochs.map { $0.layers[layer].mean })
      own.gradientByTenth = epochs.last?.layers[layer].gradientByTenth ?? []
      own.spikesByTenth = epochs.last?.layers[layer].spikesByTenth ?? []
      return own
    }
    let entry = LossTable.entry(lane.options.lossKind)
    signs.lossKind = lane.options.lossKind
    signs.isPlainIntegral = (entry?.isShaped ?? false) && lane.shaping.isPlain
    signs.readsFirstSpikes = entry?.readout == .firstSpike
    signs.inputEnd = lane.inputEnd
    signs.duration = trainer.preset.duration
    signs.rate = record?.rate ?? lane.options.optimiser.rate
    signs.totals = lane.diagnosis.totals
    signs.alarms = lane.diagnosis.alarms
    return signs
  }

  /// Whether the lane was given a rate that no batch has been trained with.
  private func hasNewRate(_ lane: any Lane) -> Bool {
    marks.contains {
      $0.position == position && $0.lane == lane.name && $0.text.hasPrefix("rate ")
    }
  }

  /// What only one screen shows, of a lane of now or of the past.
  func find(
    _ detail: Detail, of lane: any Lane, position: Double, isPast: Bool, probe: Int
  ) -> LaneDetail {
    var found = LaneDetail()
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
        found.surrogate = SurrogateComparison(
          probe.problem, samples: probe.samples, weights: probe.weights)
        found.comparedAt = position
      }
    case .ledger:
      found.margins = (lane.margins(pool: trainer.pool)?.layers ?? []).map {
        MarginHistogram(layer: $0.layer, counts: $0.histogram(bins: 40, range: 1), range: 1)
      }
    case .silence:
      found.silence = lane.silence(pool: trainer.pool)
    case .weights:
      found.weights = lane.weightStatistics()
    case .step:
      if let trial = probeTrial { found.step = lane.stepPicture(trial: trial) }
    // These have workers of their own.
    case .slice, .doctor: break
    case .trace(let layer, let neuron, let spike):
      found.trace = lane.trace(
        trainer.probeData, sample: probe, options: trainer.preset.data, layer: layer,
        neuron: neuron, spike: spike)
    }
    return found
  }
}
