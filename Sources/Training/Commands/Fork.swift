// SPDX-License-Identifier: MIT

import EventPropCore

/// Copies a lane (weights, optimiser state); the copy goes on with the same or another loss.
package struct Fork: TrainingCommand {
  package static let forms = [
    CommandForm(
      name: "fork", title: "copy the chosen lane, with another loss",
      oneOf: LossTable.all.map(\.kind))
  ]
  package static let effect = LaneEffect.adds
  package let lane: Int?
  /// The copy's loss.
  package let kind: String

  /// - Parameter kind: of `LossTable`; the lane's own copies it as it is.
  package init(lane: Int, kind: String) {
    (self.lane, self.kind) = (lane, kind)
  }

  package init?(_ name: String, _ values: [String], lane: Int) {
    guard values.count == 1 else { return nil }
    self.init(lane: lane, kind: values[0])
  }

  package var text: String { "fork \(kind)" }
  package func apply(to trainer: Trainer) throws { try trainer.fork(lane!, kind: kind) }
}
