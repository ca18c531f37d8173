// SPDX-License-Identifier: MIT

import Diagnosis
import EventPropCore
import Experiments
import SpikeData

extension SolverLane {
  /// How the lane's present weights stand on some samples, and what would help. Without any effect
  /// on training.
  /// - Parameters:
  ///   - samples: as the network gets them, delay line applied; not empty.
  ///   - target: wished spikes per neuron and trial; nil: `InitReport.target(duration:)`.
  ///   - known: the report of a lane whose hidden layers start the same, on the same samples: its
  ///     remedies are taken over instead of being looked for again.
  func initReport(
    _ samples: [(train: SpikeTrain, label: Int)], target: Double?, known: InitReport?,
    pool: WorkerPool
  ) -> InitReport {
    let problem = solver.problem
    let probe = InitProbe(solver, samples, weights: weights.copy(), pool: pool)
    probe.run()
    let counts = [probe.inputCounts()] + network.layers.indices.map { probe.counts(ofLayer: $0) }
    let rows = weights.matrices.map { WeightRows($0) }
    let network = network.with(weights)
    let steps = gridSteps
    var report = InitReport(
      samples: samples.count, duration: problem.duration,
      target: target ?? InitReport.target(duration: problem.duration),
      layers: network.layers.indices.map {
        LayerStart(
          network, layer: $0, duration: problem.duration, steps: steps, trials: samples.count,
          counts: counts, weights: rows)
      }, terms: terms)
    for layer in report.layers.indices {
      report.layers[layer].rates = probe.rates(ofLayer: layer, steps: steps)
    }
    report.mute = probe.mute
    report.failure = probe.failure
    if report.failure == nil {
      addGradients(of: probe, to: &report)
      if options.solver == .grid, GridSolver.runs(network) {
        for layer in 0..<network.hiddenCount {
          report.layers[layer].timing = GradientTiming(
            late: 0, lateSpikes: probe.lateSpikes(ofLayer: layer))
        }
        addTiming(samples, to: &report)
      }
    }
    let hidden = known?.remedies.filter { $0.layer < network.hiddenCount }
    report.remedies = probe.remedies(for: report, hidden: hidden, steps: steps)
    return report
  }

  private var gridSteps: Int? { options.solver == .grid ? stepsPerTrial : nil }

  private var terms: LossTerms {
    LossTerms(
      loss: options.lossKind, readsSpikes: solver.problem.loss.readout == .firstSpike,
      liftsOutputs: options.muteOutputs != nil, epsilon: options.optimiser.epsilon,
      initial: hasDrawnWeights ? options.initial : nil,
      hasClasses: solver.problem.targets == nil)
  }

  /// Neither trained, nor changed by hand, nor begun with other weights.
  private var hasDrawnWeights: Bool {
    let start = Parameters<Scalar>(network, initial: options.initial, seed: seed)
    return zip(weights.matrices, start.matrices).allSatisfy { $0.values == $1.values }
  }

  private func addGradients(of probe: InitProbe<S>, to report: inout InitReport) {
    let gradient = probe.gradient()
    for (projection, matrix) in zip(network.projections, gradient.matrices) {
      let perWeight = matrix.norm / Double(matrix.rows * matrix.columns).squareRoot()
      if projection.source == projection.target {
        report.layers[projection.target - 1].recurrentGradient = perWeight
      } else {
        report.layers[projection.target - 1].gradient = perWeight
      }
    }
  }

  /// When the gradient comes; under an exponential shaping too, where it comes late.
  private func addTiming(
    _ samples: [(train: SpikeTrain, label: Int)], to report: inout InitReport
  ) {
    let weights = weights.converted(to: Float.self)
    func late(_ flow: GradientFlow, _ layer: Int) -> Double {
      flow.shares(layer: layer).suffix(3).reduce(0, +)
    }
    let flow = GradientFlow(solver.problem, samples: samples, weights: weights)
    for layer in 0..<network.hiddenCount { report.layers[layer].timing?.late = late(flow, layer) }
    let asking = (0..<network.hiddenCount).filter {
      report.layers[$0].timing?.isLate ?? false || report.hasWeakGradient($0)
    }
    guard type(of: options.loss).entry.isShaped, !asking.isEmpty else { return }
    var other = solver.problem
    let scale = shaping == .none ? 1 : 0.3
    other.shaping = .exponential(scale: scale)
    let shaped = GradientFlow(other, samples: samples, weights: weights)
    for layer in asking {
      let now = flow.norms[layer].reduce(0, +)
      guard now > 0 else { continue }
      report.layers[layer].timing?.shaped = GradientTiming.Shaped(
        scale: scale, late: late(shaped, layer), gain: shaped.norms[layer].reduce(0, +) / now)
    }
  }
}

extension InitProbe {
  /// What helps, layer by layer from the input: each is found with those below it done. Changes the
  /// weights.
  /// - Parameters:
  ///   - hidden: remedies of hidden layers that are known already.
  ///   - steps: of the grid in a trial; nil: there is none.
  func remedies(for report: InitReport, hidden: [Remedy]?, steps: Int?) -> [Remedy] {
    var remedies: [Remedy] = []
    for layer in 0..<solver.problem.network.hiddenCount {
      let remedy =
        hidden.map { known in known.first { $0.layer == layer } }
        ?? remedy(ofHidden: layer, report, isFirst: remedies.isEmpty, steps: steps)
      guard let remedy else { continue }
      apply(remedy.change, to: layer, initial: initial(layer, report))
      remedies.append(remedy)
    }
    if let remedy = outputRemedy(report) { remedies.append(remedy) }
    return remedies
  }

  private func initial(_ layer: Int, _ report: InitReport) -> InitialWeights? {
    let index = solver.problem.network.projections.firstIndex { $0.target == layer + 1 }!
    return report.terms.initial?[index]
  }

  private func apply(_ change: Remedy.Change, to layer: Int, initial: InitialWeights?) {
    let matrix = weights.forward(intoLayer: layer)
    switch change {
    case .scale(let factor): matrix.scale(by: factor)
    case .spread(let factor):
      let mean = initial?.mean ?? 0
      matrix.values = matrix.values.map { Scalar(mean + factor * (Double($0) - mean)) }
    case .shift(let by): matrix.values = matrix.values.map { $0 + Scalar(by) }
    case .none: break
    }
  }

  /// Runs the samples with a change; the weights are then as before.
  private func trying<Result>(
    _ change: Remedy.Change, on layer: Int, initial: InitialWeights?, _ body: () -> Result
  ) -> Result {
    let matrix = weights.forward(intoLayer: layer)
    let before = matrix.values
    apply(change, to: layer, initial: initial)
    run()
    defer { matrix.values = before }
    return body()
  }

  private func remedy(ofHidden layer: Int, _ report: InitReport, isFirst: Bool, steps: Int?)
    -> Remedy?
  {
    // The first pass is still that of the report.
    if !isFirst { run() }
    guard let before = isFirst ? report.layers[layer].rates : rates(ofLayer: layer, steps: steps)
    else { return nil }
    let target = report.target
    guard let complaint = before.complaint(target: target) else {
      let wasIll = report.layers[layer].rates?.complaint(target: target) != nil
      return wasIll ? Remedy(layer: layer, before: before, complaint: nil, change: .none) : nil
    }
    let initial = initial(layer, report)
    func with(_ change: Remedy.Change) -> SpikeRates {
      trying(change, on: layer, initial: initial) { rates(ofLayer: layer, steps: steps) ?? before }
    }
    func remedy(_ change: Remedy.Change) -> Remedy {
      Remedy(
        layer: layer, before: before, complaint: complaint, change: change, after: with(change))
    }
    if complaint == .silent, before.mean >= target / 2, initial != nil {
      let narrow = remedy(.spread(0.5))
      if let after = narrow.after, after.silent < before.silent / 2,
        after.complaint(target: target) == nil
      {
        return narrow
      }
    }
    let none = Remedy(layer: layer, before: before, complaint: complaint, change: .none)
    // Less weight would silence more.
    if complaint == .silent, before.mean >= target { return none }
    let factor = leastEnough(from: 1, in: ScaleWeights.factors) {
      with(.scale($0)).mean >= target
    }?.roundedUpToThreeDigits
    guard let factor, factor != 1, ScaleWeights.factors.contains(factor) else { return none }
    return remedy(.scale(factor))
  }

  /// For outputs without a gradient in many trials of their class: more weight where spikes are
  /// wanted, weights further up where voltages are.
  private func outputRemedy(_ report: InitReport) -> Remedy? {
    typealias Limit = InitReport.Limit
    guard report.muteShare >= Limit.mute, !report.terms.liftsOutputs else { return nil }
    let layer = report.layers.count - 1
    let initial = initial(layer, report)
    func mute(_ change: Remedy.Change) -> Double {
      trying(change, on: layer, initial: initial) { Double(self.mute) / Double(report.samples) }
    }
    func change(_ number: Double) -> Remedy.Change {
      report.terms.readsSpikes ? .scale(number) : .shift(number)
    }
    let now = mute(.scale(1))
    if now < Limit.mute {
      return Remedy(layer: layer, before: nil, complaint: nil, change: .none, mute: now)
    }
    let range = report.terms.readsSpikes ? ScaleWeights.factors : 1e-6...1e3
    let number = leastEnough(from: report.terms.readsSpikes ? 1 : 1e-3, in: range) {
      mute(change($0)) <= Limit.curedMute
    }?.roundedUpToThreeDigits
    guard let number else { return nil }
    return Remedy(
      layer: layer, before: nil, complaint: nil, change: change(number), mute: mute(change(number)))
  }
}
