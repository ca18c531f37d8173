// SPDX-License-Identifier: MIT

import Experiments
import EventPropCore

/// Other strengths of rate regularisation, for all hidden layers of a lane.
package struct SetRegularisation: TrainingCommand {
  package static let forms = [
    CommandForm(
      name: "regularisation", title: "rate regularisation of the chosen lane",
      usage: "two numbers, upwards and downwards, as 1e-9 1e-9")
  ]
  package static let effect = LaneEffect.changes
  package let lane: Int?
  /// lambda of neurons above the upper bound.
  package let upper: Double
  /// lambda of neurons below the lower bound.
  package let lower: Double

  /// - Parameters:
  ///   - upper: 0 or more.
  ///   - lower: 0 or more.
  package init(lane: Int, upper: Double, lower: Double) {
    (self.lane, self.upper, self.lower) = (lane, upper, lower)
  }

  package init?(_ name: String, _ values: [String], lane: Int) {
    let numbers = values.compactMap(Double.init)
    guard values.count == 2, numbers.count == 2, numbers.allSatisfy({ $0 >= 0 && $0.isFinite })
    else { return nil }
    self.init(lane: lane, upper: numbers[0], lower: numbers[1])
  }

  package var text: String { "regularisation \(upper) \(lower)" }
  package func apply(to trainer: Trainer) throws {
    try trainer.change(lane!) { $0.setRegularisation(upper: upper, lower: lower) }
  }
}

extension LaneOptions {
  /// Strength of rate regularisation in every hidden layer; bounds stay (14 where there were none).
  fileprivate mutating func setRegularisation(upper: Double, lower: Double) {
    for index in hidden.indices {
      var rate =
        hidden[index].rate
        ?? RateRegularisation(upper: 14, lower: 14, lambdaUpper: 0, lambdaLower: 0)
      rate.lambdaUpper = upper
      rate.lambdaLower = lower
      hidden[index].rate = rate
    }
  }
}
