// SPDX-License-Identifier: MIT

import EventPropCore
import Experiments
import Foundation
import Runs
import SpikeData
import Training

/// The trainings of a preset's seeds, as the engine thread drives them: batch by batch together,
/// each with its own run folder. One that is behind, because it was added later, catches up while
/// the others wait.
final class TrainingGroup {
  private(set) var sessions: [TrainingSession] = []
  /// Whose network is shown.
  private(set) var shown = 0
  private let plan: TrainingPlan
  private let pool: WorkerPool
  private var detail: Detail?
  private var probe = 0
  private var comparesGradients = true
  private var said: [ObjectIdentifier: String] = [:]
  private var lastSaid = ""
  /// How many seeds there were, one after another: each is a look at the result.
  private var counts: [Int]

  init(_ plan: TrainingPlan) throws {
    self.plan = plan
    pool = WorkerPool(threads: plan.threads)
    counts = [plan.seeds]
    sessions = try make(0..<plan.seeds)
    if let run = first.run {
      let log = try? LoggedSession(contentsOf: run.file("commands.jsonl"))
      counts = (log?.seedCounts ?? []) + counts
      try run.log(seeds: plan.seeds, of: trainer, before: log?.seedCounts.last)
    }
    let leader = leader
    for session in sessions where session !== leader { catchUp(session, with: leader) }
    share(memory: PastPlaces.memory)
  }

  /// The session that is furthest, whose commands the others come to.
  private var leader: TrainingSession {
    let front = sessions.map(\.place).max { $0 < $1 }!
    return sessions.first { $0.place == front }!
  }

  /// What another session was told, and this one has still to come to.
  private func catchUp(_ session: TrainingSession, with leader: TrainingSession) {
    session.queued = CommandQueue(leader.commands, without: session.commands)
  }

  /// States to go back to take memory for each seed.
  private func share(memory: Int) {
    for session in sessions { session.limitPlaces(to: memory / sessions.count) }
  }

  /// Makes the sessions of some seeds; samples are found side by side.
  private func make(_ range: Range<Int>) throws -> [TrainingSession] {
    let (data, plan) = (try plan.allData(range), plan)
    return try zip(range, data).map { index, data in
      try TrainingSession(
        { [pool] in try plan.makeTrainer(index, data, pool) },
        resume: { try plan.resume($0, index) }, past: plan.past(index),
        run: { try plan.run($0, index) })
    }
  }

  var first: TrainingSession { sessions[0] }
  private var present: TrainingSession { sessions[shown] }
  /// Of the first seed.
  var trainer: Trainer { first.trainer }
  var time: TimeSource { first.time }
  var isFinished: Bool { sessions.allSatisfy { $0.trainer.isFinished } }
  var isAtEpochStart: Bool { sessions.allSatisfy { $0.trainer.batchInEpoch == 0 } }
  var hasAlarm: Bool {
    sessions.contains { $0.trainer.lanes.contains { !$0.diagnosis.alarms.isEmpty } }
  }

  /// Batches to the preset's end, over all seeds.
  var batchesLeft: Int {
    sessions.reduce(0) { $0 + $1.trainer.batchesLeft }
  }

  /// Why training has stopped; empty while it goes on.
  var failure: String {
    guard let failed = sessions.first(where: { !$0.failure.isEmpty }) else { return "" }
    return sessions.count > 1
      ? "seed \(failed.trainer.preset.seed): \(failed.failure)" : failed.failure
  }

  var hasStopped: Bool {
    get { sessions.contains(where: \.hasStopped) }
    set { for session in sessions { session.hasStopped = newValue } }
  }
  var hasJob: Bool { sessions.contains { $0.job != nil } }

  func stepJob() { for session in sessions where session.job != nil { session.stepJob() } }
  func forgive() { for session in sessions { session.forgive() } }
  func observeNext() { present.observeNext() }
  func rest(_ isIdle: Bool) { for session in sessions { session.truth.isResting = isIdle } }

  // MARK: Training

  /// Trains one batch of every seed that is not ahead of another.
  /// - Returns: samples trained on, over all of them.
  func trainBatch() -> Int {
    guard failure.isEmpty else { return 0 }
    // Where a rule ends one before the others, it waits for good.
    let unfinished = sessions.filter { !$0.trainer.isFinished }
    let open = unfinished.isEmpty ? sessions : unfinished
    let least = open.map(\.place).min { $0 < $1 }!
    let due = open.filter { $0.place == least }
    for session in due {
      session.applyQueued()
      session.prepareBatch()
    }
    let front = leader.place
    let results = Trainer.step(due.map(\.trainer), pool: pool)
    let samples = zip(due, results).reduce(0) { $0 + $1.0.take($1.1) }
    for session in sessions where !session.failure.isEmpty {
      if least != front, session !== first {
        // What the others have behind them cannot be told otherwise now.
        leave(session)
      } else {
        for other in due where other.failure.isEmpty { other.goBack(with: session.failure) }
      }
    }
    if hasStopped { forgetPauses() }
    return samples
  }

  /// A seed that failed while it caught up goes its own way.
  private func leave(_ session: TrainingSession) {
    first.notice =
      "seed \(session.trainer.preset.seed) is given up, it failed while it caught up: \(session.failure)"
    try? session.leave()
    if present === session { shown = 0 }
    sessions.removeAll { $0 === session }
    shown = min(shown, sessions.count - 1)
  }

  /// What one of them paused for is over for all; that one is shown.
  private func forgetPauses() {
    guard let hit = sessions.firstIndex(where: \.hasStopped) else { return }
    let pause = sessions[hit].pause
    for session in sessions { session.forget(pause) }
    if case .breakpoint? = pause, hit != shown { apply(.show(seed: hit)) }
  }

  /// The last thing of a session: what it has is kept, and where it ended.
  func leave() throws {
    var failed: (any Error)?
    for session in sessions {
      do { try session.leave() } catch { failed = failed ?? error }
    }
    if let failed { throw failed }
  }

  // MARK: Commands

  /// Applies a command; those about the pace are the engine's.
  func apply(_ command: EngineCommand) {
    switch command {
    case .training(let any): apply(any.command)
    case .seeds(let count): train(count)
    case .show(let seed):
      guard sessions.indices.contains(seed), seed != shown else { return }
      present.apply(.detail(nil))
      shown = seed
      present.apply(.probe(probe))
      present.apply(.detail(detail))
    case .detail(let wanted):
      detail = wanted
      present.apply(command)
    case .inspect, .bisect: present.apply(command)
    default:
      switch command {
      case .rewind, .restart:
        let front = leader.place
        guard !sessions.contains(where: { !$0.trainer.isFinished && $0.place < front }) else {
          present.notice = "not while a seed catches up with the others"
          return
        }
      default: break
      }
      if case .probe(let wanted) = command { probe = wanted }
      if case .compareGradients(let isOn) = command { comparesGradients = isOn }
      for session in sessions { session.apply(command) }
    }
  }

  private func apply(_ command: any TrainingCommand) {
    let leader = leader
    let front = leader.place
    var isOfOne = type(of: command).isOfOneNetwork
    if command is Undo, let text = present.trainer.undoable,
      let undone = CommandTable.command(text: text, lane: 0)
    {
      isOfOne = type(of: undone).isOfOneNetwork
      let own = sessions.firstIndex {
        $0 !== present && $0.place == front && $0.trainer.undoable != text
      }
      if !isOfOne, let own {
        present.notice =
          "seed \(sessions[own].trainer.preset.seed) alone was told \"\(sessions[own].trainer.undoable ?? "")\" since: show it (,) and undo that first"
        return
      }
    }
    let logged = LoggedCommand(
      epoch: front.0, batch: front.1,
      lane: command.lane.flatMap {
        leader.trainer.lanes.indices.contains($0) ? leader.trainer.laneNames[$0] : nil
      } ?? "", text: command.text)
    for (index, session) in sessions.enumerated() where !isOfOne || index == shown {
      if session.place == front {
        session.applyQueued()
        session.apply(.change(command))
      } else {
        session.queued.append(logged)
      }
    }
    if isOfOne && sessions.count > 1 {
      present.notice = "\(command.text): seed \(present.trainer.preset.seed) alone took it"
    }
  }

  /// Other seeds join, or the last ones leave.
  private func train(_ count: Int) {
    guard (1...Preset.mostSeeds).contains(count), count != sessions.count else { return }
    do {
      if count < sessions.count {
        for session in sessions[count...] { try session.leave() }
        sessions.removeLast(sessions.count - count)
        if shown >= count { shown = 0 }
      } else {
        let joining = try make(sessions.count..<count)
        if first.run != nil, let lost = joining.first(where: { $0.run == nil }) {
          throw FileError("seeds", lost.notice)
        }
        for session in joining {
          catchUp(session, with: leader)
          session.apply(.compareGradients(comparesGradients))
        }
        sessions += joining
        share(memory: PastPlaces.memory)
      }
      counts.append(count)
      if let run = first.run {
        try run.log(seeds: count, of: trainer, before: nil)
        try run.write(trainer.preset.with(["seeds=\(count)"]))
      }
      first.notice = count == 1 ? "one seed" : "\(count) seeds: those behind catch up"
    } catch {
      first.notice = "\(error)"
    }
  }

  // MARK: Looking

  /// The last thing that any of them had to say.
  private var notice: String {
    for session in sessions where session.notice != said[ObjectIdentifier(session)] ?? "" {
      said[ObjectIdentifier(session)] = session.notice
      let isOfAll = session === present || session === first
      lastSaid =
        isOfAll ? session.notice : "seed \(session.trainer.preset.seed): \(session.notice)"
    }
    return lastSaid
  }

  func snapshot() -> Snapshot {
    var snapshot = present.snapshot()
    snapshot.isFinished = isFinished
    snapshot.failure = failure
    snapshot.shownSeed = shown
    snapshot.seeds = sessions.map(\.trainer.preset.seed)
    snapshot.looks = LoggedSession.looks(counts)
    snapshot.notice = notice
    guard sessions.count > 1 else { return snapshot }
    snapshot.runPath = first.run?.path ?? ""
    for index in snapshot.lanes.indices {
      let identity = snapshot.lanes[index].identity
      snapshot.lanes[index].seeds = sessions.map { session in
        guard
          let lane = session.trainer.lanes.first(where: { $0.options.identity == identity })
        else { return SeedCurves(seed: session.trainer.preset.seed) }
        var curves = SeedCurves(session.trainer.preset.seed, session.history(of: lane))
        curves.isOver = session.trainer.isOver
        return curves
      }
    }
    return snapshot
  }
}

extension TrainingSession {
  /// Every lane under the seeds of a run, by its name, from their metrics.csv up to an epoch.
  func seedCurves(
    of seeds: [(seed: Int, folder: String)], until epoch: Int
  ) -> [String: [SeedCurves]] {
    var found: [String: [SeedCurves]] = [:]
    for (seed, folder) in seeds {
      let file = (folder as NSString).appendingPathComponent("metrics.csv")
      let rows = MetricsTable.read(file, trainer.network).filter { $0.epoch <= epoch }
      for name in trainer.laneNames {
        var history = LaneHistory(trainer.network)
        for row in rows where row.lane == name { history.append(row) }
        var curves = SeedCurves(seed, history)
        curves.isOver = trainer.isOver
        found[name, default: []].append(curves)
      }
    }
    return found
  }

  /// The border between batches that it is at.
  var place: (Int, Int) { (trainer.epoch, trainer.batchInEpoch) }
}

/// A lane under one of several seeds.
public struct SeedCurves: Sendable {
  /// Of weights, order and generated data.
  public var seed: Int
  /// As those of `LaneSnapshot`.
  public var curves = LaneCurves()
  /// Test accuracy by epoch, share 0...1.
  public var tests: [Int: Double] = [:]
  /// Neurons without a spike in the last whole epoch, over all hidden layers; nil: not known.
  public var dead: Int?
  /// Whether training may have ended it before others: `ComparedTests`.
  public var isOver = false

  init(seed: Int) { self.seed = seed }

  init(_ seed: Int, _ history: LaneHistory) {
    self.seed = seed
    curves = history.curves
    tests = history.tests
    dead = history.record?.dead.reduce(0, +)
  }
}

extension Trainer {
  /// It is finished, at an epoch that need not be that of other seeds.
  var isOver: Bool { preset.training.stop != nil && isFinished }
}

/// Which test accuracy of each seed is compared with those of the others.
public enum ComparedTests {
  /// That of the last epoch that all of them have evaluated; of a seed that `training.stop` has
  /// ended before it, its own last.
  /// - Parameters:
  ///   - tests: of each seed, share 0...1 by epoch.
  ///   - isOver: of each seed.
  /// - Returns: one for each seed, and the first epoch that is among them; nil where a seed has
  ///   none.
  public static func accuracies(_ tests: [[Int: Double]], isOver: [Bool]) -> (
    values: [Double], epoch: Int
  )? {
    let going = zip(tests, isOver).filter { !$1 }.map { Set($0.0.keys) }
    let common = going.dropFirst().reduce(going.first ?? []) { $0.intersection($1) }
    guard let last = going.isEmpty ? Int.max : common.max() else { return nil }
    let epochs = tests.compactMap { own in own.keys.filter { $0 <= last }.max() }
    guard epochs.count == tests.count, let epoch = epochs.min() else { return nil }
    return (zip(tests, epochs).map { $0[$1]! }, epoch)
  }
}
