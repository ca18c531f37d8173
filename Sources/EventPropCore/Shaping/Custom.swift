// SPDX-License-Identifier: MIT

/// Piecewise linear through points of ascending x, constant beyond the first and the last.
public struct CustomShaping: ShapingCurve {
  /// `loss.shaping = "custom"`.
  public static let kind = "custom"
  /// `loss.points`, a list of [x, weight].
  public static let keys = [ShapingKey.points("points")]
  /// There are no standard points that it could come with.
  public static let isInTurn = false
  /// Two points or more; `custom` alone: the workbench begins with the corners there are.
  public static let usage = "custom [X:WEIGHT X:WEIGHT ...]"
  /// Presets see to x in 0...1 before, with words of their own.
  public static let allowed = "allowed are two or more [x, weight] with ascending x"

  /// By ascending x.
  public let points: [ShapingPoint]

  /// Not checked: x must ascend, within 0...1.
  public init(points: [ShapingPoint]) { self.points = points }

  /// From `x:weight` each.
  public init?(words: [String]) {
    let points = words.compactMap { word -> ShapingPoint? in
      let pair = word.split(separator: ":").compactMap { Double($0) }
      guard pair.count == 2, (0...1).contains(pair[0]), pair[1].isFinite else { return nil }
      return ShapingPoint(x: pair[0], weight: pair[1])
    }
    guard points.count == words.count, points.count >= 2,
      zip(points, points.dropFirst()).allSatisfy({ $0.x < $1.x })
    else { return nil }
    self.points = points
  }

  /// `x:weight` for each point.
  public var words: [String] { points.map { "\($0.x):\($0.weight)" } }
  /// The x of every point, the first and the last included.
  public var kinks: [Double] { points.map(\.x) }

  /// Linear between the points, constant beyond the first and the last; 1 without any.
  public func weight(at x: Double) -> Double { points.weight(at: x) }
}

/// A corner of a piecewise linear w(t): x = t/T in 0...1 and the weight there.
public struct ShapingPoint: Sendable, Equatable {
  /// t/T, 0...1.
  public var x: Double
  /// w at `x`; any finite number.
  public var weight: Double

  /// Not checked: `x` must lie in 0...1.
  public init(x: Double, weight: Double) {
    self.x = x
    self.weight = weight
  }
}

extension [ShapingPoint] {
  /// Linear between the points, constant beyond the first and the last; 1 without any.
  func weight(at x: Double) -> Double {
    guard let first, let last else { return 1 }
    if x <= first.x { return first.weight }
    if x >= last.x { return last.weight }
    let right = partitioningIndex { $0.x > x }
    let (p, q) = (self[right - 1], self[right])
    return p.weight + (q.weight - p.weight) * (x - p.x) / (q.x - p.x)
  }
}

extension Shaping {
  /// By ascending x in 0...1; not checked.
  public static func custom(_ points: [ShapingPoint]) -> Shaping {
    Shaping(CustomShaping(points: points))
  }
}
