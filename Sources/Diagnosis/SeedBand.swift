// SPDX-License-Identifier: MIT

/// A curve of several seeds as a band: what is usual at each epoch, and how far they lie apart.
public struct SeedBand: Sendable, Equatable {
  /// One epoch of all seeds that have a value there.
  public struct Point: Sendable, Equatable {
    /// From 0 on.
    public var epoch: Int
    /// How many have a value; 1 or more.
    public var seeds: Int
    /// Of two in the middle their mean.
    public var median: Double
    /// The least value.
    public var min: Double
    /// The largest value.
    public var max: Double
    /// Arithmetic mean.
    public var mean: Double
    /// Standard deviation, n - 1 in the denominator; nil for one seed.
    public var sd: Double?

    /// Of values without an epoch; those that are not finite are left out. nil where none is left.
    public init?(_ values: [Double]) {
      let known = values.filter(\.isFinite)
      guard !known.isEmpty else { return nil }
      self.init(epoch: 0, known)
    }

    /// - Parameter values: finite; not empty.
    init(epoch: Int, _ values: [Double]) {
      let sorted = values.sorted()
      let n = sorted.count
      (self.epoch, seeds) = (epoch, n)
      (min, max) = (sorted[0], sorted[n - 1])
      median = n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2
      let mean = sorted.reduce(0, +) / Double(n)
      self.mean = mean
      sd =
        n < 2
        ? nil
        : (sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n - 1)).squareRoot()
    }
  }

  /// By epoch; those without any value are left out.
  public var points: [Point]

  /// - Parameter curves: of each seed its values by epoch, the index being the epoch. They may end
  ///   at different epochs; what is nil (not evaluated) or not finite (diverged) is left out, which
  ///   `seeds` of the point tells.
  public init(_ curves: [[Double?]]) {
    let length = curves.map(\.count).max() ?? 0
    points = (0..<length).compactMap { epoch in
      let values = curves.compactMap { curve -> Double? in
        guard curve.indices.contains(epoch), let value = curve[epoch], value.isFinite else {
          return nil
        }
        return value
      }
      return values.isEmpty ? nil : Point(epoch: epoch, values)
    }
  }
}
