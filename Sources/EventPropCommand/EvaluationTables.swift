// SPDX-License-Identifier: MIT

import Charts
import Experiments
import Foundation
import SpikeData
import Training

/// How one network does on some samples.
struct Score {
  /// Samples that have something in common.
  struct Group {
    /// `class` or `speaker`.
    var kind: String
    var name: String
    var samples: Int
    /// Share 0...1.
    var accuracy: Double
  }

  /// The folder as it was given.
  var run: String
  var seed: Int
  var lane: String
  /// `checkpoint` or `best`.
  var which: String
  /// `12`, or `12+40`.
  var epoch: String
  /// For a line on the screen.
  var words: String
  var result: Evaluation
  var data: SpikeDataSet

  /// NaN for R^2, which is no share.
  var error: Double {
    result.fits.isEmpty ? Score.error(result.accuracy, result.labels.count) : .nan
  }

  /// Standard error of an accuracy over draws of so many samples.
  static func error(_ accuracy: Double, _ samples: Int) -> Double {
    (accuracy * (1 - accuracy) / Double(max(samples, 1))).squareRoot()
  }

  /// Those that have samples, in the order of labels.
  var classes: [Group] {
    data.targets != nil
      ? []
      : data.classNames.enumerated().compactMap { label, name in
        group("class", name) { result.labels[$0] == label }
      }
  }

  /// By number; none where the data name none.
  var speakers: [Group] {
    Set(data.speakers).sorted().compactMap { speaker in
      group("speaker", "\(speaker)") { data.speakers[$0] == speaker }
    }
  }

  private func group(_ kind: String, _ name: String, where include: (Int) -> Bool) -> Group? {
    result.accuracy(where: include).map {
      Group(
        kind: kind, name: name, samples: result.labels.indices.count(where: include), accuracy: $0)
    }
  }
}

/// Scores as lines and as CSV.
enum EvaluationTables {
  /// A line for each run, seed and lane, and the mean over seeds for each run and lane.
  static func summary(_ scores: [Score]) -> [String] {
    let runWidth = max(3, scores.map(\.run.count).max() ?? 0)
    let laneWidth = max(4, scores.map(\.lane.count).max() ?? 0)
    func head(_ score: Score, _ seed: String) -> String {
      Console.pad(score.run, runWidth) + "  " + Text.right(seed, 5) + "  "
        + Console.pad(score.lane, laneWidth)
    }
    var lines = [
      Console.pad("run", runWidth) + "   seed  " + Console.pad("lane", laneWidth)
        + "   epoch   samples  "
        + (score(of: scores) == .accuracy
          ? "accuracy, standard error  loss" : "R²                        loss")
    ]
    var done: Set<[String]> = []
    for score in scores where done.insert([score.run, score.lane]).inserted {
      let same = scores.filter { $0.run == score.run && $0.lane == score.lane }
      for score in same {
        lines.append(
          head(score, "\(score.seed)") + Text.right(score.epoch, 8)
            + Text.right("\(score.data.count)", 10)
            + String(format: "  %6.2f", 100 * score.result.accuracy)
            + (score.error.isNaN
              ? " % R²             " : String(format: " ± %.2f %%            ", 100 * score.error))
            + String(format: "%.4f", score.result.loss))
      }
      guard same.count > 1 else { continue }
      lines.append(
        head(score, "all") + Text.right("", 18)
          + "  " + SeedSummary.spread(same.map(\.result.accuracy)) + ", mean ± sd")
    }
    return lines
  }

  /// Of all of them: R² where any is.
  private static func score(of scores: [Score]) -> ScoreName {
    scores.contains { $0.data.score == .r2 } ? .r2 : .accuracy
  }

  private static func line(_ fields: [String]) -> String {
    fields.map { CSV.quoted($0) }.joined(separator: ",")
  }

  static func scores(_ scores: [Score], split: String) -> [String] {
    [
      score(of: scores).named(
        "run,seed,lane,weights,epoch,split,data,samples,accuracy,standard_error,loss")
    ]
      + scores.map {
        line([
          $0.run, "\($0.seed)", $0.lane, $0.which, $0.epoch, split, $0.data.name,
          "\($0.data.count)", "\($0.result.accuracy)", $0.error.isNaN ? "" : "\($0.error)",
          "\($0.result.loss)",
        ])
      }
  }

  static func groups(_ scores: [Score]) -> [String] {
    ["run,seed,lane,group,name,samples,accuracy,standard_error"]
      + scores.flatMap { score in
        (score.classes + score.speakers).map {
          line([
            score.run, "\(score.seed)", score.lane, $0.kind, $0.name, "\($0.samples)",
            "\($0.accuracy)",
            score.error.isNaN ? "" : "\(Score.error($0.accuracy, $0.samples))",
          ])
        }
      }
  }

  /// `scores-groups.csv` of `scores.csv`.
  static func groupsFile(_ path: String) -> String {
    let stem = path.hasSuffix(".csv") ? String(path.dropLast(4)) : path
    return stem + "-groups.csv"
  }

  /// Labels and predictions by name; a prediction is empty where there was none.
  static func predictions(_ scores: [Score]) -> [String] {
    ["run,seed,lane,sample,label,prediction,speaker"]
      + scores.flatMap { score in
        score.result.labels.indices.map { sample in
          // What follows target series has neither.
          let names = score.data.targets == nil ? score.data.classNames : []
          let (label, prediction) =
            names.isEmpty
            ? (-1, -1) : (score.result.labels[sample], score.result.predictions[sample])
          return line([
            score.run, "\(score.seed)", score.lane, "\(sample)",
            label < 0 ? "" : names[label], prediction < 0 ? "" : names[prediction],
            score.data.speakers.isEmpty ? "" : "\(score.data.speakers[sample])",
          ])
        }
      }
  }
}
