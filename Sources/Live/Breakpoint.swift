// SPDX-License-Identifier: MIT

import Foundation
import Training

/// Pauses the training at the first batch after which something is so, in any lane.
public enum Breakpoint: Sendable, Equatable {
  /// More than so many per cent of a hidden layer's neurons (`0` is hidden1) are silent per trial
  /// of a batch, on average.
  case silent(layer: Int, percent: Double)
  /// A neuron of a hidden layer has no spike in a whole batch.
  case neuron(layer: Int, neuron: Int)
  /// An observed update deleted so many spikes more than it created.
  case deletions(Int)
  /// A batch's loss is so many times what it was: the mean of the epoch so far, or of the epoch
  /// before.
  case loss(times: Double)

  /// As typed.
  public static let usage =
    "silent hidden1 10%, neuron 17 silent, neuron hidden2 17 silent, deleted > created 20, loss > 2x, or none"

  /// As `usage` says; nil for what is none.
  public init?(words: [String]) {
    func layer(_ word: String) -> Int? {
      guard word.hasPrefix("hidden"), let number = Int(word.dropFirst(6)), (1...64).contains(number)
      else { return nil }
      return number - 1
    }
    func number(_ word: String, _ suffix: Character) -> Double? {
      let digits = word.last == suffix ? String(word.dropLast()) : word
      return Double(digits).flatMap { $0.isFinite && $0 > 0 ? $0 : nil }
    }
    switch (words.first, words.count) {
    case ("silent", 3):
      guard let layer = layer(words[1]), let percent = number(words[2], "%"), percent < 100 else {
        return nil
      }
      self = .silent(layer: layer, percent: percent)
    case ("neuron", 3) where words[2] == "silent":
      guard let neuron = Int(words[1]), neuron >= 0 else { return nil }
      self = .neuron(layer: 0, neuron: neuron)
    case ("neuron", 4) where words[3] == "silent":
      guard let layer = layer(words[1]), let neuron = Int(words[2]), neuron >= 0 else { return nil }
      self = .neuron(layer: layer, neuron: neuron)
    case ("deleted", 4) where words[1] == ">" && words[2] == "created":
      guard let count = Int(words[3]), count > 0 else { return nil }
      self = .deletions(count)
    case ("loss", 3) where words[1] == ">":
      guard let times = number(words[2], "x"), times > 1 else { return nil }
      self = .loss(times: times)
    default: return nil
    }
  }

  /// As a sentence's end: "training will pause ...".
  var words: String {
    switch self {
    case .silent(let layer, let percent):
      String(format: "when more than %g %% of hidden\(layer + 1) are silent", percent)
    case .neuron(let layer, let neuron):
      "when neuron \(neuron) of hidden\(layer + 1) is silent in a batch"
    case .deletions(let count):
      "when an observed update deletes \(count) spikes more than it creates"
    case .loss(let times): String(format: "when a batch's loss is %g times what it was", times)
    }
  }

  /// What was seen after a batch; nil: it is not so.
  /// - Parameters:
  ///   - before: mean loss of the lane's last whole epoch; nil: none.
  ///   - isObserved: the batch's update was observed.
  func reason(in lane: any Lane, lossBefore before: Double?, isObserved: Bool) -> String? {
    let tally = lane.lastTally
    guard tally.trials > 0 else { return nil }
    switch self {
    case .silent(let layer, let percent):
      guard layer < lane.network.hiddenCount else { return nil }
      let size = lane.network.layers[layer].size
      let share = 100 * tally.meanSilent[layer] / Double(max(size, 1))
      return share > percent
        ? String(
          format: "%.0f of %d neurons of hidden\(layer + 1) are silent", tally.meanSilent[layer],
          size) : nil
    case .neuron(let layer, let neuron):
      guard layer < lane.network.hiddenCount, neuron < lane.network.layers[layer].size,
        tally.spikes[layer][neuron] == 0
      else { return nil }
      return "neuron \(neuron) of hidden\(layer + 1) had no spike in the batch"
    case .deletions(let count):
      guard isObserved, let ledger = lane.diagnosis.ledger,
        ledger.deleted - ledger.created >= count
      else { return nil }
      return "\(ledger.deleted) spikes deleted, \(ledger.created) created on the probe"
    case .loss(let times):
      let epoch = lane.epochTally
      let isLong = epoch.trials >= 10 * tally.trials
      guard let was = isLong ? epoch.meanLoss : before, was > 0, tally.meanLoss > times * was else {
        return nil
      }
      return String(format: "the batch's loss is %.3g, it was %.3g", tally.meanLoss, was)
    }
  }
}

/// A breakpoint that was hit.
public struct BreakHit: Sendable, Equatable {
  /// Counts up: a screen follows each once.
  public var number: Int
  /// Which one it was.
  public var breakpoint: Breakpoint
  /// `LaneOptions.identity` of the lane.
  public var lane: Int
}
