// SPDX-License-Identifier: MIT

/// Keeps firing rates between bounds (Nowotny, Turner & Knight 2025). A pseudo-gradient: per spike
/// of neuron j, with S_j its spikes per trial averaged over the batch,
///
///     lV_j -= lambda_upper (S_j - upper)  if S_j > upper
///     lV_j -= lambda_lower (S_j - lower)  if S_j < lower
public struct RateRegularisation: Sendable, Equatable {
  /// Spikes per neuron and trial.
  public var upper: Double
  /// Spikes per neuron and trial; at most `upper`.
  public var lower: Double
  /// What a spike takes from lV_j for each mean spike above `upper`; 0: no upper bound.
  public var lambdaUpper: Double
  /// What a spike adds to lV_j for each mean spike missing to `lower`; 0: no lower bound.
  public var lambdaLower: Double

  /// Nothing is checked here; presets see to lower <= upper and strengths from 0 on.
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
