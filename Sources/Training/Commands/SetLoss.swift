// SPDX-License-Identifier: MIT

import Experiments
import EventPropCore

/// Another loss for one lane.
package struct SetLoss: TrainingCommand {
  package static let forms = [
    CommandForm(name: "loss", title: "loss of the chosen lane", oneOf: LossTable.all.map(\.kind))
  ]
  package static let effect = LaneEffect.changes
  package let lane: Int?
  /// As in presets: `sum`.
  package let kind: String

  /// - Parameter kind: of `LossTable`; an unknown one fails when applied.
  package init(lane: Int, kind: String) {
    (self.lane, self.kind) = (lane, kind)
  }

  package init?(_ name: String, _ values: [String], lane: Int) {
    guard values.count == 1 else { return nil }
    self.init(lane: lane, kind: values[0])
  }

  package var text: String { "loss \(kind)" }
  package func apply(to trainer: Trainer) throws {
    try trainer.change(lane!) { try $0.setLoss(kind) }
  }
}

extension LaneOptions {
  /// Another loss with the preset's parameters; output neurons become LI or LIF as it needs.
  mutating func setLoss(_ kind: String) throws {
    guard let entry = LossTable.entry(kind) else {
      let known = LossTable.all.map(\.kind).joined(separator: ", ")
      throw CommandError("loss", "there is no loss \(kind); allowed are \(known)")
    }
    lossKind = kind
    loss = entry.make(lossParameters)
    output.neuron = entry.readout == .firstSpike ? .lif : .li
    if !entry.isShaped { shaping = Shaping.none.within(shaping.window) }
  }
}
