// SPDX-License-Identifier: MIT

import Foundation
import Support
import Testing

@testable import Sweeps

/// With `sbatch` and `squeue` that only write down what they are asked; `.ci/slurm` has the real
/// ones.
@Suite struct SlurmTests {
  let tiny = TinySweep()

  /// - Parameters:
  ///   - squeue: what it says.
  func tools(squeue: String) throws -> [String: String] {
    let files = FileManager.default
    try files.createDirectory(
      atPath: tiny.scratch.file("bin"), withIntermediateDirectories: true)
    for (name, script) in [
      ("sbatch", "printf '%s\\n' \"$@\" >sbatch-called; echo 41"),
      ("squeue", "printf '%s\\n' \"$@\" >squeue-called; \(squeue)"),
    ] {
      let path = tiny.scratch.write("#!/bin/sh\n\(script)\n", to: "bin/\(name)")
      try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }
    return ["PATH": tiny.scratch.file("bin") + ":/usr/bin:/bin"]
  }

  func run(_ arguments: String..., tools: [String: String]) throws -> (status: Int32, text: String)
  {
    let result = try Program.run(
      ["sweep"] + arguments, in: tiny.scratch.path, environment: tools)
    return (result.status, result.text)
  }

  func lines(_ name: String) throws -> [String] {
    try String(contentsOfFile: tiny.scratch.file(name), encoding: .utf8)
      .split(separator: "\n").map(String.init)
  }

  @Test func oneArrayJobIsSubmitted() throws {
    tiny.write()
    let none = try tools(squeue: "exit 0")
    let first = try run(
      "s.toml", "--out", "a", "--slurm", "--array-limit", "3", "--time", "2:00:00", "--partition",
      "main", "--mem", "4G", "--threads", "2", "--sbatch", "--account=ours", tools: none)
    #expect(first.status == 0 && first.text.contains("submitted job 41: 2 tasks"), "\(first.text)")
    let folder = String(cString: realpath(tiny.scratch.file("a"), nil))
    #expect(
      try lines("sbatch-called") == [
        "--parsable", "--job-name=sweep-a", "--array=0-1%3", "--cpus-per-task=2", "--requeue",
        "--open-mode=append", "--output=\(folder)/slurm/%a.out", "--time=2:00:00",
        "--signal=B:USR1@60", "--partition=main", "--mem=4G", "--account=ours",
        "\(folder)/slurm/job.sh",
      ])
    #expect(try lines("a/slurm/job-id") == ["41"])
    #expect(
      try lines("a/slurm/job.sh").contains("  --index \"$SLURM_ARRAY_TASK_ID\" --threads 2 &"))

    // While it is in the queue no second one is.
    let busy = try tools(squeue: "echo '0 RUNNING'; echo '1 PENDING'")
    let second = try run("a", "--slurm", tools: busy)
    #expect(second.status == 1 && second.text.contains("job 41 has 2 tasks in the queue"))
    #expect(
      try lines("squeue-called") == ["--noheader", "--array", "--jobs=41", "--format=%K %T"])
    #expect(
      try run("show", "a", tools: busy).text.contains("Slurm job 41: 1 pending, 1 running"))
    let broken = try tools(squeue: "echo 'cannot contact the controller' >&2; exit 1")
    let third = try run("a", "--slurm", tools: broken)
    #expect(third.status == 1 && third.text.contains("squeue: cannot contact the controller"))

    // What has failed is submitted again, what is in the queue is not.
    _ = tiny.scratch.write("nan\n", to: "a/state/1.failed")
    let one = try tools(squeue: "echo '0 RUNNING'")
    let retried = try run("retry", "a", "--slurm", tools: one)
    #expect(retried.status == 0 && retried.text.contains("1 task"), "\(retried.text)")
    #expect(try lines("sbatch-called").contains("--array=1"))
    #expect(try lines("a/slurm/job-id") == ["41", "41"])
    #expect(!FileManager.default.fileExists(atPath: tiny.scratch.file("a/state/1.failed")))
  }

  @Test func whatIsMissingIsSaid() throws {
    tiny.write()
    let nothing = ["PATH": tiny.scratch.file("empty")]
    let none = try run("s.toml", "--out", "a", "--slurm", tools: nothing)
    #expect(none.status == 1 && none.text.contains("there is no sbatch in PATH"), "\(none.text)")
    let option = try run("s.toml", "--out", "a", "--time", "1", tools: nothing)
    #expect(option.status == 64 && option.text.contains("--time goes with --slurm"))
  }

  /// A task is what the array runs: it trains its point, and the last one writes results.csv.
  @Test func tasksTrainTheirPoints() throws {
    tiny.write()
    let none = try tools(squeue: "exit 0")
    #expect(try run("s.toml", "--out", "whole", tools: none).status == 0)
    #expect(try run("s.toml", "--out", "a", "--slurm", tools: none).status == 0)
    let script = Process()
    script.executableURL = URL(fileURLWithPath: "/bin/bash")
    script.arguments = [tiny.scratch.file("a/slurm/job.sh")]
    script.environment = ProcessInfo.processInfo.environment.merging([
      "SLURM_ARRAY_TASK_ID": "1"
    ]) { $1 }
    script.standardOutput = FileHandle.nullDevice
    try script.run()
    #expect(Program.finish(script) && script.terminationStatus == 0)
    #expect(try run("show", "a", tools: none).text.contains("1 done, 1 waiting"))
    #expect(try lines("a/results.csv").count == 2)
    #expect(try run("task", "a", "--index", "0", tools: none).status == 0)
    #expect(try lines("a/results.csv") == lines("whole/results.csv"))
    #expect(try run("task", "a", "--index", "2", tools: none).text.contains("points are 0 to 1"))
  }

  @Test func arraysInShort() {
    #expect(SlurmOptions.array([0, 1, 2, 5, 7, 8], limit: nil) == "0-2,5,7-8")
    #expect(SlurmOptions.array([3], limit: 4) == "3%4")
  }
}
