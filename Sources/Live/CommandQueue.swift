// SPDX-License-Identifier: MIT

import Runs
import Training

/// Commands of another seed that a training has still to come to.
struct CommandQueue {
  private var waiting: ArraySlice<LoggedCommand> = []

  init() {}

  /// - Parameters:
  ///   - commands: of the seed that is furthest.
  ///   - own: of the training itself.
  init(_ commands: [LoggedCommand], without own: [LoggedCommand]) {
    waiting = LoggedCommand.ofAll(commands).dropFirst(LoggedCommand.ofAll(own).count)
  }

  /// One more, given at a place that the training has still to come to.
  mutating func append(_ command: LoggedCommand) { waiting.append(command) }

  /// The next one that is due where a trainer is; those of a training that is no more are dropped.
  mutating func next(at trainer: Trainer) -> LoggedCommand? {
    let place = (trainer.epoch, trainer.batchInEpoch)
    while let first = waiting.first, (first.epoch, first.batch) <= place {
      waiting.removeFirst()
      if (first.epoch, first.batch) == place { return first }
    }
    return nil
  }
}

extension LoggedCommand {
  /// Those that every seed takes: none about certain neurons, and none that took back such a one.
  static func ofAll(_ commands: [LoggedCommand]) -> [LoggedCommand] {
    // Whether what could be taken back is of one network, the last one last.
    var undoable: [Bool] = []
    return commands.filter { logged in
      if logged.isAfterResume { undoable = [] }
      guard let command = CommandTable.command(text: logged.text, lane: 0) else { return true }
      if command is Undo { return !(undoable.popLast() ?? false) }
      let isOfOne = type(of: command).isOfOneNetwork
      if type(of: command).effect != .none { undoable.append(isOfOne) }
      return !isOfOne
    }
  }
}
