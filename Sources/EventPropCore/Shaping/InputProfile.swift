// SPDX-License-Identifier: MIT

import Foundation

/// The time course of the input for shaping `input`: the number of input spikes of all training
/// samples, low-pass filtered (tau 20 ms) and scaled to mean 1 over the trial. Independent of the
/// batch.
public struct InputProfile: Sendable, Equatable {
  /// One at each edge of a bin, x from 0 to 1; empty without any spike: w = 1.
  public let points: [ShapingPoint]

  /// - Parameters:
  ///   - counts: input spikes in equal bins that cover the trial.
  ///   - duration: trial length T, ms.
  ///   - tau: of the low-pass filter, ms.
  ///
  /// Without any spike the profile is flat (w = 1).
  public init(counts: [Int], duration: Double, tau: Double = 20) {
    guard counts.contains(where: { $0 > 0 }) else {
      points = []
      return
    }
    let bin = duration / Double(counts.count)
    let decay = exp(-bin / tau)
    var level = 0.0
    var levels = [0.0]
    for count in counts {
      level = decay * level + (1 - decay) * Double(count)
      levels.append(level)
    }
    // Trapezoid mean of the piecewise linear curve.
    let mean =
      (levels.reduce(0, +) - (levels[0] + levels[levels.count - 1]) / 2) / Double(counts.count)
    points = levels.enumerated().map { index, level in
      ShapingPoint(x: Double(index) / Double(counts.count), weight: level / mean)
    }
  }

  /// How many bins a trial is cut into.
  public static let bins = 200
}
