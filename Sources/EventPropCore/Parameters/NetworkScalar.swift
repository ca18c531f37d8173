// SPDX-License-Identifier: MIT

import Foundation
import Kernels

/// The number type of a solver: `Float` on the grid, `Double` event by event.
///
/// The loops that touch every weight once per batch belong to the type, so that `Float` can
/// use the kernels. Widths are multiples of `Matrix.lanes`.
public protocol NetworkScalar: BinaryFloatingPoint, Sendable, LosslessStringConvertible {
  /// Multiplies `width` scalars by `factor`; returns the sum of squares of the results.
  static func scale(_ values: UnsafeMutablePointer<Self>, by factor: Self, width: Int) -> Self

  /// One Adam update of `width` weights, gradient multiplied by `gain` first.
  static func adam(
    _ weights: UnsafeMutablePointer<Self>, mean: UnsafeMutablePointer<Self>,
    square: UnsafeMutablePointer<Self>, gradient: UnsafePointer<Self>, gain: Self,
    step: AdamStep, width: Int)

  /// Multiplies `width` scalars by `gain`, then limits each to -size...size.
  static func limit(
    _ values: UnsafeMutablePointer<Self>, gain: Self, to size: Self, width: Int)

  /// Hands some weights to a step of an optimiser, as what they are.
  static func update(_ part: UpdatePart<Self>, by step: any OptimiserStep)

  /// `sum_k gradient[k] (new[k] - old[k])`, summed in Double.
  static func dot(
    _ gradient: UnsafePointer<Self>, new: UnsafePointer<Self>, old: UnsafePointer<Self>, width: Int
  ) -> Double

  /// Sets `width` scalars to 0.
  static func clear(_ values: UnsafeMutablePointer<Self>, width: Int)

  /// To Double and from it: generic code would convert one scalar in the time of a hundred.
  static func doubles(_ values: [Self]) -> [Double]
  /// Rounded to the type.
  static func values(_ doubles: [Double]) -> [Self]
}

extension Float: NetworkScalar {
  /// By the kernel `ep_scale`: the sum is taken in Float, in 16 lanes.
  public static func scale(_ values: UnsafeMutablePointer<Float>, by factor: Float, width: Int)
    -> Float
  { ep_scale(values, factor, width) }

  /// By the kernel `ep_adam`, with the constants of `step` rounded to Float.
  public static func adam(
    _ weights: UnsafeMutablePointer<Float>, mean: UnsafeMutablePointer<Float>,
    square: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, gain: Float,
    step: AdamStep, width: Int
  ) {
    ep_adam(
      weights, mean, square, gradient, gain, Float(step.rate), Float(step.beta1),
      Float(step.beta2), Float(step.epsilon), width)
  }

  /// By the kernel `ep_limit`.
  public static func limit(
    _ values: UnsafeMutablePointer<Float>, gain: Float, to size: Float, width: Int
  ) { ep_limit(values, gain, size, width) }

  /// As `OptimiserStep` has it for `Float`.
  public static func update(_ part: UpdatePart<Float>, by step: any OptimiserStep) {
    step.update(part)
  }
}

extension Float {
  /// Exactly.
  public static func doubles(_ values: [Float]) -> [Double] { values.map { Double($0) } }
  /// To the nearest.
  public static func values(_ doubles: [Double]) -> [Float] { doubles.map { Float($0) } }

  /// In 16 lanes: `width` must be a multiple of 16. Pointers need no alignment.
  public static func dot(
    _ gradient: UnsafePointer<Float>, new: UnsafePointer<Float>, old: UnsafePointer<Float>,
    width: Int
  ) -> Double {
    // Sixteen lanes, as widths are padded, so that the sum need not wait for itself.
    var sums = SIMD16<Double>.zero
    for k in stride(from: 0, to: width, by: 16) {
      let g = UnsafeRawPointer(gradient + k).loadUnaligned(as: SIMD16<Float>.self)
      let a = UnsafeRawPointer(new + k).loadUnaligned(as: SIMD16<Float>.self)
      let b = UnsafeRawPointer(old + k).loadUnaligned(as: SIMD16<Float>.self)
      sums += SIMD16<Double>(g) * (SIMD16<Double>(a) - SIMD16<Double>(b))
    }
    return sums.sum()
  }

  /// Any width.
  public static func clear(_ values: UnsafeMutablePointer<Float>, width: Int) {
    values.update(repeating: 0, count: width)
  }
}

extension Double {
  /// As they are.
  public static func doubles(_ values: [Double]) -> [Double] { values }
  /// As they are.
  public static func values(_ doubles: [Double]) -> [Double] { doubles }

  /// In order; any width.
  public static func dot(
    _ gradient: UnsafePointer<Double>, new: UnsafePointer<Double>, old: UnsafePointer<Double>,
    width: Int
  ) -> Double {
    var sum = 0.0
    for k in 0..<width { sum += gradient[k] * (new[k] - old[k]) }
    return sum
  }

  /// Any width.
  public static func clear(_ values: UnsafeMutablePointer<Double>, width: Int) {
    values.update(repeating: 0, count: width)
  }
}

extension Double: NetworkScalar {
  /// In order; any width.
  public static func scale(
    _ values: UnsafeMutablePointer<Double>, by factor: Double, width: Int
  ) -> Double {
    var squares = 0.0
    for k in 0..<width {
      values[k] *= factor
      squares += values[k] * values[k]
    }
    return squares
  }

  /// By the kernel `ep_adam_double`.
  public static func adam(
    _ weights: UnsafeMutablePointer<Double>, mean: UnsafeMutablePointer<Double>,
    square: UnsafeMutablePointer<Double>, gradient: UnsafePointer<Double>, gain: Double,
    step: AdamStep, width: Int
  ) {
    ep_adam_double(
      weights, mean, square, gradient, gain, step.rate, step.beta1, step.beta2, step.epsilon,
      width)
  }

  /// Any width.
  public static func limit(
    _ values: UnsafeMutablePointer<Double>, gain: Double, to size: Double, width: Int
  ) {
    for k in 0..<width {
      let value = gain * values[k]
      values[k] = value > size ? size : value < -size ? -size : value
    }
  }

  /// As `OptimiserStep` has it for `Double`.
  public static func update(_ part: UpdatePart<Double>, by step: any OptimiserStep) {
    step.update(part)
  }
}
