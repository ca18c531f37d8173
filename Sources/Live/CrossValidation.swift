// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import Runs
import SpikeData
import Training

/// Trainings of one preset, each of which leaves another part of the training samples out and is
/// validated on it. Each is a run of its own in one folder.
public struct CrossValidation {
  /// What is left out together.
  public enum Part: Sendable {
    /// All samples of a speaker.
    case speaker
    /// One of so many parts, drawn at random, alike in classes.
    case fold(of: Int)
  }

  /// One training.
  public struct Fold {
    /// Of its folder: `speaker-3`, `fold-1`.
    public var name: String
    /// The preset that leaves the part out.
    public var preset: Preset
    /// Of its run.
    public var folder: String
  }

  /// In the order of speakers or parts.
  public let folds: [Fold]

  /// - Parameters:
  ///   - folder: where the runs are, or come to be.
  ///   - tests: whether each looks at the test samples after its last epoch; else none ever does.
  ///   - progress: told what is being read or generated.
  /// - Throws: `FileError` where the data have no speakers, or one alone.
  public init(
    _ preset: Preset, by part: Part, in folder: String, tests: Bool,
    progress: (String) -> Void = { _ in }
  ) throws {
    // What the preset asks for by itself is taken away.
    let none = ["data.validate=0", "data.validate_speakers=[]", "data.validate_fold=[]"]
    func make(_ name: String, _ setting: String) throws -> Fold {
      let settings = none + [setting, "training.test=\(tests ? "end" : "never")"]
      return Fold(
        name: name, preset: try preset.with(settings),
        folder: (folder as NSString).appendingPathComponent(name))
    }
    switch part {
    case .fold(let count):
      folds = try (1...count).map { try make("fold-\($0)", "data.validate_fold=[\($0), \(count)]") }
    case .speaker:
      let data = try preset.with(none).loadData(progress: progress)
      let speakers = Set(data.train.speakers).sorted()
      guard speakers.count > 1 else {
        throw FileError(
          data.train.name,
          speakers.isEmpty
            ? "names no speakers: leave out parts with --folds K"
            : "has one speaker, \(speakers[0]): leave out parts with --folds K")
      }
      folds = try speakers.map { try make("speaker-\($0)", "data.validate_speakers=[\($0)]") }
    }
  }
}

extension CrossValidation.Fold {
  /// The run that is there; nil: it has not begun.
  /// - Throws: `FileError` where it was begun with other settings.
  public func resumed() throws -> RunToResume? {
    guard RunDirectory.isRun(folder) else { return nil }
    let run = try RunToResume(
      folder, settings: ["training.epochs=\(preset.training.epochs)", "seeds=\(preset.seeds)"])
    let (old, new) = (lines(run.preset), lines(preset))
    if let other = zip(old, new).first(where: { $0 != $1 }) {
      throw FileError(
        folder,
        "was begun with \(other.0), now asked for is \(other.1): another --out begins anew")
    }
    guard old.count == new.count else {
      throw FileError(folder, "was begun with other settings: another --out begins anew")
    }
    return run
  }

  private func lines(_ preset: Preset) -> [Substring] {
    preset.resolvedText.split(separator: "\n").filter { !$0.hasPrefix("#") }
  }

  private var seeds: [(seed: Int, folder: String)] { SeedFolder.all(of: folder, preset) }

  /// All seeds are trained to their end.
  public func isFinished() throws -> Bool {
    guard RunDirectory.isRun(folder), seeds.count == preset.seeds else { return false }
    return try seeds.allSatisfy {
      guard let place = try Checkpoint.all(in: $0.folder).last else { return false }
      return try place.epoch >= preset.training.epochs || Checkpoint.hasStopped(place)
    }
  }

  /// What its last epoch gave, for each seed and lane; from the files.
  public func results() -> [FoldResult] {
    seeds.flatMap { seed, folder in
      let table = (folder as NSString).appendingPathComponent("metrics.csv")
      let ends = ResultsTable(ofRun: folder).rows
      var last: [String: [String: String]] = [:]
      var names: [String] = []
      let (columns, rows) = MetricsTable.table(table)
      let score = ScoreName.allCases.first { columns.contains("validation_\($0.rawValue)") }
      for row in rows {
        guard let lane = row["lane"], row["validation_accuracy"] != "" else { continue }
        if last.updateValue(row, forKey: lane) == nil { names.append(lane) }
      }
      return names.compactMap { lane -> FoldResult? in
        guard let row = last[lane], let epoch = row["epoch"].flatMap({ Int($0) }),
          let accuracy = row["validation_accuracy"].flatMap({ Double($0) })
        else { return nil }
        return FoldResult(
          fold: name, seed: seed, lane: lane, epoch: epoch, score: score ?? .accuracy,
          accuracy: accuracy,
          loss: row["validation_loss"].flatMap { Double($0) },
          last: ends.first { $0.lane == lane && $0.which == "last" },
          best: ends.first { $0.lane == lane && $0.which == "best" })
      }
    }
  }
}

/// How a lane did on the samples that were left out.
public struct FoldResult {
  /// Name of the fold.
  public var fold: String
  /// Of the network.
  public var seed: Int
  /// As in files.
  public var lane: String
  /// The last one with an evaluation.
  public var epoch: Int
  /// What `accuracy` is.
  public var score: ScoreName
  /// Share 0...1 of the samples left out, in that epoch.
  public var accuracy: Double
  /// Mean over them.
  public var loss: Double?
  /// Of results.csv, with the test samples where they are looked at.
  public var last: ResultsTable.Row?
  /// The weights that did best on the samples left out, where they are kept.
  public var best: ResultsTable.Row?

  /// folds.csv.
  public static func csv(_ results: [FoldResult]) -> String {
    func number(_ x: Double?) -> String { x.map(\.description) ?? "" }
    let head =
      "fold,seed,lane,epoch,validation_accuracy,validation_loss,best_epoch,"
      + "best_validation_accuracy,test_accuracy,best_test_accuracy"
    let rows = results.map { result in
      [
        result.fold, "\(result.seed)", CSV.quoted(result.lane), "\(result.epoch)",
        "\(result.accuracy)", number(result.loss), result.best.map { "\($0.epoch)" } ?? "",
        number(result.best?.validationAccuracy), number(result.last?.testAccuracy),
        number(result.best?.testAccuracy),
      ].joined(separator: ",")
    }
    let score = results.first?.score ?? .accuracy
    return ([score.named(head)] + rows).joined(separator: "\n") + "\n"
  }
}
