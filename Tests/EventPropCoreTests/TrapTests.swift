// SPDX-License-Identifier: MIT

import EventPropCore
import Support
import Testing

/// Mistakes found in other simulators: none of them here.
@Suite struct TrapTests {
  /// One input, `hidden` like neurons, two outputs on the grid.
  static func problem(
    loss: String = "sum", hidden: Int = 1, duration: Double = 30, step: Double = 0.1,
    tauMem: Double = 20
  ) -> Problem {
    let layers =
      (hidden > 0 ? [Layer(size: hidden, tauMem: tauMem)] : []) + [Layer(size: 2, neuron: .li)]
    return Problem(
      network: Network(inputs: 1, layers: layers), duration: duration, step: step,
      loss: LossTable.entry(loss)!.make(LossParameters(duration: duration)),
      shaping: loss == "sum" ? .linear : .none)
  }

  static func run<S: Solver>(
    _ solver: S, _ weights: Parameters<S.Scalar>, _ train: SpikeTrain, trial: S.Trial? = nil,
    workspace: S.Workspace? = nil
  ) -> (trial: S.Trial, gradient: [[S.Scalar]]) {
    let trial = trial ?? solver.makeTrial()
    let workspace = workspace ?? solver.makeWorkspace()
    let gradient = Parameters<S.Scalar>(solver.problem.network)
    train.withView { solver.load($0, label: 0, into: trial) }
    solver.forward(trial, weights: weights, workspace: workspace)
    solver.backward(trial, weights: weights, push: [], gradient: gradient, workspace: workspace)
    return (trial, gradient.matrices.map(\.values))
  }

  @Test func spikeInTheLastStepKeepsTheGradient() throws {
    var weights = Parameters<Float>(Self.problem().network)
    weights.matrices[0].fill(with: 12)
    weights.matrices[1].values = [1, -1]
    let train = SpikeTrain(times: [1], units: [0])
    let long = Self.run(GridSolver(Self.problem()), weights, train).trial.spikes(ofLayer: 0)
    try #require(long.count >= 2)
    let last = long[1].time
    // The trial ends with the second spike: it lies in the last step.
    let problem = Self.problem(duration: last)
    weights = Parameters<Float>(problem.network)
    weights.matrices[0].fill(with: 12)
    weights.matrices[1].values = [1, -1]
    let short = Self.run(GridSolver(problem), weights, train)
    #expect(short.trial.spikes(ofLayer: 0).map(\.time) == [long[0].time, last])
    #expect(short.gradient[0][0] != 0)
    #expect(short.gradient[1][0] != 0)
  }

  @Test func spikesOfTheLastStepsStayInTheirTrial() {
    let fixture = Fixture(loss: "sum", recurrent: true, spikesPerUnit: 4)
    let solver = GridSolver(fixture.problem)
    let weights = fixture.weights.converted(to: Float.self)
    let trial = solver.makeTrial()
    let workspace = solver.makeWorkspace()
    var late = fixture.samples[0].train
    late.times = late.times.map { _ in 29.8 }
    _ = Self.run(solver, weights, late, trial: trial, workspace: workspace)
    let used = Self.run(
      solver, weights, fixture.samples[1].train, trial: trial, workspace: workspace)
    let fresh = Self.run(solver, weights, fixture.samples[1].train)
    #expect(used.gradient == fresh.gradient)
    #expect(used.trial.loss == fresh.trial.loss)
  }

  @Test func noSpikeIsDroppedForLackOfRoom() {
    let problem = Self.problem(hidden: 300)
    let weights = Parameters<Float>(problem.network)
    weights.matrices[0].fill(with: 1e7)
    let train = SpikeTrain(times: [0], units: [0])
    // At such a current every neuron spikes in every step until the current has decayed.
    let spikes = Self.run(GridSolver(problem), weights, train).trial.spikes(ofLayer: 0)
    #expect(spikes.count > 300 * 200)
    #expect(spikes.count % 300 == 0)
  }

  @Test func longTrialsWithSmallStepsLoseNoSpike() {
    // 300,000 steps: as Float products n * dt would miss steps.
    let problem = Self.problem(hidden: 0, duration: 3000, step: 0.01)
    let solver = GridSolver(problem)
    let times = stride(from: 0, to: 300_000, by: 7).map { Double($0) * 0.01 }
    let train = SpikeTrain(times: times, units: Array(repeating: 0, count: times.count))
    let weights = Parameters<Float>(problem.network)
    let result = Self.run(solver, weights, train)
    // With weights 0 the gradient counts each input spike's lI once; compare with Double by hand.
    let exact = Self.run(
      ExactSolver(problem), Parameters<Double>(problem.network), train)
    let ratio = Double(result.gradient[0][0]) / exact.gradient[0][0]
    #expect(abs(ratio - 1) < 1e-3)
  }

  @Test func negativeOutputsHaveANegativeMaximum() {
    let problem = Self.problem(loss: "max", hidden: 0, duration: 10)
    let weights = Parameters<Float>(problem.network)
    weights.matrices[0].values = [-1, -2]
    let train = SpikeTrain(times: [0], units: [0])
    let result = Self.run(GridSolver(problem), weights, train)
    #expect(result.trial.readout.allSatisfy { $0 < 0 })
    #expect(result.gradient[0].allSatisfy { $0 != 0 })
  }

  /// Output 0 rises by hidden 0 until hidden 1 turns it down: its maximum is at that spike and
  /// moves with it.
  @Test func maximumAtAKinkMovesWithItsSpike() throws {
    let network = Network(inputs: 2, layers: [Layer(size: 2), Layer(size: 2, neuron: .li)])
    let problem = Problem(
      network: network, duration: 30, step: 0.1,
      loss: LossTable.entry("max")!.make(LossParameters(duration: 30)))
    let weights = Parameters<Double>(network)
    weights.matrices[0].values = [8, 0, 0, 8]
    weights.matrices[1].values = [3, 1, -6, 0.5]
    let samples = [(SpikeTrain(times: [1, 4], units: [0, 1]), 0)]
    let check = GradientCheck(problem, samples: samples, weights: weights)
    let gradient = check.gradient(weights)
    // Input 1 reaches output 0 only through the time of the spike at the kink.
    #expect(abs(gradient.matrices[0][1, 1]) > 1e-3)
    for row in check.run(weights: weights) { #expect(row.relativeError < 1e-5, "\(row)") }
    // The grid has the term as well.
    var fine = problem
    fine.step = 0.005
    let grid = GridConvergenceTests.solve(
      GridSolver(fine), samples[0], weights.converted(to: Float.self))
    let exact = GridConvergenceTests.solve(ExactSolver(problem), samples[0], weights)
    #expect(abs(grid.gradient[3] / exact.gradient[3] - 1) < 0.02)
  }

  /// A post-synaptic potential that lies wholly within the trial can be moved without changing the
  /// mean voltage: under w = 1 hidden spikes get no gradient, on the grid either, however coarse.
  @Test func fullPotentialsGiveNoGradientToTheirTimes() {
    var problem = Self.problem(duration: 1000, step: 1)
    problem.shaping = .none
    let weights = Parameters<Float>(problem.network)
    weights.matrices[0].fill(with: 8)
    weights.matrices[1].values = [1, -1]
    let train = SpikeTrain(times: [100], units: [0])
    let flat = Self.run(GridSolver(problem), weights, train)
    #expect(flat.trial.spikes(ofLayer: 0).count > 0)
    problem.shaping = .exponential(scale: 1)
    let shaped = Self.run(GridSolver(problem), weights, train)
    #expect(abs(flat.gradient[0][0]) < 1e-3 * abs(shaped.gradient[0][0]))
  }
}
