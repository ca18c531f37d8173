// SPDX-License-Identifier: MIT

import Foundation

/// A growing curve in bounded memory: when full, neighbours are averaged in pairs, so that the
/// whole history stays visible at half the resolution.
public struct BoundedSeries: Sendable, Equatable {
  /// Ascending x; y is the mean over the values that were put there.
  public private(set) var xs: [Double] = []
  /// As many as `xs`.
  public private(set) var ys: [Double] = []
  /// Points at the most; even.
  public let capacity: Int
  /// Values that make up one point.
  private var stride = 1
  private var pending = 0.0
  private var pendingCount = 0

  /// - Parameter capacity: an even number of points at the most.
  public init(capacity: Int = 1024) {
    precondition(capacity >= 2 && capacity % 2 == 0)
    self.capacity = capacity
  }

  /// Points, each of which may stand for several values.
  public var count: Int { xs.count }
  /// y of the last point; nil while there is none.
  public var last: Double? { ys.last }

  /// x must not descend. Once halved, a point appears when all values that make it up have come.
  public mutating func append(x: Double, _ y: Double) {
    pending += y
    pendingCount += 1
    guard pendingCount == stride else { return }
    if xs.count == capacity { halve() }
    xs.append(x)
    ys.append(pending / Double(pendingCount))
    pending = 0
    pendingCount = 0
  }

  /// Takes back what came after some x.
  public mutating func forget(after x: Double) {
    while let last = xs.last, last > x {
      xs.removeLast()
      ys.removeLast()
    }
    pending = 0
    pendingCount = 0
  }

  private mutating func halve() {
    for k in 0..<capacity / 2 {
      xs[k] = xs[2 * k + 1]
      ys[k] = (ys[2 * k] + ys[2 * k + 1]) / 2
    }
    xs.removeLast(capacity / 2)
    ys.removeLast(capacity / 2)
    stride *= 2
  }

  /// Exponential means of the values so far, without a bias to the first ones: each stands for the
  /// `unit`s of x since the one before, and each of those counts `smoothing` to the power of how
  /// many of them it lies back. So points far apart, as those of epochs, are hardly smoothed, and
  /// the first batch after them is one among many.
  /// - Parameters:
  ///   - smoothing: 0 is none, towards 1 more.
  ///   - unit: a distance in x.
  public func smoothed(_ smoothing: Double, per unit: Double) -> [Double] {
    guard smoothing > 0, unit > 0 else { return ys }
    var (sum, weight) = (0.0, 0.0)
    var last = xs.count > 1 ? 2 * xs[0] - xs[1] : 0
    return zip(xs, ys).map { x, y in
      let decay = pow(smoothing, max(x - last, unit) / unit)
      guard y.isFinite else { return y }
      last = x
      let own = (1 - decay) / (1 - smoothing)
      sum = decay * sum + own * y
      weight = decay * weight + own
      return sum / weight
    }
  }
}
