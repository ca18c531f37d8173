// SPDX-License-Identifier: MIT

import Experiments
import SpikeData
import EventPropCore

/// Changes of lanes while they train. All take effect between two batches.
extension Trainer {
  /// Applies a command. The one place where live sessions, replays and resumed sessions do so.
  package func apply(_ command: any TrainingCommand) throws {
    markSafePlace()
    let steps = undoSteps
    lastUndone = nil
    remember(command)
    do {
      try command.apply(to: self)
      commandCount += 1
    } catch {
      undoSteps = steps
      throw error
    }
  }

  /// Gives a lane other options; weights, optimiser state and sums stay.
  func change(_ index: Int, _ edit: (inout LaneOptions) throws -> Void) throws {
    var options = lanes[index].options
    try edit(&options)
    note(lanes[index].options, changedTo: &options)
    replace(index, with: try copy(of: lanes[index], options: options))
  }

  /// Keeps what a lane was trained on before its loss changed. Changes at the same batch border are
  /// one.
  private func note(_ old: LaneOptions, changedTo options: inout LaneOptions) {
    guard options.description != old.description else { return }
    let end = position(epoch: epoch, batch: batchInEpoch)
    let begun = options.past.last?.end ?? 0
    if end > begun {
      options.past.append(
        LossPeriod(description: old.description, epoch: epoch, batch: batchInEpoch, end: end))
    } else if options.past.last?.description == options.description {
      options.past.removeLast()
    }
  }

  /// A lane as it was, to look at.
  package func past(_ kept: KeptLane) throws -> any Lane {
    let lane = makeLane(
      kept.options, preset, try preset.problem(for: kept.options, data: data.train),
      capacity: capacity)
    try lane.take(kept)
    watch(lane)
    return lane
  }

  /// Adds a copy of a lane that goes on with the same or another loss.
  func fork(_ index: Int, kind: String) throws {
    guard lanes.count < 4 else {
      throw CommandError("fork", "there are four lanes already: drop one first")
    }
    var options = lanes[index].options
    if kind != options.lossKind { try options.setLoss(kind) }
    note(lanes[index].options, changedTo: &options)
    (options.identity, options.name) = takeIdentity()
    let lane = try copy(of: lanes[index], options: options)
    lane.progress = LaneProgress(since: epoch)
    append(lane)
  }

  /// A lane in the same state under other options.
  private func copy(of lane: any Lane, options: LaneOptions) throws -> any Lane {
    var state = LaneState(lane)
    state.options = options
    let twin = try make(state)
    if options.description != lane.options.description {
      twin.epochTally.forgetLoss()
      // The last update was made by a gradient of another loss.
      (twin.diagnosis.step, twin.diagnosis.stepWeights) = (nil, nil)
    }
    if options.lossKind != lane.options.lossKind {
      twin.diagnosis.risks.forget()
      twin.diagnosis.atRisk = []
    }
    return twin
  }

  /// A lane in some state, bit by bit: it goes through the files' own format.
  func make(_ state: LaneState) throws -> any Lane {
    let lane = makeLane(
      state.options, preset, try preset.problem(for: state.options, data: data.train),
      capacity: capacity)
    let arrays = Dictionary(uniqueKeysWithValues: state.arrays.map { ($0.name, $0.array) })
    try lane.restore(updates: state.updates) { name in
      guard let array = arrays[name] else { throw FileError(name, "is not in the lane") }
      return array
    }
    lane.schedule = state.schedule
    lane.epochTally = state.epochTally
    lane.epochSquares = state.epochSquares
    lane.epochBatches = state.epochBatches
    lane.keeping = state.keeping
    lane.progress = state.progress
    lane.diagnosis = state.diagnosis
    return lane
  }
}
