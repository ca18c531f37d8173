// SPDX-License-Identifier: MIT

import EventPropCore
import Support
import Testing

/// Every loss, shaping and architecture against central finite differences (issue: < 1e-5).
@Suite struct ExactGradientTests {
  static let tolerance = 1e-5
  static let losses = LossTable.all.map(\.kind)
  static let shapings: [Shaping] = [
    .none, .linear, .exponential(scale: 1), .exponential(scale: 0.3), .sigmoid,
    .input(InputProfile(counts: [0, 3, 9, 4, 0, 0, 1, 0], duration: 30)),
    .custom([ShapingPoint(x: 0.1, weight: 1), ShapingPoint(x: 0.6, weight: 0.2)]),
    Shaping.exponential(scale: 0.5).within(0.15...0.7), Shaping.none.within(0.3...1),
  ]

  static func check(_ fixture: Fixture, sourceLocation: SourceLocation = #_sourceLocation) {
    let check = GradientCheck(
      fixture.problem, samples: fixture.samples, weights: fixture.weights)
    #expect(check.excludedSamples < fixture.samples.count, sourceLocation: sourceLocation)
    let rows = check.run(weights: fixture.weights, perMatrix: 36)
    for row in rows {
      #expect(row.norm > 0, "\(row.projection)", sourceLocation: sourceLocation)
      #expect(row.compared > 10 * row.excluded, "\(row)", sourceLocation: sourceLocation)
      #expect(row.relativeError < tolerance, "\(row)", sourceLocation: sourceLocation)
    }
  }

  @Test(arguments: losses, shapings) func shaped(loss: String, shaping: Shaping) {
    Self.check(Fixture(loss: loss, shaping: shaping))
  }

  @Test(arguments: losses, [1, 2, 3]) func twoHiddenLayers(loss: String, seed: Int) {
    Self.check(Fixture(loss: loss, hidden: [10, 8], seed: seed))
  }

  @Test(arguments: losses, [1, 2, 3]) func recurrent(loss: String, seed: Int) {
    Self.check(Fixture(loss: loss, recurrent: true, spikesPerUnit: 3, seed: seed))
  }

  @Test(arguments: losses) func twoRecurrentLayers(loss: String) {
    Self.check(Fixture(loss: loss, hidden: [8, 8], recurrent: true, spikesPerUnit: 2))
  }

  @Test(arguments: losses) func noHiddenLayer(loss: String) {
    Self.check(Fixture(loss: loss, hidden: [], spikesPerUnit: 2))
  }

  @Test(arguments: losses, [(10.0, 5.0), (7.0, 7.0), (4.0, 9.0), (20.0, 3.0)])
  func timeConstants(loss: String, tau: (Double, Double)) {
    Self.check(Fixture(loss: loss, tauMem: tau.0, tauSyn: tau.1, spikesPerUnit: 2))
  }
}
