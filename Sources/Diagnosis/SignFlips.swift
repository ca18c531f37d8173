// SPDX-License-Identifier: MIT

import EventPropCore

/// The sign-flip permutation test of paired differences: were the two settings alike, each
/// difference would be as likely with the other sign (Fisher, The Design of Experiments, 1935).
public enum SignFlips {
  /// Up to this many differences all patterns are counted.
  public static let exactLimit = 26
  /// Patterns drawn beyond that.
  public static let draws = 1 << 16

  /// The share of all 2^n patterns of signs whose sum is at least as far from 0 as the sum seen:
  /// two-sided p, 2/2^n at the least.
  ///
  /// Exact up to `exactLimit` differences: the patterns of either half are listed and sorted, and
  /// pairs of them counted (meet in the middle). Beyond it, `draws` patterns of a seeded generator,
  /// the one seen counted in: p then has a standard error of at most 0.002.
  /// - Parameter differences: finite.
  public static func p(_ differences: [Double]) -> Double {
    let size = differences.reduce(0) { $0 + abs($1) }
    // Sums that only rounding tells apart are equal.
    let bound = abs(differences.reduce(0, +)) - 1e-12 * size
    guard bound > 0 else { return 1 }
    guard differences.count <= exactLimit else { return drawn(differences, bound) }
    let middle = differences.count / 2
    let first = sums(differences[..<middle])
    let second = sums(differences[middle...])
    var (above, index) = (0.0, second.count)
    for sum in first {
      while index > 0, sum + second[index - 1] >= bound { index -= 1 }
      above += Double(second.count - index)
    }
    // The patterns with all signs turned are as many below -bound.
    return 2 * above / (Double(first.count) * Double(second.count))
  }

  /// Of all patterns of signs, ascending.
  private static func sums(_ differences: ArraySlice<Double>) -> [Double] {
    var sums = [0.0]
    for difference in differences {
      sums = sums.map { $0 + difference } + sums.map { $0 - difference }
    }
    return sums.sorted()
  }

  private static func drawn(_ differences: [Double], _ bound: Double) -> Double {
    var random = Random(seed: 0, "sign-flips", differences.count)
    var found = 1
    differences.withUnsafeBufferPointer { differences in
      for _ in 0..<draws {
        var sum = 0.0
        var bits: UInt64 = 0
        var index = 0
        while index < differences.count {
          if index & 63 == 0 { bits = random.next() }
          sum += bits & 1 == 0 ? differences[index] : -differences[index]
          bits >>= 1
          index += 1
        }
        if abs(sum) >= bound { found += 1 }
      }
    }
    return Double(found) / Double(draws + 1)
  }
}
