// SPDX-License-Identifier: MIT

/// Another base learning rate for one lane.
public struct SetRate: TrainingCommand {
  public static let forms = [
    CommandForm(
      name: "rate", title: "learning rate of the chosen lane",
      usage: "a number from 0 to 1000, as 5e-3")
  ]
  public static let effect = LaneEffect.changes
  public let lane: Int?
  /// Base learning rate, before any schedule.
  public let rate: Double

  /// - Parameter rate: 0...1000.
  public init(lane: Int, _ rate: Double) {
    (self.lane, self.rate) = (lane, rate)
  }

  public init?(_ name: String, _ values: [String], lane: Int) {
    guard values.count == 1, let rate = Double(values[0]), (0...1000).contains(rate) else {
      return nil
    }
    self.init(lane: lane, rate)
  }

  public var text: String { "rate \(rate)" }
  public func apply(to trainer: Trainer) { trainer.lanes[lane!].options.optimiser.rate = rate }
}
