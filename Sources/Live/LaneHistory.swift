// SPDX-License-Identifier: MIT

import Training
import EventPropCore

/// What is shown of a lane's past.
struct LaneHistory {
  private(set) var curves = LaneCurves()
  /// Of the last evaluation.
  var evaluation: Evaluation?
  /// The last row of metrics.csv, and the last one with an evaluation.
  private(set) var record: EpochMetrics?
  private(set) var lastEvaluated: EpochMetrics?

  /// Of the epochs so far, the last one last; of long trainings every second, fourth, ... epoch,
  /// and the last one.
  var epochs: [EpochActivity] {
    guard let latest, kept.last?.epoch != latest.epoch else { return kept }
    return kept + [latest]
  }
  /// Test accuracy by epoch, share 0...1: all of them, where the curve may hold means.
  private(set) var tests: [Int: Double] = [:]
  /// Of the lane's arrays.
  private let names: [String]
  private var kept: [EpochActivity] = []
  private var latest: EpochActivity?
  private var stride = 1
  /// The most that are kept.
  static let most = 512

  init(_ network: Network) {
    curves.spikes = Array(repeating: BoundedSeries(), count: network.hiddenCount)
    names = network.parameterNames
    curves.norms = Array(repeating: BoundedSeries(), count: names.count)
  }

  /// A batch that the lane was just trained on.
  /// - Parameter x: where training is now, in epochs.
  mutating func append(batchOf lane: any Lane, at x: Double) {
    let tally = lane.lastTally
    curves.append(
      x: x, loss: tally.meanLoss, accuracy: tally.accuracy, spikes: tally.meanSpikes,
      norms: lane.lastSquares.map { $0.squareRoot() })
  }

  /// The numbers of an epoch that has just finished.
  mutating func take(_ row: EpochMetrics) {
    record = row
    if !row.activity.isEmpty {
      let epoch = EpochActivity(epoch: row.epoch, layers: row.activity)
      latest = epoch
      if row.epoch % stride == 0 { kept.append(epoch) }
      if kept.count > Self.most {
        stride *= 2
        kept = kept.filter { $0.epoch % stride == 0 }
      }
    }
    if let accuracy = row.testAccuracy {
      lastEvaluated = row
      curves.testAccuracy.append(x: Double(row.epoch), accuracy)
      tests[row.epoch] = accuracy
    }
  }

  /// An epoch read from metrics.csv: of its batches there is only the mean.
  mutating func append(_ row: EpochMetrics) {
    take(row)
    curves.append(
      x: Double(row.epoch), loss: row.trainLoss, accuracy: row.trainAccuracy, spikes: row.spikes,
      norms: names.map { row.gradientNorms[$0] ?? .nan })
  }

  /// Curves end at a place that the lanes have gone back to.
  mutating func forget(after x: Double) {
    curves.forget(after: x)
    kept.removeAll { Double($0.epoch) > x }
    tests = tests.filter { Double($0.key) <= x }
    if let last = latest, Double(last.epoch) > x { latest = nil }
  }

  /// The lane has its weights of a place in the past: what came after was of weights that are no
  /// more.
  mutating func goBack(to x: Double, epoch: Int) {
    forget(after: x)
    if let record, record.epoch > epoch { self.record = nil }
    evaluation = nil
    lastEvaluated = nil
  }
}
