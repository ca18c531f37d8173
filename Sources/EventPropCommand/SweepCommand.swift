// SPDX-License-Identifier: MIT

import ArgumentParser
import Charts
import Experiments
import Foundation
import SpikeData
import Sweeps

struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Train a preset at many points: grids and random draws of its keys, with seeds.",
    discussion: """
      A sweep file names a preset, axes and seeds; results go to sweeps/<name>-<n>/: results.csv and a run for every \
      point. `eventprop sweep FOLDER` goes on with a sweep that was stopped or killed.
      """,
    subcommands: [
      SweepRunCommand.self, SweepShowCommand.self, SweepRetryCommand.self, SweepTaskCommand.self,
    ],
    defaultSubcommand: SweepRunCommand.self)
}

/// How the points of a sweep are trained.
struct SweepOptions: ParsableArguments {
  @Option(
    help:
      "Threads for all points at a time (default: all CPUs; with --slurm 1, of every task); the result does not depend on it."
  )
  var threads: Int?

  @Option(help: "Points to train side by side, each in a process of its own.")
  var jobs: Int = 1

  func validate() throws {
    guard threads.map({ (1...256).contains($0) }) ?? true else {
      throw ValidationError("--threads is \(threads!), allowed is 1 to 256")
    }
    guard (1...64).contains(jobs) else {
      throw ValidationError("--jobs is \(jobs), allowed is 1 to 64")
    }
  }
}

struct SweepRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Train the points of a sweep file, or go on with a sweep.")

  @Argument(
    help:
      "A sweep file, by path or as one of \(PresetLibrary.sweeps.joined(separator: ", ")) by name; or the folder of a sweep to go on with.",
    completion: .file(extensions: ["toml"]))
  var sweep: String

  @Option(
    help: "Folder of the sweep; one of the same sweep is gone on with.", completion: .directory)
  var out: String?

  @OptionGroup var options: SweepOptions
  @OptionGroup var cluster: SlurmArguments

  func run() throws {
    let folder = try SweepRunCommand.folder(sweep, out: out)
    if cluster.slurm { return try cluster.submit(folder, options, isRetry: false) }
    try SweepSession(folder, options).run()
  }

  static func folder(_ sweep: String, out: String?) throws -> SweepFolder {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: sweep, isDirectory: &isFolder), isFolder.boolValue {
      guard out == nil else {
        throw FileError(
          "--out", "goes with a sweep file; \(sweep) is a folder, gone on with as it is")
      }
      return try SweepFolder(opening: sweep)
    }
    return try SweepFolder(
      Sweep(contentsOf: PresetLibrary.path(ofSweep: sweep)), at: out)
  }
}

struct SweepRetryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry", abstract: "Train the failed points of a sweep again, and what is left.")

  @Argument(help: "The folder of a sweep.", completion: .sweep)
  var folder: String

  @OptionGroup var options: SweepOptions
  @OptionGroup var cluster: SlurmArguments

  func run() throws {
    let folder = try SweepFolder(opening: folder)
    if cluster.slurm { return try cluster.submit(folder, options, isRetry: true) }
    let cleared = folder.clearFailures().map(\.point)
    Console.out(
      cleared.isEmpty
        ? "no point has failed"
        : "again: \(cleared.count == 1 ? "point" : "points") "
          + cleared.map(String.init).joined(separator: ", "))
    try SweepSession(folder, options).run()
  }
}

/// One point: what a process of its own, or a task of a cluster, trains.
struct SweepTaskCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "task", abstract: "Train one point of a sweep, or go on with it.")

  @Argument(help: "The folder of a sweep.", completion: .sweep)
  var folder: String

  @Option(help: "The point, from 0 on.")
  var index: Int

  @Option(help: "Threads to train with; the result does not depend on it.")
  var threads: Int = ProcessInfo.processInfo.activeProcessorCount

  @Option(help: ArgumentHelp("Process to end with.", visibility: .hidden))
  var parent: Int32?

  func validate() throws {
    guard (1...256).contains(threads) else {
      throw ValidationError("--threads is \(threads), allowed is 1 to 256")
    }
  }

  func run() throws {
    let folder = try SweepFolder(opening: folder)
    let sweep = folder.sweep
    guard sweep.points.indices.contains(index) else {
      throw FileError(
        "--index", "is \(index); the sweep's points are 0 to \(sweep.points.count - 1)")
    }
    if let parent { SweepTaskCommand.end(with: parent) }
    var console = Console()
    console.line("point \(index): \(sweep.words(ofPoint: index))")
    let goOn = "eventprop sweep \(Console.shellQuoted(folder.path))"
    let training = PointTraining(folder, threads: threads, willResume: StopSignal.install) {
      try HeadlessTraining($0, tell: $1, goOn: goOn).run(&console)
    }
    // Whoever had the point may have been killed on another machine: its mark grows old.
    let deadline = Date(timeIntervalSinceNow: SweepRunner.patience)
    var outcome = try training.train(index)
    while case .busy = outcome, Date() < deadline, parent == nil, StopSignal.current == 0 {
      usleep(500_000)
      outcome = try training.train(index)
    }
    switch outcome {
    case .done:
      console.line("point \(index) is done")
    case .failed(let message):
      Console.error("point \(index) has failed: \(message)")
    case .busy(let holder):
      Console.error("point \(index) is being trained by \(holder)")
      throw ExitCode(SweepProcesses.busyStatus)
    }
    if parent == nil { try folder.writeResultsIfSettled() }
    if case .failed = outcome { throw ExitCode(1) }
  }

  /// Whoever started this process tells of its end by no signal when it is killed itself.
  private static func end(with parent: Int32) {
    Thread {
      while getppid() == parent { usleep(200_000) }
      kill(getpid(), SIGTERM)
    }.start()
  }
}
