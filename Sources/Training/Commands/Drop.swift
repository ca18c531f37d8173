// SPDX-License-Identifier: MIT

/// Ends a lane.
public struct Drop: TrainingCommand {
  public static let forms = [CommandForm(name: "drop", title: "drop the chosen lane")]
  public static let effect = LaneEffect.removes
  public let lane: Int?

  /// - Parameter lane: which goes; those after it move up.
  public init(lane: Int) { self.lane = lane }

  public init?(_ name: String, _ values: [String], lane: Int) {
    guard values.isEmpty else { return nil }
    self.init(lane: lane)
  }

  public var text: String { "drop" }
  public func apply(to trainer: Trainer) throws {
    guard trainer.lanes.count > 1 else { throw CommandError("drop", "the last lane stays") }
    trainer.drop(lane!)
  }
}
