// SPDX-License-Identifier: MIT

/// Keeps firing rates between bounds (Nowotny, Turner & Knight 2025). A pseudo-gradient: per spike
/// of neuron j, with S_j its spikes per trial averaged over the batch,
///
///     lV_j -= lambda_upper (S_j - upper)  if S_j > upper
///     lV_j -= lambda_lower (S_j - lower)  if S_j < lower
public struct RateRegularisation: Sendable, Equatable {
  /// Spikes per neuron and trial.
  public var upper: Double
  public var lower: Double
  public var lambdaUpper: Double
  public var lambdaLower: Double

  public init(upper: Double, lower: Double, lambdaUpper: Double, lambdaLower: Double) {
    self.upper = upper
    self.lower = lower
    self.lambdaUpper = lambdaUpper
    self.lambdaLower = lambdaLower
  }

  /// What is added to lV_j at each spike.
  public func push(meanCount: Double) -> Double {
    if meanCount > upper { return -lambdaUpper * (meanCount - upper) }
    if meanCount < lower { return -lambdaLower * (meanCount - lower) }
    return 0
  }
}
