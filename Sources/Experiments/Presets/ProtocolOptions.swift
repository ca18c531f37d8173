// SPDX-License-Identifier: MIT

/// When a training ends before its last epoch: once no lane has improved for so many epochs.
public struct StopRule: Sendable, Equatable {
  /// What a lane improves in.
  public enum Metric: String, Sendable, CaseIterable {
    case validationAccuracy = "validation_accuracy"
    case validationLoss = "validation_loss"
    case trainAccuracy = "train_accuracy"

    /// As in presets: also by what accuracies are where outputs follow target series.
    var names: [String] {
      switch self {
      case .validationAccuracy: [rawValue, "validation_r2"]
      case .validationLoss: [rawValue]
      case .trainAccuracy: [rawValue, "train_r2"]
      }
    }

    /// Whether it takes validation samples.
    public var needsValidation: Bool { self != .trainAccuracy }
  }

  /// Epochs without an improvement, at least 1.
  public var patience: Int
  /// Of every lane alike.
  public var metric: Metric
  /// An improvement is more than this: share 0...1 for accuracies, in the loss's unit for losses.
  public var minDelta: Double

  /// Whether a value is an improvement on the best before; nil: there is none.
  package func isImproved(_ value: Double, on best: Double?) -> Bool {
    guard value.isFinite else { return false }
    guard let best else { return true }
    return metric == .validationLoss ? value < best - minDelta : value > best + minDelta
  }
}

/// When the test samples are looked at.
public enum TestTime: String, Sendable, CaseIterable {
  /// In each evaluated epoch.
  case every
  /// After the last epoch alone.
  case end
  case never

  /// After "test accuracy", in a heading.
  package var note: String {
    switch self {
    case .every: ""
    case .end: " (at the end only)"
    case .never: " (never looked at)"
    }
  }
}

extension TrainingOptions {
  static func readStop(_ section: ConfigReader) throws -> StopRule? {
    try section.optionalSection("stop") { inner in
      let names = StopRule.Metric.allCases.flatMap(\.names)
      let metric = try inner.choice("metric", default: names[0], names)
      return StopRule(
        patience: try inner.integer("patience", default: nil, 1...1_000_000),
        metric: StopRule.Metric.allCases.first { $0.names.contains(metric) }!,
        minDelta: try inner.number("min_delta", default: 0, .within(0, 1e6)))
    }
  }

  /// The key that takes validation samples; nil: none does.
  package var keyThatValidates: String? {
    if keepsBest { return "training.keep_best" }
    guard let stop, stop.metric.needsValidation else { return nil }
    return "training.stop.metric = \"\(stop.metric.rawValue)\""
  }
}
