// SPDX-License-Identifier: MIT

import Support
import Testing

@testable import EventPropCore

/// Constants of each neuron, and those that are trained.
@Suite struct NeuronTests {
  /// A fixture in which no two neurons are alike.
  private func mixed(_ loss: String, hidden: [Int], recurrent: Bool, trained: Bool = true)
    -> Fixture
  {
    var fixture = Fixture(loss: loss, hidden: hidden, recurrent: recurrent, spikesPerUnit: 2)
    var random = Random(seed: 7, "constants")
    for index in fixture.problem.network.layers.indices {
      var layer = fixture.problem.network.layers[index]
      for parameter in layer.neuron.parameters {
        layer[parameter] = PerNeuron(
          (0..<layer.size).map { _ in parameter.standard * random.uniform(0.8, 1.25) })
      }
      if layer.neuron.isSpiking && trained { layer.train(.threshold, rate: 0.003) }
      fixture.problem.network.layers[index] = layer
    }
    let weights = Parameters<Double>(fixture.problem.network)
    for (new, old) in zip(weights.matrices, fixture.weights.matrices) { new.values = old.values }
    for (vector, array) in zip(fixture.problem.network.vectors, weights.vectors) {
      let layer = fixture.problem.network.layers[vector.layer]
      array.values = layer[vector.parameter].values(layer.size)
    }
    fixture.weights = weights
    return fixture
  }

  @Test(
    arguments: ["sum", "avg_xentropy", "max", "first_spike", "first_spike_exp"], [false, true])
  func gradientsOfUnlikeNeurons(loss: String, recurrent: Bool) {
    let fixture = mixed(loss, hidden: recurrent ? [8] : [8, 6], recurrent: recurrent)
    let check = GradientCheck(fixture.problem, samples: fixture.samples, weights: fixture.weights)
    #expect(check.excludedSamples < fixture.samples.count)
    let rows = check.run(weights: fixture.weights, perMatrix: 16)
    #expect(rows.map(\.projection) == fixture.problem.network.parameterNames)
    #expect(rows.contains { $0.projection == "neurons/hidden1-threshold" })
    for row in rows {
      #expect(row.compared > 0, "\(row)")
      #expect(row.norm > 0, "\(row)")
      #expect(row.relativeError < 1e-5, "\(row)")
    }
  }

  /// Vectors whose numbers are all the same are the same layer: not a bit differs.
  @Test(arguments: [false, true]) func vectorsOfEqualNumbers(recurrent: Bool) {
    let plain = Fixture(loss: "avg_xentropy", recurrent: recurrent, spikesPerUnit: 2)
    var listed = plain
    for index in listed.problem.network.layers.indices {
      for parameter in listed.problem.network.layers[index].neuron.parameters {
        let size = listed.problem.network.layers[index].size
        listed.problem.network.layers[index][parameter] = PerNeuron(
          Array(repeating: parameter.standard, count: size))
      }
    }
    let gradients = [plain, listed].map { fixture in
      GradientCheck(fixture.problem, samples: fixture.samples, weights: fixture.weights)
        .gradient(fixture.weights).matrices.map(\.values)
    }
    #expect(gradients[0] == gradients[1])
  }

  /// A neuron in a mixed layer fires as it does in a layer of its own kind.
  @Test(arguments: [false, true]) func eachNeuronByItsOwnConstants(recurrent: Bool) {
    var fixture = mixed("sum", hidden: [5], recurrent: false, trained: false)
    fixture.problem.network.layers[0].isRecurrent = recurrent
    let network = fixture.problem.network
    func spikes(_ network: Network) -> [LayerSpike] {
      var problem = fixture.problem
      problem.network = network
      let solver = ExactSolver(problem)
      let weights = Parameters<Double>(network)
      weights.matrices[0].values = fixture.weights.matrices[0].values
      let (trial, workspace) = (solver.makeTrial(), solver.makeWorkspace())
      fixture.samples[0].train.withView { solver.load($0, label: 0, into: trial) }
      solver.forward(trial, weights: weights, workspace: workspace)
      return trial.spikes(ofLayer: 0)
    }
    let all = spikes(network)
    #expect(all.count > 5)
    for j in 0..<5 {
      var alike = network
      for parameter in NeuronKind.lif.parameters {
        alike.layers[0][parameter] = PerNeuron(network.layers[0][parameter][j])
      }
      let own = spikes(alike).filter { $0.neuron == j }
      let mixed = all.filter { $0.neuron == j }
      #expect(own.count == mixed.count)
      for (a, b) in zip(own, mixed) { #expect(abs(a.time - b.time) < 1e-9) }
    }
  }

  /// Adam moves a trained threshold, and leaves those that are fixed.
  @Test func trainedThresholdsMove() {
    let fixture = mixed("sum", hidden: [8], recurrent: false)
    let solver = ExactSolver(fixture.problem)
    let batch = solver.makeBatch(weights: fixture.weights, capacity: 4, shards: 2)
    let adam = Adam(rate: 0.003)
    let state = OptimiserState<Double>(adam, fixture.problem.network)
    let (samples, pool) = (SampleList(fixture.samples), WorkerPool(threads: 2))
    let before = fixture.weights.copy()
    var losses: [Double] = []
    for count in 1...30 {
      losses.append(batch.forward(samples, goingBack: true, pool: pool).meanLoss)
      let update = batch.update(state) { adam.step(rate: $0 ?? 0.003, count: count) }
      _ = batch.gradient(of: samples, pool: pool) { part, _ in update.apply(to: part, gain: 1) }
    }
    #expect(losses[29] < losses[0])
    let (old, new) = (before.arrays[2].values, fixture.weights.arrays[2].values)
    #expect(zip(old, new).filter { $0 != $1 }.count > 4)
    #expect(fixture.weights.layers[0].threshold.values(8) == new)
    #expect(fixture.problem.network.layers[0].threshold.values(8) == old)
  }
}
