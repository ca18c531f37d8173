// SPDX-License-Identifier: MIT

/// Takes back the last command that changed a lane.
public struct Undo: TrainingCommand {
  public static let forms = [
    CommandForm(name: "undo", title: "take back the last command that changed a lane")
  ]
  public static let effect = LaneEffect.none
  public var lane: Int? { nil }

  /// What it takes back is the trainer's to know.
  public init() {}

  public init?(_ name: String, _ values: [String], lane: Int) {
    guard values.isEmpty else { return nil }
  }

  public var text: String { "undo" }
  public func apply(to trainer: Trainer) throws { try trainer.undo() }
}
