// SPDX-License-Identifier: MIT

import Foundation
import Support
import Testing

/// Validation, cross-validation and evaluation, as a user runs them.
@Suite struct ProtocolTests {
  let scratch = ScratchDirectory()

  func run(_ arguments: String...) throws -> (status: Int32, text: String) {
    let result = try Program.run(arguments, in: scratch.path, seconds: 120)
    return (result.status, result.text)
  }

  /// Rows of a CSV by column.
  func rows(_ name: String) throws -> [[String: String]] {
    let lines = try String(contentsOfFile: scratch.file(name), encoding: .utf8)
      .split(separator: "\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
      }
    return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) }
  }

  /// Files in the SHD layout with two classes: speakers 0 to 2 in training, 1 and 7 in the test.
  func writeData() throws {
    try FileManager.default.createDirectory(
      atPath: scratch.file("data"), withIntermediateDirectories: true)
    try writePart("train", speakers: [0, 1, 2])
    try writePart("test", speakers: [1, 7])
    let preset = """
      name = "spoken"
      seed = 3
      [data]
      kind = "shd"
      path = "data"
      units = 20
      [simulation]
      duration = 20.0
      step = 1.0
      [[hidden]]
      size = 8
      weights = { mean = 1.0, sd = 0.5 }
      [training]
      epochs = 3
      batch = 8
      optimiser = { rate = 5e-2 }
      [diagnosis]
      every = 0
      [[lane]]
      name = "shaped"
      loss.shaping = "exponential"
      [[lane]]
      name = "plain"
      """
    _ = scratch.write(preset, to: "p.toml")
  }

  func writePart(_ part: String, speakers: [Int]) throws {
    var (times, units, labels, spoken) = ([[Double]](), [[Int]](), [Int](), [Int]())
    for sample in 0..<36 {
      let label = sample % 2
      labels.append(label)
      spoken.append(speakers[sample / 2 % speakers.count])
      units.append((0..<12).map { unit in (unit + 10 * label) % 20 })
      let start = 0.002 * Double(label)
      times.append(
        (0..<12).map { spike in
          start + 0.001 * Double(spike) + 1e-4 * Double((7 * sample + 3 * spike) % 10)
        })
    }
    HDF5Writer.write(
      scratch.file("data/\(part).h5"), times: times, units: units, labels: labels,
      speakers: spoken, names: ["no", "yes"])
  }

  @Test func everySpeakerIsLeftOutOnce() throws {
    try writeData()
    let first = try run(
      "crossvalidate", "p.toml", "--by", "speaker", "--seeds", "2", "--out", "cv", "--epochs", "2")
    #expect(first.status == 0, "\(first.text)")
    #expect(first.text.contains("24 training, 12 left out; run cv/speaker-1"))
    #expect(first.text.contains("mean ± sd"))
    #expect(first.text.contains("folds share training samples: p and interval are optimistic"))
    let results = try rows("cv/folds.csv")
    #expect(results.count == 3 * 2 * 2)
    #expect(Set(results.map { $0["fold"]! }) == ["speaker-0", "speaker-1", "speaker-2"])
    #expect(results.allSatisfy { $0["epoch"] == "2" && $0["test_accuracy"] == "" })
    #expect(try rows("cv/speaker-0/metrics.csv").allSatisfy { $0["test_accuracy"] == "" })
    // One fold is half done, one is missing: the same call ends in the same files.
    let whole = try String(contentsOfFile: scratch.file("cv/folds.csv"), encoding: .utf8)
    let weights = FileManager.default.contents(
      atPath: scratch.file("cv/speaker-2/checkpoints/2/plain/input-hidden1.npy"))
    try FileManager.default.removeItem(atPath: scratch.file("cv/speaker-1/checkpoints/2"))
    try FileManager.default.removeItem(atPath: scratch.file("cv/speaker-2"))
    let again = try run(
      "crossvalidate", "p.toml", "--by", "speaker", "--seeds", "2", "--out", "cv", "--epochs", "2",
      "--threads", "1")
    #expect(again.status == 0, "\(again.text)")
    #expect(again.text.components(separatedBy: "finished already").count == 2)
    #expect(try String(contentsOfFile: scratch.file("cv/folds.csv"), encoding: .utf8) == whole)
    #expect(
      FileManager.default.contents(
        atPath: scratch.file("cv/speaker-2/checkpoints/2/plain/input-hidden1.npy")) == weights)
    let other = try run(
      "crossvalidate", "p.toml", "--by", "speaker", "--out", "cv", "--set", "training.batch=4")
    #expect(other.status == 1 && other.text.contains("was begun with"), "\(other.text)")
  }

  @Test func partsAreLeftOut() throws {
    try writeData()
    let end = try run(
      "crossvalidate", "p.toml", "--folds", "5", "--out", "cv", "--epochs", "1", "--test",
      "--set", "training.keep_best=true", "--set", "data.validate_speakers=[1]")
    #expect(end.status == 0, "\(end.text)")
    #expect(end.text.contains("28 training, 8 left out") && end.text.contains("29 training, 7"))
    let results = try rows("cv/folds.csv")
    #expect(results.count == 10)
    #expect(
      results.allSatisfy {
        $0["test_accuracy"] != "" && $0["best_epoch"] == "1" && $0["best_test_accuracy"] != ""
      })
    for (arguments, words) in [
      (["--folds", "37"], "37 folds of 36 training samples; allowed are 2 to 36"),
      (["--folds", "1"], "allowed is 2 to 1000"), ([], "--by speaker, or --folds K"),
      (["--by", "speaker", "--folds", "3"], "--by speaker, or --folds K"),
    ] {
      let error = try Program.run(
        ["crossvalidate", "p.toml", "--out", "x"] + arguments, in: scratch.path)
      #expect(error.status != 0 && error.text.contains(words), "\(error.text)")
    }
    let none = try run("crossvalidate", "yin-yang-sum", "--by", "speaker", "--out", "x")
    #expect(none.status == 1 && none.text.contains("names no speakers"), "\(none.text)")
    #expect(!FileManager.default.fileExists(atPath: scratch.file("x")))
  }

  @Test func severalRunsAreEvaluated() throws {
    try writeData()
    for (name, seeds) in [("a", "1"), ("b", "3")] {
      let end = try run(
        "train", "p.toml", "--out", name, "--seeds", seeds, "--set", "data.validate_speakers=[2]",
        "--set", "training.keep_best=true", "--set", "training.test=end")
      #expect(end.status == 0, "\(end.text)")
      #expect(end.text.contains("plain   best"))
    }
    let one = try run("evaluate", "a", "--best", "--speakers", "--split", "test")
    #expect(one.status == 0 && one.text.contains("best weights, of epoch"), "\(one.text)")
    #expect(one.text.contains("  by speaker\n  1  ") && one.text.contains("\n  7  "))
    #expect(one.text.contains("seen speakers"))
    let all = try run("evaluate", "a", "b", "--csv", "t.csv", "--predictions", "y.csv")
    #expect(all.status == 0 && all.text.contains("(3 seeds), mean ± sd"), "\(all.text)")
    let scores = try rows("t.csv")
    #expect(scores.count == 2 * (1 + 3))
    #expect(scores.map { $0["seed"]! } == ["3", "3", "3", "3", "4", "4", "5", "5"])
    let ends = try rows("b/results.csv").filter { $0["which"] == "last" }
    #expect(scores[2]["accuracy"] == ends[0]["test_accuracy"])
    let error = sqrt(Double(scores[0]["accuracy"]!)! * (1 - Double(scores[0]["accuracy"]!)!) / 36)
    #expect(abs(Double(scores[0]["standard_error"]!)! - error) < 1e-12)
    let groups = try rows("t-groups.csv")
    #expect(groups.count == 8 * (2 + 2))
    #expect(groups.filter { $0["group"] == "speaker" }.allSatisfy { $0["samples"] == "18" })
    let predictions = try rows("y.csv")
    #expect(predictions.count == 8 * 36)
    let right = predictions.prefix(36).count { $0["label"] == $0["prediction"] }
    #expect(scores[0]["accuracy"] == "\(Double(right) / 36)")
    #expect(Set(predictions.map { $0["speaker"]! }) == ["1", "7"])
    // Other files, and the samples of the left-out speaker.
    try FileManager.default.copyItem(
      atPath: scratch.file("data"), toPath: scratch.file("elsewhere"))
    let moved = try run("evaluate", "a", "--data", "elsewhere", "--split", "validation")
    #expect(moved.status == 0 && moved.text.contains("12 validation samples"), "\(moved.text)")
    let plain = try run("evaluate", "b", "--epoch", "9")
    #expect(plain.status == 1 && plain.text.contains("has no checkpoint 9"), "\(plain.text)")
  }
}
