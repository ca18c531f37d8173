// SPDX-License-Identifier: MIT

/// Everything a solver needs to know besides weights and samples.
public struct Problem: Sendable {
  public var network: Network
  /// Trial length T, ms.
  public var duration: Double
  /// Step of the grid, ms. The exact solver takes it for `mergesInput` alone.
  public var step: Double
  public var loss: any Loss
  public var shaping: Shaping
  /// At most one input spike per unit and step: further ones are merged into the first.
  public var mergesInput: Bool
  /// How the grid reads output voltages; the exact solver ignores it.
  public var rule: ReadoutRule

  public init(
    network: Network, duration: Double, step: Double, loss: any Loss, shaping: Shaping = .none,
    mergesInput: Bool = false, rule: ReadoutRule = .integrated
  ) {
    self.network = network
    self.duration = duration
    self.step = step
    self.loss = loss
    self.shaping = shaping
    self.mergesInput = mergesInput
    self.rule = rule
  }
}
