// SPDX-License-Identifier: MIT

import Foundation

/// How well lanes do, as files, prompts and plain text call it: a share of samples, or R² where
/// outputs follow target series.
public enum ScoreName: String, Sendable, CaseIterable {
  case accuracy, r2

  /// Within a sentence.
  public var word: String { self == .r2 ? "R²" : "accuracy" }

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
}

extension Trainer {
  /// What its lanes are measured by.
  public var score: ScoreName { data.train.targets == nil ? .accuracy : .r2 }
}
