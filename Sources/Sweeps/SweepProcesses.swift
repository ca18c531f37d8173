// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import SpikeData

/// Trains the points of a sweep side by side, each in a process of its own: `sweep task`.
public final class SweepProcesses {
  private let folder: SweepFolder
  private let jobs: Int
  private let threads: Int
  private let work: SweepWork
  private var results: SweepResults
  private var running: [(point: Int, process: Process)] = []

  /// Exit status of a task whose point another process has.
  public static let busyStatus: Int32 = 75

  /// - Parameters:
  ///   - jobs: processes at a time.
  ///   - threads: of each.
  public init(_ folder: SweepFolder, jobs: Int, threads: Int) {
    (self.folder, self.jobs, self.threads) = (folder, jobs, threads)
    work = SweepWork(folder)
    results = SweepResults(folder)
  }

  /// Trains all points that are not done and have not failed.
  /// - Parameter signal: the one that has come and asks for an end; 0: none.
  /// - Returns: as `SweepRunner.run`; points that a signal has stopped are not in it.
  public func run(signal: () -> Int32, tell: (SweepRunner.Event) -> Void) throws
    -> SweepRunner.Summary
  {
    let marks = PointMarks(folder: folder)
    let all = marks.all()
    var waiting = folder.sweep.points.indices.filter {
      !(all[$0]?.contains(.done) ?? false) && !(all[$0]?.contains(.failed) ?? false)
    }[...]
    work.begin(done: Set(folder.sweep.points.indices).subtracting(waiting))
    try results.write()
    // Processes of a sweep that was killed end after a batch: their points are tried again.
    var busy: [(point: Int, holder: String)] = []
    var deadline: Date?
    defer { stop() }
    while true {
      if running.isEmpty, waiting.isEmpty, !busy.isEmpty, signal() == 0 {
        deadline = deadline ?? Date(timeIntervalSinceNow: SweepRunner.patience)
        if Date() < deadline! {
          usleep(500_000)
          waiting = busy.map(\.point)[...]
          busy = []
        }
      }
      while running.count < jobs, signal() == 0, let point = waiting.popFirst() {
        running.append((point, try start(point)))
      }
      if running.isEmpty { break }
      if signal() != 0 {
        stop()
        break
      }
      usleep(50_000)
      for (point, process) in running {
        if process.isRunning {
          if let mark = marks.running(point), mark.isAlive {
            tell(
              .progress(point: point, share: work.share(point, mark.share), left: work.left))
          }
          continue
        }
        running.removeAll { $0.point == point }
        let status = process.terminationStatus
        // One that asks for an end, before there was anything to keep, is no failure.
        let isAsked = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGXCPU].contains(status)
        if process.terminationReason == .uncaughtSignal, !isAsked, !marks.has(.done, point) {
          try marks.setFailed(
            point,
            "its process was ended by signal \(status)"
              + (status == SIGKILL ? ": out of memory?" : ""))
        }
        if status != SweepProcesses.busyStatus { deadline = nil }
        if marks.has(.done, point) {
          work.end(point)
          try results.write(isLast: false)
          tell(.done(point: point))
        } else if let message = marks.failure(point) {
          work.end(point)
          try results.write(isLast: false)
          tell(.failed(point: point, message: message))
        } else if status == SweepProcesses.busyStatus {
          busy.append((point, "another process"))
        } else if process.terminationReason == .exit, status < 128 {
          throw FileError(
            folder.run(point), "its process ended with status \(status), and said nothing")
        }
      }
    }
    try results.write()
    return SweepRunner.Summary(failed: folder.failures(), busy: busy)
  }

  private func start(_ point: Int) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = [
      "sweep", "task", folder.path, "--index", "\(point)", "--threads", "\(threads)",
      "--parent", "\(getpid())",
    ]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    do {
      try process.run()
    } catch {
      throw FileError("sweep", "a process cannot be started: \(error.localizedDescription)")
    }
    return process
  }

  /// Tells all to end with a checkpoint, and waits for it.
  private func stop() {
    for (_, process) in running where process.isRunning { process.terminate() }
    for (_, process) in running { process.waitUntilExit() }
    running = []
  }
}
