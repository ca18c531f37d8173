// SPDX-License-Identifier: MIT

import Diagnosis
import EventPropCore
import Experiments
import SpikeData

extension Trainer {
  /// How the lanes' present weights stand on some training samples, evenly spread, with the delay
  /// line; lanes that are alike in network, weights and loss share a report.
  /// - Parameters:
  ///   - samples: 1 or more; fewer where there are not so many.
  ///   - target: wished spikes per neuron and trial; nil: `InitReport.target(duration:)`.
  public func initReports(samples: Int, target: Double?) -> [(lanes: [String], report: InitReport)]
  {
    let chosen = data.train.probeSet(samples, options: preset.data, duration: preset.duration)
    var found: [(lanes: [String], start: LaneStart, report: InitReport)] = []
    for lane in lanes {
      let start = LaneStart(lane)
      if let index = found.firstIndex(where: { $0.start == start }) {
        found[index].lanes.append(lane.name)
        continue
      }
      let known = found.first { $0.start.hidden == start.hidden }?.report
      let report = lane.initReport(chosen, target: target, known: known, pool: pool)
      found.append(([lane.name], start, report))
    }
    return found.map { ($0.lanes, $0.report) }
  }
}

/// What a report depends on, of a lane.
private struct LaneStart: Equatable {
  /// What the spikes of hidden layers depend on.
  struct Hidden: Equatable {
    var solver: LaneOptions.SolverKind
    var step: Double
    var layers: [Layer]
    var weights: [NPYArray]
  }

  var hidden: Hidden
  var output: Layer
  var weights: [NPYArray]
  var loss: String
  var parameters: LossParameters
  var shaping: Shaping
  var rule: ReadoutRule
  var epsilon: Double?
  var liftsOutputs: Bool

  init(_ lane: any Lane) {
    let (options, network, weights) = (lane.options, lane.network, lane.keep().weights)
    let below = network.projections.count { $0.target < network.layers.count }
    hidden = Hidden(
      solver: options.solver, step: options.step,
      layers: network.layers.dropLast().map {
        var layer = $0
        layer.rate = nil
        layer.dropout = 0
        return layer
      }, weights: Array(weights.prefix(below)))
    output = network.output
    self.weights = Array(weights.dropFirst(below))
    loss = options.lossKind
    parameters = options.lossParameters
    shaping = lane.shaping
    rule = options.rule
    epsilon = options.optimiser.epsilon
    liftsOutputs = options.muteOutputs != nil
  }
}
