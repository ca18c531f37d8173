// SPDX-License-Identifier: MIT

import EventPropCore

/// Taking back the last command that changed a lane.
extension Trainer {
  /// What a command is taken back with.
  package struct UndoStep {
    /// As in the log.
    var text: String
    /// The lane it changed, made or dropped.
    var identity: Int
    /// Where among the lanes it was.
    var index: Int
    /// The lane as it was before; nil: the command made it.
    var before: LaneState?
    /// Finished epochs and batches then.
    var epoch: Int
    var batch: Int
  }

  /// What an undo did to the list of lanes.
  package struct Undone {
    /// As in the log.
    package var text: String
    /// Where training was when the command was given.
    package var epoch: Int
    package var batch: Int
    /// Whose weights are those of then; nil when the command had made or dropped a lane.
    package var changed: Int?
    /// The lane was made by the command.
    package var isGone = false
  }

  /// Steps are forgotten, the oldest first, beyond so many or so many bytes. Sizes decide, not time
  /// or machine: a replay forgets the same.
  private static let mostSteps = 16
  private static let mostBytes = 256 << 20

  /// What `undo` would take back, as in the log.
  package var undoable: String? { undoSteps.last?.text }

  /// Keeps what is needed to take back a command that is about to be applied.
  func remember(_ command: any TrainingCommand) {
    let effect = type(of: command).effect
    guard effect != .none, let index = command.lane, lanes.indices.contains(index) else { return }
    let (lane, text) = (lanes[index], command.text)
    if effect == .adds {
      // Known by the identity that the fork will take.
      undoSteps.append(
        UndoStep(
          text: text, identity: nextIdentity, index: lanes.count, before: nil, epoch: epoch,
          batch: batchInEpoch))
      return
    }
    // The same key pressed again before a batch was trained is one change.
    if effect == .changes, let last = undoSteps.last, last.identity == lane.options.identity,
      last.before != nil,
      (last.epoch, last.batch) == (epoch, batchInEpoch),
      last.text.prefix(while: { $0 != " " }) == text.prefix(while: { $0 != " " })
    {
      return
    }
    // Not remembered, and nothing before it either: steps are taken back in order.
    guard lane.stateBytes <= Trainer.mostBytes else {
      undoSteps = []
      return
    }
    undoSteps.append(
      UndoStep(
        text: text, identity: lane.options.identity, index: index, before: LaneState(lane),
        epoch: epoch, batch: batchInEpoch))
    while undoSteps.count > Trainer.mostSteps
      || undoSteps.reduce(0, { $0 + ($1.before?.bytes ?? 0) }) > Trainer.mostBytes
    {
      undoSteps.removeFirst()
    }
  }

  /// The lane is again as it was just before the last command that changed it, weights and
  /// optimiser too, and goes on from here with the batches to come.
  /// - Throws: `CommandError` when there is nothing to take back.
  func undo() throws {
    guard let step = undoSteps.popLast() else {
      throw CommandError("undo", "there is nothing to take back")
    }
    let present = lanes.firstIndex { $0.options.identity == step.identity }
    lastUndone = Undone(text: step.text, epoch: step.epoch, batch: step.batch)
    guard let before = step.before else {
      lastUndone?.isGone = true
      if let present, lanes.count > 1 { drop(present) }
      return
    }
    let lane = try make(before)
    // It has as much patience left as it had then.
    lane.progress.improved.epoch += epoch - step.epoch
    if let present {
      // The epoch's sums stay: they are of the trials that were trained on.
      let (tally, squares) = (lanes[present].epochTally, lanes[present].epochSquares)
      (lane.epochTally, lane.epochSquares) = (tally, squares)
      lane.epochBatches = lanes[present].epochBatches
      lane.keeping = lanes[present].keeping
      if lanes[present].options.description != lane.options.description {
        lane.epochTally.forgetLoss()
      }
      replace(present, with: lane)
      lastUndone?.changed = present
    } else {
      if step.epoch != epoch {
        lane.epochTally.clear()
        lane.epochBatches = 0
        lane.epochSquares = lane.epochSquares.map { _ in 0 }
        lane.keeping = lane.keeping.map { _ in KeepingTally() }
      }
      insert(lane, at: min(step.index, lanes.count))
    }
  }
}
