// SPDX-License-Identifier: MIT

import Experiments

/// A lane's weights and options at some moment: enough to look at it again. A constant.
public final class KeptLane: Sendable, Equatable {
  let options: LaneOptions
  /// In the order of `Network.projections`.
  package let weights: [NPYArray]

  init(_ options: LaneOptions, _ weights: [NPYArray]) {
    self.options = options
    self.weights = weights
  }

  /// Memory that the weights take.
  public var bytes: Int { weights.reduce(0) { $0 + $1.bytes.count } }

  /// Whether both are the same object; contents are not compared.
  public static func == (a: KeptLane, b: KeptLane) -> Bool { a === b }
}
