// SPDX-License-Identifier: MIT

import Experiments
import SpikeData

/// What the ends of epochs decide: the best weights, and whether to go on.
extension Trainer {
  /// Whether no lane has improved for as long as `training.stop` waits.
  /// - Parameter epoch: finished epochs.
  func isOutOfPatience(at epoch: Int) -> Bool {
    guard let rule = preset.training.stop else { return false }
    return lanes.allSatisfy { epoch - $0.progress.improved.epoch >= rule.patience }
  }

  /// Whether the epoch that ends, validated already, is the last.
  var isLastEpoch: Bool { epoch + 1 >= preset.training.epochs || isOutOfPatience(at: epoch + 1) }

  /// Notes the epoch that ends.
  /// - Parameter validations: per lane; nil where there was none.
  func noteProgress(_ validations: [Evaluation?]) {
    for (lane, validation) in zip(lanes, validations) {
      if preset.training.keepsBest, let validation, validation.loss.isFinite,
        lane.progress.best?.isBeaten(by: validation) ?? true
      {
        lane.progress.best = LaneProgress.Best(
          epoch: epoch + 1, accuracy: validation.accuracy, loss: validation.loss,
          weights: lane.keep().weights)
      }
      guard let rule = preset.training.stop else { continue }
      let value =
        switch rule.metric {
        case .validationAccuracy: validation?.accuracy
        case .validationLoss: validation?.loss
        case .trainAccuracy: Optional(lane.epochTally.accuracy)
        }
      if let value, rule.isImproved(value, on: lane.progress.improved.value) {
        lane.progress.improved = (epoch + 1, value)
      }
    }
  }

  /// Why the training has ended before its last epoch; nil where it has not.
  public var stopReason: String? {
    guard let rule = preset.training.stop, isOutOfPatience(at: epoch) else { return nil }
    let last = lanes.map(\.progress.improved.epoch).max() ?? 0
    return "no \(score.named(rule.metric.rawValue)) improved for \(rule.patience) "
      + "\(rule.patience == 1 ? "epoch" : "epochs"), the last in epoch \(last)"
  }

  /// Batches to the preset's end; 0 where the training has ended before it.
  public var batchesLeft: Int {
    isFinished
      ? 0 : (preset.training.epochs - epoch) * batchesPerEpoch - batchInEpoch
  }

  /// Runs a data set forward through the best weights of a lane; nil: none are known.
  package func evaluateBest(lane index: Int, _ data: SpikeDataSet) throws -> Evaluation? {
    let lane = lanes[index]
    guard let best = lane.progress.best else { return nil }
    let present = lane.keep()
    try lane.take(best.weights)
    defer { try? lane.take(present) }
    return lane.evaluate(data, options: preset.data, pool: pool)
  }
}
