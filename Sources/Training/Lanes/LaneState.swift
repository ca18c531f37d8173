// SPDX-License-Identifier: MIT

import Experiments
import EventPropCore

/// A lane's state by value: weights, optimiser, options. Its solver's memory is not in it.
struct LaneState {
  var options: LaneOptions
  var arrays: [(name: String, array: NPYArray)]
  var updates: Int
  var schedule: Schedule
  var epochTally: Tally
  var epochSquares: [Double]
  var epochBatches: Int
  var keeping: KeepingTally?
  var progress: LaneProgress
  var diagnosis: LaneDiagnosis

  init(_ lane: any Lane) {
    options = lane.options
    arrays = lane.arrays()
    updates = lane.updates
    schedule = lane.schedule
    epochTally = lane.epochTally
    epochSquares = lane.epochSquares
    epochBatches = lane.epochBatches
    keeping = lane.keeping
    progress = lane.progress
    diagnosis = lane.diagnosis
  }

  var bytes: Int { arrays.reduce(0) { $0 + $1.array.bytes.count } }
}

extension Lane {
  /// How large a `LaneState` of it is, without making one: weights and the optimiser's state.
  var stateBytes: Int {
    let weights = network.projections.reduce(0) {
      $0 + network.size(ofPopulation: $1.source) * network.size(ofPopulation: $1.target)
    }
    return (1 + options.optimiser.state.count) * weights * (options.solver == .exact ? 8 : 4)
  }
}
