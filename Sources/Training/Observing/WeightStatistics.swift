// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation

/// One weight matrix as it is now, beside what it was at the start.
public struct WeightStatistics: Sendable, Equatable {
  /// As in files: `input-hidden1`.
  public var name: String
  /// Weights in equal bins over `range`.
  public var counts: [Int]
  /// The same bins for the initial weights.
  public var initialCounts: [Int]
  /// From the least to the largest weight of now and of the start.
  public var range: ClosedRange<Double>
  /// Over the weights of now.
  public var mean: Double
  /// Over the weights of now.
  public var sd: Double
  /// |w - w at the start| / |w at the start|, L2; nil where that is 0.
  public var drift: Double?
  /// |dw| / |w| of the last observed update, L2; nil: none observed yet.
  public var updateRatio: Double?

  /// - Parameters:
  ///   - now: row by row; `start` likewise.
  ///   - bins: of the histograms.
  public init(
    name: String, now: [Double], start: [Double], updateRatio: Double?, bins: Int = 40
  ) {
    self.name = name
    self.updateRatio = updateRatio
    let all = (now + start).filter(\.isFinite)
    let (low, high) = (all.min() ?? 0, all.max() ?? 0)
    range = low...max(high, low)
    func histogram(_ values: [Double]) -> [Int] {
      var counts = Array(repeating: 0, count: bins)
      let width = (high - low) / Double(bins)
      for value in values where value.isFinite {
        counts[width > 0 ? min(bins - 1, Int((value - low) / width)) : 0] += 1
      }
      return counts
    }
    counts = histogram(now)
    initialCounts = histogram(start)
    let count = Double(max(now.count, 1))
    let mean = now.reduce(0, +) / count
    self.mean = mean
    sd = (now.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
    let base = start.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let moved = zip(now, start).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    drift = base > 0 ? moved / base : nil
  }
}

extension SolverLane {
  package func weightStatistics() -> [WeightStatistics] {
    let start = options.beginning(network, seed: seed, as: Scalar.self)
    return network.parameterNames.enumerated().map { index, name in
      WeightStatistics(
        name: name, now: weights.arrays[index].doubles,
        start: start.arrays[index].doubles,
        updateRatio: diagnosis.updateRatios.indices.contains(index)
          ? diagnosis.updateRatios[index] : nil)
    }
  }
}
