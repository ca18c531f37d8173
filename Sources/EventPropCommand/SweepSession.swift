// SPDX-License-Identifier: MIT

import ArgumentParser
import Charts
import Experiments
import Foundation
import SpikeData
import Sweeps

/// The training of a sweep on this machine, with what it says.
struct SweepSession {
  let folder: SweepFolder
  let options: SweepOptions

  init(_ folder: SweepFolder, _ options: SweepOptions) {
    (self.folder, self.options) = (folder, options)
  }

  private var goOn: String { "eventprop sweep \(Console.shellQuoted(folder.path))" }

  /// - Throws: `ExitCode` when points have failed, and after an orderly stop by a signal.
  func run() throws {
    var console = Console()
    folder.removeLeftovers()
    announce(&console)
    let start = ContinuousClock.now
    var last: ContinuousClock.Instant?
    var state: SweepState?
    func hear(_ event: SweepRunner.Event) {
      switch event {
      case .progress(let point, let share, let left):
        // Every batch tells; what a line needs is read ten times a second.
        let now = ContinuousClock.now
        if let last, now - last < .milliseconds(100) { return }
        last = now
        console.progress(progress(point, share, left))
      case .done(let point):
        state = SweepState(folder, curves: false, after: state)
        console.line(
          line(state!, point) + "  \(state!.count(.done))/\(state!.points.count) done")
      case .failed(let point, let message):
        console.line("point \(point)  \(folder.sweep.words(ofPoint: point))  failed: \(message)")
      }
    }
    let all = options.threads ?? ProcessInfo.processInfo.activeProcessorCount
    let summary: SweepRunner.Summary
    do {
      if options.jobs > 1 {
        StopSignal.install()
        let threads = max(1, all / options.jobs)
        summary = try SweepProcesses(folder, jobs: options.jobs, threads: threads)
          .run(signal: { StopSignal.current }, tell: hear)
      } else {
        let training = PointTraining(
          folder, threads: all, willResume: StopSignal.install
        ) {
          var quiet = Console.quiet
          try HeadlessTraining($0, tell: $1).run(&quiet)
        }
        summary = try SweepRunner(folder).run(
          training, isStopped: { StopSignal.current != 0 }, tell: hear)
      }
      if StopSignal.current != 0 { throw ExitCode(128 + StopSignal.current) }
    } catch let error as ExitCode {
      console.line("stopped, with a checkpoint; go on with: \(goOn)")
      throw error
    }
    console.clear()
    try finish(summary, seconds: (ContinuousClock.now - start) / .seconds(1), &console)
  }

  private func announce(_ console: inout Console) {
    let sweep = folder.sweep
    console.line(
      "\(sweep.name): \(sweep.points.count) points of \(sweep.axes.map(\.name).joined(separator: ", "))"
        + "; \(sweep.seeds == 1 ? "one seed" : "\(sweep.seeds) seeds") each")
    let state = SweepState(folder, curves: false)
    let begun = state.points.count { $0.status == .waiting && $0.share > 0 }
    let rest = [
      state.count(.done) > 0 ? "\(state.count(.done)) are done" : nil,
      begun > 0 ? "\(begun) begun" : nil,
      state.count(.failed) > 0
        ? "\(state.count(.failed)) have failed (eventprop sweep retry trains them again)" : nil,
    ].compactMap { $0 }
    console.line(
      "sweep \(folder.path)" + (rest.isEmpty ? "" : ", going on: " + rest.joined(separator: ", ")))
  }

  private func progress(_ point: Int, _ share: Double, _ left: Double?) -> String {
    Console.bar(share, width: 20) + String(format: " %.1f %%", 100 * share)
      + (left.map { "  \(Text.duration($0)) left" } ?? "")
      + "  point \(point): \(folder.sweep.words(ofPoint: point))"
  }

  /// A finished point in a line: `point 3  rate = 0.01  test_accuracy 97.1 ± 0.3 %`.
  private func line(_ state: SweepState, _ point: Int) -> String {
    let rows = SweepTable(state).rows.filter { $0.point == point }
    let metric = rows.map {
      (rows.count > 1 ? "\($0.lane) " : "") + SweepTable.spread($0.metric, state.sweep)
    }.joined(separator: ", ")
    return "point \(point)  \(folder.sweep.words(ofPoint: point))  \(state.sweep.metric) \(metric)"
  }

  private func finish(
    _ summary: SweepRunner.Summary, seconds: Double, _ console: inout Console
  ) throws {
    let state = SweepState(folder, curves: false)
    console.line("")
    for line in SweepTable(state).verdict { console.line(line) }
    console.line(
      "\(state.count(.done)) of \(state.points.count) points are done, \(Text.duration(seconds)); "
        + "results in \(folder.file("results.csv"))")
    for (point, message) in summary.failed {
      console.line("failed: point \(point), \(folder.sweep.words(ofPoint: point)): \(message)")
    }
    for (point, holder) in summary.busy {
      console.line("left to \(holder): point \(point)")
    }
    if !summary.failed.isEmpty {
      console.line(
        "train failed points again: eventprop sweep retry \(Console.shellQuoted(folder.path))")
    }
    let left = state.count(.waiting) + state.count(.running) - summary.busy.count
    if left > 0 { console.line("\(left) are left; go on with: \(goOn)") }
    if state.count(.done) < state.points.count { throw ExitCode(1) }
  }
}
