import Foundation

/// A line of commands.jsonl that changes the training.
public struct LoggedCommand: Sendable, Equatable {
  public var epoch: Int
  public var batch: Int
  /// Name of the lane; empty for commands to all.
  public var lane: String
  public var text: String

  /// The commands of a log since its last restart, in order. Those that a resume found later than its checkpoint
  /// were lost with the training after it, and are left out.
  /// - Throws: `RunError` with the line that is not as the program writes them.
  public static func read(_ path: String) throws -> [LoggedCommand] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw RunError(path, "cannot be read")
    }
    var commands: [LoggedCommand] = []
    for (index, line) in text.split(separator: "\n").enumerated() {
      let entry = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard let entry, let command = entry["command"] as? String,
        let epoch = entry["epoch"] as? Int, let batch = entry["batch"] as? Int
      else { throw RunError("\(path):\(index + 1)", "is not a command with epoch and batch") }
      switch command {
      case "start", "restart": commands.removeAll()
      case "stop", "alarm": break
      case "resume": commands = Array(commands.prefix(entry["commands"] as? Int ?? commands.count))
      default:
        commands.append(
          LoggedCommand(
            epoch: epoch, batch: batch, lane: entry["lane"] as? String ?? "", text: command))
      }
    }
    return commands
  }
}

extension Trainer {
  /// What a line of a log asks of these lanes.
  /// - Throws: `RunError` when it is no command, or its lane is none of them.
  func command(_ logged: LoggedCommand) throws -> EngineCommand {
    let lane = laneNames.firstIndex(of: logged.lane)
    guard lane != nil || logged.lane.isEmpty else {
      throw RunError(
        "command log",
        "\"\(logged.text)\" is for lane \(logged.lane); there are \(laneNames.joined(separator: ", "))"
      )
    }
    guard let command = EngineCommand(logText: logged.text, lane: lane ?? 0) else {
      throw RunError("command log", "\"\(logged.text)\" is no command")
    }
    return command
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
    if let left = commands.first {
      throw RunError(
        "command log",
        "\"\(left.text)\" was given in epoch \(left.epoch + 1) after batch \(left.batch), which the training did not reach"
      )
    }
    try training.writeCheckpoint()
  }

  private mutating func applyDue() throws {
    while let next = commands.first, next.epoch == training.trainer.epoch,
      next.batch == training.trainer.batchInEpoch
    {
      commands.removeFirst()
      let count = training.trainer.commandCount
      training.apply(try training.trainer.command(next))
      guard training.trainer.commandCount == count + 1 else {
        throw RunError("command log", "\"\(next.text)\": \(training.notice)")
      }
    }
  }
}
