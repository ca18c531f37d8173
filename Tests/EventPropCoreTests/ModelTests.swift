// SPDX-License-Identifier: MIT

import Foundation
import Support
import Testing

@testable import EventPropCore

/// Delays, constants of each neuron that are trained, neurons that adapt: every combination against
/// finite differences, and each against what it must come to where it does nothing.
@Suite struct ModelTests {
  /// What a layer has beyond plain LIF.
  struct Features: CustomStringConvertible {
    var delays: Delays.Form?
    var taus: Bool
    var kind: NeuronKind
    var recurrent: Bool
    var loss: String

    var description: String {
      "\(delays.map { $0.rawValue } ?? "no") delays, \(taus ? "trained" : "fixed") constants, "
        + "\(kind.name)\(recurrent ? ", recurrent" : ""), \(loss)"
    }
  }

  static func features(_ seed: Int) -> Features {
    let losses = LossTable.all.map(\.kind)
    let forms: [Delays.Form?] = [nil, .synaptic, .axonal, .dendritic]
    return Features(
      delays: forms[seed % 4], taus: seed / 4 % 2 == 1, kind: seed / 8 % 2 == 1 ? .alif : .lif,
      recurrent: seed / 16 % 2 == 1, loss: losses[seed / 32 % losses.count])
  }

  static func fixture(_ features: Features, seed: Int) -> Fixture {
    let hidden = seed % 3 == 0 ? [7, 5] : [8]
    var fixture = Fixture(
      loss: features.loss, shaping: ExactGradientTests.shapings[seed % 5], hidden: hidden,
      recurrent: features.recurrent, spikesPerUnit: 2, seed: seed + 1)
    var random = Random(seed: seed, "features")
    for index in fixture.problem.network.layers.indices {
      var layer = fixture.problem.network.layers[index]
      if index < hidden.count { layer.neuron = features.kind }
      for parameter in layer.neuron.parameters {
        layer[parameter] = PerNeuron(
          (0..<layer.size).map { _ in parameter.standard * random.uniform(0.8, 1.25) })
        if features.taus { layer.train(parameter, rate: 0.01) }
      }
      if features.kind == .alif && index < hidden.count {
        layer[.tauAdapt] = PerNeuron((0..<layer.size).map { _ in random.uniform(8, 30) })
      }
      if let form = features.delays {
        layer.delays = Delays(form, longest: 20, initial: .uniform(0.5, 6), rate: 0.1)
        if layer.isRecurrent {
          layer.loopDelays = Delays(form, longest: 20, initial: .uniform(0.5, 9), rate: 0.1)
        }
      }
      fixture.problem.network.layers[index] = layer
    }
    let network = fixture.problem.network
    let initial = network.projections.map { _ in InitialWeights(mean: 0, sd: 0) }
    let weights = Parameters<Double>(network, initial: initial, seed: seed)
    for (new, old) in zip(weights.matrices, fixture.weights.matrices) { new.values = old.values }
    fixture.weights = weights
    return fixture
  }

  @Test(arguments: 0..<224) func gradients(seed: Int) {
    let features = Self.features(seed)
    let fixture = Self.fixture(features, seed: seed)
    let check = GradientCheck(
      fixture.problem, samples: Array(fixture.samples.prefix(2)), weights: fixture.weights)
    #expect(
      fixture.problem.network.gradientFactors
        == fixture.problem.network.arrays.map(\.gradientFactor)
    )
    guard check.excludedSamples < 2 else { return }
    let rows = check.run(weights: fixture.weights, perMatrix: 6, settling: 2.5e-6)
    #expect(!rows.isEmpty && rows.map(\.projection) == fixture.problem.network.parameterNames)
    for row in rows where row.compared > 0 {
      #expect(row.relativeError < 1e-6, "\(features): \(row)")
    }
    // Without an output above 0 `max` has no gradient at all.
    if features.loss != "max" { #expect(rows.contains { $0.compared > 0 && $0.norm > 0 }) }
  }

  private func solve(_ fixture: Fixture, _ weights: Parameters<Double>? = nil) -> (
    spikes: [LayerSpike], gradient: Parameters<Double>
  ) {
    let weights = weights ?? fixture.weights
    let solver = ExactSolver(fixture.problem)
    let (trial, workspace) = (solver.makeTrial(), solver.makeWorkspace())
    let gradient = Parameters<Double>(fixture.problem.network)
    let (train, label) = fixture.samples[0]
    train.withView { solver.load($0, label: label, into: trial) }
    solver.forward(trial, weights: weights, workspace: workspace)
    solver.backward(
      trial, weights: weights, push: [], gradient: gradient, workspace: workspace)
    return (trial.spikes(ofLayer: 0), gradient)
  }

  private func isNear(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-11) -> Bool {
    let size = a.reduce(1e-300) { max($0, abs($1)) }
    return a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * size }
  }

  /// Delays of 0 are none, in every form, with and without recurrence.
  @Test(arguments: Delays.Form.allCases, [false, true])
  func delaysOfNothing(form: Delays.Form, recurrent: Bool) {
    let plain = Fixture(loss: "avg_xentropy", recurrent: recurrent, spikesPerUnit: 2)
    var delayed = plain
    for index in delayed.problem.network.layers.indices {
      delayed.problem.network.layers[index].delays = Delays(form, longest: 10, rate: 0.1)
      if recurrent && index == 0 {
        delayed.problem.network.layers[index].loopDelays = Delays(form, longest: 10, rate: 0.1)
      }
    }
    let weights = Parameters<Double>(delayed.problem.network)
    for (new, old) in zip(weights.matrices, plain.weights.matrices) { new.values = old.values }
    let (a, b) = (solve(plain), solve(delayed, weights))
    #expect(a.spikes.count > 10 && a.spikes.map(\.neuron) == b.spikes.map(\.neuron))
    #expect(isNear(a.spikes.map(\.time), b.spikes.map(\.time), 1e-13))
    for (a, b) in zip(a.gradient.matrices, b.gradient.matrices) {
      #expect(isNear(a.values, b.values))
    }
    // Later is later, whatever has the delay.
    #expect(b.gradient.arrays[weights.matrices.count].norm > 0)
  }

  /// Delays of the input that are the same for all are input that comes later.
  @Test func delaysOfOneLength() {
    let plain = Fixture(loss: "max", spikesPerUnit: 2)
    var (shifted, delayed) = (plain, plain)
    for index in shifted.samples.indices {
      shifted.samples[index].train.times = shifted.samples[index].train.times.map { $0 + 3.25 }
    }
    delayed.problem.network.layers[0].delays = Delays(longest: 10, rate: 0.1)
    let weights = Parameters<Double>(delayed.problem.network)
    for (new, old) in zip(weights.matrices, plain.weights.matrices) { new.values = old.values }
    weights.arrays[2].values = Array(repeating: 3.25, count: 6 * 12)
    let (a, b) = (solve(shifted), solve(delayed, weights))
    #expect(a.spikes.count > 5 && a.spikes.map(\.neuron) == b.spikes.map(\.neuron))
    #expect(isNear(a.spikes.map(\.time), b.spikes.map(\.time), 1e-13))
    for (a, b) in zip(a.gradient.matrices, b.gradient.matrices) {
      #expect(isNear(a.values, b.values))
    }
  }

  /// Neurons that do not adapt are LIF.
  @Test(arguments: [false, true]) func adaptationOfNothing(recurrent: Bool) {
    let plain = Fixture(loss: "sum", recurrent: recurrent, spikesPerUnit: 2)
    var adaptive = plain
    adaptive.problem.network.layers[0].neuron = .alif
    adaptive.problem.network.layers[0][.adaptation] = 0
    let (a, b) = (solve(plain), solve(adaptive))
    #expect(a.spikes.count > 10 && a.spikes.map(\.neuron) == b.spikes.map(\.neuron))
    #expect(isNear(a.spikes.map(\.time), b.spikes.map(\.time), 1e-13))
    for (a, b) in zip(a.gradient.matrices, b.gradient.matrices) {
      #expect(isNear(a.values, b.values))
    }
  }

  /// The first crossing of neurons that adapt, against a walk in small steps: thresholds that fall
  /// onto a voltage from above, crossings before and behind a maximum, time constants in any order,
  /// equal ones too.
  @Test func crossingsOfThreeExponentials() {
    var random = Random(seed: 3, "crossings")
    var (found, none, falling) = (0, 0, 0)
    for round in 0..<4000 {
      var layer = Layer(
        size: 1, neuron: .alif, tauMem: random.uniform(2, 30), tauSyn: random.uniform(1, 30))
      layer[.adaptation] = PerNeuron(random.uniform(0, 2))
      layer[.tauAdapt] = PerNeuron(random.uniform(1, 60))
      switch round % 8 {
      case 0: layer.tauSyn = layer.tauMem
      case 1: layer[.tauAdapt] = layer.tauMem
      case 2: layer[.tauAdapt] = layer.tauSyn
      case 3: (layer.tauSyn, layer[.tauAdapt]) = (layer.tauMem, layer.tauMem)
      default: break
      }
      let neuron = ALIF(layer, neuron: 0)
      let a = random.uniform(0, 3)
      let state = ALIF.State(
        v: random.uniform(-1, 1 + neuron.adaptation * a), i: random.uniform(-1, 6), a: a)
      let gap = random.uniform(0.5, 60)
      func height(_ time: Double) -> Double {
        var state = state
        neuron.run(&state, over: neuron.flow(over: time))
        return state.v - 1 - neuron.adaptation * state.a
      }
      guard height(0) < 0 else { continue }
      let hit = neuron.crossing(state, gap: gap, flow: neuron.flow(over: gap))
      let steps = 3000
      let times = (1...steps).map { gap * Double($0) / Double(steps) }
      if let first = times.first(where: { height($0) >= 0 }) {
        found += 1
        guard let hit else {
          Issue.record("missed at \(first) of \(gap): \(layer), \(state)")
          continue
        }
        #expect(hit.after <= first && hit.after >= first - 1.01 * gap / Double(steps))
        #expect(abs(height(hit.after)) < 1e-12)
        if state.i < state.v { falling += 1 }
      } else {
        none += 1
        // A crossing between two steps, and back: it must be one.
        if let hit { #expect(abs(height(hit.after)) < 1e-12) }
      }
    }
    #expect(found > 500 && none > 500 && falling > 20, "\(found) \(none) \(falling)")
  }

  /// The label's output at 5 ms, others at 9 and 12: 2 and 5 ms more than the 2 that are asked for.
  @Test func squaredTimes() {
    let loss = LossTable.entry("mse_time")!.make(LossParameters(duration: 30))
    var gradient = [0.0, 0, 0]
    let value = [5.0, 9, 12].withUnsafeBufferPointer { values in
      gradient.withUnsafeMutableBufferPointer { loss.value(values, label: 0, gradient: $0) }
    }
    #expect(value == 14.5)
    #expect(gradient == [-7, 2, 5])
  }

  /// The mean over a part of the trial: closed forms, and where there are none quadrature, against
  /// a sum of small pieces.
  @Test func windowsOfShapings() {
    for shaping in ExactGradientTests.shapings {
      let windowed = shaping.within(0.25...0.6)
      #expect(windowed.weight(at: 0.2) == 0 && windowed.weight(at: 0.7) == 0)
      #expect(windowed.weight(at: 0.4) == shaping.within(nil).weight(at: 0.4))
      #expect(windowed != shaping && windowed.words == shaping.words)
      for (start, end) in [(0.0, 0.2), (0.1, 0.4), (0.3, 0.5), (0.5, 0.9), (0.7, 0.8)] {
        guard let found = windowed.integral(from: start, to: end, rate: 3) else { continue }
        let pieces = 20_000
        let sum = (0..<pieces).reduce(0.0) {
          let x = start + (end - start) * (Double($1) + 0.5) / Double(pieces)
          return $0 + windowed.weight(at: x) * exp(-3 * (x - start)) * (end - start)
            / Double(pieces)
        }
        #expect(abs(found - sum) < 1e-4, "\(windowed.title) \(start) \(end)")
      }
    }
  }

  /// Gamma by its first two moments; bounds hold.
  @Test func distributions() {
    for (distribution, mean, sd) in [
      (Distribution.gamma(3, 5), 15.0, 75.0.squareRoot()),
      (.gamma(0.5, 2), 1, 2.0.squareRoot()), (.normal(20, 5), 20, 5),
      (.uniform(0, 12), 6, 12 / 12.0.squareRoot()),
    ] {
      var random = Random(seed: 1, "distributions")
      let values = (0..<20_000).map { _ in distribution.draw(using: &random) }
      let found = values.reduce(0, +) / 20_000
      let square = values.reduce(0) { $0 + ($1 - found) * ($1 - found) } / 20_000
      #expect(abs(found - mean) < 0.03 * sd)
      #expect(abs(square.squareRoot() - sd) < 0.03 * sd)
    }
    var random = Random(seed: 1, "distributions")
    let learning = Learning(rate: 0.1, range: 3...30, initial: .normal(20, 15))
    let values = learning.draw(1000, standard: [], using: &random)
    #expect(values.min() == 3 && values.max() == 30)
  }

  /// The grid's gradients come to the exact ones with dt, for every combination: weights, delays
  /// and constants. Delays are whole steps of all grids here; elsewhere rounding them is part of
  /// the error.
  @Test(arguments: 0..<32) func gridConverges(seed: Int) {
    let features = Self.features((seed * 5) % 192)
    var found: [[Double]] = []
    let steps = [0.1, 0.025, 0.00625]
    for sample in 0..<24 {
      var fixture = Self.fixture(features, seed: seed + 64 * sample)
      for array in fixture.weights.arrays
      where fixture.weights.network.delayed.contains(where: {
        fixture.weights.delays(ofProjection: $0) === array
      }) {
        array.values = array.values.map { ($0 * 10).rounded() / 10 }
      }
      let exact = Self.solve(ExactSolver(fixture.problem), fixture.samples[0], fixture.weights)
      let grids = steps.map { step in
        fixture.problem.step = step
        return Self.solve(
          GridSolver(fixture.problem), fixture.samples[0],
          fixture.weights.converted(to: Float.self))
      }
      guard grids.allSatisfy({ $0.counts == exact.counts }) else { continue }
      // Every array by itself, but for those whose gradient is 0 up to rounding.
      func norm(_ values: [Double]) -> Double {
        values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      }
      let largest = exact.gradient.map(norm).max() ?? 0
      let errors = grids.map { grid in
        zip(exact.gradient, grid.gradient).map { exact, grid in
          norm(exact) < 1e-9 * largest ? 0 : norm(zip(exact, grid).map { $0 - $1 }) / norm(exact)
        }.max() ?? 0
      }
      if errors[0] > 0 { found.append(errors) }
    }
    guard found.count >= 5 else { return }
    let medians = steps.indices.map { step in
      found.map { $0[step] }.sorted()[found.count / 2]
    }
    #expect(medians[2] < 0.3 * medians[0], "\(features) \(medians)")
    #expect(medians[2] < 0.05, "\(features) \(medians)")
  }

  private static func solve<S: Solver>(
    _ solver: S, _ sample: GradientCheck.Sample, _ weights: Parameters<S.Scalar>
  ) -> (gradient: [[Double]], counts: [[Int]]) {
    let network = solver.problem.network
    let gradient = Parameters<S.Scalar>(network)
    let (trial, workspace) = (solver.makeTrial(), solver.makeWorkspace())
    sample.train.withView { solver.load($0, label: sample.label, into: trial) }
    solver.forward(trial, weights: weights, workspace: workspace)
    solver.backward(trial, weights: weights, push: [], gradient: gradient, workspace: workspace)
    solver.finish(gradient, trials: 1)
    let counts = network.layers.enumerated().filter { $0.element.neuron.isSpiking }.map {
      var counts = Array(repeating: 0, count: $0.element.size)
      trial.addSpikeCounts(ofLayer: $0.offset, to: &counts)
      return counts
    }
    return (gradient.arrays.map(\.doubles), counts)
  }
}
