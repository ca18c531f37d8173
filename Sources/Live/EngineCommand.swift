// SPDX-License-Identifier: MIT

import Training

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
  /// Changes lanes or the order of batches: logged, replayed and taken back.
  case training(AnyTrainingCommand)
  case checkpoint
  /// Ends the slow motion of a preset.
  case fullSpeed
  /// Shows another probe sample.
  case probe(Int)
  /// What snapshots hold besides what every screen shows.
  case detail(Detail?)
  /// Pauses when a condition is met; nil removes them all.
  case stopWhen(StopCondition?)
  /// Pauses at the first batch after which it is so, once; nil removes them all.
  case breakWhen(Breakpoint?)
  /// Whether the Gradients screen holds the training gradient against the exact one.
  case compareGradients(Bool)
  /// Looks for the one update of a lane that brought something about, and shows it.
  case bisect(BisectQuestion, lane: Int)
  /// Goes back to a place in the past, and on from there with a fork of a lane.
  case rewind(Rewind)
  /// Trains every lane with so many seeds, from 1 on. New ones begin at the initial weights and
  /// catch up with the commands of the first; those beyond stay on disk as they are.
  case seeds(Int)
  /// Which seed's network is shown, from 0 on.
  case show(seed: Int)
  /// Ends a bisection or a rewinding before it is done: the training is as it was.
  case cancel
  /// Computes what a screen needs of a past snapshot.
  case inspect(InspectionRequest)

  /// Changes lanes or the order of batches.
  package static func change(_ command: any TrainingCommand) -> EngineCommand {
    .training(AnyTrainingCommand(command))
  }
}

/// A command of any kind. Equal ones have the same lane and the same words.
public struct AnyTrainingCommand: Sendable, Equatable {
  /// As one of `CommandTable`.
  package let command: any TrainingCommand

  /// Adds nothing to it.
  package init(_ command: any TrainingCommand) { self.command = command }

  /// By lane and text.
  public static func == (a: Self, b: Self) -> Bool {
    a.command.lane == b.command.lane && a.command.text == b.command.text
  }
}

/// What only one screen shows, and takes time to find.
public enum Detail: Sendable, Equatable {
  /// lV - lI maps, gradient in time.
  case gradients
  /// Margins.
  case ledger
  case silence
  /// Weights, matrix by matrix.
  case weights
  /// What the last observed update did to the spikes of the shown probe trial.
  case step
  /// The loss along that update.
  case slice
  /// V(t) of one neuron; `spike` is one of its spikes, nil where it comes closest to threshold.
  case trace(layer: Int, neuron: Int, spike: Int?)
  /// How the weights stand, and what would help; `target` in spikes per neuron and trial, nil: by
  /// the length of trials.
  case doctor(target: Double?)
}

/// When training pauses by itself.
public enum StopCondition: Sendable, Equatable {
  /// After this many epochs.
  case epoch(Int)
  /// When a lane's test accuracy, or R² of target series, reaches this.
  case accuracy(Double)
  /// When all neurons of a hidden layer were silent in a whole epoch.
  case deadLayer

  /// As a sentence's end: "training will pause ...".
  func words(_ score: ScoreName) -> String {
    switch self {
    case .epoch(let epoch): "after epoch \(epoch)"
    case .accuracy(let share): "when a lane's test \(score.word) reaches \(100 * share) %"
    case .deadLayer: "when a hidden layer dies"
    }
  }

  /// `epoch 20`, `accuracy 0.95` or `r2 0.95`, `dead`.
  public init?(words: [String]) {
    switch (words.first, words.count) {
    case ("epoch", 2):
      guard let epoch = Int(words[1]), epoch > 0 else { return nil }
      self = .epoch(epoch)
    case ("accuracy", 2), ("r2", 2):
      guard let share = Double(words[1]), share > 0, share <= 1 else { return nil }
      self = .accuracy(share)
    case ("dead", 1): self = .deadLayer
    default: return nil
    }
  }
}
