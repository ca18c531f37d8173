// SPDX-License-Identifier: MIT

/// What happens to hidden neurons that were silent in a whole epoch, or are woken by hand: they
/// have no gradient and cannot come back by themselves.
public enum SilentPolicy: Sendable, Equatable {
  /// Add a constant to all incoming weights (mlGeNN: 0.002).
  case lift(by: Double)
  /// Draw the incoming weights anew from their initial distribution.
  case redraw

  /// Applies the policy to the chosen neurons of one layer.
  /// - Parameters:
  ///   - neurons: indices of the dead neurons within the layer.
  ///   - population: the layer's population number.
  public func apply<Scalar>(
    to neurons: [Int], of population: Int, in weights: Parameters<Scalar>,
    initial: [InitialWeights], random: inout Random
  ) {
    guard !neurons.isEmpty else { return }
    for (index, projection) in weights.network.projections.enumerated()
    where projection.target == population {
      let matrix = weights.matrices[index]
      for row in 0..<matrix.rows {
        for neuron in neurons {
          switch self {
          case .lift(let step): matrix[row, neuron] += Scalar(step)
          case .redraw:
            matrix[row, neuron] = Scalar(
              initial[index].mean + initial[index].sd * random.normal())
          }
        }
      }
    }
  }
}
