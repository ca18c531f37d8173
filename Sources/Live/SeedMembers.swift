// SPDX-License-Identifier: MIT

import EventPropCore
import Experiments
import Foundation
import Runs
import SpikeData
import Training

/// The trainers and run folders of a preset's seeds, without histories and screens. One that is
/// behind, because it was added to a run, catches up while the others wait.
public final class SeedMembers {
  /// The training of one seed.
  public struct Member {
    /// Of the seed alone.
    public let trainer: Trainer
    /// Its own.
    public let run: RunDirectory
    /// Commands of the first seed that it has still to come to.
    fileprivate var queue = CommandQueue()

    private var place: (Int, Int) { (trainer.epoch, trainer.batchInEpoch) }
    /// Before another.
    static func < (a: Member, b: Member) -> Bool { a.place < b.place }
    static func == (a: Member, b: Member) -> Bool { a.place == b.place }
  }

  /// In the order of seeds.
  public private(set) var all: [Member] = []
  private let pool: WorkerPool

  /// - Parameters:
  ///   - detail: for the log's first line.
  ///   - willResume: called when data are there and nothing is written yet.
  /// - Throws: `FileError`.
  public init(_ plan: TrainingPlan, detail: String, willResume: () -> Void = {}) throws {
    pool = WorkerPool(threads: plan.threads)
    let data = try plan.allData(0..<plan.seeds)
    let trainers = try data.enumerated().map { try plan.makeTrainer($0, $1, pool) }
    // Until here there was nothing to keep, and signals ended the program at once.
    willResume()
    for (index, trainer) in trainers.enumerated() { try plan.resume(trainer, index) }
    for (index, trainer) in trainers.enumerated() {
      guard let run = try plan.run(trainer, index) else {
        throw FileError("seeds", "a training without a screen needs a run folder")
      }
      all.append(Member(trainer: trainer, run: run))
    }
    for member in all { try member.run.logBeginning(of: member.trainer, detail: detail) }
    func log(_ member: Member) -> LoggedSession? {
      try? LoggedSession(contentsOf: member.run.file("commands.jsonl"))
    }
    try all[0].run.log(
      seeds: all.count, of: all[0].trainer, before: log(all[0])?.seedCounts.last)
    let leader = all.max { $0 < $1 }!
    let commands = log(leader)?.commands ?? []
    for index in all.indices where all[index].trainer !== leader.trainer {
      all[index].queue = CommandQueue(commands, without: log(all[index])?.commands ?? [])
    }
  }

  /// The preset's own seed.
  public var first: Member { all[0] }
  /// The one that has most still to come.
  public var behind: Member { all.filter { !$0.trainer.isFinished }.min { $0 < $1 } ?? first }
  /// All epochs of all seeds are done.
  public var isFinished: Bool { all.allSatisfy(\.trainer.isFinished) }

  /// Trains one batch of every seed that is not ahead of another.
  /// - Returns: those that took part, by index, with what came of it.
  public func step() throws -> [(index: Int, result: Result<Trainer.Step, any Error>)] {
    let least = behind
    let due = all.indices.filter { all[$0] == least && !all[$0].trainer.isFinished }
    for index in due {
      let trainer = all[index].trainer
      while let next = all[index].queue.next(at: trainer) {
        try trainer.apply(next)
        try all[index].run.log(
          command: next.text, lane: next.lane.isEmpty ? nil : next.lane, epoch: next.epoch,
          batch: next.batch)
      }
    }
    return Array(zip(due, Trainer.step(due.map { all[$0].trainer }, pool: pool)))
      .map { (index: $0, result: $1) }
  }
}

extension TrainingPlan {
  /// The samples of some seeds, each found by all threads.
  func allData(_ range: Range<Int>) throws -> [DataSplits] { try range.map(data) }
}
