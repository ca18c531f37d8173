import Foundation

/// The weight w(t) of the integral losses, as a function of x = t/T.
///
/// To add one: a case here with its name, its formula in `weight(at:)`, and its kinks, if any.
public enum Shaping: Sendable, Equatable {
  /// w = 1.
  case none
  /// w = 1 - x.
  case linear
  /// w = exp(-x/scale); scale 1 is the best of Nowotny, Turner & Knight ("sum_weigh_exp").
  case exponential(scale: Double)
  /// w = 1/(1 + exp((x - 0.5)/0.2)).
  case sigmoid
  /// Follows the low-pass filtered input of the training samples; see `InputProfile`.
  case input(InputProfile)
  /// Piecewise linear through points of ascending x, constant beyond the first and the last.
  case custom([ShapingPoint])

  public static let kinds = ["none", "linear", "exponential", "sigmoid", "input", "custom"]

  public var kind: String {
    switch self {
    case .none: "none"
    case .linear: "linear"
    case .exponential: "exponential"
    case .sigmoid: "sigmoid"
    case .input: "input"
    case .custom: "custom"
    }
  }

  /// w at x in 0...1.
  public func weight(at x: Double) -> Double {
    switch self {
    case .none: 1
    case .linear: 1 - x
    case .exponential(let scale): exp(-x / scale)
    case .sigmoid: 1 / (1 + exp((x - 0.5) / 0.2))
    case .input(let profile): Shaping.interpolate(profile.points, x)
    case .custom(let points): Shaping.interpolate(points, x)
    }
  }

  /// The ascending x at which w is not smooth; quadrature panels end there.
  var kinks: [Double] {
    switch self {
    case .input(let profile): profile.points.map(\.x)
    case .custom(let points): points.map(\.x)
    default: []
    }
  }

  private static func interpolate(_ points: [ShapingPoint], _ x: Double) -> Double {
    guard let first = points.first, let last = points.last else { return 1 }
    if x <= first.x { return first.weight }
    if x >= last.x { return last.weight }
    let right = points.partitioningIndex { $0.x > x }
    let (p, q) = (points[right - 1], points[right])
    return p.weight + (q.weight - p.weight) * (x - p.x) / (q.x - p.x)
  }
}

/// A corner of a piecewise linear w(t): x = t/T in 0...1 and the weight there.
public struct ShapingPoint: Sendable, Equatable {
  public var x: Double
  public var weight: Double

  public init(x: Double, weight: Double) {
    self.x = x
    self.weight = weight
  }
}
