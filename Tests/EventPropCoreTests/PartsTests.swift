// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import Support
import Testing

@Suite struct OptimisationTests {
  /// Adam's first steps by hand (Kingma & Ba): with bias correction a constant gradient moves by
  /// the rate.
  @Test(arguments: [Float(0.3), -2]) func adamOnAConstantGradient(gradient: Float) {
    let network = Network(inputs: 1, layers: [Layer(size: 1, neuron: .li)])
    let weights = Parameters<Float>(network)
    let adam = Adam(rate: 0.1)
    let state = OptimiserState<Float>(adam, network)
    let slope = Matrix<Float>(rows: 1, columns: 1)
    slope[0, 0] = gradient
    for count in 1...5 {
      Float.adam(
        weights.matrices[0].base, mean: state.arrays[0].matrices[0].base,
        square: state.arrays[1].matrices[0].base, gradient: slope.base, gain: 1,
        step: AdamStep(adam, rate: adam.rate, count: count), width: 16)
      let expected = -0.1 * Float(count) * (gradient > 0 ? 1 : -1)
      #expect(abs(weights.matrices[0][0, 0] - expected) < 1e-5)
    }
  }

  @Test func floatAndDoubleAdamAgree() {
    var random = Random(seed: 1, "adam")
    let start = (0..<4).map { _ in (0..<16).map { _ in Float(random.normal()) } }
    var (w, m, v) = (start[0], start[1], start[2].map { $0 * $0 })
    var (x, y, z) = (w.map { Double($0) }, m.map { Double($0) }, v.map { Double($0) })
    let step = AdamStep(Adam(rate: 1e-2), rate: 1e-2, count: 3)
    Float.adam(&w, mean: &m, square: &v, gradient: start[3], gain: 0.5, step: step, width: 16)
    Double.adam(
      &x, mean: &y, square: &z, gradient: start[3].map { Double($0) }, gain: 0.5, step: step,
      width: 16)
    for k in 0..<16 { #expect(abs(Double(w[k]) - x[k]) < 1e-6) }
  }

  @Test func easeInGrowsToTheFullRate() {
    var schedule = Schedule(ScheduleOptions(easeIn: 1.05))
    #expect(abs(schedule.rate(1) - 1e-3) < 1e-12)
    schedule.finishBatch()
    #expect(abs(schedule.rate(1) - 1.05e-3) < 1e-12)
    for _ in 0..<200 { schedule.finishBatch() }
    #expect(schedule.rate(1) == 1)
  }

  @Test func halvesOnAPlateauOnly() {
    var schedule = Schedule(ScheduleOptions(halveAfter: 5))
    for epoch in 0..<40 { schedule.finishEpoch(accuracy: min(1, 0.05 * Double(epoch))) }
    #expect(schedule.factor == 1)
    for _ in 0..<200 { schedule.finishEpoch(accuracy: 0.4) }
    #expect(schedule.factor < 1)
    #expect(schedule.factor == exp2(log2(schedule.factor).rounded()))
  }

  @Test func decayMultiplies() {
    var schedule = Schedule(ScheduleOptions(decay: 0.5))
    for _ in 0..<3 { schedule.finishEpoch(accuracy: 1) }
    #expect(schedule.rate(8) == 1)
  }
}

@Suite struct ShapingTests {
  @Test func formulas() {
    #expect(Shaping.none.weight(at: 0.7) == 1)
    #expect(Shaping.linear.weight(at: 0.25) == 0.75)
    #expect(Shaping.exponential(scale: 1).weight(at: 1) == exp(-1))
    #expect(Shaping.exponential(scale: 0.5).weight(at: 0.5) == exp(-1))
    #expect(Shaping.sigmoid.weight(at: 0.5) == 0.5)
    #expect(abs(Shaping.sigmoid.weight(at: 0.9) - 1 / (1 + exp(2.0))) < 1e-15)
  }

  @Test func customIsPiecewiseLinear() {
    let curve = Shaping.custom([
      ShapingPoint(x: 0.2, weight: 1), ShapingPoint(x: 0.4, weight: 3),
      ShapingPoint(x: 0.8, weight: 0),
    ])
    #expect(curve.weight(at: 0) == 1)
    #expect(abs(curve.weight(at: 0.3) - 2) < 1e-12)
    #expect(abs(curve.weight(at: 0.6) - 1.5) < 1e-12)
    #expect(curve.weight(at: 1) == 0)
  }

  @Test func inputProfileHasMeanOneAndLagsBehindTheInput() {
    var counts = Array(repeating: 0, count: 200)
    for bin in 20..<60 { counts[bin] = 5 }
    let curve = Shaping.input(InputProfile(counts: counts, duration: 1000))
    let samples = (0..<20_000).map { curve.weight(at: (Double($0) + 0.5) / 20_000) }
    #expect(abs(samples.reduce(0, +) / 20_000 - 1) < 1e-6)
    #expect(curve.weight(at: 0.05) == 0)
    #expect(curve.weight(at: 0.35) > 0)
    #expect(curve.weight(at: 0.29) > 100 * curve.weight(at: 0.45))
  }

  @Test func noInputMeansFlat() {
    let curve = Shaping.input(InputProfile(counts: [0, 0], duration: 10))
    #expect(curve.weight(at: 0.5) == 1)
  }
}

@Suite struct RegularisationTests {
  @Test func ratePushHasTheRightSign() {
    let rate = RateRegularisation(upper: 10, lower: 4, lambdaUpper: 2, lambdaLower: 3)
    #expect(rate.push(meanCount: 12) == -4)
    #expect(rate.push(meanCount: 7) == 0)
    #expect(rate.push(meanCount: 1) == 9)
  }

  /// Too many spikes: the pseudo-gradient must lower the weights in, too few must raise them.
  @Test(arguments: [(0.0, 1.0), (50.0, -1.0)]) func ratePushActsOnWeights(
    target: Double, sign: Double
  ) {
    let fixture = Fixture(loss: "sum", samples: 1)
    let solver = ExactSolver(fixture.problem)
    let trial = solver.makeTrial()
    let workspace = solver.makeWorkspace()
    fixture.samples[0].train.withView { solver.load($0, label: 0, into: trial) }
    solver.forward(trial, weights: fixture.weights, workspace: workspace)
    var counts = Array(repeating: 0, count: 12)
    trial.addSpikeCounts(ofLayer: 0, to: &counts)
    let rate = RateRegularisation(upper: target, lower: target, lambdaUpper: 1, lambdaLower: 1)
    let push = [counts.map { rate.push(meanCount: Double($0)) }]
    var sums = [0.0, 0.0]
    for (index, push) in [[], push].enumerated() {
      let gradient = Parameters<Double>(fixture.problem.network)
      solver.backward(
        trial, weights: fixture.weights, push: push, gradient: gradient, workspace: workspace)
      sums[index] = gradient.matrices[0].values.reduce(0, +) * solver.gradientScales(trials: 1)[0]
    }
    #expect((sums[1] - sums[0]) * sign > 0)
  }

  @Test func liftAndRedrawTouchOnlyTheDead() {
    let network = Network(
      inputs: 3, layers: [Layer(size: 4, isRecurrent: true), Layer(size: 2, neuron: .li)])
    let initial = [
      InitialWeights(mean: 1, sd: 0.1), InitialWeights(mean: 0, sd: 0.1),
      InitialWeights(mean: 0, sd: 1),
    ]
    let weights = Parameters<Float>(network, initial: initial, seed: 3)
    let before = weights.copy()
    var random = Random(seed: 1, "test")
    SilentPolicy.lift(by: 0.5).apply(
      to: [2], of: 1, in: weights, initial: initial, random: &random)
    for row in 0..<3 {
      for column in 0..<4 {
        let difference = weights.matrices[0][row, column] - before.matrices[0][row, column]
        #expect(abs(difference - (column == 2 ? 0.5 : 0)) < 1e-6)
      }
    }
    #expect(weights.matrices[1][0, 2] != before.matrices[1][0, 2])
    #expect(weights.matrices[2].values == before.matrices[2].values)
    SilentPolicy.redraw.apply(to: [0], of: 1, in: weights, initial: initial, random: &random)
    #expect(weights.matrices[0][1, 0] != before.matrices[0][1, 0])
    #expect(abs(weights.matrices[0][1, 0] - 1) < 0.6)
  }
}

@Suite struct SolverTests {
  /// A silent label gets the phantom push and the right count; without it there would be no
  /// gradient at all.
  @Test(arguments: ["first_spike", "first_spike_exp"]) func phantomSpike(loss: String) {
    var fixture = Fixture(loss: loss, samples: 1)
    fixture.weights.matrices[1].fill(with: 0.05)
    fixture.weights = fixture.weights.copy()
    for solver in [ExactSolver(fixture.problem)] {
      let trial = solver.makeTrial()
      let workspace = solver.makeWorkspace()
      fixture.samples[0].train.withView { solver.load($0, label: 0, into: trial) }
      solver.forward(trial, weights: fixture.weights, workspace: workspace)
      #expect(trial.needsPhantom)
      #expect(trial.prediction == -1)
      let gradient = Parameters<Double>(fixture.problem.network)
      solver.backward(
        trial, weights: fixture.weights, push: [], gradient: gradient, workspace: workspace)
      let scale = solver.gradientScales(trials: 1)[1]
      // Only the label's column moves, and its weights grow.
      for row in 0..<12 {
        #expect(gradient.matrices[1][row, 0] * scale <= 0)
        #expect(gradient.matrices[1][row, 1] == 0)
      }
      #expect(gradient.matrices[1].norm > 0)
    }
  }

  @Test func mergingKeepsOneSpikePerUnitAndStep() {
    var fixture = Fixture(loss: "sum", samples: 1)
    fixture.problem.mergesInput = true
    let twice = SpikeTrain(times: [1, 1.01, 1.02, 5], units: [0, 0, 1, 0])
    let once = SpikeTrain(times: [1, 1.02, 5], units: [0, 1, 0])
    let a = GridConvergenceTests.solve(
      GridSolver(fixture.problem), (twice, 0), fixture.weights.converted(to: Float.self))
    let b = GridConvergenceTests.solve(
      GridSolver(fixture.problem), (once, 0), fixture.weights.converted(to: Float.self))
    #expect(a.gradient == b.gradient)
  }

  @Test func exactSolverGivesUpOnExplodedWeights() {
    let fixture = Fixture(loss: "sum", samples: 1)
    fixture.weights.matrices[0].fill(with: 1e9)
    let solver = ExactSolver(fixture.problem)
    let trial = solver.makeTrial()
    let workspace = solver.makeWorkspace()
    fixture.samples[0].train.withView { solver.load($0, label: 0, into: trial) }
    solver.forward(trial, weights: fixture.weights, workspace: workspace)
    #expect(trial.failure?.contains("exploded") == true)
    #expect(trial.loss.isNaN)
  }

  @Test func randomStreamsDifferAndRepeat() {
    var a = Random(seed: 1, "x", 1)
    var b = Random(seed: 1, "x", 1)
    var c = Random(seed: 1, "x", 2)
    var d = Random(seed: 1, "y", 1)
    let words = [a.next(), c.next(), d.next()]
    #expect(b.next() == words[0])
    #expect(Set(words).count == 3)
    let normals = (0..<20_000).map { _ in a.normal() }
    let mean = normals.reduce(0, +) / 20_000
    let variance = normals.reduce(0) { $0 + $1 * $1 } / 20_000
    #expect(abs(mean) < 0.03)
    #expect(abs(variance - 1) < 0.05)
  }
}
