// SPDX-License-Identifier: MIT

import Foundation

/// Adam (Kingma & Ba 2015): its constants.
public struct AdamOptions: Sendable, Equatable {
  /// Base learning rate: `Schedule` multiplies it.
  public var rate: Double
  /// Decay of the first moment per update, below 1.
  public var beta1: Double
  /// Decay of the second moment per update, below 1.
  public var beta2: Double
  /// Added to the square root of the bias-corrected second moment.
  public var epsilon: Double

  /// The standard values are those of the paper.
  public init(rate: Double, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8) {
    self.rate = rate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
  }
}

/// The constants of one update with the bias correction folded in (section 2 of the paper):
/// rate' = rate sqrt(1 - b2^t)/(1 - b1^t), epsilon' = epsilon sqrt(1 - b2^t).
public struct AdamStep: Sendable {
  /// rate', which multiplies the first moment as it is stored.
  public var rate: Double
  /// That of the options.
  public var beta1: Double
  /// That of the options.
  public var beta2: Double
  /// epsilon', added to the square root of the second moment as it is stored.
  public var epsilon: Double

  /// - Parameter count: number of this update, 1 for the first.
  public init(_ options: AdamOptions, rate: Double, count: Int) {
    let root = (1 - pow(options.beta2, Double(count))).squareRoot()
    self.rate = rate * root / (1 - pow(options.beta1, Double(count)))
    beta1 = options.beta1
    beta2 = options.beta2
    epsilon = options.epsilon * root
  }
}

/// The state of Adam for one network.
public final class Adam<Scalar: NetworkScalar> {
  /// First moment, without bias correction.
  public let mean: Parameters<Scalar>
  /// Second raw moment, without bias correction.
  public let square: Parameters<Scalar>
  /// Updates made so far.
  public var count = 0

  /// Before the first update: moments 0.
  public init(_ network: Network) {
    mean = Parameters(network)
    square = Parameters(network)
  }

  private init(mean: Parameters<Scalar>, square: Parameters<Scalar>, count: Int) {
    self.mean = mean
    self.square = square
    self.count = count
  }

  /// Shares no memory with this one.
  public func copy() -> Adam {
    Adam(mean: mean.copy(), square: square.copy(), count: count)
  }
}

/// One update of weights by Adam, part by part.
public struct AdamUpdate<Scalar: NetworkScalar> {
  private let weights, gradient, mean, square: Parameters<Scalar>
  private let step: AdamStep

  init(
    weights: Parameters<Scalar>, gradient: Parameters<Scalar>, _ adam: Adam<Scalar>,
    _ step: AdamStep
  ) {
    (self.weights, self.gradient) = (weights, gradient)
    (mean, square) = (adam.mean, adam.square)
    self.step = step
  }

  /// - Parameter gain: multiplies the gradient.
  public func apply(to part: GradientPart, gain: Scalar) {
    let (index, offset) = (part.array, part.scalars.lowerBound)
    Scalar.adam(
      weights.arrays[index].base + offset, mean: mean.arrays[index].base + offset,
      square: square.arrays[index].base + offset,
      gradient: gradient.arrays[index].base + offset, gain: gain, step: step,
      width: part.scalars.count)
  }
}
