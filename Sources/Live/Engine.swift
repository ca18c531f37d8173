// SPDX-License-Identifier: MIT

import Runs
import Training
import EventPropCore
import Foundation
import Synchronization

/// The background thread that trains. Commands go in through one queue; snapshots come out when
/// asked for.
public final class Engine: Sendable {
  private struct Shared {
    var commands: [EngineCommand] = []
    var snapshot: Snapshot?
    var isStopping = false
    var isLeaving = false
    var leaving = Leaving.no
    var hasBegun = false
    var hasEnded = false
    var startFailure: String?
    /// Why the last checkpoint could not be written.
    var stopFailure: String?
  }

  private let shared = Guarded(Shared())
  /// One load a batch is all that training pays for a screen that does not ask.
  private let isWanted = Atomic<Bool>(true)
  private let hasCommands = Atomic<Bool>(false)
  private let wake = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)

  /// - Parameters:
  ///   - makeTrainer: called on the engine's thread, at the start and for a restart.
  ///   - resume: takes the trainer of the start to a checkpoint.
  ///   - run: makes the run folder, or nil for none.
  public convenience init(
    isPaused: Bool = false, makeTrainer: @escaping @Sendable () throws -> Trainer,
    resume: @escaping @Sendable (Trainer) throws -> Void = { _ in },
    run: @escaping @Sendable (Trainer) throws -> RunDirectory?
  ) {
    self.init(
      TrainingPlan(makeTrainer: makeTrainer, resume: resume, run: run), isPaused: isPaused)
  }

  /// Trains the seeds of a plan.
  public init(_ plan: TrainingPlan, isPaused: Bool = false) {
    let thread = Thread { [self] in
      blockAllSignals()
      do {
        let training = try TrainingGroup(plan)
        shared.withLock { $0.hasBegun = true }
        loop(training, isPaused: isPaused)
      } catch {
        shared.withLock { $0.startFailure = "\(error)" }
      }
      shared.withLock { $0.hasEnded = true }
      ended.signal()
    }
    thread.name = "eventprop engine"
    thread.stackSize = 16 << 20
    thread.start()
  }

  /// Queues a command for the next batch border.
  public func send(_ command: EngineCommand) {
    shared.withLock { $0.commands.append(command) }
    hasCommands.store(true, ordering: .releasing)
    wake.signal()
  }

  /// The newest snapshot, if there is one newer than `serial`; asks for the next.
  public func snapshot(after serial: Int) -> Snapshot? {
    let latest = shared.withLock { $0.snapshot }
    if !isWanted.exchange(true, ordering: .acquiringAndReleasing) { wake.signal() }
    return latest.flatMap { $0.serial > serial ? $0 : nil }
  }

  /// Why the engine could not start; nil while all is well.
  public var startFailure: String? { shared.withLock { $0.startFailure } }
  /// The thread is gone: after `leave` or `stop`, or because the start failed.
  public var hasEnded: Bool { shared.withLock { $0.hasEnded } }

  /// Whether training has begun: before, there is nothing to keep, and nothing to wait for.
  public var hasBegun: Bool { shared.withLock { $0.hasBegun } }

  /// Asks for a checkpoint and the end; what comes of it is in `leaving`.
  public func leave() {
    shared.withLock {
      $0.isLeaving = true
      $0.leaving = $0.hasBegun ? .asked : .done
    }
    hasCommands.store(true, ordering: .releasing)
    wake.signal()
  }
  /// `.done` as soon as the thread has ended, whatever was asked.
  public var leaving: Leaving { shared.withLock { $0.hasEnded ? .done : $0.leaving } }

  /// Ends the thread after the current batch, with a checkpoint, and waits for it; before training
  /// has begun, at once.
  /// - Returns: why the checkpoint could not be written; nil when all is well.
  public func stop() -> String? {
    let hasBegun = shared.withLock { shared in
      shared.isStopping = true
      return shared.hasBegun
    }
    guard hasBegun else { return nil }
    hasCommands.store(true, ordering: .releasing)
    wake.signal()
    ended.wait()
    ended.signal()
    return shared.withLock { $0.stopFailure }
  }

  private func loop(_ training: TrainingGroup, isPaused: Bool) {
    var pace = Pace(isPaused: isPaused, speed: training.trainer.preset.training.speed)
    var serial = 0
    while true {
      if hasCommands.exchange(false, ordering: .acquiringAndReleasing) {
        let (commands, isStopping, isLeaving) = shared.withLock { shared in
          defer {
            shared.commands.removeAll()
            shared.isLeaving = false
          }
          return (shared.commands, shared.isStopping, shared.isLeaving)
        }
        for command in commands where !pace.take(command, training) { training.apply(command) }
        if isStopping || isLeaving {
          do {
            try training.leave()
            shared.withLock {
              $0.leaving = .done
              $0.stopFailure = nil
            }
            return
          } catch {
            shared.withLock {
              $0.leaving = .failed("\(error)")
              $0.stopFailure = "\(error)"
            }
            if isStopping { return }
          }
        }
        if !commands.isEmpty { isWanted.store(true, ordering: .releasing) }
      }
      let isIdle = pace.isIdle(training) && !training.hasJob
      if isWanted.exchange(false, ordering: .acquiringAndReleasing) {
        serial += 1
        training.rest(isIdle)
        var snapshot = training.snapshot()
        snapshot.serial = serial
        snapshot.isPaused = pace.isPaused
        snapshot.speed = pace.speed
        snapshot.samplesPerSecond = isIdle ? 0 : pace.samplesPerSecond
        snapshot.secondsLeft = pace.secondsLeft(training)
        shared.withLock { $0.snapshot = snapshot }
      }
      if isIdle {
        pace.rest()
        wake.wait()
      } else if !training.hasJob, let pause = pace.pause(training.time.now()) {
        _ = wake.wait(timeout: .now() + .nanoseconds(Int(pause.seconds * 1e9)))
      } else if training.hasJob {
        training.stepJob()
        if !training.hasJob { isWanted.store(true, ordering: .releasing) }
        if training.hasStopped {
          training.hasStopped = false
          _ = pace.take(.pause, training)
        }
      } else {
        if pace.isStepping { training.observeNext() }
        pace.count(training.trainBatch(), training)
        pace.watch(training)
        if training.hasStopped {
          training.hasStopped = false
          _ = pace.take(.pause, training)
        }
      }
    }
  }
}

/// Whether training runs, for how long, and how fast.
private struct Pace {
  private(set) var isPaused: Bool
  /// Batches to go before pausing; nil: no end.
  private var batchesLeft: Int?
  private var untilEpochEnd = false
  private var since: Duration?
  private var samples = 0
  private(set) var samplesPerSecond = 0.0
  /// Batches per second of slow motion; 0 is full speed.
  private(set) var speed: Double
  /// When the next batch of slow motion is due.
  private var due = Duration.zero

  init(isPaused: Bool, speed: Double) {
    self.isPaused = isPaused
    self.speed = speed
  }

  /// How long the next batch of slow motion has to wait; nil when it has not. Steps by key do not
  /// wait.
  mutating func pause(_ now: Duration) -> Duration? {
    guard speed > 0, !isStepping, !untilEpochEnd else { return nil }
    if now < due { return due - now }
    due = now + .seconds(1 / speed)
    return nil
  }

  /// Slow motion is over once something has gone wrong, or all is done.
  mutating func watch(_ training: TrainingGroup) {
    guard speed > 0 else { return }
    if training.hasAlarm || training.isFinished { speed = 0 }
  }

  var isStepping: Bool { batchesLeft != nil }

  /// Takes commands about the pace; false for all others.
  mutating func take(_ command: EngineCommand, _ training: TrainingGroup) -> Bool {
    switch command {
    case .pause: isPaused = true
    case .fullSpeed: speed = 0
    case .resume:
      training.forgive()
      isPaused = false
      batchesLeft = nil
      untilEpochEnd = false
    case .step(let batches):
      training.forgive()
      isPaused = false
      batchesLeft = batches
      untilEpochEnd = false
    case .stepEpoch:
      training.forgive()
      isPaused = false
      batchesLeft = nil
      untilEpochEnd = true
    default: return false
    }
    return true
  }

  func isIdle(_ training: TrainingGroup) -> Bool {
    let isDone = training.isFinished && batchesLeft == nil && !untilEpochEnd
    return isPaused || isDone || !training.failure.isEmpty
  }

  mutating func count(_ trained: Int, _ training: TrainingGroup) {
    let now = training.time.now()
    if since == nil { since = now }
    samples += trained
    let elapsed = (now - since!).seconds
    if elapsed > 0.5 {
      samplesPerSecond = Double(samples) / elapsed
      since = now
      samples = 0
    }
    if let left = batchesLeft {
      batchesLeft = left - 1
      if left <= 1 {
        isPaused = true
        batchesLeft = nil
      }
    }
    if untilEpochEnd && training.isAtEpochStart {
      isPaused = true
      untilEpochEnd = false
    }
  }

  mutating func rest() {
    since = nil
    samples = 0
  }

  func secondsLeft(_ training: TrainingGroup) -> Double {
    let samples = Double(training.batchesLeft * training.trainer.preset.training.batch)
    return samplesPerSecond > 0 ? samples / samplesPerSecond : .infinity
  }
}
