// SPDX-License-Identifier: MIT

import EventPropCore

/// Copies a lane (weights, optimiser state); the copy goes on with the same or another loss.
public struct Fork: TrainingCommand {
  public static let forms = [
    CommandForm(
      name: "fork", title: "copy the chosen lane, with another loss",
      usage: LossTable.all.map(\.kind).joined(separator: ", "), words: LossTable.all.map(\.kind))
  ]
  public static let effect = LaneEffect.adds
  public let lane: Int?
  /// The copy's loss.
  public let kind: String

  /// - Parameter kind: of `LossTable`; the lane's own copies it as it is.
  public init(lane: Int, kind: String) {
    (self.lane, self.kind) = (lane, kind)
  }

  public init?(_ name: String, _ values: [String], lane: Int) {
    guard values.count == 1 else { return nil }
    self.init(lane: lane, kind: values[0])
  }

  public var text: String { "fork \(kind)" }
  public func apply(to trainer: Trainer) throws { try trainer.fork(lane!, kind: kind) }
}
