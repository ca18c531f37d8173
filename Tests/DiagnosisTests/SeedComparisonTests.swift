// SPDX-License-Identifier: MIT

@testable import Diagnosis
import Foundation
import Testing

/// Reference values of scipy and statsmodels:
///
///     t = stats.ttest_rel(d, 0*d); ci = stats.t.interval(1-a, n-1, mean, sd/sqrt(n))
///     stats.permutation_test((d, 0*d), lambda x, y, axis: np.mean(x-y, axis=axis),
///       permutation_type='samples', n_resamples=np.inf).pvalue
///     TTestPower().solve_power(effect_size=abs(mean)/sd, alpha=a, power=.8)
private struct Reference: CustomTestStringConvertible, Sendable {
  var d: [Double]
  var mean: Double
  var sd: Double
  /// Half widths at alpha 0.05 and 0.05/4, and the seeds that each needs.
  var half: [Double]
  var needed: [Double]
  var p: Double
  var flip: Double
  var testDescription: String { "\(d.count) seeds" }

  static let all = [
    Reference(
      d: [1.0, 0.5, 1.5, 0.75, 1.25], mean: 1, sd: 0.39528470752104744,
      half: [0.49081079036938924, 0.762730637663843],
      needed: [3.5042021594781296, 4.918597444317929], p: 0.004812678330044224, flip: 0.0625),
    Reference(
      d: [0.4, -1.3, 2.1, 0.9, -0.2, 1.7, 0.3, -0.8], mean: 0.3875, sd: 1.1667261889578033,
      half: [0.9754075037820232, 1.3758091626745463],
      needed: [73.09828325906071, 104.2266228260972], p: 0.3788038217854159, flip: 0.3828125),
    Reference(
      d: [2, 1], mean: 1.5, sd: 0.7071067811865476,
      half: [6.353102368087347, 25.46151831824286],
      needed: [4.010490299264747, 5.6958119475619675], p: 0.20483276469913345, flip: 0.5),
    Reference(
      d: [3.1, 2.7, -0.4, 1.9, 2.2, 0.6, 1.1, -1.5, 4.0, 0.2, 0.8, 1.3],
      mean: 1.3333333333333333, sd: 1.5482150034700275,
      half: [0.9836888826753565, 1.3322448162232037],
      needed: [12.636735539193587, 18.235859018140722], p: 0.012445693646009752,
      flip: 0.01513671875),
  ]
}

private func expectEqual(
  _ a: Double?, _ b: Double, _ relative: Double = 1e-10, _ place: SourceLocation = #_sourceLocation
) {
  #expect(
    a.map { abs($0 - b) <= relative * abs(b) } ?? false, "\(a ?? .nan) is not \(b)",
    sourceLocation: place)
}

@Suite struct StudentTTests {
  /// `stats.t.ppf(1 - alpha/2, df)`; df = 1 by cot(pi alpha/2), df = 2 in closed form.
  @Test func quantilesAreScipys() {
    for (alpha, degrees, t) in [
      (0.05, 2.0, 4.302652729749462), (0.05, 4, 2.7764451051977934), (0.05, 9, 2.262157162798205),
      (0.002, 3, 10.214531852407383), (0.8, 5, 0.2671808657041451),
      (0.05, 200, 1.9718962236339088), (0.98, 1.5, 0.0293553462550805),
    ] { expectEqual(StudentT(degrees: degrees).critical(alpha: alpha), t) }
    for alpha in [0.999, 0.5, 0.05, 1e-6, 1e-12] {
      expectEqual(StudentT(degrees: 1).critical(alpha: alpha), 1 / tan(.pi * alpha / 2))
      let u = alpha * (2 - alpha)
      expectEqual(
        StudentT(degrees: 2).critical(alpha: alpha), (1 - alpha) * (2 / u).squareRoot())
    }
  }

  /// `2 * stats.t.sf(t, df)`.
  @Test func tailsAreScipys() {
    for (t, degrees, p) in [
      (0.01, 3.0, 0.992649111412852), (1, 1, 0.5), (2.5, 4, 0.06676654481198814),
      (12, 7, 6.358310378185098e-06), (60, 2, 0.00027766209059467876),
      (40, 50, 1.2412423784372691e-39), (3, 1000, 0.0027667090442381925),
    ] {
      let student = StudentT(degrees: degrees)
      expectEqual(student.twoSided(t), p)
      expectEqual(student.cumulative(-t), p / 2)
      expectEqual(student.cumulative(t) + student.cumulative(-t), 1)
    }
    #expect(StudentT(degrees: 3).twoSided(.infinity) == 0)
    #expect(StudentT(degrees: 3).twoSided(1e200) == 0)
    #expect(StudentT(degrees: 3).twoSided(0) == 1)
    #expect(StudentT(degrees: 3).twoSided(.nan).isNaN)
  }

  /// `nct.sf(tc, df, nc) + nct.cdf(-tc, df, nc)`; `ncf.sf(tc**2, 1, df, nc**2)` where that fails.
  @Test func powerIsScipys() {
    for (shift, degrees, alpha, power) in [
      (1, 1.0, 0.05, 0.07298889446966995), (2.8, 9, 0.05, 0.70330000928424),
      (3, 4, 0.0125, 0.28628956268870864), (0.3, 20, 0.05, 0.059413501679321884),
      (6, 2, 0.05, 0.8357381198228692), (0, 5, 0.05, 0.05), (25, 1, 0.05, 0.9501766403744248),
      (3, 1000, 0.05, 0.8501682388120402),
    ] { expectEqual(StudentT(degrees: degrees).power(shift: shift, alpha: alpha), power) }
  }
}

@Suite struct SeedComparisonTests {
  @Test(arguments: Reference.all) fileprivate func isAsScipySays(_ known: Reference) throws {
    for (index, looks) in [1, 4].enumerated() {
      let seeds = try #require(SeedComparison(differences: known.d, looks: looks))
      expectEqual(seeds.mean, known.mean)
      expectEqual(seeds.sd, known.sd)
      expectEqual(seeds.p, known.p)
      expectEqual(seeds.signFlip, known.flip)
      expectEqual(seeds.halfWidth, known.half[index])
      let needed = Int(known.needed[index].rounded(.up))
      #expect(seeds.furtherSeeds == max(0, needed - known.d.count))
      #expect(seeds.isDistinguished == (known.half[index] < abs(known.mean)))
    }
  }

  @Test func saysWhatMayBeSaid() throws {
    func verdict(_ d: [Double], looks: Int = 1) throws -> String {
      try #require(SeedComparison(differences: d, looks: looks)).verdict()
    }
    #expect(
      try verdict([1.0, 0.5, 1.5, 0.75, 1.25])
        == "B better by 1.0 ± 0.5 points (5 seeds, paired t 95 %), sign-flip p .06")
    #expect(
      try verdict([-3, -1, -2.4, -0.6])
        == "A and B not distinguishable: B - A = -1.8 ± 1.8 points (4 seeds, paired t 95 %), "
        + "sign-flip p .12; about 2 more seeds for 80 % power")
    #expect(
      try verdict([-3, -1.2, -2.4, -0.8])
        == "A better by 1.8 ± 1.6 points (4 seeds, paired t 95 %), sign-flip p .12; "
        + "about 1 more seed for 80 % power")
    #expect(
      try verdict([1.0, 0.5, 1.5, 0.75, 1.25], looks: 20).hasPrefix(
        "A and B not distinguishable: B - A = 1.0 ± 1.2 points (5 seeds, paired t 99.75 % for each "
          + "of 20 looks), sign-flip p .06"))
    #expect(try verdict([1e-4, -1]).contains("A and B not distinguishable: B - A = -0.5 ± 6.4"))
    #expect(try verdict([1, -0.99]).hasSuffix("; more than 10000 seeds for 80 % power"))
    #expect(try verdict([1, -1]).hasSuffix("; more than 10000 seeds for 80 % power"))
  }

  /// Equal differences have no spread: nothing is claimed from a width of 0.
  @Test func equalDifferencesHaveNoInterval() throws {
    let equal = try #require(
      SeedComparison(first: [90.1, 91.1, 92.3], second: [91.2, 92.2, 93.4]))
    #expect(equal.sd == 0 && equal.interval == nil && equal.p == nil && equal.furtherSeeds == nil)
    #expect(equal.signFlip == 0.25 && !equal.isDistinguished)
    #expect(
      equal.verdict(unit: "%")
        == "B better by 1.1 % in each of 3 seeds, sign-flip p .25; no t test without a spread")
    let none = try #require(SeedComparison(differences: [0, 0]))
    #expect(none.signFlip == 1 && none.p == nil)
    #expect(none.verdict() == "A and B do not differ in any of 2 seeds")
  }

  @Test func oneSeedSpeaksOfTwoNetworks() throws {
    let one = try #require(SeedComparison(differences: [2.5]))
    #expect(one.sd == nil && one.halfWidth == nil && one.p == nil && one.furtherSeeds == nil)
    #expect(one.signFlip == 1)
    #expect(
      one.verdict()
        == "B - A = 2.5 points, one seed: it speaks of these two networks, not of the losses")
    let pair = try #require(
      PairedAccuracy(
        labels: Array(repeating: 0, count: 40), first: Array(repeating: 1, count: 40),
        second: (0..<40).map { $0 == 0 ? 0 : 1 }))
    #expect(
      one.verdict(first: "sum", second: "max", pair: pair)
        == "max - sum = 2.5 points, one seed: max is right where sum is wrong 1 times, the reverse 0, "
        + "of 40 test samples, McNemar p 1; it speaks of these two networks, not of the losses")
  }

  @Test func refusesWhatIsNoNumber() {
    #expect(SeedComparison(differences: []) == nil)
    #expect(SeedComparison(differences: [1, .nan]) == nil)
    #expect(SeedComparison(differences: [1, .infinity]) == nil)
    #expect(SeedComparison(differences: [1, 2], looks: 0) == nil)
    #expect(SeedComparison(first: [1], second: [1, 2]) == nil)
  }

  /// Ties count; two halves count what all patterns do; many seeds are drawn, and near the normal.
  @Test func signFlipsAreCounted() {
    #expect(SignFlips.p([0.1, 0.2, 0.3]) == 0.25)
    #expect(SignFlips.p([0.3, -0.1, -0.2]) == 1)
    #expect(SignFlips.p([1, 1, 1, 1, -1]) == 12.0 / 32)
    #expect(SignFlips.p(Array(repeating: 0.1, count: 24)) == 0x1p-23)
    let d = (0..<11).map { sin(3 * Double($0)) + 0.3 }
    let seen = abs(d.reduce(0, +)) - 1e-9
    let all = (0..<(1 << 11)).count { pattern in
      abs(d.indices.reduce(0) { $0 + (pattern >> $1 & 1 == 0 ? d[$1] : -d[$1]) }) >= seen
    }
    #expect(SignFlips.p(d) == Double(all) / 2048)
    // 36 of 64 coins: 2 x P(at least 36) = 0.3817.
    let coins = (0..<64).map { $0 < 36 ? 1.0 : -1 }
    #expect(abs(SignFlips.p(coins) - 0.3817) < 0.01)
  }

  @Test func probabilitiesReadAsInJournals() {
    for (p, text) in [
      (0.0625, ".06"), (0.0004, "< .001"), (0, "< .001"), (0.0042, ".004"), (0.0499, ".050"),
      (0.0486, ".049"), (0.5, ".50"), (0.994, ".99"), (0.996, "1"), (1, "1"), (.nan, "unknown"),
    ] { #expect(SeedComparison.text(p: p) == text) }
  }
}

@Suite struct SeedBandTests {
  @Test func raggedCurvesMakeABand() throws {
    let band = SeedBand([[1, 2, 3, nil, 5], [3, 4], [2, nil, .nan, nil, 9]])
    #expect(band.points.map(\.epoch) == [0, 1, 2, 4])
    #expect(band.points.map(\.seeds) == [3, 2, 1, 2])
    #expect(band.points.map(\.median) == [2, 3, 3, 7])
    #expect(band.points.map(\.min) == [1, 2, 3, 5] && band.points.map(\.max) == [3, 4, 3, 9])
    #expect(band.points.map(\.mean) == [2, 3, 3, 7])
    #expect(band.points[0].sd == 1 && band.points[2].sd == nil)
    expectEqual(band.points[3].sd, 8.0.squareRoot())
    #expect(SeedBand([]).points.isEmpty && SeedBand([[], [nil]]).points.isEmpty)
  }
}
