// SPDX-License-Identifier: MIT

import Runs
import SpikeData
import Synchronization
import Training

/// Finds the one update of a lane that brought something about: goes back over the states that are
/// kept to one at which it was not yet so, trains on from there again, bit by bit, and looks after
/// every batch. Of several such updates it is the last one. A state in between that is not kept is
/// looked at only where the search comes by.
struct Bisection {
  /// What is looked for, and in which lane, by its identity.
  let question: BisectQuestion
  let identity: Int
  /// Where it is so.
  private let end: PastPlace
  private let commands: [LoggedCommand]
  private let makeTrainer: () throws -> Trainer
  private let run: String?
  private let places: [Trainer.SafePlace]
  private let isSo: Bool

  /// Borders that can be begun at, earliest first.
  private var starts: [PastPlace]
  /// Where it was found to be so last.
  private var upper: PastPlace
  private var rerun: Rerun?
  private var seen: (isSo: Bool, number: Double)?
  private(set) var change: Change?
  private var isScanning = false

  /// What happened when it came about.
  struct Change {
    /// Border before it.
    var place: PastPlace
    var kind: Kind
    var before: Double
    var after: Double
  }

  enum Kind: Equatable {
    case update
    /// By the user.
    case command(String)
    /// What is done to silent neurons at the end of an epoch.
    case epochEnd
  }

  enum Outcome {
    case goesOn
    /// Nothing to look for, or nothing found: why.
    case nothing(String)
    case found
  }

  /// - Parameters:
  ///   - trainer: the session's, at the place where it is so; it is only looked at.
  ///   - commands: of the session.
  ///   - run: its folder, for checkpoints; nil: none.
  ///   - places: states in memory.
  ///   - makeTrainer: another one of the same preset and data, at the initial weights.
  /// - Throws: `FileError` when the lane has no such layer or neuron.
  init(
    _ question: BisectQuestion, lane index: Int, of trainer: Trainer, commands: [LoggedCommand],
    run: String?, places: [Trainer.SafePlace], makeTrainer: @escaping () throws -> Trainer
  ) throws {
    if let obstacle = question.obstacle(trainer.lanes[index]) {
      throw FileError("bisect", obstacle)
    }
    self.question = question
    identity = trainer.lanes[index].options.identity
    (self.commands, self.run, self.places) = (commands, run, places)
    self.makeTrainer = makeTrainer
    end = PastPlace(
      epoch: trainer.epoch, batch: trainer.batchInEpoch, commands: trainer.commandCount)
    upper = end
    isSo = question.look(at: index, of: trainer).isSo
    let written = run.flatMap { try? Checkpoint.all(in: $0) } ?? []
    let borders =
      [(0, 0)] + places.map { ($0.epoch, $0.batch) } + written.map { ($0.epoch, $0.batch) }
    starts = []
    for border in borders.sorted(by: <) where border < (end.epoch, end.batch) {
      let place = PastPlace(epoch: border.0, batch: border.1)
      if starts.last != place { starts.append(place) }
    }
    // An accuracy may have fallen below a share or come to it; a neuron that spikes did not die.
    if case .accuracy = question { return }
    guard isSo else {
      let now = question.look(at: index, of: trainer)
      throw FileError(
        "bisect", "\(question.state(now.isSo, now.number, trainer.score)): nothing to look for")
    }
  }

  /// What it is doing.
  var progress: String {
    guard let rerun else { return "bisecting" }
    let trainer = rerun.trainer
    return isScanning
      ? "bisecting \(question.text(trainer.score)): epoch \(trainer.epoch), batch \(trainer.batchInEpoch) of \(trainer.batchesPerEpoch)"
      : "bisecting \(question.text(trainer.score)): looking back at epoch \(trainer.epoch)"
  }

  private func index(in trainer: Trainer) -> Int? {
    trainer.lanes.firstIndex { $0.options.identity == identity }
  }

  /// A state looked at, or a batch trained again.
  mutating func step() throws -> Outcome {
    if !isScanning { return try lookBack() }
    guard let rerun else { return .nothing("it was not found") }
    if rerun.isAt(upper) { return change == nil ? .nothing(whenNothing) : .found }
    let trainer = rerun.trainer
    let place = PastPlace(
      epoch: trainer.epoch, batch: trainer.batchInEpoch, commands: trainer.commandCount)
    if let due = rerun.due {
      try trainer.apply(due)
      look(at: place, .command(due.text))
    } else {
      if !trainer.isEpochComplete {
        try trainer.trainBatch()
        look(at: place, .update)
      }
      if trainer.isEpochComplete {
        _ = trainer.finishEpoch()
        look(at: place, .epochEnd)
      }
    }
    return .goesOn
  }

  private mutating func look(at place: PastPlace, _ kind: Kind) {
    guard let trainer = rerun?.trainer, let index = index(in: trainer) else { return }
    let now = question.look(at: index, of: trainer)
    defer { seen = now }
    guard let seen, now.isSo != seen.isSo else { return }
    if now.isSo == isSo {
      change = Change(place: place, kind: kind, before: seen.number, after: now.number)
    }
  }

  /// One state further back.
  private mutating func lookBack() throws -> Outcome {
    guard let border = starts.popLast() else { return .nothing(whenNothing) }
    let again = try Rerun(
      makeTrainer(), commands: commands, run: run, places: places, before: border)
    rerun = again
    let trainer = again.trainer
    guard let index = index(in: trainer) else {
      // The lane was forked after this: what came before is another lane's.
      isScanning = true
      seen = nil
      return .goesOn
    }
    let now = question.look(at: index, of: trainer)
    if now.isSo == isSo {
      upper = PastPlace(
        epoch: trainer.epoch, batch: trainer.batchInEpoch, commands: trainer.commandCount)
      starts.removeAll { ($0.epoch, $0.batch) >= (trainer.epoch, trainer.batchInEpoch) }
      return .goesOn
    }
    seen = now
    isScanning = true
    return .goesOn
  }

  private var whenNothing: String {
    "no update did it: it was so from the lane's beginning on"
  }

  /// A trainer as it was just before the change.
  func trainerBefore(_ change: Change) throws -> Rerun {
    try Rerun(makeTrainer(), commands: commands, run: run, places: places, before: change.place)
  }
}

/// The update that a bisection has found, as a snapshot just after it.
public final class FoundUpdate: Sendable {
  /// Counts up: a screen follows each once.
  public let number: Int
  /// Identity of the lane.
  public let lane: Int
  /// Just after it, with the ledger of it.
  public let snapshot: Snapshot
  /// What was found.
  public let sentence: String
  /// Epoch and batch that it trained on, from 0 on; nil: it was not an update but a command, or
  /// what is done at the end of an epoch.
  public let batch: (epoch: Int, batch: Int)?

  private static let numbers = Atomic<Int>(0)
  /// The next one, over all trainings of this process.
  static func takeNumber() -> Int { numbers.wrappingAdd(1, ordering: .relaxed).newValue }

  init(
    number: Int, lane: Int, snapshot: Snapshot, sentence: String, batch: (epoch: Int, batch: Int)?
  ) {
    (self.number, self.lane, self.snapshot) = (number, lane, snapshot)
    (self.sentence, self.batch) = (sentence, batch)
  }
}
