// SPDX-License-Identifier: MIT

import EventPropCore
import Support
import Testing

/// The dynamics between events where the time constants are near each other, or equal.
@Suite struct DynamicsTests {
  struct Reference: Sendable {
    var tauSyn, gap, rise, adjointRise, peak: Double
  }

  /// tau_mem 20: tau_syn, gap, rise, adjoint rise, and the peak after V = 0.25, I = 1.75, by
  /// 60-digit arithmetic.
  static let references = [
    [10.0, 0.001, 4.9996250145829425e-05, 9.999250029165885e-05, 11.192315758708453],
    [10.0, 0.7, 0.033211596351618244, 0.06642319270323649, 11.192315758708453],
    [10.0, 30.0, 0.1733430917805659, 0.3466861835611318, 11.192315758708453],
    [15.2, 0.001, 4.999710534747065e-05, 6.578566493088244e-05, 14.586429250212078],
    [15.2, 0.7, 0.033610107350022234, 0.044223825460555574, 14.586429250212078],
    [15.2, 30.0, 0.26658946568969966, 0.35077561274960484, 14.586429250212078],
    [19.98, 0.001, 4.999749881131029e-05, 5.004754635766796e-05, 17.133058074301527],
    [19.98, 0.7, 0.03379559755058584, 0.0338294269775634, 17.133058074301527],
    [19.98, 30.0, 0.3344440932346946, 0.3347788721068014, 17.133058074301527],
    [19.999998, 0.001, 4.9997500062373965e-05, 4.999750506212447e-05, 17.142856163265275],
    [19.999998, 0.7, 0.03379618950987149, 0.033796192889490775, 17.142856163265275],
    [19.999998, 30.0, 0.3346952151205005, 0.3346952485900253, 17.142856163265275],
    [19.9999999998, 0.001, 4.9997500062498946e-05, 4.999750006299892e-05, 17.142857142759183],
    [19.9999999998, 0.7, 0.033796189569008914, 0.03379618956934687, 17.142857142759183],
    [19.9999999998, 30.0, 0.3346952402201345, 0.33469524022348146, 17.142857142759183],
    [19.9999999999998, 0.001, 4.999750006249896e-05, 4.9997500062499455e-05, 17.142857142857046],
    [19.9999999999998, 0.7, 0.03379618956901482, 0.03379618956901515, 17.142857142857046],
    [19.9999999999998, 30.0, 0.33469524022264224, 0.3346952402226456, 17.142857142857046],
    [19.999999999999996, 0.001, 4.999750006249896e-05, 4.999750006249897e-05, 17.142857142857142],
    [19.999999999999996, 0.7, 0.033796189569014826, 0.03379618956901483, 17.142857142857142],
    [19.999999999999996, 30.0, 0.3346952402226447, 0.33469524022264474, 17.142857142857142],
    [20.0, 0.001, 4.999750006249896e-05, 4.999750006249896e-05, 17.142857142857142],
    [20.0, 0.7, 0.033796189569014826, 0.033796189569014826, 17.142857142857142],
    [20.0, 30.0, 0.33469524022264474, 0.33469524022264474, 17.142857142857142],
    [20.000000000000004, 0.001, 4.999750006249896e-05, 4.999750006249895e-05, 17.142857142857146],
    [20.000000000000004, 0.7, 0.033796189569014826, 0.03379618956901482, 17.142857142857146],
    [20.000000000000004, 30.0, 0.3346952402226448, 0.33469524022264474, 17.142857142857146],
    [20.0000000000002, 0.001, 4.999750006249896e-05, 4.9997500062498465e-05, 17.142857142857242],
    [20.0000000000002, 0.7, 0.03379618956901483, 0.03379618956901449, 17.142857142857242],
    [20.0000000000002, 30.0, 0.33469524022264724, 0.3346952402226439, 17.142857142857242],
    [20.0000000002, 0.001, 4.9997500062498973e-05, 4.9997500061998994e-05, 17.1428571429551],
    [20.0000000002, 0.7, 0.03379618956902074, 0.03379618956868278, 17.1428571429551],
    [20.0000000002, 30.0, 0.33469524022515496, 0.334695240221808, 17.1428571429551],
    [20.000002000000002, 0.001, 4.9997500062623955e-05, 4.999749506287444e-05, 17.14285812244895],
    [20.000002000000002, 0.7, 0.03379618962815815, 0.03379618624853952, 17.14285812244895],
    [20.000002000000002, 30.0, 0.33469526532478655, 0.3346952318552633, 17.14285812244895],
    [
      20.019999999999996, 0.001, 4.9997501311187795e-05, 4.9947553757430374e-05, 17.152649914034967,
    ],
    [20.019999999999996, 0.7, 0.033796780418376145, 0.033763017400975176, 17.152649914034967],
    [20.019999999999996, 30.0, 0.3349461361891615, 0.3346115246644971, 17.152649914034967],
    [24.8, 0.001, 4.999774198666676e-05, 4.032075966666674e-05, 19.330789820430418],
    [24.8, 0.7, 0.03391091945485444, 0.02734751568939874, 19.330789820430418],
    [24.8, 30.0, 0.3883438585890929, 0.3131805311202362, 19.330789820430418],
    [30.0, 0.001, 4.9997916710647526e-05, 3.3331944473765015e-05, 21.400496636323943],
    [30.0, 0.7, 0.03399410292234319, 0.022662735281562128, 21.400496636323943],
    [30.0, 30.0, 0.43424784306903746, 0.289498562046025, 21.400496636323943],
  ].map { Reference(tauSyn: $0[0], gap: $0[1], rise: $0[2], adjointRise: $0[3], peak: $0[4]) }

  @Test(arguments: references) func decayKeepsItsDigits(_ reference: Reference) {
    let decay = Decay(over: reference.gap, tauMem: 20, tauSyn: reference.tauSyn)
    // Far from each other, a - b over short gaps is right to its last digit, not to its own.
    let isNear = abs(reference.tauSyn - 20) < 5
    func room(_ value: Double) -> Double { 4e-15 * abs(value) + (isNear ? 0 : 1e-15) }
    #expect(abs(decay.rise - reference.rise) <= room(reference.rise))
    #expect(abs(decay.adjointRise - reference.adjointRise) <= room(reference.adjointRise))
    let peak = Decay.peakTime(v: 0.25, i: 1.75, tauMem: 20, tauSyn: reference.tauSyn)
    #expect(abs(peak - reference.peak) <= 4e-15 * reference.peak)
  }

  @Test func longGapsStayFinite() {
    for tauSyn in [15.1, 19.9, 20, 20.1, 24.9, 80] {
      for gap in [0, 1e-9, 1e3, 1e5, 1e9] {
        let decay = Decay(over: gap, tauMem: 20, tauSyn: tauSyn)
        #expect(decay.rise.isFinite && decay.adjointRise.isFinite)
        #expect(decay.rise >= 0 && decay.adjointRise >= 0)
      }
    }
  }

  /// Next to equal time constants there are no others: loss and gradient of both solvers go there
  /// smoothly. (Once a rounding step away a network was silent for good, and a norm 1e7 times too
  /// large.)
  @Test(arguments: ["sum", "max", "first_spike"], [1.2e-16, -2.3e-16, 1e-14, -1e-12, 1e-9])
  func gradientsAreSmoothAtEqualTimeConstants(loss: String, apart: Double) {
    func gradients(_ tauSyn: Double) -> (exact: [Double], grid: [Double]) {
      let fixture = Fixture(loss: loss, recurrent: true, tauMem: 10, tauSyn: tauSyn)
      return (
        GridConvergenceTests.solve(
          ExactSolver(fixture.problem), fixture.samples[0], fixture.weights
        ).gradient,
        GridConvergenceTests.solve(
          GridSolver(fixture.problem), fixture.samples[0], fixture.weights.converted(to: Float.self)
        ).gradient
      )
    }
    let (equal, near) = (gradients(10), gradients(10 * (1 + apart)))
    #expect(equal.exact.norm > 0 && equal.grid.norm > 0)
    #expect(near.exact.distance(to: equal.exact) < 1e-6 * equal.exact.norm)
    #expect(near.grid.distance(to: equal.grid) < 1e-5 * equal.grid.norm)
  }
}

extension [Double] {
  var norm: Double { reduce(0) { $0 + $1 * $1 }.squareRoot() }

  func distance(to other: [Double]) -> Double {
    zip(self, other).map { $0 - $1 }.norm
  }
}
