// SPDX-License-Identifier: MIT

import Runs
import SpikeData
import Training

/// A border between two batches, and how many of the session's commands had been given there.
public struct PastPlace: Sendable, Equatable {
  /// Finished epochs.
  public var epoch: Int
  /// Finished batches of the epoch after `epoch`.
  public var batch: Int
  /// Commands since the initial weights; nil: all that were given there.
  public var commands: Int?

  /// - Parameter commands: since the initial weights; nil: all that were given there.
  public init(epoch: Int, batch: Int, commands: Int? = nil) {
    (self.epoch, self.batch, self.commands) = (epoch, batch, commands)
  }
}

/// Trains once more what a session has trained, bit by bit: from a state that is kept on, with the
/// session's commands where they were given.
struct Rerun {
  let trainer: Trainer
  private let commands: [LoggedCommand]

  /// - Parameters:
  ///   - trainer: of the same preset and data, at the initial weights.
  ///   - commands: of the session, in order.
  ///   - run: its folder, for checkpoints; nil: none.
  ///   - places: states in memory.
  ///   - border: where to begin at the latest.
  init(
    _ trainer: Trainer, commands: [LoggedCommand], run: String?, places: [Trainer.SafePlace],
    before border: PastPlace
  ) throws {
    self.trainer = trainer
    self.commands = commands
    // What an undo takes back must be trained again too: it begins at the initial weights.
    let end = commands.prefix { ($0.epoch, $0.batch) <= (border.epoch, border.batch) }.count
    func isWhole(after count: Int) -> Bool {
      count <= end && count <= border.commands ?? .max
        && !commands[count..<end].contains { $0.text == Undo().text }
    }
    let kept = places.last {
      ($0.epoch, $0.batch) <= (border.epoch, border.batch) && isWhole(after: $0.commandCount)
    }
    let written = run.flatMap { folder -> Checkpoint.Place? in
      let all = (try? Checkpoint.all(in: folder)) ?? []
      return all.last {
        ($0.epoch, $0.batch) <= (border.epoch, border.batch)
          && ((try? Checkpoint.commandCount($0)).map(isWhole) ?? false)
      }
    }
    if let run, let written,
      kept.map({ ($0.epoch, $0.batch) < (written.epoch, written.batch) }) ?? true
    {
      try trainer.resume(run, at: written)
    } else if let kept {
      try trainer.goBack(to: kept)
    }
  }

  /// The command that is due at this border; nil: a batch is.
  var due: LoggedCommand? {
    guard trainer.commandCount < commands.count else { return nil }
    let next = commands[trainer.commandCount]
    return next.epoch == trainer.epoch && next.batch == trainer.batchInEpoch ? next : nil
  }

  func isAt(_ place: PastPlace) -> Bool {
    guard (trainer.epoch, trainer.batchInEpoch) == (place.epoch, place.batch) else { return false }
    return due == nil || place.commands.map { trainer.commandCount >= $0 } ?? false
  }

  /// One command or one batch nearer to a place.
  /// - Returns: whether it is there.
  func step(to place: PastPlace) throws -> Bool {
    if isAt(place) { return true }
    guard (trainer.epoch, trainer.batchInEpoch) <= (place.epoch, place.batch) else {
      throw FileError("epoch \(place.epoch), batch \(place.batch)", "cannot be gone back to")
    }
    if let due { try trainer.apply(due) } else { _ = try trainer.step() }
    return isAt(place)
  }
}
