// SPDX-License-Identifier: MIT

import EventPropCore

/// Another weighting of one lane's loss in time.
package struct SetShaping: TrainingCommand {
  package static let forms = [
    CommandForm(
      name: "shaping", title: "shaping of the chosen lane's loss",
      usage: ShapingTable.all.map { $0.usage }.joined(separator: ", "), words: ShapingTable.kinds)
  ]
  package static let effect = LaneEffect.changes
  package let lane: Int?
  /// w(t).
  package let shaping: Shaping

  /// - Parameter shaping: for the whole loss integral.
  package init(lane: Int, _ shaping: Shaping) {
    (self.lane, self.shaping) = (lane, shaping)
  }

  package init?(_ name: String, _ values: [String], lane: Int) {
    guard let shaping = Shaping(words: values) else { return nil }
    self.init(lane: lane, shaping)
  }

  package var text: String { "shaping \(shaping.words)" }
  package func apply(to trainer: Trainer) throws {
    try trainer.change(lane!) { $0.shaping = shaping.within($0.shaping.window) }
  }
}
