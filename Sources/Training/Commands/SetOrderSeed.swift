// SPDX-License-Identifier: MIT

/// Draws the order of batches anew from the next epoch on.
public struct SetOrderSeed: TrainingCommand {
  public static let forms = [
    CommandForm(
      name: "order-seed", title: "another order of batches from the next epoch on",
      usage: "a whole number")
  ]
  public static let effect = LaneEffect.none
  public var lane: Int? { nil }
  /// Of the order alone; weights and data keep the preset's.
  public let seed: Int

  /// - Parameter seed: any number.
  public init(_ seed: Int) { self.seed = seed }

  public init?(_ name: String, _ values: [String], lane: Int) {
    guard values.count == 1, let seed = Int(values[0]) else { return nil }
    self.seed = seed
  }

  public var text: String { "order-seed \(seed)" }
  public func apply(to trainer: Trainer) { trainer.orderSeed = seed }
}
