// SPDX-License-Identifier: MIT

import Foundation
import Support
import Testing

@testable import EventPropCore

/// Outputs that follow target series: `mse`. Its gradients are among those of all losses
/// (`ExactGradientTests`, `ModelTests`, `GridConvergenceTests`).
@Suite struct RegressionTests {
  @Test func seriesAreLinearBetweenPoints() {
    let targets = Targets(outputs: 2, points: 3, values: [0, 1, 3, 2, 2, 2])
    #expect(targets.count == 1)
    let values = [0, 0.25, 0.5, 0.75, 1].map { targets.value(label: 0, output: 0, at: $0) }
    #expect(values == [0, 0.5, 1, 2, 3])
    #expect(targets.value(label: 0, output: 1, at: 0.3) == 2)
    #expect(targets.kinks == [0.5])
    // The mean is 1.25; int (Y - mean)^2 is 1/2 int_0^1 (a - 1.25)^2 + 1/2 int_1^3 .../2.
    let square = 0.5 * (1.0 / 12 + 0.75 * 0.75) + 0.5 * (4.0 / 12 + 0.75 * 0.75)
    #expect(abs(targets.spreads[0] - square / 2) < 1e-15)
  }

  @Test func constantsHaveOnePoint() {
    let targets = Targets(outputs: 1, points: 1, values: [1, 3])
    #expect(targets.count == 2 && targets.kinks.isEmpty)
    #expect(targets.value(label: 1, output: 0, at: 0.7) == 3)
    #expect(targets.spreads == [0.5, 0.5])
    #expect(Targets.oneHot(2).values == [1, 0, 0, 1])
  }

  /// One spike at 0 into one LI output, tau_m = 2 tau_s: V = w (exp(-t/20) - exp(-t/10)). Against a
  /// ramp from 0 to 1, by Simpson's rule in a million steps.
  @Test func lossByHand() {
    let (duration, w) = (30.0, 0.8)
    let network = Network(inputs: 1, layers: [Layer(size: 1, neuron: .li, tauMem: 20, tauSyn: 10)])
    let shaping = Shaping.exponential(scale: 0.5)
    let problem = Problem(
      network: network, duration: duration, step: 0.01,
      loss: LossTable.entry("mse")!.make(LossParameters(duration: duration)), shaping: shaping,
      targets: Targets(outputs: 1, points: 2, values: [0, 1]))
    func integrate(_ weight: (Double) -> Double) -> Double {
      let n = 1_000_000
      func f(_ k: Int) -> Double {
        let t = Double(k) / Double(n) * duration
        let off = w * (exp(-t / 20) - exp(-t / 10)) - t / duration
        return weight(t / duration) * off * off / 2
      }
      let inner = (1..<n).reduce(0.0) { $0 + ($1 % 2 == 1 ? 4 : 2) * f($1) }
      return (f(0) + inner + f(n)) / Double(3 * n)
    }
    let weights = Parameters<Double>(network)
    weights.matrices[0].values = [w]
    let (loss, plain) = (integrate { shaping.weight(at: $0) }, integrate { _ in 1 })
    let train = SpikeTrain(times: [0], units: [0])
    let exact = ExactSolver(problem)
    let trial = exact.makeTrial()
    train.withView { exact.load($0, label: 0, into: trial) }
    exact.forward(trial, weights: weights, workspace: exact.makeWorkspace())
    #expect(abs(trial.loss - loss) < 1e-12)
    #expect(abs(trial.fit!.error - plain) < 1e-12 && trial.prediction == -1)
    #expect(abs(trial.fit!.explained - (1 - plain / (1.0 / 24))) < 1e-10)
    let grid = GridSolver(problem)
    let gridTrial = grid.makeTrial()
    train.withView { grid.load($0, label: 0, into: gridTrial) }
    grid.forward(
      gridTrial, weights: weights.converted(to: Float.self), workspace: grid.makeWorkspace())
    // In Float, exp(-dt/tau) to the power of 3,000 steps.
    #expect(abs(gridTrial.loss - loss) < 1e-4 * loss)
    #expect(abs(gridTrial.fit!.error - plain) < 1e-4 * plain)
  }

  /// On classes the label's output is to be at 1.
  @Test func classesBecomeTargets() {
    var fixture = Fixture(loss: "mse")
    fixture.problem.targets = nil
    ExactGradientTests.check(fixture)
    let solver = ExactSolver(fixture.problem)
    let trial = solver.makeTrial()
    fixture.samples[1].train.withView { solver.load($0, label: 1, into: trial) }
    solver.forward(trial, weights: fixture.weights, workspace: solver.makeWorkspace())
    #expect(trial.fit == nil && trial.prediction >= 0)
  }

  /// R^2 over trials, also when shards are added up.
  @Test func fitsAddUp() {
    let fixture = Fixture(loss: "mse")
    let solver = ExactSolver(fixture.problem)
    var marks = Tally.Marks(fixture.problem.network)
    var tallies = [Tally(fixture.problem.network), Tally(fixture.problem.network)]
    var sum = Fit(error: 0, spread: 0)
    for (index, sample) in fixture.samples.enumerated() {
      let trial = solver.makeTrial()
      sample.train.withView { solver.load($0, label: sample.label, into: trial) }
      solver.forward(trial, weights: fixture.weights, workspace: solver.makeWorkspace())
      tallies[index % 2].add(trial, marks: &marks)
      sum = sum + trial.fit!
    }
    tallies[0].add(tallies[1])
    #expect(abs(tallies[0].accuracy - (1 - sum.error / sum.spread)) < 1e-12)
    #expect(tallies[0].ofClass.allSatisfy { $0 == 0 })
    tallies[0].clear()
    #expect(tallies[0].fit == nil)
  }
}

/// Adjoints at given times, as `eventprop gradient --traces` writes them.
@Suite struct AdjointTraceTests {
  static let combinations: [(loss: String, recurrent: Bool)] = LossTable.all.map(\.kind).flatMap {
    [($0, false), ($0, true)]
  }

  /// The gradient of a weight is -tau_s times the sum of lI over the spikes that arrive by it.
  @Test(arguments: combinations)
  func weightsTakeTheCurrent(loss: String, recurrent: Bool) {
    let fixture = Fixture(
      loss: loss, shaping: .exponential(scale: 0.7), recurrent: recurrent, spikesPerUnit: 2)
    let (problem, network) = (fixture.problem, fixture.problem.network)
    let solver = ExactSolver(problem)
    let trial = solver.makeTrial()
    let (train, label) = fixture.samples[0]
    train.withView { solver.load($0, label: label, into: trial) }
    let workspace = solver.makeWorkspace()
    let plain = Parameters<Double>(network)
    solver.forward(trial, weights: fixture.weights, workspace: workspace)
    solver.backward(
      trial, weights: fixture.weights, push: [], gradient: plain, workspace: workspace)
    solver.finish(plain, trials: 1)
    let sent = [trial.inputSpikes] + network.layers.indices.map { trial.spikes(ofLayer: $0) }
    #expect(sent[1].count > 5)

    trial.adjointTimes = sent.flatMap { $0.map(\.time) }.sorted()
    let again = Parameters<Double>(network)
    solver.forward(trial, weights: fixture.weights, workspace: workspace)
    solver.backward(
      trial, weights: fixture.weights, push: [], gradient: again, workspace: workspace)
    solver.finish(again, trials: 1)
    for (index, projection) in network.projections.enumerated() {
      let target = network.layers[projection.target - 1]
      let expected = plain.matrices[index].values
      let size = expected.reduce(0) { max($0, abs($1)) }
      var sums = expected.map { _ in 0.0 }
      for spike in sent[projection.source] {
        let time = trial.adjointTimes.firstIndex(of: spike.time)!
        let li = trial.adjoints[projection.target - 1].i
        for j in 0..<target.size {
          sums[spike.neuron * target.size + j] -= target.tauSyn[j] * li[time * target.size + j]
        }
      }
      for (a, b) in zip(sums, expected) { #expect(abs(a - b) <= 1e-10 * size) }
      for (a, b) in zip(again.matrices[index].values, expected) {
        #expect(abs(a - b) <= 1e-10 * size)
      }
    }
  }

  /// The grid's come nearer to the exact ones in proportion to its step, voltages and currents of
  /// hidden and output neurons: where a spike is late by a part of a step, so is a jump.
  @Test(arguments: ["sum", "avg_xentropy", "mse", "first_spike"])
  func gridComesNear(loss: String) throws {
    var fixture = Fixture(loss: loss, samples: 12)
    fixture.problem.step = 0.02
    let coarse = try #require(distance(fixture))
    fixture.problem.step = 0.0025
    let fine = try #require(distance(fixture))
    for (fine, coarse) in zip(fine, coarse) {
      #expect(fine < 0.5 * coarse || fine < 1e-3, "\(fine), \(coarse)")
    }
    #expect(fine.allSatisfy { $0 < 0.02 })
  }

  /// Of the whole of 12 trials, those without the same spikes left out: |grid - exact|^2/|exact|^2
  /// of hidden lV, lI, output lV and lI. nil when all are left out.
  private func distance(_ fixture: Fixture) -> [Double]? {
    let (problem, network) = (fixture.problem, fixture.problem.network)
    let (exact, grid) = (ExactSolver(problem), GridSolver(problem))
    let floats = fixture.weights.converted(to: Float.self)
    let (none, workspace) = (exact.makeWorkspace(), grid.makeWorkspace())
    workspace.keepErrors(currents: true)
    var norms = Array(repeating: 0.0, count: 4)
    var offs = norms
    for (train, label) in fixture.samples {
      let (a, b) = (exact.makeTrial(), grid.makeTrial())
      a.adjointTimes = (0..<grid.steps).map { Double($0) * problem.step }
      train.withView { exact.load($0, label: label, into: a) }
      train.withView { grid.load($0, label: label, into: b) }
      exact.forward(a, weights: fixture.weights, workspace: none)
      grid.forward(b, weights: floats, workspace: workspace)
      let isAlike = network.layers.indices.allSatisfy {
        a.spikes(ofLayer: $0).map(\.neuron) == b.spikes(ofLayer: $0).map(\.neuron)
      }
      guard isAlike else { continue }
      exact.backward(
        a, weights: fixture.weights, push: [], gradient: Parameters(network), workspace: none)
      grid.backward(
        b, weights: floats, push: [], gradient: Parameters(network), workspace: workspace)
      for layer in network.layers.indices {
        let found = workspace.adjoints(ofLayer: layer)
        let pairs = [(a.adjoints[layer].v, found.v), (a.adjoints[layer].i, found.i)]
        for (part, (x, y)) in pairs.enumerated() {
          norms[2 * layer + part] += x.reduce(0) { $0 + $1 * $1 }
          offs[2 * layer + part] += zip(x, y).reduce(0) {
            $0 + ($1.0 - Double($1.1)) * ($1.0 - Double($1.1))
          }
        }
      }
    }
    return norms.allSatisfy { $0 > 0 } ? zip(offs, norms).map { $0 / $1 } : nil
  }
}
