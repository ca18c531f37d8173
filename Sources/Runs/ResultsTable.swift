// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import SpikeData
import Training

/// results.csv: what a training has come to, by its last and by its best weights.
public struct ResultsTable: Sendable {
  /// A lane's weights of one epoch.
  public struct Row: Sendable, Equatable {
    /// As in files.
    public var lane: String
    /// `last` or `best`.
    public var which: String
    /// Finished epochs that the weights are of.
    public var epoch: Int
    /// Share 0...1 of the validation samples; nil: there are none.
    public var validationAccuracy: Double?
    /// Share 0...1 of the test samples; nil: there are none, or they are not looked at.
    public var testAccuracy: Double?
    /// Mean over the test samples.
    public var testLoss: Double?
    /// Test samples.
    public var samples: Int
  }

  /// By lane: the last, then the best where one is kept.
  public var rows: [Row] = []
  /// What `accuracy` is in it.
  private var score = ScoreName.accuracy

  static let file = "results.csv"
  static let columns = [
    "lane", "which", "epoch", "validation_accuracy", "test_accuracy", "test_loss", "samples",
  ]

  /// Whether trainings of a preset have one.
  static func isKept(_ training: TrainingOptions) -> Bool {
    training.keepsBest || training.tests == .end
  }

  /// Of a training that is finished: evaluates what is not known.
  public init(_ trainer: Trainer) throws {
    let test = trainer.preset.training.tests == .never ? nil : trainer.data.test
    let samples = test?.count ?? 0
    score = trainer.score
    for (index, lane) in trainer.lanes.enumerated() {
      let validate = trainer.data.validate
      let last = samples > 0 ? trainer.evaluate(lane: index, test!) : nil
      rows.append(
        Row(
          lane: lane.name, which: "last", epoch: trainer.epoch,
          validationAccuracy: validate.count > 0
            ? trainer.evaluate(lane: index, validate).accuracy : nil,
          testAccuracy: last?.accuracy, testLoss: last?.loss, samples: samples))
      guard let best = lane.progress.best else { continue }
      let tested = samples > 0 ? try trainer.evaluateBest(lane: index, test!) : nil
      rows.append(
        Row(
          lane: lane.name, which: "best", epoch: best.epoch, validationAccuracy: best.accuracy,
          testAccuracy: tested?.accuracy, testLoss: tested?.loss, samples: samples))
    }
  }

  /// Reads that of a run; without rows where it has none.
  public init(ofRun run: String) {
    let path = (run as NSString).appendingPathComponent(ResultsTable.file)
    rows = MetricsTable.rows(path).compactMap { values in
      guard let lane = values["lane"], let which = values["which"],
        let epoch = values["epoch"].flatMap({ Int($0) })
      else { return nil }
      func number(_ key: String) -> Double? { values[key].flatMap { Double($0) } }
      return Row(
        lane: lane, which: which, epoch: epoch, validationAccuracy: number("validation_accuracy"),
        testAccuracy: number("test_accuracy"), testLoss: number("test_loss"),
        samples: values["samples"].flatMap { Int($0) } ?? 0)
    }
  }

  fileprivate var text: String {
    func number(_ x: Double?) -> String { x.map(\.description) ?? "" }
    let lines = rows.map { row in
      [
        CSV.quoted(row.lane), row.which, String(row.epoch), number(row.validationAccuracy),
        number(row.testAccuracy), number(row.testLoss), String(row.samples),
      ].joined(separator: ",")
    }
    return ([score.named(ResultsTable.columns.joined(separator: ","))] + lines).joined(
      separator: "\n") + "\n"
  }
}

extension RunDirectory {
  /// At the end of a training writes results.csv, where the preset asks for it; one that is there
  /// already is of this end, and stays.
  /// - Returns: what is in it; nil: there is none.
  public func writeResults(of trainer: Trainer) throws -> ResultsTable? {
    guard trainer.isFinished, ResultsTable.isKept(trainer.preset.training) else { return nil }
    let known = ResultsTable(ofRun: path)
    if known.rows.first?.epoch == trainer.epoch { return known }
    try check()
    let results = try ResultsTable(trainer)
    try AtomicFile.write(Array(results.text.utf8), to: file(ResultsTable.file))
    return results
  }

  /// The end of an epoch: its rows, the best weights, and a checkpoint where one is due; at the end
  /// of the training its results.
  /// - Returns: the results; nil: the training goes on, or has none.
  @discardableResult
  public func finishEpoch(_ rows: [EpochMetrics], of trainer: Trainer) throws -> ResultsTable? {
    try append(rows)
    try best.follow(trainer)
    let training = trainer.preset.training
    if trainer.epoch % training.checkpointEvery == 0 || trainer.isFinished {
      try Checkpoint.write(trainer, to: self, keep: training.checkpointsKept)
    }
    return try writeResults(of: trainer)
  }
}
