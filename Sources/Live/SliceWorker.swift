// SPDX-License-Identifier: MIT

import Diagnosis
import EventPropCore
import Foundation
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
    /// When that was, counted by slices.
    var turns: [Int: Int] = [:]
    var turn = 0
    var generation = 0
  }

  private final class Shelf: Sendable {
    let state = Guarded(Shared())
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

  /// Begins a slice: of the lanes with an update newer than their last slice, of the one that has
  /// waited longest.
  /// - Parameter atOnce: of all of them, on this thread, and done at the return.
  func update(_ lanes: [any Lane], reach: Double, atOnce: Bool) {
    if atOnce {
      for lane in lanes { begin(lane, reach: reach, atOnce: true) }
      return
    }
    let (isBusy, begun, turns) = shelf.state.withLock { ($0.isBusy, $0.begun, $0.turns) }
    guard !isBusy else { return }
    let waiting = lanes.filter {
      guard let step = $0.diagnosis.stepWeights else { return false }
      return begun[$0.options.identity] != step.update
    }
    let next = waiting.min {
      turns[$0.options.identity] ?? -1 < turns[$1.options.identity] ?? -1
    }
    if let next { begin(next, reach: reach, atOnce: false) }
  }

  private func begin(_ lane: any Lane, reach: Double, atOnce: Bool) {
    let identity = lane.options.identity
    guard let step = lane.diagnosis.stepWeights else { return }
    let generation = shelf.state.withLock { shared -> Int? in
      guard !shared.isBusy, shared.begun[identity] != step.update else { return nil }
      shared.isBusy = true
      shared.begun[identity] = step.update
      shared.turn += 1
      shared.turns[identity] = shared.turn
      return shared.generation
    }
    guard let generation else { return }
    guard let probe = lane.comparable() else {
      shelf.state.withLock { $0.isBusy = false }
      return
    }
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
      var slice = slice
      slice.update = job.step.update
      return shelf.state.withLock {
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
