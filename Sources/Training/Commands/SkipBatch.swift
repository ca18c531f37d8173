// SPDX-License-Identifier: MIT

/// Leaves the next batch out of one lane's training: its weights and its optimiser stay as they
/// are while the other lanes learn from it. What comes after it is the same for all.
package struct SkipBatch: TrainingCommand {
  package static let forms = [
    CommandForm(name: "skip", title: "the chosen lane does not learn from the next batch")
  ]
  package static let effect = LaneEffect.none
  package let lane: Int?

  /// - Parameter lane: its index.
  package init(lane: Int) { self.lane = lane }

  package init?(_ name: String, _ values: [String], lane: Int) {
    guard values.isEmpty else { return nil }
    self.init(lane: lane)
  }

  package var text: String { "skip" }
  package func apply(to trainer: Trainer) throws {
    guard trainer.batchesPerEpoch > 1 else {
      throw CommandError("skip", "an epoch has one batch: without it, it has none")
    }
    guard !trainer.isEpochComplete else {
      throw CommandError("skip", "the epoch has no batch left")
    }
    trainer.skipped.insert(
      SkippedBatch(
        identity: trainer.lanes[lane!].options.identity, epoch: trainer.epoch,
        batch: trainer.batchInEpoch))
  }
}

/// A batch that a lane is not trained on.
struct SkippedBatch: Hashable {
  var identity: Int
  var epoch: Int
  var batch: Int
}

extension Trainer {
  /// Whether a lane is not trained on the next batch.
  func isSkipped(_ lane: any Lane) -> Bool {
    !skipped.isEmpty
      && skipped.contains(
        SkippedBatch(identity: lane.options.identity, epoch: epoch, batch: batchInEpoch))
  }
}
