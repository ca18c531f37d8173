// SPDX-License-Identifier: MIT

import EventPropCore

/// Back to the beginning of the epoch when a batch fails: some lanes have then learned from it and
/// others not, and no such state is to be trained on or kept.
extension Trainer {
  /// All that changes in training, at some place between two batches.
  package struct SafePlace {
    package var epoch: Int
    package var batch: Int
    /// Logged commands that the lanes had taken.
    package var commandCount: Int
    var orderSeed: Int
    var epochOrderSeed: Int
    var nextIdentity: Int
    var skipped: Set<SkippedBatch>
    var lanes: [LaneState]

    /// Memory that the weights take, the optimisers' state included.
    package var bytes: Int { lanes.reduce(0) { $0 + $1.bytes } }
  }

  /// Larger states are not kept: a failed batch then ends the training.
  private static let mostBytes = 512 << 20

  /// Remembers where an epoch begins, or where a resume went on: before the first batch or command
  /// from there.
  package func markSafePlace() {
    guard safePlace == nil, lanes.reduce(0, { $0 + $1.stateBytes }) <= Trainer.mostBytes else {
      return
    }
    safePlace = SafePlace(
      epoch: epoch, batch: batchInEpoch, commandCount: commandCount, orderSeed: orderSeed,
      epochOrderSeed: epochOrderSeed, nextIdentity: nextIdentity,
      skipped: skipped, lanes: lanes.map { LaneState($0) })
  }

  /// Lanes, their settings and the order of batches are as they were at the safe place: commands
  /// given since are lost.
  /// - Returns: false where there is none, and the training is not to be gone on with.
  public func rollBack() throws -> Bool {
    guard let place = safePlace else {
      isBroken = true
      return false
    }
    try goBack(to: place)
    return true
  }

  /// Lanes, their settings and the order of batches are as they were at a place of the same
  /// training.
  package func goBack(to place: SafePlace) throws {
    lanes = try place.lanes.map { try make($0) }
    for lane in lanes { watch(lane) }
    lastTests = lanes.map { _ in nil }
    (commandCount, orderSeed, epochOrderSeed) =
      (place.commandCount, place.orderSeed, place.epochOrderSeed)
    (nextIdentity, skipped) = (place.nextIdentity, place.skipped)
    undoSteps = []
    seek(epoch: place.epoch, batch: place.batch)
  }
}
