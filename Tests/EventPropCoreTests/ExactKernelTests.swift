// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import Support
import Testing

/// Layers by kernels against the same neuron by neuron, which finite differences check.
@Suite struct ExactKernelTests {
  private struct Outcome {
    var loss: Double
    var spikes: [[LayerSpike]]
    var gradient: [[Double]]
  }

  private func solve(_ fixture: Fixture, _ sample: Int, isOneByOne: Bool, push: [[Double]])
    -> Outcome
  {
    let solver = ExactSolver(fixture.problem, isOneByOne: isOneByOne)
    let (trial, tape, workspace) = (
      solver.makeTrial(), solver.makeTape(), solver.makeWorkspace()
    )
    let (train, label) = fixture.samples[sample]
    train.withView { solver.load($0, label: label, into: trial) }
    solver.forward(trial, weights: fixture.weights, workspace: workspace)
    solver.backward(trial, weights: fixture.weights, push: push, tape: tape, workspace: workspace)
    let sum = Parameters<Double>(fixture.problem.network)
    for array in sum.arrays.indices {
      solver.gather([tape], array: array, scalars: 0..<sum.arrays[array].count, into: sum)
    }
    return Outcome(
      loss: trial.loss,
      spikes: fixture.problem.network.layers.indices.map { trial.spikes(ofLayer: $0) },
      gradient: sum.arrays.map(\.values))
  }

  /// - Parameter tolerance: of times, slopes, loss and gradients; 0: the same bits, and gradients
  ///   to 1e-12.
  private func compare(_ fixture: Fixture, push: [[Double]] = [], tolerance: Double = 0) -> Int {
    func isSame(_ a: [Double], _ b: [Double]) -> Bool {
      a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(abs($0), 1) }
    }
    var spikes = 0
    for sample in fixture.samples.indices {
      let slow = solve(fixture, sample, isOneByOne: true, push: push)
      let fast = solve(fixture, sample, isOneByOne: false, push: push)
      #expect(isSame([slow.loss], [fast.loss]))
      for (slow, fast) in zip(slow.spikes, fast.spikes) {
        spikes += slow.count
        #expect(slow.map(\.neuron) == fast.map(\.neuron))
        #expect(isSame(slow.map(\.time), fast.map(\.time)))
        #expect(isSame(slow.map(\.slope), fast.map(\.slope)))
      }
      for (slow, fast) in zip(slow.gradient, fast.gradient) {
        let size = slow.reduce(0) { max($0, abs($1)) }
        let off = zip(slow, fast).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(off <= max(tolerance, 1e-12) * size, "\(off / size)")
      }
    }
    return spikes
  }

  /// 100 random networks: sizes off the kernels' widths, one or two recurrent layers, whole-number
  /// ratios of time constants, equal ones and others, input at any time and on whole steps.
  @Test(arguments: 0..<100) func likeOneByOne(seed: Int) {
    check(seed, hidden: seed % 3 == 0 ? [9 + seed, 14] : [5 + seed], recurrent: true)
  }

  /// The same without recurrence: also more neurons than a panel has.
  @Test(arguments: 0..<60) func feedForwardLikeOneByOne(seed: Int) {
    check(seed, hidden: seed % 3 == 0 ? [70 + 3 * seed, 14] : [5 + seed], recurrent: false)
  }

  private func check(_ seed: Int, hidden: [Int], recurrent: Bool) {
    let taus = [(20.0, 5.0), (20, 10), (10, 10), (7, 4), (4, 9), (20, 19.99)]
    let tau = taus[seed % taus.count]
    let losses = LossTable.all.map(\.kind)
    var fixture = Fixture(
      loss: losses[seed % losses.count],
      shaping: ExactGradientTests.shapings[seed % ExactGradientTests.shapings.count],
      hidden: hidden, recurrent: recurrent, inputs: 3 + seed % 40,
      duration: seed % 4 == 0 ? 300 : 60, tauMem: tau.0, tauSyn: tau.1, samples: 2,
      spikesPerUnit: 1 + seed % 5, seed: seed)
    if seed % 2 == 0 { fixture.roundInput() }
    #expect(compare(fixture, push: push(fixture, seed)) > 0)
  }

  private func push(_ fixture: Fixture, _ seed: Int) -> [[Double]] {
    var random = Random(seed: seed, "push")
    return seed % 5 == 0
      ? fixture.problem.network.layers.dropLast().map { layer in
        (0..<layer.size).map { _ in random.uniform(-0.1, 0.1) }
      } : []
  }

  /// Thresholds of each neuron, trained.
  @Test(arguments: 0..<6) func thresholds(seed: Int) {
    let fixture = Fixture(loss: "sum", hidden: [21], recurrent: true, spikesPerUnit: 3, seed: seed)
    var layers = fixture.problem.network.layers
    layers[0].threshold = PerNeuron((0..<21).map { 0.7 + 0.03 * Double($0) })
    layers[0].train(.threshold, rate: 0.003)
    var other = fixture
    other.problem.network = Network(inputs: fixture.problem.network.inputs, layers: layers)
    other.weights = Parameters(other.problem.network)
    for (from, to) in zip(fixture.weights.matrices, other.weights.matrices) {
      to.values = from.values
    }
    for vector in other.weights.vectors { vector.values = layers[0].threshold.values(21) }
    #expect(compare(other) > 0)
  }

  /// Time constants of each neuron, some of them equal or near each other: but for the last digits
  /// of exponentials, which near-grazing spikes amplify.
  @Test(arguments: 0..<40) func timeConstants(seed: Int) {
    let fixture = Fixture(
      loss: "sum", shaping: ExactGradientTests.shapings[seed % 7], hidden: [11 + seed],
      recurrent: true, inputs: 3 + seed % 40, duration: seed % 4 == 0 ? 200 : 60,
      spikesPerUnit: 1 + seed % 5, seed: seed)
    var random = Random(seed: seed, "time constants")
    var layers = fixture.problem.network.layers
    let size = layers[0].size
    layers[0].tauMem = PerNeuron((0..<size).map { _ in random.uniform(6, 30) })
    layers[0].tauSyn = PerNeuron(
      (0..<size).map { j in
        let tau = layers[0].tauMem[j]
        return j % 5 == 0 ? tau : j % 5 == 1 ? tau * 1.001 : random.uniform(3, 12)
      })
    var other = fixture
    other.problem.network = Network(inputs: fixture.problem.network.inputs, layers: layers)
    other.weights = Parameters(other.problem.network)
    for (from, to) in zip(fixture.weights.matrices, other.weights.matrices) {
      to.values = from.values
    }
    if seed % 2 == 0 { other.roundInput() }
    #expect(compare(other, tolerance: 1e-10) > 0)
  }

  /// Two neurons that are alike cross at the same time: the first in order is first, and each takes
  /// the other's spike as it came.
  @Test func twinsCrossTogether() {
    let fixture = Fixture(loss: "sum", hidden: [18], recurrent: true, spikesPerUnit: 3, seed: 4)
    let (input, loop) = (fixture.weights.matrices[0], fixture.weights.matrices[1])
    for row in 0..<input.rows { input[row, 17] = input[row, 2] }
    for row in 0..<18 { loop[row, 17] = loop[row, 2] }
    for column in 0..<18 { loop[17, column] = loop[2, column] }
    #expect(compare(fixture) > 0)
  }
}

extension Fixture {
  /// Many spikes at one time.
  fileprivate mutating func roundInput() {
    for index in samples.indices {
      for k in samples[index].train.times.indices { samples[index].train.times[k].round() }
      samples[index].train.sort()
    }
  }
}
