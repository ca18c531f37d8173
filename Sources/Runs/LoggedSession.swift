// SPDX-License-Identifier: MIT

import Experiments
import SpikeData
import Training
import Foundation

/// A line of commands.jsonl that changes the training.
public struct LoggedCommand: Sendable, Equatable {
  /// Finished epochs when it was given.
  public var epoch: Int
  /// Finished batches of the epoch after `epoch`.
  public var batch: Int
  /// Name of the lane; empty for commands to all.
  public var lane: String
  /// As `TrainingCommand.text` writes it: `rate 0.001`.
  public var text: String
  /// `commands.jsonl:12`, for messages.
  public var place = "command log"
  /// A resume came before it: what could be taken back then no longer can.
  public var isAfterResume = false

  /// - Parameters:
  ///   - lane: its name; empty for commands to all.
  ///   - place: for messages.
  package init(
    epoch: Int, batch: Int, lane: String, text: String, place: String = "command log",
    isAfterResume: Bool = false
  ) {
    (self.epoch, self.batch, self.lane, self.text) = (epoch, batch, lane, text)
    (self.place, self.isAfterResume) = (place, isAfterResume)
  }
}

/// What commands.jsonl says of a session.
public struct LoggedSession: Sendable, Equatable {
  /// Commands since the last restart, in order. Those that a resume found later than its checkpoint
  /// were lost with the training after it, and are left out.
  public var commands: [LoggedCommand] = []
  /// How many seeds it was told to have, one after another; empty where that was never changed.
  public var seedCounts: [Int] = []
  /// With how many numbers of seeds results were looked at: one seed is no comparison.
  package static func looks(_ counts: [Int]) -> Int { max(1, Set(counts.filter { $0 > 1 }).count) }
  /// Where the session ended; nil when the log does not say, because it was killed or still runs.
  public var end: Place?

  /// A batch border.
  public struct Place: Sendable, Equatable {
    /// Finished epochs.
    public var epoch: Int
    /// Finished batches of the epoch after `epoch`.
    public var batch: Int
  }

  /// - Throws: `FileError` with the line that is not as the program writes them.
  public init(contentsOf path: String) throws {
    let text = try FileText.read(path)
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    var isAfterResume = false
    for (index, line) in lines.enumerated() where !line.isEmpty {
      let entry = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard let entry, let command = entry["command"] as? String,
        let epoch = entry["epoch"] as? Int, let batch = entry["batch"] as? Int,
        FileLimits.counts.contains(epoch), FileLimits.counts.contains(batch)
      else { throw FileError(path, line: index + 1, "is not a command with epoch and batch") }
      switch command {
      case "alarm": continue
      case "seeds":
        seedCounts.append(Int(entry["detail"] as? String ?? "") ?? 0)
        continue
      case "stop":
        end = Place(epoch: epoch, batch: batch)
        continue
      case "start", "restart": commands.removeAll()
      case "resume":
        commands.removeLast(
          max(0, commands.count - max(0, entry["commands"] as? Int ?? commands.count)))
        isAfterResume = true
      default:
        commands.append(
          LoggedCommand(
            epoch: epoch, batch: batch, lane: entry["lane"] as? String ?? "", text: command,
            place: "\(path):\(index + 1)", isAfterResume: isAfterResume))
        isAfterResume = false
      }
      end = nil
    }
  }
}

extension Trainer {
  /// Gives the lanes a command of a log, at the place where it was given.
  package func apply(_ logged: LoggedCommand) throws {
    if logged.isAfterResume { undoSteps = [] }
    try apply(command(logged))
  }

  /// What a line of a log asks of these lanes.
  /// - Throws: `FileError` when it is no command, or its lane is none of them.
  package func command(_ logged: LoggedCommand) throws -> any TrainingCommand {
    let lane = laneNames.firstIndex(of: logged.lane)
    guard lane != nil || logged.lane.isEmpty else {
      throw FileError(
        logged.place,
        "\"\(logged.text)\" is for lane \(logged.lane); there are \(laneNames.joined(separator: ", "))"
      )
    }
    guard let command = CommandTable.command(text: logged.text, lane: lane ?? 0) else {
      throw FileError(logged.place, "\"\(logged.text)\" is no command")
    }
    return command
  }
}
