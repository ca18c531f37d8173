// SPDX-License-Identifier: MIT

import Experiments
import Diagnosis
import EventPropCore
import SpikeData

/// Looks at single updates of a lane on its probe set: before, and after. Has no effect on the
/// training.
final class UpdateObserver<S: Solver> {
  typealias Scalar = S.Scalar
  /// The probe set, as the network gets it.
  let samples: [(train: SpikeTrain, label: Int)]
  let solver: S
  /// When 99 % of a sample's input spikes have come, ms, mean over samples; nil without any.
  let inputEnd: Double?
  private let options: DiagnosisOptions
  private let trials: [S.Trial]
  private let slots: [Slot]
  private let weightsBefore: Parameters<Scalar>
  private var before: [TrialSpikes] = []
  /// The probe's spikes when the observed update began.
  var spikesBefore: [TrialSpikes] { before }
  private var lossBefore = 0.0
  private var marginsBefore: Margins?
  /// Margins when last looked at, and after how many updates: a longer base for their trend than
  /// one update is.
  private var trend: (margins: Margins, update: Int)?

  /// Scratch memory for every `slots.count`-th trial.
  private final class Slot {
    let workspace: S.Workspace
    let tape: S.Tape
    let gradient: Parameters<Scalar>

    init(_ solver: S) {
      workspace = solver.makeWorkspace()
      tape = solver.makeTape()
      gradient = Parameters(solver.problem.network)
    }
  }

  var reach: Double { options.reach }
  private var network: Network { solver.problem.network }
  /// Margins take long on large networks: they are found on this many trials.
  static var marginTrials: Int { 2 }
  /// Events priced where someone looks closely.
  static var closeCosts: Int { 256 }

  init(_ solver: S, samples: [(train: SpikeTrain, label: Int)], options: DiagnosisOptions) {
    self.solver = solver
    self.samples = samples
    let ends = samples.compactMap { sample -> Double? in
      let times = sample.train.times.map { Double($0) }.filter { $0 < solver.problem.duration }
        .sorted()
      return times.isEmpty ? nil : times[min(times.count - 1, times.count * 99 / 100)]
    }
    inputEnd = ends.isEmpty ? nil : ends.reduce(0, +) / Double(ends.count)
    self.options = options
    trials = samples.map { _ in solver.makeTrial() }
    slots = (0..<min(4, samples.count)).map { _ in Slot(solver) }
    weightsBefore = Parameters(solver.problem.network)
    for (sample, trial) in zip(samples, trials) {
      sample.train.withView { solver.load($0, label: sample.label, into: trial) }
    }
  }

  /// Runs the probe set forward, and backward when `withGradient`; gradients are then in the slots.
  private func run(_ weights: Parameters<Scalar>, withGradient: Bool, pool: WorkerPool) {
    pool.forEach(slots.count) { index in
      let slot = slots[index]
      if withGradient {
        slot.gradient.clear()
      }
      for k in stride(from: index, to: trials.count, by: slots.count) {
        solver.forward(trials[k], weights: weights, workspace: slot.workspace)
        if withGradient {
          trials[k].withholdPhantom()
          solver.backward(
            trials[k], weights: weights, push: [], gradient: slot.gradient,
            tape: slot.tape, workspace: slot.workspace)
        }
      }
    }
  }

  private var spikes: [TrialSpikes] {
    trials.map { trial in network.layers.indices.map { trial.spikes(ofLayer: $0) } }
  }

  /// - Parameter withMargins: whether the risk of spikes is looked at too.
  func begin(_ weights: Parameters<Scalar>, withMargins: Bool, pool: WorkerPool) {
    run(weights, withGradient: true, pool: pool)
    for (copy, matrix) in zip(weightsBefore.arrays, weights.arrays) {
      copy.base.update(from: matrix.base, count: matrix.count)
    }
    before = spikes
    lossBefore = trials.reduce(0) { $0 + $1.loss } / Double(trials.count)
    marginsBefore = withMargins ? margins(weights) : nil
  }

  /// - Parameter update: number of the update since `begin`.
  /// - Returns: its ledger; what the records take of it, which does not depend on who looks
  /// how closely; the spikes at risk; and the probe's spikes after it.
  func end(
    _ weights: Parameters<Scalar>, update: Int, pool: WorkerPool
  ) -> (shown: Ledger, recorded: Ledger, atRisk: [SpikeAtRisk]?, spikes: [TrialSpikes]) {
    let predicted = directionalDerivative(weights)
    run(weights, withGradient: false, pool: pool)
    let after = spikes
    let losses = trials.map(\.loss)
    var ledger = Ledger(network, before: before, after: after, reach: options.reach)
    ledger.lossBefore = lossBefore
    ledger.lossAfter = losses.reduce(0, +) / Double(losses.count)
    ledger.predicted = predicted
    var atRisk: [SpikeAtRisk]?
    if let marginsBefore {
      let now = margins(weights)
      let base = trend ?? (marginsBefore, update - 1)
      atRisk = SpikeAtRisk.list(
        network, before: base.margins, after: now, updates: update - base.update,
        reach: options.reach, horizon: 200)
      trend = (now, update)
    }
    func loss(_ trial: Int, _ undoing: Intervention) -> Double {
      solver.forward(
        trials[trial], weights: weights, workspace: slots[0].workspace, with: undoing)
      return trials[trial].loss
    }
    var recorded = ledger
    recorded.price(limit: options.costs, trials: trials.count, lossesAfter: losses, loss: loss)
    guard atRisk != nil, options.costs < Self.closeCosts else {
      return (recorded, recorded, atRisk, after)
    }
    ledger.price(limit: Self.closeCosts, trials: trials.count, lossesAfter: losses, loss: loss)
    return (ledger, recorded, atRisk, after)
  }

  /// The probe set's spikes under these weights, per trial.
  func probeSpikes(_ weights: Parameters<Scalar>, pool: WorkerPool) -> [TrialSpikes] {
    run(weights, withGradient: false, pool: pool)
    return spikes
  }

  /// The input of a trial, as the solver used it.
  func inputs(of trial: Int) -> [LayerSpike] { trials[trial].inputSpikes }

  /// |w - w before| / |w|, per array of parameters; 0 where all weights are 0.
  func updateRatios(_ weights: Parameters<Scalar>) -> [Double] {
    zip(weights.arrays, weightsBefore.arrays).map { new, old in
      var (change, size) = (0.0, 0.0)
      for (a, b) in zip(new.doubles, old.doubles) {
        change += (a - b) * (a - b)
        size += b * b
      }
      return size > 0 ? (change / size).squareRoot() : 0
    }
  }

  func stepWeights(_ weights: Parameters<Scalar>, update: Int) -> StepWeights {
    func rows(_ parameters: Parameters<Scalar>) -> [[Double]] {
      parameters.arrays.map { $0.doubles }
    }
    return StepWeights(before: rows(weightsBefore), after: rows(weights), update: update)
  }

  /// g . (w - w before).
  private func directionalDerivative(_ weights: Parameters<Scalar>) -> Double {
    let scales = solver.gradientScales(trials: trials.count)
    var total = 0.0
    for p in weights.arrays.indices {
      let (new, old) = (weights.arrays[p], weightsBefore.arrays[p])
      var sum = 0.0
      for slot in slots {
        sum += Scalar.dot(
          slot.gradient.arrays[p].base, new: new.base, old: old.base,
          width: new.count)
      }
      total += scales[p] * sum
    }
    return total
  }

  /// Margins of the last forward pass, on the first trials.
  private func margins(_ weights: Parameters<Scalar>) -> Margins {
    let chosen = trials.prefix(Self.marginTrials)
    return Margins(
      network.with(weights), duration: solver.problem.duration, inputs: chosen.map(\.inputSpikes),
      trials: chosen.map { trial in network.layers.indices.map { trial.spikes(ofLayer: $0) } },
      weights: weights.matrices.map { WeightRows($0) }, delays: solver.delays(weights))
  }

  /// Margins under these weights.
  func margins(_ weights: Parameters<Scalar>, pool: WorkerPool) -> Margins {
    run(weights, withGradient: false, pool: pool)
    return margins(weights)
  }

  /// Who is silent on the probe set, and why.
  func silence(_ weights: Parameters<Scalar>, pool: WorkerPool) -> SilenceReport {
    run(weights, withGradient: true, pool: pool)
    let forward = network.projections.enumerated().filter { $0.element.source < $0.element.target }
    let norms = forward.prefix(network.hiddenCount).map { (p, projection) -> [Double] in
      let parts = slots.map { $0.gradient.matrices[p].doubles }
      let columns = network.size(ofPopulation: projection.target)
      var squares = Array(repeating: 0.0, count: columns)
      for k in parts[0].indices {
        let sum = parts.reduce(0.0) { $0 + $1[k] }
        squares[k % columns] += sum * sum
      }
      return squares.map { $0.squareRoot() }
    }
    return SilenceReport(
      network.with(weights), duration: solver.problem.duration, inputs: trials.map(\.inputSpikes),
      trials: spikes, weights: weights.matrices.map { WeightRows($0) }, columnNorms: norms,
      delays: solver.delays(weights))
  }

  /// Spikes of every hidden layer, and the gradient, by tenth of the trial.
  func timing(_ weights: Parameters<Scalar>) -> (spikes: [[Int]], gradient: GradientFlow?) {
    let parts = GradientFlow.parts
    var counts = (0..<network.hiddenCount).map { _ in Array(repeating: 0, count: parts) }
    for trial in trials {
      solver.forward(trial, weights: weights, workspace: slots[0].workspace)
      for layer in counts.indices {
        for spike in trial.spikes(ofLayer: layer) {
          let part = Int(spike.time / solver.problem.duration * Double(parts))
          counts[layer][min(part, parts - 1)] += 1
        }
      }
    }
    guard GridSolver.runs(network) else { return (counts, nil) }
    let flow = GradientFlow(
      solver.problem, samples: samples, weights: weights.converted(to: Float.self))
    return (counts, flow)
  }

  /// Gradient in time under the lane's shaping, and under w = 1; on the grid, nil where that cannot
  /// run the network.
  func flow(_ weights: Parameters<Scalar>) -> (shaped: GradientFlow, plain: GradientFlow)? {
    guard GridSolver.runs(network) else { return nil }
    let weights = weights.converted(to: Float.self)
    var plain = solver.problem
    plain.shaping = .none
    return (
      GradientFlow(solver.problem, samples: samples, weights: weights),
      GradientFlow(plain, samples: samples, weights: weights)
    )
  }
}

extension SpikeDataSet {
  /// A small fixed set of samples, evenly spread, with the preset's delay line.
  func probeSet(_ count: Int, options: DataOptions?, duration: Double) -> [(
    train: SpikeTrain, label: Int
  )] {
    let chosen = min(count, self.count)
    return samples((0..<chosen).map { $0 * self.count / chosen }, options, duration: duration)
  }

  /// Some samples with the preset's delay line.
  func samples(_ indices: [Int], _ options: DataOptions?, duration: Double) -> [(
    train: SpikeTrain, label: Int
  )] {
    indices.map { index in
      var train = self[index]
      options?.delayLine.apply(to: &train, units: unitCount, duration: duration)
      return (train, labels[index])
    }
  }
}

extension Solver {
  /// Delays as its passes have them.
  func delays(_ weights: Parameters<Scalar>) -> SpikeDelays {
    SpikeDelays(weights, step: self is GridSolver ? problem.step : nil)
  }
}

extension Network {
  /// The same with the constants of the moment.
  func with<Scalar>(_ parameters: Parameters<Scalar>) -> Network {
    var network = self
    network.layers = parameters.layers
    return network
  }
}
