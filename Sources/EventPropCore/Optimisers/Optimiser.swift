// SPDX-License-Identifier: MIT

/// Turns gradients into updates of weights: its constants. What it keeps between updates is in
/// `OptimiserState`.
///
/// To add one: a file like `SGD.swift`, and its line in `OptimiserTable`.
public protocol Optimiser: Sendable, Equatable {
  static var entry: OptimiserEntry { get }
  /// Base learning rate: `Schedule` multiplies it.
  var rate: Double { get set }
  /// One name for each number that it keeps of every weight between updates: the folders in
  /// checkpoints. May be empty, and follows from the constants alone.
  var state: [String] { get }
  /// Added to the root mean square of the gradient, which steps are divided by; nil: they are not
  /// divided, and go with the gradient.
  var epsilon: Double? { get }

  /// - Parameters:
  ///   - rate: of this update, after the schedule.
  ///   - count: number of this update, 1 for the first.
  func step(rate: Double, count: Int) -> any OptimiserStep
}

extension Optimiser {
  /// nil: right where steps go with the gradient.
  public var epsilon: Double? { nil }

  /// The same kind with equal constants.
  public func equals(_ other: any Optimiser) -> Bool { other as? Self == self }
}

/// One update with its constants worked out. Threads apply it to parts of an array at once, in any
/// order: what becomes of a weight may depend on its own numbers alone.
public protocol OptimiserStep: Sendable {
  /// On the grid.
  func update(_ part: UpdatePart<Float>)
  /// On the exact solver.
  func update(_ part: UpdatePart<Double>)
}

/// Some weights of one array, and what is known of them.
public struct UpdatePart<Scalar: NetworkScalar> {
  /// `width` scalars, as are all others; padding, whose gradient is 0, must stay 0.
  public let weights: UnsafeMutablePointer<Scalar>
  /// Of the mean loss over the batch.
  public let gradient: UnsafePointer<Scalar>
  /// The gradient is to be multiplied by it first.
  public let gain: Scalar
  /// A multiple of `Matrix.lanes`.
  public let width: Int
  /// Whether decay applies: not to delays, thresholds and other vectors of neurons.
  public let decays: Bool
  private let kept: OptimiserState<Scalar>
  private let array: Int
  private let offset: Int

  init(
    _ part: GradientPart, gain: Scalar, weights: Parameters<Scalar>,
    gradient: Parameters<Scalar>, _ kept: OptimiserState<Scalar>
  ) {
    (array, offset) = (part.array, part.scalars.lowerBound)
    self.weights = weights.arrays[array].base + offset
    self.gradient = UnsafePointer(gradient.arrays[array].base + offset)
    self.gain = gain
    self.kept = kept
    width = part.scalars.count
    decays = array < weights.matrices.count
  }

  /// What is kept of these weights under the name with this index in `Optimiser.state`; 0 before
  /// the first update.
  public func state(_ index: Int) -> UnsafeMutablePointer<Scalar> {
    kept.arrays[index].arrays[array].base + offset
  }
}

/// What an optimiser keeps of one network between updates.
public final class OptimiserState<Scalar: NetworkScalar> {
  /// As `Optimiser.state` has them.
  public let names: [String]
  /// In the order of `names`.
  public let arrays: [Parameters<Scalar>]
  /// Updates made so far.
  public var count = 0

  /// Before the first update: all 0.
  public init(_ optimiser: any Optimiser, _ network: Network) {
    names = optimiser.state
    arrays = names.map { _ in Parameters(network) }
  }
}

/// One update of a batch's weights, part by part.
public struct OptimiserUpdate<Scalar: NetworkScalar> {
  private let weights, gradient: Parameters<Scalar>
  private let state: OptimiserState<Scalar>
  /// Per array: nil where nothing of it is trained.
  private let steps: [(any OptimiserStep)?]
  /// Per array: what it is held within.
  private let ranges: [ClosedRange<Double>?]

  /// - Parameter step: an update at a base rate; nil: that of the optimiser.
  init(
    weights: Parameters<Scalar>, gradient: Parameters<Scalar>, _ state: OptimiserState<Scalar>,
    _ step: (Double?) -> any OptimiserStep
  ) {
    (self.weights, self.gradient, self.state) = (weights, gradient, state)
    let ofWeights = step(nil)
    let extra = weights.arrays.count - weights.matrices.count
    let learning =
      extra == 0
      ? [] : weights.network.arrays.suffix(extra).map(\.learning)
    steps =
      weights.matrices.map { _ in ofWeights } + learning.map { $0?.rate.map { step($0) } }
    ranges = weights.matrices.map { _ in nil } + learning.map { $0?.range }
  }

  /// - Parameters:
  ///   - gain: multiplies the gradient.
  ///   - limit: every element of the gradient is then limited to this size, in place; 0: it is not.
  public func apply(to part: GradientPart, gain: Scalar, limit: Scalar = 0) {
    guard let step = steps[part.array] else { return }
    if limit > 0 {
      Scalar.limit(
        gradient.arrays[part.array].base + part.scalars.lowerBound, gain: gain, to: limit,
        width: part.scalars.count)
    }
    Scalar.update(
      UpdatePart(
        part, gain: limit > 0 ? 1 : gain, weights: weights, gradient: gradient, state), by: step)
    if let range = ranges[part.array] { weights.arrays[part.array].hold(part.scalars, in: range) }
  }
}
