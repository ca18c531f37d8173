// SPDX-License-Identifier: MIT

import Support
import Testing

@testable import EventPropCore

/// The first layer block by block through a batch, and matrices of panels.
@Suite struct BlockTests {
  /// Runs a batch by blocks, on two copies of the input. Returns trials and the gradient.
  private func byBlocks(
    _ solver: GridSolver, _ fixture: Fixture, _ weights: Parameters<Float>, push: [[Double]],
    goingBack: Bool = false
  ) -> (trials: [GridTrial], gradient: Parameters<Float>) {
    let count = fixture.samples.count
    // A larger batch than there are samples, as the last of an epoch.
    let batch = solver.makeBatch(weights: weights, capacity: count + 2, shards: 2)
    let (samples, pool) = (SampleList(fixture.samples), WorkerPool(threads: 2))
    _ = batch.forward(samples, goingBack: goingBack, pool: pool)
    let squares = batch.gradient(of: samples, push: push, pool: pool)
    #expect(squares.count == batch.gradient.arrays.count)
    return (Array(batch.trials.prefix(count)), batch.gradient)
  }

  /// Spikes and losses have the same bits as trial by trial; gradients are sums in another order.
  @Test(
    arguments: ["sum", "avg_xentropy", "max", "first_spike", "first_spike_exp"], [[150], [90, 20]])
  func blocksAgreeWithTrials(loss: String, hidden: [Int]) throws {
    let fixture = Fixture(loss: loss, hidden: hidden, samples: 5, spikesPerUnit: 3)
    let solver = GridSolver(fixture.problem)
    #expect(solver.blocks.count == (hidden[0] == 150 ? 3 : 2))
    let weights = fixture.weights.converted(to: Float.self)
    let push = hidden.map { size in (0..<size).map { Double($0 % 5) * 1e-3 } }
    let (trials, gradient) = byBlocks(solver, fixture, weights, push: push)
    let expected = Parameters<Float>(fixture.problem.network)
    let (trial, workspace) = (solver.makeTrial(), solver.makeWorkspace())
    var spikes = 0
    for (found, sample) in zip(trials, fixture.samples) {
      sample.train.withView { solver.load($0, label: sample.label, into: trial) }
      solver.forward(trial, weights: weights, workspace: workspace)
      #expect(found.loss == trial.loss)
      #expect(found.prediction == trial.prediction)
      for layer in hidden.indices {
        let (a, b) = (found.spikes(ofLayer: layer), trial.spikes(ofLayer: layer))
        #expect(a.map(\.neuron) == b.map(\.neuron))
        #expect(a.map(\.time) == b.map(\.time))
        spikes += b.count
      }
      solver.backward(
        trial, weights: weights, push: push, gradient: expected, workspace: workspace)
    }
    solver.finish(expected, trials: fixture.samples.count)
    #expect(spikes > 100)
    for (matrix, other) in zip(gradient.matrices, expected.matrices) {
      let error = zip(matrix.values, other.values).reduce(0.0) {
        $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1)
      }.squareRoot()
      #expect(other.norm > 0)
      #expect(error < 1e-5 * other.norm)
    }
  }

  /// The same spikes and slopes come step by step, as a layer runs that an intervention might touch
  /// at any moment.
  @Test(arguments: ["sum", "first_spike"]) func blocksAgreeWithSteps(loss: String) {
    let fixture = Fixture(loss: loss, hidden: [150], spikesPerUnit: 3)
    let solver = GridSolver(fixture.problem)
    let weights = fixture.weights.converted(to: Float.self)
    let (byBlocks, byStep, workspace) = (
      solver.makeTrial(), solver.makeTrial(), solver.makeWorkspace()
    )
    for sample in fixture.samples {
      for trial in [byBlocks, byStep] {
        sample.train.withView { solver.load($0, label: sample.label, into: trial) }
      }
      solver.forward(byBlocks, weights: weights, workspace: workspace)
      // Beyond the end of the trial: it never comes.
      let never = Intervention(.suppress, layer: 0, neuron: 149, time: 1e6)
      solver.forward(byStep, weights: weights, workspace: workspace, with: never)
      #expect(byBlocks.spikes(ofLayer: 0) == byStep.spikes(ofLayer: 0))
      #expect(byBlocks.spikes(ofLayer: 0).count > 20)
      #expect(byBlocks.loss == byStep.loss)
    }
  }

  /// A batch that is used again keeps nothing of what it held: long, then short, with a sample
  /// without spikes.
  @Test func batchesForget() {
    let fixture = Fixture(loss: "sum", hidden: [90], samples: 5, spikesPerUnit: 3)
    let solver = GridSolver(fixture.problem)
    let weights = fixture.weights.converted(to: Float.self)
    var short = fixture
    short.samples = [(SpikeTrain(), 1), fixture.samples[2]]
    let batch = solver.makeBatch(weights: weights, capacity: 5, shards: 2)
    let pool = WorkerPool(threads: 1)
    func gradient(_ samples: [GradientCheck.Sample]) -> [Float] {
      let samples = SampleList(samples)
      _ = batch.forward(samples, goingBack: true, pool: pool)
      _ = batch.gradient(of: samples, pool: pool)
      return batch.gradient.matrices[0].values
    }
    let fresh = gradient(short.samples)
    #expect(gradient(fixture.samples) != fresh)
    #expect(gradient(short.samples) == fresh)
    #expect(batch.trials[0].spikes(ofLayer: 0).isEmpty)
  }

  /// The exact solver reads and writes matrices of several panels.
  @Test func exactGradientOfSeveralPanels() {
    let fixture = Fixture(loss: "sum", hidden: [70])
    #expect(fixture.weights.matrices[0].panels.count == 2)
    let check = GradientCheck(fixture.problem, samples: fixture.samples, weights: fixture.weights)
    for row in check.run(weights: fixture.weights, perMatrix: 60) {
      #expect(row.compared > 50, "\(row)")
      #expect(row.relativeError < 1e-5, "\(row)")
    }
  }

  @Test func recurrentFirstLayersAndOutputsHaveNoBlocks() {
    let recurrent = Fixture(loss: "sum", hidden: [40], recurrent: true)
    #expect(recurrent.problem.network.blocks.isEmpty)
    #expect(Fixture(loss: "first_spike", hidden: []).problem.network.blocks.isEmpty)
  }

  /// Blocks cover a layer, padded to whole vectors, and none has more than 64 neurons.
  @Test(arguments: [1, 16, 17, 64, 65, 200, 350, 1024]) func blocksCoverALayer(size: Int) {
    let blocks = Fixture(loss: "sum", hidden: [size]).problem.network.blocks
    #expect(blocks.first?.lowerBound == 0)
    #expect(blocks.last?.upperBound == (size + 15) / 16 * 16)
    for (a, b) in zip(blocks, blocks.dropFirst()) { #expect(a.upperBound == b.lowerBound) }
    #expect(blocks.allSatisfy { $0.count <= 64 && $0.count % 16 == 0 && !$0.isEmpty })
    #expect(blocks.map(\.count).max()! <= blocks.map(\.count).min()! + 16)
  }

  /// Panels change where numbers are kept, and nothing else.
  @Test func panelsReadLikeAnyMatrix() {
    let network = Fixture(loss: "sum", hidden: [150]).problem.network
    let panels = Parameters<Float>(network).matrices[0]
    let plain = Matrix<Float>(rows: panels.rows, columns: panels.columns)
    #expect(panels.panels.count == 3 && plain.panels.count == 1)
    let values = (0..<(plain.rows * plain.columns)).map { Float($0) }
    (panels.values, plain.values) = (values, values)
    #expect(panels.values == values)
    #expect(panels.norm == plain.norm)
    #expect(panels[3, 149] == Float(3 * 150 + 149))
    panels[3, 149] = -1
    plain[3, 149] = -1
    #expect(panels.copy().values == plain.values)
    panels.fill(with: 2)
    #expect(panels.values.allSatisfy { $0 == 2 })
    // Padding stays 0.
    let padding = panels.rows * 160 - panels.rows * 150
    #expect((0..<panels.count).count { panels.base[$0] == 0 } == padding)
  }
}
