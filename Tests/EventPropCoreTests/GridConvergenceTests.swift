// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import Support
import Testing

/// The grid solver against the exact one: the error falls with dt, about in proportion.
@Suite struct GridConvergenceTests {
  static let steps = [0.1, 0.05, 0.025, 0.0125, 0.00625]

  /// Median over samples of the relative L2 difference between grid and exact gradient, one per
  /// step. Compared are samples whose neurons spike equally often in both solvers at every step:
  /// elsewhere another function is differentiated. The median, because two spikes closer than dt
  /// may swap.
  static func errors(_ fixture: Fixture) -> (errors: [Double], compared: Int) {
    var errors = Array(repeating: [Double](), count: steps.count)
    for sample in fixture.samples {
      let exact = solve(ExactSolver(fixture.problem), sample, fixture.weights)
      let grids = steps.map { step in
        var problem = fixture.problem
        problem.step = step
        return solve(GridSolver(problem), sample, fixture.weights.converted(to: Float.self))
      }
      if !grids.allSatisfy({ $0.counts == exact.counts }) { continue }
      let norm = exact.gradient.reduce(0) { $0 + $1 * $1 }
      for (index, grid) in grids.enumerated() {
        let squares = zip(grid.gradient, exact.gradient).reduce(0) {
          $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
        }
        errors[index].append((squares / norm).squareRoot())
      }
    }
    return (errors.map { $0.sorted()[$0.count / 2] }, errors[0].count)
  }

  static func solve<S: Solver>(
    _ solver: S, _ sample: GradientCheck.Sample, _ weights: Parameters<S.Scalar>
  ) -> (gradient: [Double], counts: [[Int]]) {
    let network = solver.problem.network
    let gradient = Parameters<S.Scalar>(network)
    let workspace = solver.makeWorkspace()
    let trial = solver.makeTrial()
    sample.train.withView { solver.load($0, label: sample.label, into: trial) }
    solver.forward(trial, weights: weights, workspace: workspace)
    solver.backward(trial, weights: weights, push: [], gradient: gradient, workspace: workspace)
    let counts = network.layers.enumerated().filter { $0.element.neuron.isSpiking }.map {
      var counts = Array(repeating: 0, count: $0.element.size)
      trial.addSpikeCounts(ofLayer: $0.offset, to: &counts)
      return counts
    }
    let values = zip(gradient.matrices, solver.gradientScales(trials: 1)).flatMap { matrix, scale in
      matrix.values.map { Double($0) * scale }
    }
    return (values, counts)
  }

  @Test(arguments: LossTable.all.map(\.kind), [false, true])
  func gradientConverges(loss: String, recurrent: Bool) { converges(loss, recurrent) }

  /// The same where V is carried over a spike.
  @Test(arguments: LossTable.all.map(\.kind), [false, true])
  func gradientConvergesCarried(loss: String, recurrent: Bool) {
    converges(loss, recurrent, lateness: 0.05)
  }

  private func converges(_ loss: String, _ recurrent: Bool, lateness: Double? = nil) {
    var fixture = Fixture(
      loss: loss, shaping: .exponential(scale: 1), recurrent: recurrent, samples: 48,
      spikesPerUnit: 2)
    for index in fixture.problem.network.layers.indices
    where fixture.problem.network.layers[index].neuron.isSpiking {
      fixture.problem.network.layers[index].lateness = lateness
    }
    let (errors, compared) = Self.errors(fixture)
    #expect(compared >= 9)
    for (coarse, fine) in zip(errors, errors.dropFirst()) { #expect(fine < 0.85 * coarse) }
    // Four halvings of dt: in proportion would be 1/16.
    #expect(errors[4] < 0.12 * errors[0])
    #expect(errors[4] < 0.015)
  }

  /// Neurons that fire fast, on steps of 1 ms: where V is thrown away at a spike they miss at least
  /// seven spikes in a hundred, where it is carried over at most three.
  @Test func carriedVoltagesKeepTheRate() {
    var fixture = Fixture(loss: "sum", inputs: 30, duration: 200, step: 1, spikesPerUnit: 60)
    fixture.weights.matrices[0].scale(by: 2)
    let sample = fixture.samples[0]
    let exact = Self.solve(ExactSolver(fixture.problem), sample, fixture.weights).counts[0]
    func grid(_ lateness: Double?) -> Int {
      fixture.problem.network.layers[0].lateness = lateness
      return Self.solve(
        GridSolver(fixture.problem), sample, fixture.weights.converted(to: Float.self)
      ).counts[0].reduce(0, +)
    }
    let total = Double(exact.reduce(0, +))
    #expect(total > 300)
    #expect(Double(grid(nil)) < 0.93 * total)
    #expect(abs(Double(grid(0.5)) - total) < 0.03 * total, "\(grid(nil)) \(grid(0.5)) \(total)")
  }
}
