// SPDX-License-Identifier: MIT

/// Everything a solver needs to know besides weights and samples.
public struct Problem: Sendable {
  /// Layers and their constants; of those that are trained, the solvers take the values of
  /// `Parameters` instead.
  public var network: Network
  /// Trial length T, ms.
  public var duration: Double
  /// Step of the grid, ms. The exact solver takes it for `mergesInput` alone.
  public var step: Double
  /// Its `readout` must suit the output layer: `.firstSpike` needs spikes, the others voltages
  /// (LI).
  public var loss: any Loss
  /// w(t/T) of the integral losses; `.maximum` and `.firstSpike` do without.
  public var shaping: Shaping
  /// What outputs are to follow, by label, in place of classes (regression); nil: labels are
  /// classes.
  public var targets: Targets?
  /// At most one input spike per unit and step: further ones are merged into the first.
  public var mergesInput: Bool
  /// How the grid reads output voltages; the exact solver ignores it.
  public var rule: ReadoutRule

  /// Checks nothing; what the grid cannot run stops in `GridSolver.init`.
  public init(
    network: Network, duration: Double, step: Double, loss: any Loss, shaping: Shaping = .none,
    targets: Targets? = nil, mergesInput: Bool = false, rule: ReadoutRule = .integrated
  ) {
    self.network = network
    self.duration = duration
    self.step = step
    self.loss = loss
    self.shaping = shaping
    self.targets = targets
    self.mergesInput = mergesInput
    self.rule = rule
  }

  /// What the loss reads, made anew for classes: nil for losses that know classes alone.
  package var lossTargets: Targets? {
    loss.readsTargets ? targets ?? .oneHot(network.output.size) : nil
  }
}
