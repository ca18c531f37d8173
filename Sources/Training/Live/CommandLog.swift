import Foundation

/// A line of commands.jsonl that changes the training.
public struct LoggedCommand: Sendable, Equatable {
  public var epoch: Int
  public var batch: Int
  /// Name of the lane; empty for commands to all.
  public var lane: String
  public var text: String

  /// The commands of a log, in order; starts, stops and resumes are left out.
  /// - Throws: `RunError` with the line that is not as the program writes them.
  public static func read(_ path: String) throws -> [LoggedCommand] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw RunError(path, "cannot be read")
    }
    return try text.split(separator: "\n").enumerated().compactMap { index, line in
      let entry = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard let entry, let command = entry["command"] as? String,
        let epoch = entry["epoch"] as? Int, let batch = entry["batch"] as? Int
      else { throw RunError("\(path):\(index + 1)", "is not a command with epoch and batch") }
      if ["start", "stop", "resume"].contains(command) { return nil }
      return LoggedCommand(
        epoch: epoch, batch: batch, lane: entry["lane"] as? String ?? "", text: command)
    }
  }
}

/// Repeats a session: trains, and applies every command of a log at the batch border where it was given.
public struct Replay {
  let training: LiveTraining
  var commands: ArraySlice<LoggedCommand>

  public init(
    _ commands: [LoggedCommand], makeTrainer: @escaping () throws -> Trainer,
    run: (Trainer) throws -> RunDirectory?
  ) throws {
    training = try LiveTraining(makeTrainer, run: run)
    self.commands = commands[...]
  }

  public var trainer: Trainer { training.trainer }

  /// Trains `epochs` epochs (or to the preset's end).
  public mutating func run(progress: (Trainer) -> Void = { _ in }) throws {
    while true {
      try applyDue()
      if training.trainer.isFinished { break }
      _ = training.trainBatch()
      if !training.failure.isEmpty { throw TrainingError(description: training.failure) }
      progress(training.trainer)
    }
    try training.writeCheckpoint()
  }

  private mutating func applyDue() throws {
    while let next = commands.first, next.epoch == training.trainer.epoch,
      next.batch == training.trainer.batchInEpoch
    {
      commands.removeFirst()
      let lane = training.trainer.laneNames.firstIndex(of: next.lane) ?? 0
      guard let command = EngineCommand(logText: next.text, lane: lane) else {
        throw RunError("command log", "\"\(next.text)\" is no command")
      }
      training.apply(command)
    }
  }
}
