// SPDX-License-Identifier: MIT

import Foundation

/// Two settings, trained with the same seeds: whether one is better, by how much, and how many more
/// seeds would tell.
///
/// Differences are taken seed by seed, which share weights at the start and order of batches. Where
/// `±` stands, it is the half width of the interval of the mean at the level that is said.
public struct SeedComparison: Sendable, Equatable {
  /// Second minus first, one for each seed; points (hundredths) where accuracies are compared.
  public var differences: [Double]
  /// How often one looks, this time included: after every seed of a plan of five, 5. Alpha is
  /// divided by it (Bonferroni), in the interval, in the verdict and in the power.
  public var looks: Int

  /// Of one look at 95 %.
  public static let alpha = 0.05
  /// What further seeds are counted for.
  public static let power = 0.8
  /// More seeds than this are not counted.
  public static let mostSeeds = 10_000

  /// - Parameters:
  ///   - differences: second minus first, by seed.
  ///   - looks: 1 or more.
  ///
  /// nil without differences, where one is not finite, and without looks.
  public init?(differences: [Double], looks: Int = 1) {
    guard !differences.isEmpty, differences.allSatisfy(\.isFinite), looks >= 1 else { return nil }
    (self.differences, self.looks) = (differences, looks)
  }

  /// - Parameters:
  ///   - first: by seed; `second` likewise, of the same seeds in the same order.
  ///   - looks: 1 or more.
  ///
  /// nil as above, and where there are not as many of both.
  public init?(first: [Double], second: [Double], looks: Int = 1) {
    guard first.count == second.count else { return nil }
    self.init(differences: zip(first, second).map { $1 - $0 }, looks: looks)
  }

  /// Seeds.
  public var seeds: Int { differences.count }
  /// Of the differences.
  public var mean: Double { differences.reduce(0, +) / Double(seeds) }

  /// Standard deviation of the differences, n - 1 in the denominator; nil for one seed, and 0 where
  /// they differ by rounding only.
  public var sd: Double? {
    guard seeds > 1 else { return nil }
    let mean = mean
    let squares = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let sd = (squares / Double(seeds - 1)).squareRoot()
    return sd > 1e-12 * differences.reduce(0, { max($0, abs($1)) }) ? sd : 0
  }

  /// `alpha` of each look.
  public var level: Double { Self.alpha / Double(looks) }

  /// Half width of the interval of the mean by Student's t, at 1 - `level`; nil without a spread.
  public var halfWidth: Double? {
    guard let sd, sd > 0 else { return nil }
    return t.critical(alpha: level) * sd / Double(seeds).squareRoot()
  }

  /// The interval of the mean; nil without a spread.
  public var interval: ClosedRange<Double>? {
    halfWidth.map { mean - $0...mean + $0 }
  }

  /// Two-sided p of the paired t test (Student 1908); nil without a spread.
  public var p: Double? {
    guard let sd, sd > 0 else { return nil }
    return t.twoSided(mean / (sd / Double(seeds).squareRoot()))
  }

  /// Two-sided p of the sign-flip test, which assumes no normal distribution.
  public var signFlip: Double { SignFlips.p(differences) }

  /// Whether the interval leaves 0 out; false without a spread.
  public var isDistinguished: Bool { interval.map { !$0.contains(0) } ?? false }

  /// Seeds to add so that the t test at `level` finds the difference with a probability of `power`,
  /// were the mean and the spread seen so far the true ones: with few seeds a rough guess, and
  /// biased to too few once a difference has been found. By the noncentral t distribution, exact;
  /// 0: there are enough. nil without a spread or a difference, or for more than `mostSeeds`.
  public var furtherSeeds: Int? {
    guard let sd, sd > 0, mean != 0 else { return nil }
    func isEnough(_ seeds: Int) -> Bool {
      StudentT(degrees: Double(seeds - 1)).power(
        shift: abs(mean) / sd * Double(seeds).squareRoot(), alpha: level) >= Self.power
    }
    var (low, high) = (1, 2)
    while !isEnough(high) {
      guard high < Self.mostSeeds else { return nil }
      (low, high) = (high, min(2 * high, Self.mostSeeds))
    }
    while high - low > 1 {
      let middle = (low + high) / 2
      if isEnough(middle) { high = middle } else { low = middle }
    }
    return max(0, high - seeds)
  }

  private var t: StudentT { StudentT(degrees: Double(seeds - 1)) }
}

extension SeedComparison {
  /// What may be said, in one sentence.
  /// - Parameters:
  ///   - first: name of the first setting, as `A`; `second` likewise.
  ///   - unit: of the differences, as `points`.
  ///   - pair: for one seed, its two networks on the same test samples.
  ///   - what: each difference is of one, as `seed` or `fold`.
  public func verdict(
    first: String = "A", second: String = "B", unit: String = "points", pair: PairedAccuracy? = nil,
    of what: String = "seed"
  ) -> String {
    let all = "\(seeds) \(what)s"
    guard let sd else { return oneSeed(first, second, unit, pair, what) }
    let better = mean > 0 ? second : first
    guard sd > 0, let halfWidth else {
      return mean == 0
        ? "\(first) and \(second) do not differ in any of \(all)"
        : "\(better) better by \(Self.number(abs(mean))) \(unit) in each of \(all), "
          + "sign-flip p \(Self.text(p: signFlip)); no t test without a spread"
    }
    let digits = halfWidth < 0.095 ? 2 : 1
    let spread = " ± \(Self.number(halfWidth, digits)) \(unit) "
    let how = "(\(all), paired t \(levelText)), sign-flip p \(Self.text(p: signFlip))"
    let finding =
      isDistinguished
      ? "\(better) better by \(Self.number(abs(mean), digits))"
      : "\(first) and \(second) not distinguishable: \(second) - \(first) = "
        + Self.number(mean, digits)
    return finding + spread + how + more(what)
  }

  private func oneSeed(
    _ first: String, _ second: String, _ unit: String, _ pair: PairedAccuracy?, _ what: String
  ) -> String {
    let finding = "\(second) - \(first) = \(Self.number(mean)) \(unit), one \(what)"
    guard let pair else { return finding + ": it speaks of these two networks, not of the losses" }
    return finding
      + ": \(second) is right where \(first) is wrong \(pair.secondAlone) times, the reverse "
      + "\(pair.firstAlone), of \(pair.samples) test samples, McNemar p \(Self.text(p: pair.p)); it "
      + "speaks of these two networks, not of the losses"
  }

  private var levelText: String {
    String(format: "%.4g %%", 100 * (1 - level))
      + (looks > 1 ? " for each of \(looks) looks" : "")
  }

  private func more(_ what: String) -> String {
    // Of folds there are as many as there are.
    guard what == "seed" else { return "" }
    let wanted = String(format: "for %.0f %% power", 100 * Self.power)
    guard let furtherSeeds else { return "; more than \(Self.mostSeeds) seeds \(wanted)" }
    return furtherSeeds == 0
      ? "" : "; about \(furtherSeeds) more \(furtherSeeds == 1 ? "seed" : "seeds") \(wanted)"
  }

  private static func number(_ value: Double, _ digits: Int = 1) -> String {
    let text = String(format: "%.\(digits)f", value)
    return text.hasPrefix("-") && Double(text) == 0 ? String(text.dropFirst()) : text
  }

  /// A probability in the manner of journals: `.06`, `.049`, `.004`, `< .001`, `1`.
  public static func text(p: Double) -> String {
    guard p.isFinite else { return "unknown" }
    if p < 0.001 { return "< .001" }
    if p >= 0.995 { return "1" }
    // A third digit where two would hide on which side of .05 or .01 it is.
    let digits = p < 0.0105 || (0.045..<0.055).contains(p) ? 3 : 2
    return String(String(format: "%.\(digits)f", p).dropFirst())
  }
}
