// SPDX-License-Identifier: MIT

import Training
import Diagnosis
import EventPropCore
import Foundation
import SpikeData

/// Holds the gradient that trains against the exact one on the probe set, beside the training: on a
/// thread of its own at the lowest priority, and for at most a hundredth of the time. Has no effect
/// on the training.
final class GradientTruth {
  /// A result, and at which position of the training the weights were taken.
  struct Result: Sendable {
    var comparison: GradientComparison
    /// nil where there is no surrogate gradient of the loss.
    var surrogate: SurrogateComparison?
    var position: Double
  }

  /// What the thread needs: values alone.
  private struct Job: Sendable {
    var identity: Int
    var problem: Problem
    var samples: [GradientCheck.Sample]
    var weights: [[Double]]
    var reach: Double
    var position: Double
    var generation: Int

    func run() -> Result {
      Result(
        comparison: GradientComparison(
          problem, samples: samples, weights: weights, reach: reach),
        surrogate: SurrogateComparison(problem, samples: samples, weights: weights),
        position: position)
    }
  }

  private struct Shared {
    var isBusy = false
    var results: [Int: Result] = [:]
    /// Of the networks compared: what comes in of older ones is not kept.
    var generation = 0
    var seconds = 0.0
  }

  private let shared = Shelf()
  private final class Shelf: Sendable {
    let state = Guarded(Shared())
  }

  /// Off by key.
  var isOn = true
  /// Nothing trains: what the processor does then is free.
  var isResting = false
  private let time: TimeSource
  private var since: Duration?
  private var trained = 0.0
  static let share = 0.01

  init(_ time: TimeSource) { self.time = time }

  /// Of a lane, by its identity.
  func result(of identity: Int) -> Result? { shared.state.withLock { $0.results[identity] } }

  /// The networks are others now: results so far, and one that is under way, are not theirs.
  func forget() {
    shared.state.withLock {
      $0.results.removeAll()
      $0.generation += 1
    }
  }

  /// Begins the next comparison when its time has come; called once per snapshot of a screen that
  /// shows it.
  func update(_ trainer: Trainer, position: Double) {
    let now = time.now()
    if let since, !isResting { trained += min((now - since).seconds, 1) }
    since = now
    guard isOn, let job = next(trainer, position) else { return }
    let (shared, time) = (shared, time)
    let thread = Thread {
      blockAllSignals()
      // The lowest priority; of this thread alone on Linux.
      setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
      let start = time.now()
      let result = job.run()
      let seconds = (time.now() - start).seconds
      shared.state.withLock {
        if $0.generation == job.generation { $0.results[job.identity] = result }
        $0.seconds += seconds
        $0.isBusy = false
      }
    }
    thread.stackSize = 8 << 20
    thread.start()
  }

  /// All lanes at once, on this thread: for figures, and runs that are looked at.
  func updateNow(_ trainer: Trainer, position: Double) {
    for lane in trainer.lanes where result(of: lane.options.identity)?.position != position {
      guard let job = job(lane, trainer, position) else { continue }
      let result = job.run()
      shared.state.withLock { $0.results[job.identity] = result }
    }
  }

  /// The lane whose comparison is oldest, if there is time for it.
  private func next(_ trainer: Trainer, _ position: Double) -> Job? {
    let (isBusy, known, seconds) = shared.state.withLock {
      ($0.isBusy, $0.results.mapValues(\.position), $0.seconds)
    }
    let stale = trainer.lanes.filter {
      $0.options.solver == .grid && known[$0.options.identity] != position
    }.min { known[$0.options.identity] ?? -1 < known[$1.options.identity] ?? -1 }
    guard !isBusy, let stale else { return nil }
    let isNew = known[stale.options.identity] == nil
    guard isNew || isResting || seconds <= Self.share * trained else { return nil }
    guard let job = job(stale, trainer, position) else { return nil }
    shared.state.withLock { $0.isBusy = true }
    return job
  }

  private func job(_ lane: any Lane, _ trainer: Trainer, _ position: Double) -> Job? {
    guard lane.options.solver == .grid, let probe = lane.comparable() else { return nil }
    return Job(
      identity: lane.options.identity, problem: probe.problem, samples: probe.samples,
      weights: probe.weights, reach: trainer.preset.diagnosis.reach, position: position,
      generation: shared.state.withLock { $0.generation })
  }
}
