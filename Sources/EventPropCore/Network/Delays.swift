// SPDX-License-Identifier: MIT

/// Delays of a projection: a spike of i that is sent at t reaches j at t + d_ij (Meszaros, Knight &
/// Nowotny, Nature Communications 2025; Goeltz et al., DelGrad, Nature Communications 2025). What
/// would arrive at T or later does not. The values are in `Parameters`.
public struct Delays: Sendable, Equatable {
  /// What has a delay of its own.
  public enum Form: String, Sendable, Equatable, CaseIterable {
    /// Each synapse.
    case synaptic
    /// Each neuron that sends: all its spikes are late by the same.
    case axonal
    /// Each neuron that receives.
    case dendritic
  }

  /// What has a delay of its own.
  public var form: Form
  /// How they begin, within what bounds (from 0 on, ms) they stay, and how they are trained.
  public var learning: Learning

  /// The longest that there can be, ms.
  public var longest: Double { learning.range.upperBound }

  /// - Parameter longest: ms, above 0.
  public init(
    _ form: Form = .synaptic, longest: Double, initial: Distribution = .uniform(0, 0),
    rate: Double? = nil
  ) {
    self.form = form
    learning = Learning(rate: rate, range: 0...longest, initial: initial)
  }

  /// Rows and columns of their matrix, for a projection of `pre x post`.
  public func shape(_ pre: Int, _ post: Int) -> (rows: Int, columns: Int) {
    switch form {
    case .synaptic: (pre, post)
    case .axonal: (pre, 1)
    case .dendritic: (1, post)
    }
  }
}

/// The delays of one projection during a pass.
struct DelayTable {
  private let base: UnsafeMutablePointer<Double>
  private let rowStride: Int
  private let columnStride: Int

  init(_ matrix: Matrix<Double>, _ form: Delays.Form) {
    base = matrix.base
    rowStride = form == .dendritic ? 0 : matrix.stride
    columnStride = form == .axonal ? 0 : 1
  }

  /// Where the delay from i to j is.
  @inline(__always)
  func place(_ i: Int, _ j: Int) -> UnsafeMutablePointer<Double> {
    base + i * rowStride + j * columnStride
  }

  @inline(__always)
  subscript(i: Int, j: Int) -> Double { place(i, j).pointee }
}
