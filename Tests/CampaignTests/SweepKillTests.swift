// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import Support
import Testing

/// SIGKILL at random instants of a sweep: whenever it comes, the sweep goes on to the same
/// results.csv. Twelve points of two seeds killed ten times with EVENTPROP_KILLS, else two killed
/// twice.
@Suite struct SweepKillTests {
  static func file(isLong: Bool) -> String {
    """
    name = "killed"
    preset = "yin-yang-losses"
    seeds = 2
    [set]
    training.epochs = 4
    data.train = 128
    data.test = 32
    hidden.0.size = 12
    training.checkpoint.every = 1
    training.checkpoint.keep = 2
    diagnosis.every = 0
    [[axis]]
    key = "training.optimiser.rate"
    name = "rate"
    log_range = [1e-3, 1e-1]
    steps = \(isLong ? 6 : 2)
    [[axis]]
    key = "training.batch"
    name = "batch"
    values = [\(isLong ? "16, 32" : "32")]
    """
  }

  @Test(arguments: [[], ["--jobs", "2"]]) func killsOfASweep(_ jobs: [String]) throws {
    let asked = Campaign.budget("KILLS", small: 0)
    let (isLong, kills) = (asked > 0, asked > 0 ? max(10, asked / 100) : 2)
    let scratch = ScratchDirectory()
    _ = scratch.write(Self.file(isLong: isLong), to: "s.toml")
    let training = ["sweep", "s.toml", "--threads", "2"] + jobs + ["--out"]
    let started = Date()
    let whole = try Program.run(training + ["whole"], in: scratch.path, seconds: 600)
    try #require(whole.status == 0, "\(whole.text)")
    let length = Date().timeIntervalSince(started)
    let files = FileManager.default
    let expected = try #require(files.contents(atPath: scratch.file("whole/results.csv")))
    var random = Random(seed: Campaign.seed, "kills of a sweep")
    for done in 0..<kills {
      let isSweep = files.fileExists(atPath: scratch.file("a/sweep.toml"))
      let process = try Program.start(
        isSweep ? ["sweep", "a", "--threads", "2"] + jobs : training + ["a"], in: scratch.path)
      usleep(UInt32(1e6 * length * random.uniform(0, 2 / Double(kills))))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      // What is there after a kill is no more than what an undisturbed sweep has.
      if let text = files.contents(atPath: scratch.file("a/results.csv")) {
        let lines = Set(String(decoding: text, as: UTF8.self).split(separator: "\n"))
        let all = Set(String(decoding: expected, as: UTF8.self).split(separator: "\n"))
        #expect(lines.isSubset(of: all), "seed \(Campaign.seed), kill \(done)")
      }
    }
    let end = try Program.run(training + ["a"], in: scratch.path, seconds: 600)
    #expect(end.status == 0, "seed \(Campaign.seed): \(end.text)")
    #expect(
      files.contents(atPath: scratch.file("a/results.csv")) == expected,
      "seed \(Campaign.seed): another results.csv")
    print("sweep of \(isLong ? 24 : 4) runs, kills: \(kills)")
  }
}
