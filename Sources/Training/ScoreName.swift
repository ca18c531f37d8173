// SPDX-License-Identifier: MIT

import Foundation
import SpikeData

/// How well lanes do, as files, prompts and plain text call it: a share of samples, or R² where
/// outputs follow target series.
public enum ScoreName: String, Sendable, CaseIterable {
  case accuracy, r2

  /// Within a sentence.
  public var word: String { self == .r2 ? "R²" : "accuracy" }

  /// In front of a number that would else be taken for an accuracy.
  public var prefix: String { self == .r2 ? word + " " : "" }

  /// A name with `accuracy` in it, as that of a column or a metric, with this in its place.
  public func named(_ name: String) -> String {
    name.replacingOccurrences(of: ScoreName.accuracy.rawValue, with: rawValue)
  }

  /// The same name with `accuracy` in the place of whatever score it has.
  public static func plain(_ name: String) -> String {
    let ending = "_" + r2.rawValue
    return name.hasSuffix(ending)
      ? name.dropLast(ending.count) + "_" + accuracy.rawValue : name
  }

  /// Whether a column holds scores.
  public static func isScore(_ column: String) -> Bool {
    plain(column).hasSuffix("_" + accuracy.rawValue)
  }
}

extension SpikeDataSet {
  /// What those who answer to it are measured by.
  public var score: ScoreName { targets == nil ? .accuracy : .r2 }
}

extension Trainer {
  /// What its lanes are measured by.
  public var score: ScoreName { data.train.score }
}
