// SPDX-License-Identifier: MIT

import Training

/// Asks the training to go back to a border, and to go on from there with a fork of a lane beside
/// it.
public struct Rewind: Sendable, Equatable {
  /// Where to.
  public var place: PastPlace
  /// `LaneOptions.identity` of the lane that is forked.
  public var lane: Int
  /// The fork's loss; nil: the same.
  public var loss: String?
  /// A command for the fork, as typed: `rate 1e-3`; empty: none.
  public var change: [String]
  /// The fork does not learn from the batch after the border.
  public var skipsBatch: Bool

  /// - Parameters:
  ///   - lane: by its identity.
  ///   - loss: of the fork; nil: the same.
  ///   - change: a command for it, as typed.
  public init(
    to place: PastPlace, lane: Int, loss: String? = nil, change: [String] = [],
    skipsBatch: Bool = false
  ) {
    (self.place, self.lane, self.loss) = (place, lane, loss)
    (self.change, self.skipsBatch) = (change, skipsBatch)
  }
}

/// What the engine does instead of training on, step by step.
enum PastJob {
  case bisect(Bisection)
  case rewind(Rewind, Rerun)

  /// For the bottom line.
  var progress: String {
    switch self {
    case .bisect(let bisection): return bisection.progress
    case .rewind(let rewind, let rerun):
      let trainer = rerun.trainer
      return
        "going back to epoch \(rewind.place.epoch), batch \(rewind.place.batch): trained again to epoch \(trainer.epoch), batch \(trainer.batchInEpoch)"
    }
  }
}
