// SPDX-License-Identifier: MIT

import Runs
import SpikeData
import Training
import Experiments
import Runs

/// Repeats a session: trains, and applies every command of a log at the batch border where it was
/// given.
public struct Replay {
  let training: TrainingSession
  private var commands: ArraySlice<LoggedCommand>
  private let end: LoggedSession.Place?

  /// - Parameters:
  ///   - makeTrainer: a trainer with its initial weights.
  ///   - run: where the repeated session is written; nil, or an error, leaves nothing on disk.
  public init(
    _ session: LoggedSession, makeTrainer: @escaping () throws -> Trainer,
    run: (Trainer) throws -> RunDirectory?
  ) throws {
    training = try TrainingSession(makeTrainer, run: run)
    commands = session.commands[...]
    end = session.end
  }

  /// At the batch border that the repetition has got to.
  public var trainer: Trainer { training.trainer }
  /// Folder that the repeated session is written to; empty when there is none.
  public var path: String { training.run?.path ?? "" }

  private var isAtEnd: Bool {
    guard let end else { return trainer.isFinished }
    return (trainer.epoch, trainer.batchInEpoch) >= (end.epoch, end.batch)
  }

  /// Trains to where the session ended, or to the preset's end where the log does not say.
  /// - Parameter goesOn: called after every batch; false stops.
  /// - Returns: whether it got to the end.
  public mutating func run(goesOn: (Trainer) -> Bool = { _ in true }) throws -> Bool {
    var (hasBegun, isStopped) = (false, false)
    try training.train { trainer in
      isStopped = hasBegun && !goesOn(trainer)
      if isStopped { return false }
      hasBegun = true
      try applyDue()
      return !isAtEnd
    }
    if isStopped {
      try training.leave()
      return false
    }
    if let left = commands.first {
      throw FileError(
        left.place,
        "\"\(left.text)\" was given in epoch \(left.epoch + 1) after batch \(left.batch), which the training did not reach"
      )
    }
    try training.leave()
    return true
  }

  private mutating func applyDue() throws {
    while let next = commands.first, next.epoch == training.trainer.epoch,
      next.batch == training.trainer.batchInEpoch
    {
      commands.removeFirst()
      if next.isAfterResume { training.trainer.undoSteps = [] }
      let count = training.trainer.commandCount
      training.apply(.change(try training.trainer.command(next)))
      guard training.trainer.commandCount == count + 1 else {
        throw FileError(next.place, "\"\(next.text)\": \(training.notice)")
      }
    }
  }
}
