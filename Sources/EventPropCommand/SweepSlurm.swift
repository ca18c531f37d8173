// SPDX-License-Identifier: MIT

import ArgumentParser
import Experiments
import Foundation
import SpikeData
import Sweeps

/// What goes with `--slurm`.
struct SlurmArguments: ParsableArguments {
  @Flag(help: "Submit one array job by sbatch, a task for every point, in place of training here.")
  var slurm = false

  @Option(help: "With --slurm: tasks at a time.")
  var arrayLimit: Int?

  @Option(help: "With --slurm: time limit of a task, as 2:00:00; it goes on in the next.")
  var time: String?

  @Option(help: "With --slurm: the partition.")
  var partition: String?

  @Option(help: "With --slurm: memory of a task, as 4G.")
  var mem: String?

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "With --slurm: an option of sbatch, as --sbatch --account=ours; may be repeated.",
      valueName: "option"))
  var sbatch: [String] = []

  func validate() throws {
    guard arrayLimit.map({ $0 >= 1 }) ?? true else {
      throw ValidationError("--array-limit is \(arrayLimit!), allowed is 1 and more")
    }
    for (option, isGiven) in [
      ("--array-limit", arrayLimit != nil), ("--time", time != nil),
      ("--partition", partition != nil), ("--mem", mem != nil), ("--sbatch", !sbatch.isEmpty),
    ] where isGiven && !slurm {
      throw ValidationError("\(option) goes with --slurm")
    }
  }

  private func options(_ own: SweepOptions) -> SlurmOptions {
    var options = SlurmOptions()
    options.threads = own.threads ?? 1
    (options.limit, options.time, options.partition) = (arrayLimit, time, partition)
    (options.memory, options.further) = (mem, sbatch)
    return options
  }

  /// Submits what is neither done nor running nor in the queue.
  /// - Parameter isRetry: failed points too, and beside a job that is still in the queue.
  func submit(_ folder: SweepFolder, _ own: SweepOptions, isRetry: Bool) throws {
    guard own.jobs == 1 else {
      throw ValidationError("--jobs is for trainings here; with --slurm there is --array-limit")
    }
    let job = SlurmJob(folder)
    let queue = try job.queue()
    guard isRetry || queue.isEmpty else {
      throw FileError(
        folder.path,
        "job \(job.ids.last!) has \(queue.count) tasks in the queue; look on with: "
          + "eventprop sweep show \(Console.shellQuoted(folder.path)), end it with: scancel "
          + job.ids.last!)
    }
    let state = SweepState(folder, curves: false)
    let points = state.points.filter {
      queue[$0.index] == nil && ($0.status == .waiting || isRetry && $0.status == .failed)
    }.map(\.index)
    guard !points.isEmpty else {
      Console.out("nothing is left to submit: \(state.count(.done)) points are done")
      return
    }
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    // Before a task can fail anew.
    let cleared = folder.clearFailures(among: points)
    let id: String
    do {
      id = try job.submit(points, options(own), program: program)
    } catch {
      try folder.markFailed(cleared)
      throw error
    }
    Console.out(
      "submitted job \(id): \(points.count) \(points.count == 1 ? "task" : "tasks"), output in "
        + folder.file("slurm/"))
    Console.out(
      "look on with: eventprop sweep show \(Console.shellQuoted(folder.path)); it is \(folder.path)"
    )
  }
}
