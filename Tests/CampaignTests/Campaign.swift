// SPDX-License-Identifier: MIT

import Foundation
import Support
import Testing

/// How much a campaign does: little in `swift test`; the environment asks for more, as
/// EVENTPROP_KILLS=1000. Failures name the seed; EVENTPROP_SEED begins there.
enum Campaign {
  static func budget(_ name: String, small: Int) -> Int {
    ProcessInfo.processInfo.environment["EVENTPROP_\(name)"].flatMap(Int.init) ?? small
  }

  static var seed: Int {
    ProcessInfo.processInfo.environment["EVENTPROP_SEED"].flatMap(Int.init) ?? 1
  }

  /// A training of two lanes and an epoch or two a tenth of a second, with a checkpoint each.
  static let training =
    [
      "train", "yin-yang-losses", "--set", "training.epochs=6", "--threads", "1", "--set",
      "data.train=128",
      "--set", "data.test=32", "--set", "hidden.0.size=12", "--set", "training.checkpoint.every=1",
      "--set", "training.checkpoint.keep=1", "--set", "diagnosis.every=0", "--set",
      "data.validate=32", "--set", "training.keep_best=true", "--set",
      "training.stop={ patience = 9, metric = \"validation_loss\" }",
    ]

  /// Everything of a finished run that must not depend on how it got there.
  static func result(_ run: String) -> [String: Data] {
    let files = FileManager.default
    var result: [String: Data] = [:]
    for name in (try? files.subpathsOfDirectory(atPath: run + "/checkpoints/6")) ?? [] {
      result[name] = files.contents(atPath: run + "/checkpoints/6/" + name)
    }
    for name in (try? files.subpathsOfDirectory(atPath: run + "/best")) ?? [] {
      result["best/" + name] = files.contents(atPath: run + "/best/" + name)
    }
    for name in ["metrics.csv", "results.csv"] {
      result[name] = files.contents(atPath: run + "/" + name)
    }
    return result
  }

  /// The undisturbed run.
  static func reference(_ scratch: ScratchDirectory) throws -> [String: Data] {
    let whole = try Program.run(training + ["--out", "whole"], in: scratch.path)
    try #require(whole.status == 0, "\(whole.text)")
    let result = result(scratch.file("whole"))
    try #require(result.count > 20)
    return result
  }

  /// Goes on, as a user would, until the training is done.
  /// - Returns: what went wrong; nil when the run ended as an undisturbed one.
  static func complete(_ scratch: ScratchDirectory, _ expected: [String: Data]) throws -> String? {
    let hasPreset = FileManager.default.fileExists(atPath: scratch.file("run/preset.toml"))
    let end = try Program.run(
      hasPreset ? ["train", "--resume", "run"] : training + ["--out", "run"], in: scratch.path)
    guard end.hasEnded else { return "does not end" }
    guard end.status == 0 else { return "is refused: \(end.text)" }
    let found = result(scratch.file("run"))
    if found == expected { return nil }
    let other = Set(found.keys).union(expected.keys).filter { found[$0] != expected[$0] }.sorted()
    return "ends in other bits: \(other.prefix(4))"
  }
}
