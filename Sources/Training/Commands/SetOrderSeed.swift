// SPDX-License-Identifier: MIT

/// Draws the order of batches anew from the next epoch on.
package struct SetOrderSeed: TrainingCommand {
  package static let forms = [
    CommandForm(
      name: "order-seed", title: "another order of batches from the next epoch on",
      usage: "a whole number")
  ]
  package static let effect = LaneEffect.none
  package var lane: Int? { nil }
  /// Of the order alone; weights and data keep the preset's.
  package let seed: Int

  /// - Parameter seed: any number.
  package init(_ seed: Int) { self.seed = seed }

  package init?(_ name: String, _ values: [String], lane: Int) {
    guard values.count == 1, let seed = Int(values[0]) else { return nil }
    self.seed = seed
  }

  package var text: String { "order-seed \(seed)" }
  package func apply(to trainer: Trainer) { trainer.orderSeed = seed }
}
