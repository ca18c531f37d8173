// SPDX-License-Identifier: MIT

import Diagnosis
import EventPropCore
import Foundation
import Training

/// A report on a lane's weights, and when those were.
public struct InitFinding: Sendable, Equatable {
  /// Counts up with every report of a session.
  public var number: Int
  /// Epochs with fraction: where the weights are from.
  public var position: Double
  /// The target that was asked for.
  public var asked: Double?
  /// A command has changed something since, or another target is asked for: a new one is under way.
  public var isStale = false
  /// What was found.
  public var report: InitReport

  /// Of now.
  public init(number: Int, position: Double, asked: Double?, report: InitReport) {
    (self.number, self.position, self.asked) = (number, position, asked)
    self.report = report
  }
}

/// Makes reports on the weights, one after another, on a thread of its own; while training runs,
/// for at most a fifth of the time and, once there is one to look at, at a low priority. Has no
/// effect on the training.
final class DoctorWorker {
  private enum Work: Sendable {
    /// Of a lane of now, at a position.
    case lane(InitReportJob, Double)
    /// Of all lanes of the past.
    case past(Past)
  }

  fileprivate struct Past: Sendable {
    var request: InspectionRequest
    var target: Double?
    var jobs: [InitReportJob]
  }

  fileprivate struct Shared {
    var isBusy = false
    var findings: [Int: InitFinding] = [:]
    var jobs: [Int: InitReportJob] = [:]
    /// By lane, where the weights of its last report were; none: it has to be made anew.
    var begun: [Int: Double] = [:]
    var due: [Int: Duration] = [:]
    var asked: Double?
    var number = 0
    var generation = 0
    /// The last that was asked for.
    var past: Past?
    var inspection: Inspection?
  }

  private final class Shelf: Sendable {
    let state = Guarded(Shared())
  }
  private let shelf = Shelf()
  private let time: TimeSource

  init(_ time: TimeSource) { self.time = time }

  /// Of a lane, by its identity.
  func finding(of identity: Int) -> InitFinding? { shelf.state.withLock { $0.findings[identity] } }

  /// Reports made so far.
  var count: Int { shelf.state.withLock { $0.number } }

  /// A command has changed lanes: what was found of them holds no longer.
  func outdate() { shelf.state.withLock { $0.outdate() } }

  /// The networks are others now.
  func forget() {
    shelf.state.withLock {
      $0.outdate()
      $0.findings = [:]
    }
  }

  /// What was asked for of the past, once it is there.
  func takeInspection() -> Inspection? {
    shelf.state.withLock { shared in
      defer { shared.inspection = nil }
      return shared.inspection
    }
  }

  /// Looks at lanes of the past, as soon as what is under way is done; only the last asked for.
  /// - Parameter atOnce: on this thread, and done at the return.
  func look(
    _ request: InspectionRequest, target: Double?, _ jobs: [InitReportJob], atOnce: Bool
  ) {
    let past = Past(request: request, target: target, jobs: jobs)
    if atOnce {
      let change = Self.run(.past(past), shelf, time, generation: 0)
      return shelf.state.withLock { change(&$0) }
    }
    shelf.state.withLock { $0.past = past }
  }

  /// Begins a report: of the past if it was asked for, else of the lane that has waited longest.
  /// - Parameter atOnce: of all lanes, on this thread, and done at the return.
  func update(
    _ trainer: Trainer, target: Double?, position: Double, isResting: Bool, atOnce: Bool
  ) {
    let (shelf, time) = (shelf, time)
    let now = time.now()
    let (isBusy, past, begun, due, generation) = shelf.state.withLock { shared in
      if shared.asked != target {
        shared.asked = target
        shared.outdate()
      }
      return (shared.isBusy, shared.past, shared.begun, shared.due, shared.generation)
    }
    guard !isBusy else { return }
    let waiting = trainer.lanes.filter {
      let identity = $0.options.identity
      guard let last = begun[identity] else { return true }
      return last != position && (isResting || atOnce || now >= due[identity] ?? .zero)
    }
    func begin(_ lane: any Lane) -> Work {
      let job = trainer.initReportJob(of: lane, target: target)
      shelf.state.withLock {
        $0.begun[job.identity] = position
        $0.isBusy = !atOnce
      }
      return .lane(job, position)
    }
    if atOnce {
      for lane in waiting {
        let change = Self.run(begin(lane), shelf, time, generation: generation)
        shelf.state.withLock { change(&$0) }
      }
      return
    }
    let work: Work
    var isWaitedFor = true
    if let past {
      shelf.state.withLock {
        $0.past = nil
        $0.isBusy = true
      }
      work = .past(past)
    } else {
      let next = waiting.min {
        begun[$0.options.identity] ?? -1 < begun[$1.options.identity] ?? -1
      }
      guard let next else { return }
      isWaitedFor = begun[next.options.identity] == nil
      work = begin(next)
    }
    let priority: Int32 = isWaitedFor ? 0 : 19
    let thread = Thread {
      blockAllSignals()
      setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, priority)
      let change = Self.run(work, shelf, time, generation: generation)
      // In one: who sees the new count of reports and comes for the next finds no one busy.
      shelf.state.withLock {
        change(&$0)
        $0.isBusy = false
      }
    }
    thread.stackSize = 8 << 20
    thread.start()
  }

  /// Does the work, without the lock.
  /// - Returns: how it is put on the shelf.
  private static func run(
    _ work: Work, _ shelf: Shelf, _ time: TimeSource, generation: Int
  ) -> (inout Shared) -> Void {
    switch work {
    case .lane(let job, let position):
      let begin = time.now()
      let known = shelf.state.withLock { shared in
        shared.jobs.compactMap { identity, job in
          shared.findings[identity].map { (job: job, report: $0.report) }
        }
      }
      guard let report = try? job.run(knowing: known) else { return { _ in } }
      let end = time.now()
      return {
        guard $0.generation == generation else { return }
        $0.number += 1
        $0.findings[job.identity] = InitFinding(
          number: $0.number, position: position, asked: $0.asked, report: report)
        $0.jobs[job.identity] = job
        $0.due[job.identity] = end + max(.milliseconds(500), (end - begin) * 4)
      }
    case .past(let past):
      var made: [(job: InitReportJob, report: InitReport)] = []
      for job in past.jobs {
        guard let report = try? job.run(knowing: made) else { return { _ in } }
        made.append((job, report))
      }
      let request = past.request
      let lanes = made.map { _, report in
        var detail = LaneDetail()
        detail.doctor = InitFinding(
          number: 0, position: request.position, asked: past.target, report: report)
        return detail
      }
      return {
        $0.number += 1
        $0.inspection = Inspection(serial: request.serial, detail: request.detail, lanes: lanes)
      }
    }
  }
}

extension DoctorWorker.Shared {
  fileprivate mutating func outdate() {
    for identity in findings.keys { findings[identity]!.isStale = true }
    jobs = [:]
    begun = [:]
    due = [:]
    generation += 1
  }
}
