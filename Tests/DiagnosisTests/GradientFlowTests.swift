// SPDX-License-Identifier: MIT

import Diagnosis
import EventPropCore
import Support
import Testing

/// The gradient by tenth of the trial, where spikes take their time.
@Suite struct GradientFlowTests {
  /// A network that is another with delays of the same length on all synapses into a layer.
  private func delayed(
    _ plain: Fixture, layer: Int, by delay: Float, _ form: Delays.Form
  ) -> (problem: Problem, weights: Parameters<Float>) {
    var problem = plain.problem
    problem.network.layers[layer].delays = Delays(form, longest: 20, rate: 0.1)
    let weights = Parameters<Float>(problem.network)
    let old = plain.weights.converted(to: Float.self)
    for (new, old) in zip(weights.matrices, old.matrices) { new.values = old.values }
    let array = weights.arrays[weights.matrices.count]
    array.values = Array(repeating: delay, count: array.values.count)
    return (problem, weights)
  }

  private func isNear(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-5) -> Bool {
    let size = a.reduce(1e-300) { max($0, $1) }
    return a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * size }
  }

  /// Delays of 0 are none, into whichever layer.
  @Test(arguments: Delays.Form.allCases, [0, 1]) func delaysOfNothing(
    form: Delays.Form, layer: Int
  ) {
    let plain = Fixture(loss: "sum", recurrent: true, spikesPerUnit: 2)
    let other = delayed(plain, layer: layer, by: 0, form)
    let a = GradientFlow(
      plain.problem, samples: plain.samples, weights: plain.weights.converted(to: Float.self))
    let b = GradientFlow(other.problem, samples: plain.samples, weights: other.weights)
    for layer in 0...1 {
      #expect(a.norms[layer].filter { $0 > 0 }.count > 4)
      #expect(isNear(a.norms[layer], b.norms[layer]), "\(a.norms[layer]) \(b.norms[layer])")
    }
  }

  /// Delays of one length are input that comes later: by tenth, too.
  @Test(arguments: Delays.Form.allCases) func delaysOfOneLength(form: Delays.Form) {
    let plain = Fixture(loss: "max", spikesPerUnit: 2)
    var shifted = plain
    for index in shifted.samples.indices {
      shifted.samples[index].train.times = shifted.samples[index].train.times.map { $0 + 4 }
    }
    let other = delayed(plain, layer: 0, by: 4, form)
    let a = GradientFlow(
      shifted.problem, samples: shifted.samples,
      weights: plain.weights.converted(to: Float.self))
    let b = GradientFlow(other.problem, samples: plain.samples, weights: other.weights)
    #expect(a.norms[0].filter { $0 > 0 }.count > 2)
    #expect(isNear(a.norms[0], b.norms[0]), "\(a.norms[0]) \(b.norms[0])")
    #expect(zip(a.byClass, b.byClass).allSatisfy { isNear($0[0], $1[0]) })
  }
}
