// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import SpikeData

/// The array jobs of a sweep on a cluster with Slurm: `slurm/job.sh`, `slurm/job-id`, and what
/// tasks print in `slurm/<point>.out`.
public struct SlurmJob {
  let folder: SweepFolder

  /// - Parameter folder: of the sweep, on a file system that all nodes see.
  public init(_ folder: SweepFolder) { self.folder = folder }

  /// Numbers of the jobs submitted so far, the last one last.
  public var ids: [String] {
    ((try? FileText.read(folder.file("slurm/job-id"))) ?? "").split(whereSeparator: \.isNewline)
      .map(String.init)
  }

  /// The script of a task. It passes signals on, and goes back to the queue when the time limit is
  /// near, which only Slurm's own requeueing after a node's failure does by itself.
  static func script(program: String, folder: String, threads: Int) -> String {
    """
    #!/bin/bash
    # A task of a sweep: the array's index is the number of the point. Written by eventprop sweep --slurm.
    \(ShellWord.quoted(program)) sweep task \(ShellWord.quoted(folder)) \\
      --index "$SLURM_ARRAY_TASK_ID" --threads \(threads) &
    task=$!
    trap 'kill -USR1 $task 2>/dev/null' USR1
    trap 'kill -TERM $task 2>/dev/null' TERM
    while :; do
      wait $task
      status=$?
      if ! kill -0 $task 2>/dev/null; then
        # A trapped signal ends wait early: the status is then that of the signal.
        wait $task 2>/dev/null
        again=$?
        [ $again = 127 ] || status=$again
        break
      fi
    done
    if [ $status = 138 ]; then  # 128 + USR1: the time limit is near, a checkpoint is there
      scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
    fi
    exit $status

    """
  }

  /// Submits one array job.
  /// - Parameters:
  ///   - points: at least one; indices of the array.
  ///   - program: path of `eventprop`, as nodes see it.
  /// - Returns: the job's number.
  /// - Throws: `FileError`, with what sbatch says.
  public func submit(_ points: [Int], _ options: SlurmOptions, program: String) throws -> String {
    guard let sbatch = ClusterTool("sbatch") else {
      throw FileError(
        "--slurm", "there is no sbatch in PATH: is this the login node of a cluster with Slurm?")
    }
    guard let absolute = realpath(folder.path, nil) else { throw AtomicFile.failure(folder.path) }
    defer { free(absolute) }
    let path = String(cString: absolute)
    let own = path + "/slurm"
    try AtomicFile.makeInnerFolder(own)
    try folder.write(
      SlurmJob.script(program: program, folder: path, threads: options.threads),
      to: "slurm/job.sh")
    let name = "sweep-" + (folder.path as NSString).lastPathComponent
    let result = try sbatch.run(
      options.arguments(points, name: name, folder: own) + [own + "/job.sh"])
    guard result.status == 0 else {
      throw FileError("sbatch", result.error.isEmpty ? "status \(result.status)" : result.error)
    }
    let last = result.output.split(whereSeparator: \.isNewline).last ?? ""
    let id = String(last.prefix { $0 != ";" })
    guard !id.isEmpty, id.allSatisfy(\.isNumber) else {
      throw FileError("sbatch", "says \"\(result.output)\", expected is the number of a job")
    }
    try folder.write((ids + [id]).joined(separator: "\n") + "\n", to: "slurm/job-id")
    return id
  }

  /// Tasks in the queue, running ones too: their states by point, as `PENDING`. Empty where nothing
  /// was submitted.
  /// - Throws: `FileError` when there is no squeue, or it does not answer.
  public func queue() throws -> [Int: String] {
    guard !ids.isEmpty else { return [:] }
    guard let squeue = ClusterTool("squeue") else {
      throw FileError(
        "squeue", "is not in PATH: whether job \(ids.last!) is still in the queue is not known")
    }
    var found: [Int: String] = [:]
    for id in ids {
      let result = try squeue.run(
        ["--noheader", "--array", "--jobs=\(id)", "--format=%K %T"], seconds: 20)
      // Jobs of the past are forgotten.
      if result.error.contains("Invalid job id") { continue }
      guard result.status == 0 else {
        throw FileError(
          "squeue", result.error.isEmpty ? "status \(result.status)" : result.error)
      }
      for line in result.output.split(whereSeparator: \.isNewline) {
        let words = line.split(separator: " ")
        if words.count == 2, let point = Int(words[0]) { found[point] = String(words[1]) }
      }
    }
    return found
  }
}
