// SPDX-License-Identifier: MIT

import Support
import Testing

@testable import EventPropCore

@Suite struct DropoutTests {
  /// Samples that bring the chance, or not.
  private final class Samples: BatchSamples {
    private let list: SampleList
    private let seed: Int?
    init(_ samples: [GradientCheck.Sample], seed: Int?) {
      (list, self.seed) = (SampleList(samples), seed)
    }
    var count: Int { list.count }
    func forEach(_ slots: Range<Int>, _ body: (_ slot: Int, SpikeTrainView, _ label: Int) -> Void) {
      list.forEach(slots, body)
    }
    func forEachLabel(_ slots: Range<Int>, _ body: (_ slot: Int, _ label: Int) -> Void) {
      list.forEachLabel(slots, body)
    }
    func dropoutChance(_ slot: Int, layer: Int) -> Random? {
      seed.map { Random(seed: $0, "dropout", slot, layer) }
    }
  }

  private func fixture(
    hidden: [Int], recurrent: Bool, samples: Int = 4, share: Double = 0.3, step: Double = 0.1
  ) -> Fixture {
    var fixture = Fixture(
      loss: "sum", shaping: .exponential(scale: 1), hidden: hidden, recurrent: recurrent,
      step: step, samples: samples, spikesPerUnit: 2)
    for layer in hidden.indices { fixture.problem.network.layers[layer].dropout = share }
    let weights = Parameters<Double>(fixture.problem.network)
    for (from, to) in zip(fixture.weights.arrays, weights.arrays) { to.values = from.values }
    fixture.weights = weights
    return fixture
  }

  private func batch<S: Solver>(_ solver: S, _ fixture: Fixture, as: S.Type) -> Batch<S> {
    solver.makeBatch(
      weights: fixture.weights.converted(to: S.Scalar.self), capacity: fixture.samples.count,
      shards: 2)
  }

  /// Central differences of the mean loss under the same masks, on the exact solver.
  @Test(arguments: [false, true]) func gradientIsThatOfTheLoss(recurrent: Bool) {
    let fixture = fixture(hidden: [10, 8], recurrent: recurrent)
    let batch = batch(ExactSolver(fixture.problem), fixture, as: ExactSolver.self)
    let (samples, pool) = (Samples(fixture.samples, seed: 7), WorkerPool(threads: 2))
    let plain = batch.forward(Samples(fixture.samples, seed: nil), pool: pool)
    let start = batch.forward(samples, goingBack: true, pool: pool)
    #expect(start.loss != plain.loss)
    _ = batch.gradient(of: samples, pool: pool)
    let gradient = batch.gradient.copy()
    var compared = 0
    for (index, array) in batch.weights.arrays.enumerated() {
      var (error, norm) = (0.0, 0.0)
      for k in 0..<array.rows * array.columns {
        let (row, column) = (k / array.columns, k % array.columns)
        let weight = array[row, column]
        let sides = [1e-5, -1e-5].map { step -> Tally in
          array[row, column] = weight + step
          return batch.forward(samples, pool: pool)
        }
        array[row, column] = weight
        guard sides.allSatisfy({ $0.spikes == start.spikes }) else { continue }
        let difference = (sides[0].meanLoss - sides[1].meanLoss) / 2e-5
        let exact = gradient.arrays[index][row, column]
        error += (difference - exact) * (difference - exact)
        norm += exact * exact
        compared += 1
      }
      #expect(norm > 0)
      #expect(error.squareRoot() < 1e-4 * norm.squareRoot(), "array \(index)")
    }
    #expect(compared >= 150)
  }

  /// The same masks on both solvers: the gradients agree as the step gets small.
  @Test(arguments: [false, true]) func gridApproachesTheExactSolver(recurrent: Bool) {
    var errors: [Double] = []
    for step in [0.1, 0.0125] {
      let fixture = fixture(hidden: [70], recurrent: recurrent, samples: 1, step: step)
      let pool = WorkerPool(threads: 1)
      let samples = Samples(fixture.samples, seed: 3)
      let exact = batch(ExactSolver(fixture.problem), fixture, as: ExactSolver.self)
      let grid = batch(GridSolver(fixture.problem), fixture, as: GridSolver.self)
      let tallies = (
        exact.forward(samples, goingBack: true, pool: pool),
        grid.forward(samples, goingBack: true, pool: pool)
      )
      #expect(exact.trials[0].dropped == grid.trials[0].dropped)
      #expect(abs(tallies.0.loss - tallies.1.loss) < 0.02)
      _ = exact.gradient(of: samples, pool: pool)
      _ = grid.gradient(of: samples, pool: pool)
      var (error, norm) = (0.0, 0.0)
      for (a, b) in zip(exact.gradient.arrays, grid.gradient.arrays) {
        for (x, y) in zip(a.values, b.values) {
          error += (x - Double(y)) * (x - Double(y))
          norm += x * x
        }
      }
      errors.append((error / norm).squareRoot())
    }
    #expect(errors[1] < 0.4 * errors[0])
    #expect(errors[1] < 0.03)
  }

  /// In blocks, in pieces, step by step: who is dropped has no spikes, the others of the first
  /// layer theirs; and the next batch without chance is as before.
  @Test(arguments: [[150], [150, 140]], [false, true])
  func droppedNeuronsHaveNoSpikes(hidden: [Int], recurrent: Bool) {
    let fixture = fixture(hidden: hidden, recurrent: recurrent)
    let (solver, pool) = (GridSolver(fixture.problem), WorkerPool(threads: 3))
    let batch = batch(solver, fixture, as: GridSolver.self)
    let plain = Samples(fixture.samples, seed: nil)
    let before = batch.forward(plain, pool: pool)
    let spikesBefore = batch.trials.map {
      $0.spikes(ofLayer: 0).map { [Double($0.neuron), $0.time] }
    }
    let tally = batch.forward(Samples(fixture.samples, seed: 1), pool: pool)
    var (dropped, all) = (0, 0)
    for (slot, trial) in batch.trials.enumerated() {
      for layer in hidden.indices {
        let mask = trial.dropped[layer]
        (dropped, all) = (dropped + mask.count { $0 }, all + mask.count)
        #expect(trial.spikes(ofLayer: layer).allSatisfy { !mask[$0.neuron] })
      }
      guard !recurrent else { continue }
      let kept = spikesBefore[slot].filter { !trial.dropped[0][Int($0[0])] }
      #expect(trial.spikes(ofLayer: 0).map { [Double($0.neuron), $0.time] } == kept)
    }
    #expect(abs(Double(dropped) / Double(all) - 0.3) < 0.06)
    #expect(tally.loss != before.loss)
    #expect(tally.silent[0] <= before.silent[0] || recurrent)
    #expect(batch.forward(plain, pool: pool) == before)
  }
}
