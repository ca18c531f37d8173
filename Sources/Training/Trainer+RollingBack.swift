// SPDX-License-Identifier: MIT

import EventPropCore

/// Back to the beginning of the epoch when a batch fails: some lanes have then learned from it and
/// others not, and no such state is to be trained on or kept.
extension Trainer {
  /// All that changes in training, at some place between two batches.
  package struct SafePlace {
    var epoch: Int
    var batch: Int
    var commandCount: Int
    var orderSeed: Int
    var epochOrderSeed: Int
    var nextIdentity: Int
    var lanes: [LaneState]
  }

  /// Larger states are not kept: a failed batch then ends the training.
  private static let mostBytes = 512 << 20

  /// Remembers where an epoch begins, or where a resume went on: before the first batch or command
  /// from there.
  func markSafePlace() {
    guard safePlace == nil, lanes.reduce(0, { $0 + $1.stateBytes }) <= Trainer.mostBytes else {
      return
    }
    safePlace = SafePlace(
      epoch: epoch, batch: batchInEpoch, commandCount: commandCount, orderSeed: orderSeed,
      epochOrderSeed: epochOrderSeed, nextIdentity: nextIdentity,
      lanes: lanes.map { LaneState($0) })
  }

  /// Lanes, their settings and the order of batches are as they were at the safe place: commands
  /// given since are lost.
  /// - Returns: false where there is none, and the training is not to be gone on with.
  public func rollBack() throws -> Bool {
    guard let place = safePlace else {
      isBroken = true
      return false
    }
    lanes = try place.lanes.map { try make($0) }
    for lane in lanes { watch(lane) }
    lastTests = lanes.map { _ in nil }
    (commandCount, orderSeed, epochOrderSeed) =
      (place.commandCount, place.orderSeed, place.epochOrderSeed)
    nextIdentity = place.nextIdentity
    undoSteps = []
    seek(epoch: place.epoch, batch: place.batch)
    return true
  }
}
