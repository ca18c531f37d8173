// SPDX-License-Identifier: MIT

/// Takes back the last command that changed a lane.
package struct Undo: TrainingCommand {
  package static let forms = [
    CommandForm(name: "undo", title: "take back the last command that changed a lane")
  ]
  package static let effect = LaneEffect.none
  package var lane: Int? { nil }

  /// What it takes back is the trainer's to know.
  package init() {}

  package init?(_ name: String, _ values: [String], lane: Int) {
    guard values.isEmpty else { return nil }
  }

  package var text: String { "undo" }
  package func apply(to trainer: Trainer) throws { try trainer.undo() }
}
