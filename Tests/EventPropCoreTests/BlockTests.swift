import Support
import Testing

@testable import EventPropCore

/// The first layer block by block through a batch, and matrices of panels.
@Suite struct BlockTests {
  /// Runs a batch of two copies by blocks. Returns trials and the gradient.
  private func byBlocks(
    _ solver: GridSolver, _ fixture: Fixture, _ weights: Parameters<Float>, push: [[Double]]
  ) -> (trials: [GridTrial], gradient: Parameters<Float>) {
    let count = fixture.samples.count
    let (workspace, tape) = (solver.makeWorkspace(), solver.makeTape())
    // A larger batch than there are samples, as the last of an epoch.
    let trials = (0..<(count + 2)).map { _ in solver.makeTrial() }
    let batch = solver.makeBatch(trials, copies: 2)
    for copy in 0..<2 {
      for (slot, sample) in fixture.samples.enumerated() {
        sample.train.withView { solver.load($0, into: batch, slot: slot, copy: copy) }
      }
    }
    for block in solver.blocks.indices {
      solver.forward(block: block, of: batch, count: count, copy: block % 2, weights: weights)
    }
    solver.rewind(tape)
    for (trial, sample) in zip(trials, fixture.samples) {
      trial.label = sample.label
      solver.forwardRest(trial, weights: weights, workspace: workspace)
      solver.backwardRest(trial, weights: weights, push: push, tape: tape, workspace: workspace)
    }
    let gradient = Parameters<Float>(fixture.problem.network)
    for block in solver.blocks.indices {
      solver.backward(
        block: block, of: batch, count: count, copy: block % 2, push: push, into: gradient)
    }
    for projection in 1..<gradient.matrices.count {
      solver.gather(
        [tape], projection: projection, scalars: 0..<gradient.matrices[projection].count,
        into: gradient)
    }
    return (Array(trials.prefix(count)), gradient)
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
    #expect(spikes > 100)
    for (matrix, other) in zip(gradient.matrices, expected.matrices) {
      let error = zip(matrix.values, other.values).reduce(0.0) {
        $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1)
      }.squareRoot()
      #expect(other.norm > 0)
      #expect(error < 1e-5 * other.norm)
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
