// SPDX-License-Identifier: MIT

/// Ends a lane.
package struct Drop: TrainingCommand {
  package static let forms = [CommandForm(name: "drop", title: "drop the chosen lane")]
  package static let effect = LaneEffect.removes
  package let lane: Int?

  /// - Parameter lane: which goes; those after it move up.
  package init(lane: Int) { self.lane = lane }

  package init?(_ name: String, _ values: [String], lane: Int) {
    guard values.isEmpty else { return nil }
    self.init(lane: lane)
  }

  package var text: String { "drop" }
  package func apply(to trainer: Trainer) throws {
    guard trainer.lanes.count > 1 else { throw CommandError("drop", "the last lane stays") }
    trainer.drop(lane!)
  }
}
