// SPDX-License-Identifier: MIT

import Training

/// What may have come about by one update of a lane.
public enum BisectQuestion: Sendable, Equatable {
  /// A neuron of a hidden layer (`0` is hidden1) has no spike on the probe set.
  case dead(layer: Int, neuron: Int)
  /// More than so many per cent of a hidden layer's neurons have no spike in a probe trial, on
  /// average.
  case silent(layer: Int, percent: Double)
  /// The accuracy, or R² of target series, on the test samples, on the probe's where there are
  /// none, is below a share; or has come to it.
  case accuracy(Double)

  /// As typed.
  public static let usage =
    "dead hidden1 17, silent hidden1 50%, accuracy 0.6 or r2 0.6: the update that did it"
  /// Words that complete.
  public static let words = ["dead hidden1 0", "silent hidden1 50%", "accuracy 0.6"]

  /// As `usage` says; nil for what is none.
  public init?(words: [String]) {
    func layer(_ word: String) -> Int? {
      guard word.hasPrefix("hidden"), let number = Int(word.dropFirst(6)), (1...64).contains(number)
      else { return nil }
      return number - 1
    }
    switch (words.first, words.count) {
    case ("dead", 2):
      guard let neuron = Int(words[1]), neuron >= 0 else { return nil }
      self = .dead(layer: 0, neuron: neuron)
    case ("dead", 3):
      guard let layer = layer(words[1]), let neuron = Int(words[2]), neuron >= 0 else { return nil }
      self = .dead(layer: layer, neuron: neuron)
    case ("silent", 3):
      let digits = words[2].last == "%" ? String(words[2].dropLast()) : words[2]
      guard let layer = layer(words[1]), let percent = Double(digits), percent > 0, percent < 100
      else { return nil }
      self = .silent(layer: layer, percent: percent)
    case ("accuracy", 2), ("r2", 2):
      guard let share = Double(words[1]), share > 0, share <= 1 else { return nil }
      self = .accuracy(share)
    default: return nil
    }
  }

  /// As a command.
  func text(_ score: ScoreName) -> String {
    switch self {
    case .dead(let layer, let neuron): "dead hidden\(layer + 1) \(neuron)"
    case .silent(let layer, let percent): "silent hidden\(layer + 1) \(percent)%"
    case .accuracy(let share): "\(score.rawValue) \(share)"
    }
  }

  /// Why it cannot be asked of a lane; nil when it can.
  func obstacle(_ lane: any Lane) -> String? {
    let network = lane.network
    switch self {
    case .dead(let layer, let neuron):
      guard layer < network.hiddenCount else {
        return "there are hidden1 to hidden\(network.hiddenCount)"
      }
      let size = network.layers[layer].size
      return neuron < size ? nil : "hidden\(layer + 1) has no neuron \(neuron): 0 to \(size - 1)"
    case .silent(let layer, _):
      return layer < network.hiddenCount
        ? nil : "there are hidden1 to hidden\(network.hiddenCount)"
    case .accuracy: return nil
    }
  }

  /// Whether it is so under a lane's present weights, and the number that says it.
  func look(at index: Int, of trainer: Trainer) -> (isSo: Bool, number: Double) {
    let lane = trainer.lanes[index]
    switch self {
    case .dead(let layer, let neuron):
      let spikes = lane.probeSpikes(pool: trainer.pool).reduce(0) { sum, trial in
        sum + trial[layer].count { $0.neuron == neuron }
      }
      return (spikes == 0, Double(spikes))
    case .silent(let layer, let percent):
      let trials = lane.probeSpikes(pool: trainer.pool)
      let size = lane.network.layers[layer].size
      let silent = trials.reduce(0) { $0 + size - Set($1[layer].map(\.neuron)).count }
      let share = 100 * Double(silent) / Double(max(size * trials.count, 1))
      return (share > percent, share)
    case .accuracy(let share):
      let accuracy = trainer.evaluate(lane: index, trainer.probeData).accuracy
      return (accuracy < share, accuracy)
    }
  }

  /// What was seen on both sides of the update.
  func sentence(_ before: Double, _ after: Double, _ score: ScoreName) -> String {
    switch self {
    case .dead(let layer, let neuron):
      "neuron \(neuron) of hidden\(layer + 1) had \(Int(before)) "
        + (before == 1 ? "spike" : "spikes") + " on the probe before it, and \(Int(after)) after"
    case .silent(let layer, _):
      "\(Self.short(before)) % of hidden\(layer + 1) were silent before it, \(Self.short(after)) % after"
    case .accuracy:
      "\(score.word) \(Self.short(100 * before)) % before it, \(Self.short(100 * after)) % after"
    }
  }

  /// What is so now.
  func state(_ isSo: Bool, _ number: Double, _ score: ScoreName) -> String {
    switch self {
    case .dead(let layer, let neuron):
      isSo
        ? "neuron \(neuron) of hidden\(layer + 1) has no spike on the probe"
        : "neuron \(neuron) of hidden\(layer + 1) spikes on the probe (\(Int(number)))"
    case .silent(let layer, _): "\(Self.short(number)) % of hidden\(layer + 1) are silent"
    case .accuracy: "the \(score.word) is \(Self.short(100 * number)) %"
    }
  }

  private static func short(_ number: Double) -> String {
    let tenths = (10 * number).rounded() / 10
    return Int(exactly: tenths).map(String.init) ?? "\(tenths)"
  }
}
