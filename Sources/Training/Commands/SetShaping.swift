// SPDX-License-Identifier: MIT

import EventPropCore

/// Another weighting of one lane's loss in time.
public struct SetShaping: TrainingCommand {
  public static let forms = [
    CommandForm(
      name: "shaping", title: "shaping of the chosen lane's loss",
      usage: ShapingTable.all.map { $0.usage }.joined(separator: ", "), words: ShapingTable.kinds)
  ]
  public static let effect = LaneEffect.changes
  public let lane: Int?
  /// w(t).
  public let shaping: Shaping

  /// - Parameter shaping: for the whole loss integral.
  public init(lane: Int, _ shaping: Shaping) {
    (self.lane, self.shaping) = (lane, shaping)
  }

  public init?(_ name: String, _ values: [String], lane: Int) {
    guard let shaping = Shaping(words: values) else { return nil }
    self.init(lane: lane, shaping)
  }

  public var text: String { "shaping \(shaping.words)" }
  public func apply(to trainer: Trainer) throws {
    try trainer.change(lane!) { $0.shaping = shaping }
  }
}
