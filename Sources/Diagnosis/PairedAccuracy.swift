// SPDX-License-Identifier: MIT

import Foundation

/// Two networks on the same test samples: where one is right and the other wrong (McNemar 1947). It
/// speaks of these two networks, not of the losses or settings they were trained with: those differ
/// from seed to seed too.
public struct PairedAccuracy: Sendable, Equatable {
  /// Test samples that both networks answered; above 0.
  public var samples: Int
  /// Right where the other is wrong.
  public var firstAlone = 0
  /// Wrong in the first network, right in the second.
  public var secondAlone = 0

  /// - Parameters:
  ///   - first: predicted class per sample; `second` likewise, of the other network.
  ///
  /// nil without samples, or where the networks were not tested on the same ones.
  public init?(labels: [Int], first: [Int], second: [Int]) {
    guard !labels.isEmpty, first.count == labels.count, second.count == labels.count else {
      return nil
    }
    samples = labels.count
    for (label, (a, b)) in zip(labels, zip(first, second)) where (a == label) != (b == label) {
      if a == label { firstAlone += 1 } else { secondAlone += 1 }
    }
  }

  /// Accuracy of the second minus that of the first, in points (hundredths).
  public var points: Double { 100 * Double(secondAlone - firstAlone) / Double(samples) }

  /// Standard error of `points` over draws of test samples.
  public var standardError: Double {
    let (n, all) = (Double(samples), Double(firstAlone + secondAlone))
    let difference = Double(secondAlone - firstAlone)
    return 100 * max(all - difference * difference / n, 0).squareRoot() / n
  }

  /// McNemar's exact test: how likely a split at least as uneven is if both were equally good.
  /// Two-sided binomial.
  public var p: Double {
    let all = firstAlone + secondAlone
    let fewer = min(firstAlone, secondAlone)
    guard all > 0 else { return 1 }
    let whole = lgamma(Double(all + 1)) - Double(all) * log(2)
    var tail = 0.0
    for k in 0...fewer {
      tail += exp(whole - lgamma(Double(k + 1)) - lgamma(Double(all - k + 1)))
    }
    return min(1, 2 * tail)
  }
}
