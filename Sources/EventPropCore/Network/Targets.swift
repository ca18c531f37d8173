// SPDX-License-Identifier: MIT

/// What output voltages are to follow: series Y_j(t), one set of them for each label.
///
/// Each is linear between points that are evenly spaced over the trial, the first at 0 and the last
/// at T; of one point: constant. A regression data set has one label a sample.
public final class Targets: Sendable {
  /// Series of a label.
  public let outputs: Int
  /// Of each series.
  public let points: Int
  /// Labels x outputs x points.
  public let values: [Double]
  /// Per label: 1/T int 1/2 sum_j (Y_j - mean of Y_j)^2 dt, the means being over the training
  /// samples and all times. What outputs that stay at those means are off by.
  public let spreads: [Double]

  /// - Parameters:
  ///   - values: labels x outputs x points, all finite; not empty.
  ///   - known: the labels that the means are taken over; nil: all.
  public init(outputs: Int, points: Int, values: [Double], known: [Int]? = nil) {
    precondition(outputs > 0 && points > 0 && !values.isEmpty)
    precondition(values.count.isMultiple(of: outputs * points))
    (self.outputs, self.points, self.values) = (outputs, points, values)
    let count = values.count / (outputs * points)
    let spans = points - 1
    // int over a trial, T = 1, of a product of two linear pieces: Simpson's rule is exact.
    func integral(_ series: Int, _ square: (Double) -> Double) -> Double {
      let start = series * points
      guard spans > 0 else { return square(values[start]) }
      return (0..<spans).reduce(0) {
        let (a, b) = (values[start + $1], values[start + $1 + 1])
        return $0 + (square(a) + 4 * square((a + b) / 2) + square(b)) / 6
      } / Double(spans)
    }
    var means = Array(repeating: 0.0, count: outputs)
    let known = known ?? Array(0..<count)
    for label in known {
      for j in 0..<outputs {
        means[j] += integral(label * outputs + j) { $0 } / Double(max(known.count, 1))
      }
    }
    spreads = (0..<count).map { label in
      (0..<outputs).reduce(0) { sum, j in
        sum + integral(label * outputs + j) { ($0 - means[j]) * ($0 - means[j]) } / 2
      }
    }
  }

  /// The output of the label at 1, all others at 0, throughout: what classes become for a loss that
  /// reads targets.
  public static func oneHot(_ classes: Int) -> Targets {
    Targets(
      outputs: classes, points: 1,
      values: (0..<classes).flatMap { label in (0..<classes).map { $0 == label ? 1 : 0 } })
  }

  /// How many labels have series.
  public var count: Int { spreads.count }

  /// Y_j(x T), x in 0...1.
  public func value(label: Int, output j: Int, at x: Double) -> Double {
    let start = (label * outputs + j) * points
    guard points > 1 else { return values[start] }
    let place = x * Double(points - 1)
    let left = min(Int(place), points - 2)
    let share = place - Double(left)
    return (1 - share) * values[start + left] + share * values[start + left + 1]
  }

  /// V - Y in place of V.
  package func subtract(label: Int, at x: Double, from voltages: UnsafeMutableBufferPointer<Double>)
  {
    for j in voltages.indices { voltages[j] -= value(label: label, output: j, at: x) }
  }

  /// The x = t/T between 0 and 1 at which the series are not smooth.
  var kinks: [Double] { (1..<max(points - 1, 1)).map { Double($0) / Double(points - 1) } }
}

/// How far a trial's output voltages were from their targets: 1/T int 1/2 sum_j (V_j - Y_j)^2 dt,
/// unshaped, and `Targets.spreads` of its label. R^2 of many trials is 1 - errors/spreads.
public struct Fit: Sendable, Equatable {
  /// Sum over outputs, mean over time.
  public var error: Double
  /// The same of outputs that stay at the mean of all targets.
  public var spread: Double

  /// Of one trial, or the sums of many.
  public init(error: Double, spread: Double) { (self.error, self.spread) = (error, spread) }

  /// Adds up trials.
  public static func + (a: Fit, b: Fit) -> Fit {
    Fit(error: a.error + b.error, spread: a.spread + b.spread)
  }

  /// The share of the targets' variance that the outputs explain: 1 at best, below 0 where they are
  /// worse than the mean. 0 where the targets do not vary.
  public var explained: Double { spread > 0 ? 1 - error / spread : 0 }
}
