// SPDX-License-Identifier: MIT

import Foundation
import Support
import Testing

/// `eventprop sweep` as a user runs it.
@Suite struct SweepProgramTests {
  let tiny = TinySweep()

  func run(_ arguments: String..., environment: [String: String] = [:]) throws -> (
    status: Int32, text: String
  ) {
    let result = try Program.run(
      ["sweep"] + arguments, in: tiny.scratch.path, environment: environment)
    #expect(result.hasEnded)
    return (result.status, result.text)
  }

  func text(_ name: String) throws -> String {
    try String(contentsOfFile: tiny.scratch.file(name), encoding: .utf8)
  }

  func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: tiny.scratch.file(name))
  }

  /// The rows are those of the runs; neither threads nor processes nor a second look change them.
  @Test func resultsAreThoseOfTheRuns() throws {
    tiny.write(head: "seeds = 2", preset: tinyPreset(training: TinySweep.quick, extra: twoLanes))
    let first = try run("s.toml", "--out", "a", "--threads", "1")
    #expect(first.status == 0, "\(first.text)")
    #expect(first.text.contains("2 of 2 points are done"))
    #expect(first.text.contains("best: point "))
    let results = try text("a/results.csv")
    let lines = results.split(separator: "\n").map { $0.components(separatedBy: ",") }
    #expect(
      lines[0].prefix(6) == ["point", "rate", "seed", "lane", "epoch", "train_loss"])
    #expect(
      lines.dropFirst().map { $0.prefix(5).joined(separator: " ") } == [
        "0 0.001 3 shaped 3", "0 0.001 3 plain 3", "0 0.001 4 shaped 3", "0 0.001 4 plain 3",
        "1 0.01 3 shaped 3", "1 0.01 3 plain 3", "1 0.01 4 shaped 3", "1 0.01 4 plain 3",
      ])
    let own = try text("a/runs/1/seed-4/metrics.csv").split(separator: "\n")
    let header = own[0].components(separatedBy: ",")
    let last = own.last!.components(separatedBy: ",")
    for column in ["test_accuracy", "train_loss", "spikes_hidden1", "dead_hidden1"] {
      let place = try #require(lines[0].firstIndex(of: column))
      #expect(lines.last![place] == last[header.firstIndex(of: column)!])
    }
    let other = try run("s.toml", "--out", "b", "--threads", "2", "--jobs", "2")
    #expect(other.status == 0, "\(other.text)")
    #expect(try text("b/results.csv") == results)
    // Made anew from the runs, and from what is left of a sweep.
    unlink(tiny.scratch.file("a/results.csv"))
    #expect(try run("show", "a").status == 0)
    #expect(try text("a/results.csv") == results)
    try FileManager.default.removeItem(atPath: tiny.scratch.file("a/runs/1"))
    unlink(tiny.scratch.file("a/state/1.done"))
    unlink(tiny.scratch.file("a/state/0.done"))
    let again = try run("a")
    #expect(again.status == 0 && again.text.contains("2 of 2 points are done"), "\(again.text)")
    #expect(try text("a/results.csv") == results)
    let refused = try run("s.toml", "--out", "a", "--threads", "0")
    #expect(refused.status == 64)
  }

  @Test func whatShowShows() throws {
    tiny.write()
    #expect(try run("s.toml", "--out", "a").status == 0)
    let table = try run("show", "a", "--csv", "table.csv", "--sort", "point")
    #expect(table.text.contains("small: 2 points, 2 done"))
    #expect(table.text.contains("point   rate  seeds  epoch"))
    #expect(
      try text("table.csv").hasPrefix("point,rate,lane,seeds_done,epoch,validation_accuracy_mean"))
    #expect(table.text.contains("was chosen by validation_accuracy itself"))
    #expect(!table.text.contains("These are test samples"))
    #expect(
      try run("show", "a", "--metric", "test_accuracy").text.contains("These are test samples"))
    let curves = try run("show", "a", "--curves")
    #expect(curves.text.contains("by epoch: median, and range over seeds"))
    #expect(try text("a/curves.csv").split(separator: "\n").count == 1 + 2 * 3)
    for (arguments, message) in [
      (["--sort", "x"], "--sort: is x, allowed are point, rate, lane"),
      (["--lane", "x"], "--lane: is x, allowed are sum"),
      (["--metric", "x"], "--metric: is x, allowed are dead_hidden1"),
      (["--heatmap", "rate", "x"], "--heatmap: allowed are two of the axes rate"),
    ] {
      let wrong = try Program.run(["sweep", "show", "a"] + arguments, in: tiny.scratch.path)
      #expect(wrong.status == 1 && wrong.text.contains(message), "\(wrong.text)")
    }
    #expect(try run("show", ".").text.contains("is not the folder of a sweep"))
  }

  /// One point that cannot be trained does not keep the others from it.
  @Test(arguments: [[], ["--jobs", "2"]]) func failedPoints(_ jobs: [String]) throws {
    // Weights that make the first gradient overflow.
    tiny.write("[[axis]]\nkey = \"output.weights.sd\"\nname = \"sd\"\nvalues = [1e29, 0.3]")
    let first = try Program.run(["sweep", "s.toml", "--out", "a"] + jobs, in: tiny.scratch.path)
    #expect(first.status == 1)
    #expect(first.text.contains("failed: point 0, sd = 1e+29: lane sum, epoch"), "\(first.text)")
    #expect(first.text.contains("eventprop sweep retry a"))
    #expect(try text("a/state/0.failed").contains("lane sum, epoch"))
    #expect(try text("a/results.csv").split(separator: "\n").count == 2)
    let shown = try run("show", "a").text
    #expect(shown.contains("1 failed, 1 done"), "\(shown)")
    #expect(shown.contains("point 0 has failed: lane sum"))
    // Left alone, until it is asked for.
    let again = try run("a")
    #expect(again.status == 1 && again.text.contains("1 have failed"), "\(again.text)")
    let retried = try run("retry", "a")
    #expect(retried.status == 1 && retried.text.contains("again: point 0"), "\(retried.text)")
  }

  @Test func retryTrainsWhatHasFailed() throws {
    tiny.write()
    #expect(try run("s.toml", "--out", "a").status == 0)
    let results = try text("a/results.csv")
    unlink(tiny.scratch.file("a/state/1.done"))
    _ = tiny.scratch.write("the disk was full\n", to: "a/state/1.failed")
    try FileManager.default.removeItem(atPath: tiny.scratch.file("a/runs/1"))
    let left = try run("a")
    #expect(left.status == 1 && left.text.contains("the disk was full"), "\(left.text)")
    #expect(try run("retry", "a").status == 0)
    #expect(try text("a/results.csv") == results)
    #expect(!exists("a/state/1.failed"))
  }

  /// A signal leaves a checkpoint, and says how to go on.
  @Test(arguments: [[], ["--jobs", "2"]]) func stopsAndGoesOn(_ jobs: [String]) throws {
    tiny.write(head: "set = { training.epochs = 40 }")
    #expect(try run("s.toml", "--out", "whole").status == 0)
    let output = tiny.scratch.file("output")
    let process = try Program.start(
      ["sweep", "s.toml", "--out", "a"] + jobs, in: tiny.scratch.path, output: output)
    let deadline = Date(timeIntervalSinceNow: 30)
    while Date() < deadline, !exists("a/runs/0/checkpoints/1") { usleep(1000) }
    kill(process.processIdentifier, SIGTERM)
    #expect(Program.finish(process))
    let said = try String(contentsOfFile: output, encoding: .utf8)
    #expect(process.terminationStatus == 128 + SIGTERM, "\(said)")
    #expect(said.contains("stopped, with a checkpoint; go on with: eventprop sweep a"), "\(said)")
    #expect(!exists("a/state/0.running") && !exists("a/state/0.failed"))
    let rest = try run("s.toml", "--out", "a")
    #expect(rest.status == 0 && rest.text.contains("going on"), "\(rest.text)")
    #expect(try text("a/results.csv") == text("whole/results.csv"))
  }
}
