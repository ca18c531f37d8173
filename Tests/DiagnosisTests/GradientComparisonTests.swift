// SPDX-License-Identifier: MIT

import Diagnosis
import EventPropCore
import Support
import Testing

@Suite struct GradientComparisonTests {
  static func compare(_ fixture: Fixture, step: Double? = nil) -> GradientComparison {
    GradientComparison(
      fixture.problem, samples: fixture.samples, weights: fixture.weights.matrices.map(\.values),
      step: step, reach: 5)
  }

  /// On finer grids the training gradient becomes the exact one. Medians over samples: a spike that
  /// grazes the threshold makes most of one sample's gradient.
  @Test(arguments: ["sum", "max", "first_spike"]) func getsHonestAsStepsShrink(loss: String) {
    let whole = Fixture(loss: loss, recurrent: true, samples: 11, spikesPerUnit: 2)
    let steps = [1, 0.1, 0.005]
    let found = whole.samples.map { sample in
      var fixture = whole
      fixture.samples = [sample]
      return steps.map { Self.compare(fixture, step: $0) }
    }
    #expect(
      found[0][0].rows.map(\.projection) == ["input-hidden1", "hidden1-hidden1", "hidden1-output"])
    for row in 0..<3 {
      func median(_ step: Int, _ value: (GradientComparison.Row) -> Double?) -> Double {
        found.compactMap { value($0[step].rows[row]) }.sorted()[5]
      }
      let cosines = steps.indices.map { step in median(step) { $0.cosine } }
      #expect(cosines[2] > 0.99 && cosines[2] >= cosines[1] && cosines[1] > cosines[0])
      #expect(abs(median(2) { $0.normRatio } - 1) < 0.05)
      for comparisons in found {
        #expect(
          comparisons.allSatisfy { $0.rows[row].exactNorm == comparisons[0].rows[row].exactNorm })
      }
    }
  }

  /// The norms are those of the mean gradient, as the check of the adjoint has them.
  @Test func normsAreThoseOfTheMeanGradient() {
    let fixture = Fixture(loss: "sum", samples: 4)
    let check = GradientCheck(fixture.problem, samples: fixture.samples, weights: fixture.weights)
    let expected = check.gradient(fixture.weights).norms
    for (row, norm) in zip(Self.compare(fixture).rows, expected) {
      #expect(abs(row.exactNorm - norm) < 1e-12 * norm)
    }
  }

  /// One neuron that crosses the threshold for a moment between two steps: the grid, which looks at
  /// their ends, misses it.
  @Test func countsSpikesThatOnlyOneSolverHas() {
    let network = Network(
      inputs: 1, layers: [Layer(size: 1), Layer(size: 2, neuron: .li)])
    let problem = Problem(
      network: network, duration: 40, step: 20,
      loss: LossTable.entry("sum")!.make(LossParameters(duration: 40)))
    // The peak of V after a unit weight: 20/5 has it at log(4) 20/3 ms, of height 0.157; at 20 ms
    // it is 0.117.
    let comparison = GradientComparison(
      problem, samples: [(SpikeTrain(times: [0], units: [0]), 0)], weights: [[7.5], [0.5, -0.5]],
      reach: 5)
    #expect(comparison.exactSpikes == 1)
    #expect(comparison.trainingSpikes == 0)
    #expect(comparison.onlyExact == 1 && comparison.onlyTraining == 0)
    // Without a spike there is no gradient, and no angle to speak of.
    #expect(comparison.rows.allSatisfy { $0.cosine == nil && $0.trainingNorm == 0 })
    #expect(comparison.rows[1].normRatio == 0)
  }

  /// Input merged once per step of training stays merged on finer grids: all see the same spikes.
  @Test func inputStaysMerged() {
    var fixture = Fixture(loss: "sum", samples: 3, spikesPerUnit: 30)
    fixture.problem.step = 1
    fixture.problem.mergesInput = true
    let coarse = Self.compare(fixture)
    let fine = Self.compare(fixture, step: 0.1)
    #expect(fine.exactSpikes == coarse.exactSpikes)
    #expect(abs(fine.trainingSpikes - fine.exactSpikes) <= fine.exactSpikes / 10)
  }
}
