// SPDX-License-Identifier: MIT

/// Another base learning rate for one lane.
package struct SetRate: TrainingCommand {
  package static let forms = [
    CommandForm(
      name: "rate", title: "learning rate of the chosen lane",
      usage: "a number from 0 to 1000, as 5e-3")
  ]
  package static let effect = LaneEffect.changes
  package let lane: Int?
  /// Base learning rate, before any schedule.
  package let rate: Double

  /// - Parameter rate: 0...1000.
  package init(lane: Int, _ rate: Double) {
    (self.lane, self.rate) = (lane, rate)
  }

  package init?(_ name: String, _ values: [String], lane: Int) {
    guard values.count == 1, let rate = Double(values[0]), (0...1000).contains(rate) else {
      return nil
    }
    self.init(lane: lane, rate)
  }

  package var text: String { "rate \(rate)" }
  package func apply(to trainer: Trainer) { trainer.lanes[lane!].options.optimiser.rate = rate }
}
