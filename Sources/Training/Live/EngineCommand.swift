// SPDX-License-Identifier: MIT

import EventPropCore

/// What a screen may ask of the engine. Takes effect at the next batch border.
public enum EngineCommand: Sendable, Equatable {
  case pause
  case resume
  /// Trains this many batches, then pauses.
  case step(batches: Int)
  /// Trains to the end of the epoch, then pauses.
  case stepEpoch
  /// Back to the initial weights: with the same commands, the identical run. Keeping what was
  /// changed so far gives the new beginning all changes of settings since the last one, at once.
  case restart(keeping: Bool)
  /// Takes back the last command that changed a lane.
  case undo
  case setRate(lane: Int, Double)
  case setShaping(lane: Int, Shaping)
  case setLoss(lane: Int, kind: String)
  /// Copies a lane (weights, optimiser state) and goes on with another loss.
  case fork(lane: Int, kind: String)
  case drop(lane: Int)
  case checkpoint
  /// Shows another probe sample.
  case probe(Int)
  /// What snapshots hold besides what every screen shows.
  case detail(Detail?)
  /// Wakes neurons of a hidden layer (`0` is hidden1) by hand.
  case cure(lane: Int, SilentPolicy, layer: Int, neurons: [Int])
  /// Rate regularisation of all hidden layers of a lane: strength upwards and downwards.
  case setRegularisation(lane: Int, upper: Double, lower: Double)
  /// Draws the order of batches anew from the next epoch on.
  case setOrderSeed(Int)
  /// Pauses when a condition is met; nil removes them all.
  case stopWhen(StopCondition?)
  /// Whether the Gradients screen holds the training gradient against the exact one.
  case compareGradients(Bool)
  /// Computes what a screen needs of a past snapshot, from its lanes of then.
  case inspect(serial: Int, position: Double, [KeptLane], Detail)
  /// Says something on the screen's notice line.
  case notice(String)

  /// What the log and the curves' marks say; nil for what does not change the training.
  public var logText: String? {
    switch self {
    case .pause, .resume, .step, .stepEpoch, .probe, .checkpoint, .notice, .detail, .stopWhen,
      .compareGradients, .inspect:
      nil
    case .restart: "restart"
    case .undo: "undo"
    case .setRate(_, let rate): "rate \(rate)"
    case .setShaping(_, let shaping): "shaping \(shaping.words)"
    case .setLoss(_, let kind): "loss \(kind)"
    case .fork(_, let kind): "fork \(kind)"
    case .drop: "drop"
    case .setRegularisation(_, let upper, let lower): "regularisation \(upper) \(lower)"
    case .setOrderSeed(let seed): "order-seed \(seed)"
    case .cure(_, let policy, let layer, let neurons):
      policy.words + " hidden\(layer + 1) " + neurons.map(String.init).joined(separator: ",")
    }
  }

  /// A command from its log text; nil for what is none.
  public init?(logText: String, lane: Int) {
    let words = logText.split(separator: " ").map(String.init)
    let first = words.first ?? ""
    let numbers = words.dropFirst().compactMap(Double.init)
    switch (first, words.count) {
    case ("restart", 1): self = .restart(keeping: false)
    case ("undo", 1): self = .undo
    case ("drop", 1): self = .drop(lane: lane)
    case ("rate", 2) where numbers.count == 1 && (0...1000).contains(numbers[0]):
      self = .setRate(lane: lane, numbers[0])
    case ("loss", 2): self = .setLoss(lane: lane, kind: words[1])
    case ("fork", 2): self = .fork(lane: lane, kind: words[1])
    case ("order-seed", 2) where Int(words[1]) != nil: self = .setOrderSeed(Int(words[1])!)
    case ("lift", 4) where numbers.first?.isFinite ?? false:
      guard let by = Double(words[1]), abs(by) <= 1e6,
        let place = EngineCommand.place(words[2], words[3])
      else {
        return nil
      }
      self = .cure(lane: lane, .lift(by: by), layer: place.layer, neurons: place.neurons)
    case ("redraw", 3):
      guard let place = EngineCommand.place(words[1], words[2]) else { return nil }
      self = .cure(lane: lane, .redraw, layer: place.layer, neurons: place.neurons)
    case ("regularisation", 3)
    where numbers.count == 2 && numbers.allSatisfy { $0 >= 0 && $0.isFinite }:
      self = .setRegularisation(lane: lane, upper: numbers[0], lower: numbers[1])
    case ("shaping", _):
      guard let shaping = Shaping(words: Array(words.dropFirst())) else { return nil }
      self = .setShaping(lane: lane, shaping)
    default: return nil
    }
  }

  /// `hidden1` and `3,7,9`.
  private static func place(_ layer: String, _ neurons: String) -> (layer: Int, neurons: [Int])? {
    guard layer.hasPrefix("hidden"), let number = Int(layer.dropFirst(6)), number > 0 else {
      return nil
    }
    let list = neurons.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard !list.contains(nil) else { return nil }
    return (number - 1, list.compactMap { $0 })
  }

  /// Whether it gives one lane other settings.
  public var changesLane: Bool {
    switch self {
    case .setRate, .setShaping, .setLoss, .setRegularisation: true
    default: false
    }
  }

  var lane: Int? {
    switch self {
    case .setRate(let lane, _), .setShaping(let lane, _), .setLoss(let lane, _),
      .fork(let lane, _), .drop(let lane), .setRegularisation(let lane, _, _),
      .cure(let lane, _, _, _):
      lane
    default: nil
    }
  }
}

/// What only one screen shows, and takes time to find.
public enum Detail: Sendable, Equatable {
  /// lV - lI maps, gradient in time.
  case gradients
  /// Margins.
  case ledger
  case silence
}

extension SilentPolicy {
  fileprivate var words: String {
    switch self {
    case .lift(let by): "lift \(by)"
    case .redraw: "redraw"
    }
  }
}

/// When training pauses by itself.
public enum StopCondition: Sendable, Equatable {
  /// After this many epochs.
  case epoch(Int)
  /// When a lane's test accuracy reaches this share.
  case accuracy(Double)
  /// When all neurons of a hidden layer were silent in a whole epoch.
  case deadLayer

  /// As a sentence's end: "training will pause ...".
  var words: String {
    switch self {
    case .epoch(let epoch): "after epoch \(epoch)"
    case .accuracy(let share): "when a lane's test accuracy reaches \(100 * share) %"
    case .deadLayer: "when a hidden layer dies"
    }
  }

  /// `epoch 20`, `accuracy 0.95`, `dead`.
  public init?(words: [String]) {
    switch (words.first, words.count) {
    case ("epoch", 2):
      guard let epoch = Int(words[1]), epoch > 0 else { return nil }
      self = .epoch(epoch)
    case ("accuracy", 2):
      guard let share = Double(words[1]), share > 0, share <= 1 else { return nil }
      self = .accuracy(share)
    case ("dead", 1): self = .deadLayer
    default: return nil
    }
  }
}
