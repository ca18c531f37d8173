// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import Live
import Runs
import SpikeData
import Training

/// Trains one point of a sweep in this process, or goes on with it.
public struct PointTraining {
  /// How it ended.
  public enum Outcome: Sendable, Equatable {
    case done
    /// With the message of what went wrong, which is kept.
    case failed(String)
    /// Another process has it, which is named.
    case busy(String)
  }

  /// Trains members to their end, telling the share of batches that are done.
  /// - Throws: `TrainingError`, `FileError`: the point has failed. Anything else ends the sweep.
  public typealias Loop = (_ members: SeedMembers, _ tell: @escaping (Double) -> Void) throws ->
    Void

  let folder: SweepFolder
  let threads: Int
  let willResume: () -> Void
  let loop: Loop

  /// - Parameters:
  ///   - threads: the result does not depend on it.
  ///   - willResume: called when data are there and nothing is written yet.
  ///   - loop: the training itself.
  public init(
    _ folder: SweepFolder, threads: Int, willResume: @escaping () -> Void = {},
    loop: @escaping Loop
  ) {
    (self.folder, self.threads) = (folder, threads)
    (self.willResume, self.loop) = (willResume, loop)
  }

  /// Trains a point; one that is done is left as it is.
  /// - Parameter tell: told the share of the point's batches that are done.
  /// - Throws: what the loop throws beyond failures; `FileError` when marks cannot be written.
  public func train(_ point: Int, tell: @escaping (Double) -> Void = { _ in }) throws -> Outcome {
    let marks = PointMarks(folder: folder)
    guard !marks.has(.done, point) else { return .done }
    if let mark = marks.running(point), mark.isAlive, !mark.isOwn {
      return .busy("process \(mark.process) on \(mark.host)")
    }
    let run = folder.run(point)
    // Before anything is marked: the mark is of who has the run.
    if RunDirectory.isInUse(run) { return .busy("another process") }
    marks.clearFailed(point)
    let heartbeat = try Heartbeat(folder, point)
    defer { heartbeat.end() }
    do {
      try train(run, folder.sweep.preset(ofPoint: point)) {
        heartbeat.tell(share: $0)
        tell($0)
      }
      try marks.setDone(point)
      return .done
    } catch {
      guard error is FileError || error is TrainingError else { throw error }
      let isLocked = (error as? FileError)?.message.hasPrefix("is being trained by") ?? false
      if isLocked || RunDirectory.isInUse(run) { return .busy("another process") }
      try marks.setFailed(point, "\(error)")
      return .failed("\(error)")
    }
  }

  private func train(_ run: String, _ preset: Preset, tell: @escaping (Double) -> Void) throws {
    let resumed = RunDirectory.isRun(run) ? try RunToResume(run) : nil
    let plan = TrainingPlan(
      resumed?.preset ?? preset, threads: threads, resumed: resumed, out: run)
    let members = try SeedMembers(plan, detail: "threads \(threads)", willResume: willResume)
    // A kill between the last checkpoint and the mark.
    guard !members.isFinished || members.first.trainer.epoch == 0 else { return }
    try loop(members, tell)
  }
}
