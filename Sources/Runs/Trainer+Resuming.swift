// SPDX-License-Identifier: MIT

import SpikeData
import Training
import Foundation

extension Trainer {
  /// Goes to a checkpoint of a run: first gives the lanes the options they had there, by the
  /// commands in the session's log that the checkpoint counts, then reads its weights.
  /// - Throws: `FileError` when log or checkpoint are damaged or do not fit.
  public func resume(_ run: String, at place: Checkpoint.Place) throws {
    let path = (run as NSString).appendingPathComponent("commands.jsonl")
    if FileManager.default.fileExists(atPath: path) {
      let all = try LoggedSession(contentsOf: path).commands
      let count = try Checkpoint.commandCount(place)
      guard all.count >= count else {
        throw FileError(
          path, "has \(all.count) commands, the checkpoint counts \(count): lines are missing")
      }
      for logged in all.prefix(count) {
        seek(epoch: logged.epoch, batch: logged.batch)
        try apply(logged)
        // Given in an epoch, an order counts from the next one on.
        if logged.epoch < place.epoch { epochOrderSeed = orderSeed }
      }
    }
    try Checkpoint.restore(place, into: self)
    // What could be taken back went with the process that remembered it.
    undoSteps = []
    safePlace = nil
  }
}
