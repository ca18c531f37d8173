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
    let chosen = initSamples(samples)
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

  /// What a report on a lane's present weights needs, by value.
  /// - Parameters:
  ///   - lane: one of the trainer's.
  ///   - target: wished spikes per neuron and trial; nil: `InitReport.target(duration:)`.
  package func initReportJob(of lane: any Lane, target: Double?) -> InitReportJob {
    InitReportJob(
      kept: lane.keep(), start: LaneStart(lane), preset: preset, problem: lane.problem,
      samples: initSamples(InitReportJob.samples), target: target)
  }

  /// The same of weights of the past.
  /// - Throws: `FileError` when they are of another network.
  package func initReportJob(of kept: KeptLane, target: Double?) throws -> InitReportJob {
    try initReportJob(of: past(kept), target: target)
  }

  private func initSamples(_ count: Int) -> [(train: SpikeTrain, label: Int)] {
    data.train.probeSet(count, options: preset.data, duration: preset.duration)
  }
}

/// A report to be made on any thread: values alone. Has no effect on the training.
package struct InitReportJob: Sendable {
  /// Training samples that are looked at, where there are so many.
  package static let samples = 32

  fileprivate let kept: KeptLane
  fileprivate let start: LaneStart
  fileprivate let preset: Preset
  fileprivate let problem: Problem
  fileprivate let samples: [(train: SpikeTrain, label: Int)]
  fileprivate let target: Double?

  /// The lane's, by which it is told from others.
  package var identity: Int { kept.options.identity }

  /// - Parameter others: reports made before. One of a lane that stands the same is taken over, of
  ///   one with the same hidden layers the search for factors.
  /// - Throws: `FileError` when weights are not the network's.
  package func run(knowing others: [(job: InitReportJob, report: InitReport)] = []) throws
    -> InitReport
  {
    let alike = others.filter { $0.job.target == target && $0.job.start.hidden == start.hidden }
    if let same = alike.first(where: { $0.job.start == start }) { return same.report }
    let lane = makeLane(kept.options, preset, problem, capacity: 1)
    try lane.take(kept)
    return lane.initReport(
      samples, target: target, known: alike.first?.report, pool: WorkerPool(threads: 1))
  }
}

/// What a report depends on, of a lane.
struct LaneStart: Equatable, Sendable {
  /// What the spikes of hidden layers depend on.
  struct Hidden: Equatable, Sendable {
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
