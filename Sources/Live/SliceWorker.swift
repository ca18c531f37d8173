// SPDX-License-Identifier: MIT

import Diagnosis
import EventPropCore
import Foundation
import Synchronization
import Training

/// Makes slices of the last observed updates, one after another, on a thread of its own at the
/// lowest priority: what there is so far can be seen at any time. Has no effect on the training.
final class SliceWorker {
  private struct Job: Sendable {
    var identity: Int
    var problem: Problem
    var samples: [GradientCheck.Sample]
    var step: StepWeights
    var reach: Double
    var generation: Int
  }

  private struct Shared {
    var isBusy = false
    var slices: [Int: Slice] = [:]
    /// Updates that slices have been begun of, by lane.
    var begun: [Int: Int] = [:]
    var generation = 0
  }

  private final class Shelf: Sendable {
    let state = Mutex(Shared())
  }
  private let shelf = Shelf()

  /// Of a lane, by its identity; what there is so far.
  func slice(of identity: Int) -> Slice? { shelf.state.withLock { $0.slices[identity] } }

  /// The networks are others now.
  func forget() {
    shelf.state.withLock {
      $0.slices = [:]
      $0.begun = [:]
      $0.generation += 1
    }
  }

  /// Begins the slice of a lane's last observed update where there is a newer one than the last
  /// that was begun.
  /// - Parameter atOnce: on this thread, and done at the return.
  func update(_ lane: any Lane, at position: Double, reach: Double, atOnce: Bool) {
    let identity = lane.options.identity
    guard let step = lane.diagnosis.stepWeights, let probe = lane.comparable() else { return }
    let generation = shelf.state.withLock { shared -> Int? in
      guard !shared.isBusy, shared.begun[identity] != step.update else { return nil }
      shared.isBusy = true
      shared.begun[identity] = step.update
      return shared.generation
    }
    guard let generation else { return }
    let job = Job(
      identity: identity, problem: probe.problem, samples: probe.samples, step: step,
      reach: reach, generation: generation)
    if atOnce { return Self.run(job, shelf) }
    let shelf = shelf
    let thread = Thread {
      blockAllSignals()
      setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
      Self.run(job, shelf)
    }
    thread.stackSize = 8 << 20
    thread.start()
  }

  private static func run(_ job: Job, _ shelf: Shelf) {
    /// - Returns: whether the slice is still wanted.
    func publish(_ slice: Slice) -> Bool {
      shelf.state.withLock {
        guard $0.generation == job.generation else { return false }
        // A whole one stays until the next has half its points.
        let known = $0.slices[job.identity]
        if known == nil || known!.progress < 1 || slice.points.count > 15 {
          $0.slices[job.identity] = slice
        }
        return true
      }
    }
    let slice = Slice(
      job.problem, samples: job.samples, before: job.step.before, after: job.step.after,
      reach: job.reach, goesOn: publish)
    _ = publish(slice)
    shelf.state.withLock { $0.isBusy = false }
  }
}
