// SPDX-License-Identifier: MIT

import Foundation

/// Student's t distribution, and the power of the two-sided t test.
///
/// All of it comes from the regularised incomplete beta function, a continued fraction evaluated by
/// the modified Lentz algorithm (Press et al., Numerical Recipes, 3rd edition, 6.4; identities in
/// Abramowitz & Stegun 26.5 and 26.7). Relative errors are below 1e-10; the tests hold it against
/// scipy.
public struct StudentT: Sendable, Equatable {
  /// Degrees of freedom, above 0.
  public var degrees: Double

  /// - Parameter degrees: above 0; need not be whole.
  public init(degrees: Double) {
    precondition(degrees > 0, "degrees of freedom are above 0")
    self.degrees = degrees
  }

  /// The density at t.
  public func density(_ t: Double) -> Double {
    let half = (degrees + 1) / 2
    let scale: Double = lgamma(half) - lgamma(degrees / 2) - 0.5 * log(degrees * Double.pi)
    return exp(scale - half * log1p(t * t / degrees))
  }

  /// Probability of a value at least as far from 0 as t, on either side.
  public func twoSided(_ t: Double) -> Double {
    guard t.isFinite else { return t.isNaN ? .nan : 0 }
    let square = t * t
    guard square.isFinite else { return 0 }
    return Self.incompleteBeta(
      degrees / (degrees + square), complement: square / (degrees + square), degrees / 2, 0.5)
  }

  /// Probability of a value of at most t.
  public func cumulative(_ t: Double) -> Double {
    t < 0 ? twoSided(t) / 2 : 1 - twoSided(t) / 2
  }

  /// The t > 0 with `twoSided(t) == alpha`: Newton on the logarithms, kept between bounds.
  /// - Parameter alpha: in 0..<1, exclusive of 0; 0.05 gives the quantile of 0.975.
  public func critical(alpha: Double) -> Double {
    precondition(alpha > 0 && alpha < 1, "alpha is between 0 and 1")
    var (low, high) = (0.0, 1.0)
    while twoSided(high) > alpha { (low, high) = (high, 2 * high) }
    var t = (low + high) / 2
    for _ in 0..<200 {
      let p = twoSided(t)
      if p > alpha { low = t } else { high = t }
      // d ln p / d ln t = -2 t f(t) / p
      let slope = -2 * t * density(t) / p
      var next = t * exp((log(alpha) - log(p)) / slope)
      if !(next > low && next < high) { next = (low + high) / 2 }
      if abs(next - t) <= 1e-15 * t { return next }
      t = next
    }
    return t
  }

  /// Probability that the two-sided t test at level alpha rejects.
  ///
  /// The square of a noncentral t is a noncentral F of 1 and `degrees`, whose distribution is a sum
  /// of incomplete betas with Poisson weights (Abramowitz & Stegun 26.6.20): exact, and summed to
  /// 1e-14.
  /// - Parameter shift: the noncentrality, mean over its standard error: d/sd x sqrt(n) of n pairs.
  public func power(shift: Double, alpha: Double) -> Double {
    let t = critical(alpha: alpha)
    let (x, y) = (t * t / (degrees + t * t), degrees / (degrees + t * t))
    // Beyond this much the power hardly changes: it is a lower bound then.
    let half = min(shift * shift / 2, 2e5)
    guard half > 0 else { return alpha }
    let width = 12 * half.squareRoot() + 40
    var missed = 0.0
    for j in Int(max(0, half - width))...Int(half + width) {
      let k = Double(j)
      let weight: Double = exp(k * log(half) - half - lgamma(k + 1))
      missed += weight * Self.incompleteBeta(x, complement: y, k + 0.5, degrees / 2)
    }
    return max(0, 1 - missed)
  }

  /// The regularised incomplete beta function I_x(a, b).
  /// - Parameter complement: 1 - x, without the rounding of the difference.
  static func incompleteBeta(_ x: Double, complement: Double, _ a: Double, _ b: Double) -> Double {
    if x <= 0 { return 0 }
    if complement <= 0 { return 1 }
    let scale: Double = lgamma(a + b) - lgamma(a) - lgamma(b)
    let front: Double = exp(scale + a * log(x) + b * log(complement))
    // The fraction is quick on one side; the other follows from I_x(a, b) = 1 - I_1-x(b, a).
    return x < (a + 1) / (a + b + 2)
      ? front * fraction(x, a, b) / a : 1 - front * fraction(complement, b, a) / b
  }

  private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    let tiny = 1e-300
    func safe(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
    var c = 1.0
    var d = 1 / safe(1 - (a + b) * x / (a + 1))
    var result = d
    for k in 1...10_000 {
      let m = Double(k)
      let place: Double = a + 2 * m
      let even: Double = m * (b - m) * x / ((place - 1) * place)
      d = 1 / safe(1 + even * d)
      c = safe(1 + even / c)
      result *= d * c
      let odd: Double = -(a + m) * (a + b + m) * x / (place * (place + 1))
      d = 1 / safe(1 + odd * d)
      c = safe(1 + odd / c)
      result *= d * c
      if abs(d * c - 1) < 1e-16 { break }
    }
    return result
  }
}
