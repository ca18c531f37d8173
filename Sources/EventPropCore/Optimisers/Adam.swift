// SPDX-License-Identifier: MIT

import Foundation

/// Adam (Kingma & Ba 2015).
public struct Adam: Optimiser {
  static let beta1 = OptimiserKey("beta1", standard: 0.9, 0...0.999_999)
  static let beta2 = OptimiserKey("beta2", standard: 0.999, 0...0.999_999_9)
  static let epsilon = OptimiserKey("epsilon", standard: 1e-8, 1e-30...1e30)
  static let moments = ["adam-mean", "adam-square"]

  /// `training.optimiser.kind = "adam"`.
  public static let entry = OptimiserEntry(
    kind: "adam", title: "Adam (Kingma & Ba 2015)", keys: [beta1, beta2, epsilon],
    make: { Adam($0) })

  /// Base learning rate: `Schedule` multiplies it.
  public var rate: Double
  /// Decay of the first moment per update, below 1.
  public var beta1: Double
  /// Decay of the second moment per update, below 1.
  public var beta2: Double
  /// Added to the square root of the bias-corrected second moment.
  public var added: Double

  /// The standard values are those of the paper; none is checked.
  public init(rate: Double, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8) {
    (self.rate, self.beta1, self.beta2, added) = (rate, beta1, beta2, epsilon)
  }

  init(_ parameters: OptimiserParameters) {
    self.init(
      rate: parameters[.rate], beta1: parameters[Self.beta1], beta2: parameters[Self.beta2],
      epsilon: parameters[Self.epsilon])
  }

  /// First and second raw moment, without bias correction.
  public var state: [String] { Self.moments }
  /// `added`.
  public var epsilon: Double? { added }

  /// An `AdamStep`.
  public func step(rate: Double, count: Int) -> any OptimiserStep {
    AdamStep(self, rate: rate, count: count)
  }
}

/// The constants of one update with the bias correction folded in (section 2 of the paper):
/// rate' = rate sqrt(1 - b2^t)/(1 - b1^t), epsilon' = epsilon sqrt(1 - b2^t).
public struct AdamStep: OptimiserStep {
  /// rate', which multiplies the first moment as it is stored.
  public var rate: Double
  /// That of the optimiser.
  public var beta1: Double
  /// That of the optimiser.
  public var beta2: Double
  /// epsilon', added to the square root of the second moment as it is stored.
  public var epsilon: Double

  /// - Parameter count: number of this update, 1 for the first.
  public init(_ adam: Adam, rate: Double, count: Int) {
    let root = (1 - pow(adam.beta2, Double(count))).squareRoot()
    self.rate = rate * root / (1 - pow(adam.beta1, Double(count)))
    beta1 = adam.beta1
    beta2 = adam.beta2
    epsilon = adam.added * root
  }

  /// By the kernel `ep_adam`.
  public func update(_ part: UpdatePart<Float>) { apply(to: part) }
  /// By the same formula in Double.
  public func update(_ part: UpdatePart<Double>) { apply(to: part) }

  private func apply<Scalar>(to part: UpdatePart<Scalar>) {
    Scalar.adam(
      part.weights, mean: part.state(0), square: part.state(1), gradient: part.gradient,
      gain: part.gain, step: self, width: part.width)
  }
}
