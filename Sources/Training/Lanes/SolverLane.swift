// SPDX-License-Identifier: MIT

import Experiments
import Diagnosis
import EventPropCore
import SpikeData

/// A lane on one of the solvers.
final class SolverLane<S: Solver>: Lane {
  typealias Scalar = S.Scalar
  var options: LaneOptions
  let runner: Batch<S>
  let optimiserState: OptimiserState<Scalar>
  var schedule: Schedule
  var epochTally: Tally
  var epochSquares: [Double]
  var epochBatches = 0
  private(set) var lastTally: Tally
  private(set) var lastSquares: [Double]

  var progress = LaneProgress()
  var diagnosis = LaneDiagnosis()
  private(set) var observer: UpdateObserver<S>?
  var keeping: KeepingTally?
  private var keeper: SpikeKeeper<S>?

  private let isRegularised: Bool
  let seed: Int
  /// The weights have changed since the last update, by hand or by a policy.
  private(set) var isTouched = false
  /// For probes: kept, so that snapshots allocate little.
  lazy var probeTrial = solver.makeTrial()
  lazy var probeWorkspace = solver.makeWorkspace()

  var solver: S { runner.solver }
  var weights: Parameters<Scalar> { runner.weights }
  var name: String { options.name }
  var problem: Problem { solver.problem }
  var network: Network { problem.network }
  var shaping: Shaping { solver.problem.shaping }
  var updates: Int { optimiserState.count }

  init(
    _ options: LaneOptions, solver: S, training: TrainingOptions, seed: Int, capacity: Int
  ) {
    self.options = options
    self.seed = seed
    let network = solver.problem.network
    runner = solver.makeBatch(
      weights: options.beginning(network, seed: seed, as: Scalar.self), capacity: capacity,
      shards: training.shards)
    optimiserState = OptimiserState(options.optimiser, network)
    schedule = Schedule(options.schedule)
    epochTally = Tally(network)
    epochSquares = Array(repeating: 0, count: network.parameterNames.count)
    lastTally = epochTally
    lastSquares = epochSquares
    isRegularised = network.layers.contains { $0.rate != nil }
    keeping = options.keepSpikes.map { _ in KeepingTally() }
  }

  func keepSpikes(on samples: [(train: SpikeTrain, label: Int)]) {
    guard let rule = options.keepSpikes, network.hiddenCount > 0, !samples.isEmpty else { return }
    keeper = SpikeKeeper(rule, solver, samples: samples)
  }

  func watch(_ samples: [(train: SpikeTrain, label: Int)], _ options: DiagnosisOptions) {
    observer = samples.isEmpty ? nil : UpdateObserver(solver, samples: samples, options: options)
  }

  func train(_ batch: SampleBatch, pool: WorkerPool, observation: Observation?) throws {
    guard let observation, let observer else { return try update(with: batch, pool: pool) }
    observer.begin(weights, withMargins: observation.withMargins, pool: pool)
    try update(with: batch, pool: pool)
    let result = observer.end(weights, update: updates, pool: pool)
    diagnosis.ledger = result.shown
    diagnosis.step = StepSpikes(
      before: observer.spikesBefore, after: result.spikes, update: updates)
    diagnosis.updateRatios = observer.updateRatios(weights)
    diagnosis.stepWeights =
      observation.withWeights ? observer.stepWeights(weights, update: updates) : nil
    if observation.isScheduled {
      diagnosis.totals.add(result.recorded)
      diagnosis.epoch.add(result.recorded)
    }
    if let atRisk = result.atRisk {
      diagnosis.atRisk = Array(atRisk.prefix(RiskRecord.limit))
      diagnosis.risks.check(
        update: updates, trials: result.spikes, reach: observer.reach, adding: atRisk)
    }
  }

  package var inputEnd: Double? { observer?.inputEnd }
  func margins(pool: WorkerPool) -> Margins? { observer?.margins(weights, pool: pool) }
  func silence(pool: WorkerPool) -> SilenceReport? { observer?.silence(weights, pool: pool) }
  func probeSpikes(pool: WorkerPool) -> [TrialSpikes] {
    observer?.probeSpikes(weights, pool: pool) ?? []
  }
  func gradientFlow() -> (shaped: GradientFlow, plain: GradientFlow)? {
    observer.flatMap { $0.flow(weights) }
  }
  func timing() -> (spikes: [[Int]], gradient: GradientFlow?) {
    let none = network.layers.dropLast().map { _ in Array(repeating: 0, count: GradientFlow.parts) }
    return observer?.timing(weights) ?? (none, nil)
  }
  func comparable() -> (problem: Problem, samples: [GradientCheck.Sample], weights: [[Double]])? {
    guard let observer else { return nil }
    return (
      solver.problem, observer.samples.map { ($0.train, $0.label) },
      weights.arrays.map { $0.doubles }
    )
  }
  func keep() -> KeptLane { KeptLane(options, weights.arrays.map { NPYArray($0) }) }
  func take(_ kept: [NPYArray]) throws {
    for (name, (array, matrix)) in zip(network.parameterNames, zip(kept, weights.arrays)) {
      try array.copy(to: matrix, name: name)
    }
  }
  var stepsPerTrial: Int { Int((solver.problem.duration / solver.problem.step).rounded()) }

  func cure(_ policy: SilentPolicy, layer: Int, neurons: [Int], random: inout Random) {
    isTouched = true
    policy.apply(
      to: neurons, of: layer + 1, in: weights, initial: options.initial, random: &random)
  }

  func scale(by factor: Double, layer: Int) {
    isTouched = true
    weights.forward(intoLayer: layer).scale(by: factor)
  }

  /// Forward and loss, gradient, update. Rate regularisation needs the whole batch's spike counts
  /// before the first trial goes back; without it a trial goes forward and back at once.
  private func update(with batch: SampleBatch, pool: WorkerPool) throws {
    isTouched = false
    try keeper?.begin(weights, pool: pool)
    let tally = try check(runner.forward(batch, goingBack: !isRegularised, pool: pool))
    let squares = try learn(from: batch, push: isRegularised ? push(tally) : [], pool: pool)
    if let keeper { keeping?.add(try keeper.end(weights, pool: pool)) }
    options.muteOutputs?.apply(mute: tally.mute, of: tally.ofClass, in: weights)
    epochTally.add(tally)
    lastTally = tally
    lastSquares = squares
    for index in squares.indices { epochSquares[index] += squares[index] }
    epochBatches += 1
    schedule.finishBatch()
  }

  private func check(_ tally: Tally) throws -> Tally {
    guard tally.loss.isFinite else {
      throw TrainingError(
        description: tally.failure
          ?? "the loss is \(tally.loss): lower the learning rate, or set training.clip")
    }
    return tally
  }

  /// Rate regularisation acts on spike counts averaged over the batch.
  private func push(_ tally: Tally) -> [[Double]] {
    network.layers.dropLast().enumerated().map { index, layer in
      guard let rate = layer.rate else { return [] }
      return tally.spikes[index].map {
        // Over the trials in which a neuron is dropped it has no spikes to count.
        rate.push(meanCount: Double($0) / Double(tally.trials) / (1 - layer.dropout))
      }
    }
  }

  /// Takes the gradient of the batch and hands it to the optimiser, part by part. Clips it by norm,
  /// then by value. Returns |dL/dw|^2 of each array of parameters, before that.
  /// - Throws: `TrainingError` when that is not a finite number; parts that are have then been
  ///   learned from, unless gradients are clipped.
  private func learn(from batch: SampleBatch, push: [[Double]], pool: WorkerPool) throws
    -> [Double]
  {
    optimiserState.count += 1
    let update = runner.update(optimiserState) {
      options.optimiser.step(
        rate: schedule.rate($0 ?? options.optimiser.rate), count: updates)
    }
    let isClipped = options.clip > 0
    let limit = Scalar(min(options.clipValue, Double(Float.greatestFiniteMagnitude)))
    let squares = runner.gradient(of: batch, push: push, pool: pool) { part, squares in
      if !isClipped && squares.isFinite { update.apply(to: part, gain: 1, limit: limit) }
    }
    if let worst = squares.firstIndex(where: { !$0.isFinite }) {
      throw TrainingError(
        description: "the gradient of \(network.parameterNames[worst]) has exploded "
          + "(its square is \(squares[worst])): lower the learning rate or the weights")
    }
    if isClipped {
      let norm = squares.reduce(0, +).squareRoot()
      let gain = norm > options.clip ? Scalar(options.clip / norm) : 1
      let parts = runner.parts
      pool.forEach(parts.count) { update.apply(to: parts[$0], gain: gain, limit: limit) }
    }
    return squares
  }

  func evaluate(_ data: SpikeDataSet, options: DataOptions?, pool: WorkerPool) -> Evaluation {
    let batch = SampleBatch(
      data, options: options, isTraining: false, duration: solver.problem.duration, seed: 0,
      capacity: runner.trials.count)
    var total = Tally(network)
    var predictions: [Int] = []
    predictions.reserveCapacity(data.count)
    var fits: [Fit] = []
    let hasTargets = solver.problem.targets != nil
    for start in stride(from: 0, to: data.count, by: runner.trials.count) {
      let samples = Array(start..<min(start + runner.trials.count, data.count))
      if total.failure != nil {
        predictions.append(contentsOf: samples.map { _ in -1 })
        if hasTargets { fits += samples.map { _ in Fit(error: .nan, spread: 0) } }
        continue
      }
      batch.prepare(samples, epoch: 0, pool: pool)
      total.add(runner.forward(batch, pool: pool))
      predictions.append(
        contentsOf: samples.indices.map {
          total.failure == nil ? runner.trials[$0].prediction : -1
        })
      if hasTargets {
        fits += samples.indices.map { runner.trials[$0].fit ?? Fit(error: .nan, spread: 0) }
      }
    }
    return Evaluation(
      loss: total.meanLoss, accuracy: total.accuracy,
      predictions: hasTargets ? [] : predictions, fits: fits, labels: data.labels,
      meanSpikes: total.meanSpikes, dead: total.dead.map(\.count))
  }

  func applySilentPolicy(epoch: Int, seed: Int) {
    isTouched = true
    for (layer, dead) in epochTally.dead.enumerated() {
      var random = Random(seed: seed, "silent policy", epoch, layer)
      options.silent?.apply(
        to: dead, of: layer + 1, in: weights, initial: options.initial, random: &random)
    }
  }
}

extension SolverLane {
  /// Arrays that make up the state, by file name.
  private var stateArrays: [(name: String, array: Matrix<Scalar>)] {
    network.parameterNames.enumerated().flatMap { index, name in
      [(name, weights.arrays[index])]
        + zip(optimiserState.names, optimiserState.arrays).map { kept, parameters in
          (kept + "/" + name, parameters.arrays[index])
        }
    }
  }

  func arrays() -> [(name: String, array: NPYArray)] {
    stateArrays.map { ($0.name, NPYArray($0.array)) }
  }

  func restore(updates: Int, from read: (String) throws -> NPYArray) throws {
    for (name, array) in stateArrays { try read(name).copy(to: array, name: name) }
    optimiserState.count = updates
  }
}

/// Makes the lane that the options ask for.
/// - Parameter capacity: the most samples that are run at once.
func makeLane(_ options: LaneOptions, _ preset: Preset, _ problem: Problem, capacity: Int)
  -> any Lane
{
  switch options.solver {
  case .grid:
    SolverLane(
      options, solver: GridSolver(problem), training: preset.training, seed: preset.seed,
      capacity: capacity)
  case .exact:
    SolverLane(
      options, solver: ExactSolver(problem), training: preset.training, seed: preset.seed,
      capacity: capacity)
  }
}
