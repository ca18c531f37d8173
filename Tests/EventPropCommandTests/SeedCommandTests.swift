// SPDX-License-Identifier: MIT

import Foundation
import Support
import Testing

/// Seeds, bisection and reports, as a user runs them.
@Suite struct SeedCommandTests {
  let scratch = ScratchDirectory()

  func run(_ arguments: String...) throws -> (status: Int32, text: String, hasEnded: Bool) {
    try Program.run(arguments, in: scratch.path, seconds: 120)
  }

  func bytes(_ name: String) -> Data? { FileManager.default.contents(atPath: scratch.file(name)) }

  /// Two seeds are what each is alone; a third joins and catches up; the end has a verdict.
  @Test func seedsTrainTogether() throws {
    let small = ["--set", "data.train=200", "--set", "data.test=50"]
    let train = try Program.run(
      ["train", "yin-yang-losses", "--seeds", "2", "--epochs", "2", "--out", "run"] + small,
      in: scratch.path, seconds: 120)
    #expect(train.status == 0, "\(train.text)")
    #expect(train.text.contains("seeds 1, 2") && train.text.contains("(2 seeds)"))
    #expect(train.text.contains("B - A =") || train.text.contains(" better by "))
    let alone = try Program.run(
      ["train", "yin-yang-losses", "--set", "seed=2", "--epochs", "2", "--out", "two"] + small,
      in: scratch.path, seconds: 120)
    #expect(alone.status == 0)
    #expect(bytes("run/seed-2/metrics.csv") == bytes("two/metrics.csv"))
    let more = try run("train", "--resume", "run", "--seeds", "3", "--epochs", "3")
    #expect(more.status == 0, "\(more.text)")
    #expect(more.text.contains("(3 seeds)"))
    // What catches up is told too.
    let behind = more.text.split(separator: "\n").filter { $0.hasSuffix("1 of 3 seeds") }
    #expect(behind.contains { $0.hasPrefix("epoch 1 ") }, "\(more.text)")
    #expect(behind.contains { $0.hasPrefix("epoch 2 ") }, "\(more.text)")
    let log = String(decoding: bytes("run/commands.jsonl") ?? Data(), as: UTF8.self)
    #expect(log.contains("\"seeds\"") && log.contains("\"detail\": \"3\""))
    #expect(try run("train", "yin-yang-sum", "--seeds", "99").status == 64)
    let figure = try run(
      "figure", "run", "--figure", "accuracy", "--out", "accuracy.csv")
    #expect(figure.status == 0, "\(figure.text)")
    let numbers = String(decoding: bytes("accuracy.csv") ?? Data(), as: UTF8.self)
    #expect(numbers.contains("median of 3 seeds") && numbers.contains("range of seeds"))
  }

  /// The report's own preset and commands make the same run again.
  @Test func reportsAreReproduced() throws {
    let train = try run(
      "train", "failure-moved-silent", "--epochs", "6", "--out", "run", "--threads", "2")
    #expect(train.status == 0)
    let report = try run("report", "run", "--out", "report")
    #expect(report.status == 0, "\(report.text)")
    let text = String(decoding: bytes("report/README.md") ?? Data(), as: UTF8.self)
    for words in ["## What came of it", "hidden1 starves", "figures/loss.svg", "## Again"] {
      #expect(text.contains(words), "\(words)")
    }
    // Every figure it names is there.
    for part in text.components(separatedBy: "](figures/").dropFirst() {
      let name = part.prefix { $0 != ")" }
      #expect(bytes("report/figures/\(name)") != nil, "\(name)")
    }
    let again = try run(
      "train", "report/preset.toml", "--replay", "report/commands.jsonl", "--out", "again")
    #expect(again.status == 0, "\(again.text)")
    #expect(bytes("again/metrics.csv") == bytes("report/metrics.csv"))
    // A second one takes the place of the first; another folder is left alone.
    #expect(try run("report", "run", "--out", "report").status == 0)
    let other = try run("report", "run", "--out", "run")
    #expect(other.status == 1 && other.text.contains("holds other files"))

    let found = try run("bisect", "run", "accuracy", "0.5", "--csv", "events.csv")
    #expect(found.status == 0, "\(found.text)")
    #expect(found.text.hasPrefix("the update of batch "))
    #expect(bytes("events.csv") != nil)
    let none = try run("bisect", "run", "silent", "hidden1", "1%")
    #expect(none.status == 1 && none.text.contains("no update did it"))
    #expect(try run("bisect", "run", "nonsense").status == 64)
  }
}
