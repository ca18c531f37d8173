// SPDX-License-Identifier: MIT

import Foundation
import Support
import Testing

/// Data and networks that come from other programs and go to them, by the command line.
@Suite struct DoorTests {
  let commands = CommandTests()
  var scratch: ScratchDirectory { commands.scratch }

  @discardableResult
  private func succeed(_ arguments: String...) throws -> String {
    let result = try commands.run(arguments)
    try #require(result.status == 0, "\(arguments): \(result.text)")
    return result.text
  }

  private func bytes(_ file: String) -> Data? {
    FileManager.default.contents(atPath: scratch.file(file))
  }

  /// From a preset to arrays, an archive, tables and SHD's layout, and on: the same samples.
  @Test func dataGoRound() throws {
    let few = ["--set", "data.train=24", "--set", "data.test=8", "--set", "data.validate=4"]
    let first = try commands.run(["data", "convert", "yin-yang-sum", "--to", "a"] + few)
    #expect(first.status == 0 && first.text.contains("20 training, 4 validation, 8 test"))
    try succeed("data", "convert", "a", "--to", "b.npz")
    try succeed("data", "convert", "b.npz", "--to", "c", "--format", "csv")
    try succeed("data", "convert", "c", "--to", "d", "--format", "npy")
    for part in ["", "test/", "validate/"] {
      for name in ["spikes.npy", "labels.npy", "classes.txt"] {
        #expect(bytes("a/\(part)\(name)") != nil)
        #expect(bytes("a/\(part)\(name)") == bytes("d/\(part)\(name)"), "\(part)\(name)")
      }
    }
    try succeed("data", "convert", "d", "--to", "e", "--format", "shd")
    let old = try commands.run(["data", "convert", "c", "--to", "a"])
    #expect(old.status == 1 && old.text.contains("already"), "\(old.text)")
    let info = try succeed("data", "info", "e", "--units", "5")
    #expect(info.contains("20 samples, 3 classes, 5 units"), "\(info)")
    #expect(try succeed("data", "info", "b.npz").contains("Hz per unit"))
    let refused = try commands.run(["data", "convert", "nothing-there", "--to", "x"])
    #expect(refused.status != 0)
    let series = try commands.run(
      ["data", "convert", "regression", "--to", "x", "--format", "shd"] + few)
    #expect(series.status == 1 && series.text.contains("target series"), "\(series.text)")
  }

  /// A folder stands in for the server.
  @Test func publishedDataAreChecked() throws {
    #expect(
      try succeed("data", "get", "shd", "--list").contains("f3252aeb598ac776c1b526422d90eecb"))
    let unknown = try commands.run(["data", "get", "cifar"])
    #expect(unknown.status == 64 && unknown.text.contains("fashion-mnist"))
    _ = scratch.write("hello", to: "train-images-idx3-ubyte.gz")
    let mirror = "file://" + scratch.path
    let wrong = try commands.run(["data", "get", "mnist", "--url", mirror, "--to", "got"])
    #expect(wrong.status == 1 && wrong.text.contains("md5 sum"), "\(wrong.text)")
    let left = try FileManager.default.contentsOfDirectory(atPath: scratch.file("got"))
    #expect(left.isEmpty)
    let missing = try commands.run(
      ["data", "get", "shd", "--url", mirror + "/none", "--to", "got"])
    #expect(missing.status == 1 && missing.text.contains("--url"), "\(missing.text)")
  }

  /// A run goes out and comes back: the same accuracy, and it trains on, and is diagnosed.
  @Test(arguments: [
    ["nir", "net.nir"], ["nir", "net.nir", "--dialect", "step", "--nested", "--readout", "cubali"],
    ["mlgenn", "weights"],
  ])
  func networksGoRound(arguments: [String]) throws {
    let settings = [
      "--set", "data.train=96", "--set", "data.test=40", "--set", "hidden.0.size=16", "--set",
      "hidden.0.recurrent=true",
    ]
    let trained = try commands.run(
      ["train", "yin-yang-sum", "--epochs", "2", "--out", "run"] + settings)
    #expect(trained.status == 0, "\(trained.text)")
    func accuracy(_ run: String) throws -> String {
      let lines = try succeed("evaluate", run).split(separator: "\n")
      return String(try #require(lines.first { $0.contains("accuracy") }))
    }
    let result = try commands.run(
      ["export", "run", "--to", arguments[0], "--out", arguments[1]] + arguments.dropFirst(2))
    #expect(result.status == 0, "\(result.text)")
    let data = ["--data", "yin-yang-sum"] + settings.prefix(4)
    let imported = try commands.run(["import", arguments[1], "--out", "back"] + data)
    #expect(imported.status == 0, "\(imported.text)")
    #expect(try accuracy("run") == accuracy("back"))
    try succeed("train", "--resume", "back", "--epochs", "1")
    let diagnosed = try commands.run(
      ["diagnose", arguments[1], "--updates", "2", "--out", "diagnosis"] + data)
    #expect(diagnosed.status == 0, "\(diagnosed.text)")
    #expect(bytes("diagnosis/ledger.jsonl") != nil)
    // Without data nothing can be run, and other data do not fit.
    let alone = try commands.run(["import", arguments[1], "--out", "alone"])
    #expect(alone.status == 1 && alone.text.contains("--data"), "\(alone.text)")
    let other = try commands.run(
      ["import", arguments[1], "--data", "regression", "--out", "other", "--set", "data.train=8"])
    #expect(other.status == 1, "\(other.text)")
    let wide = try commands.run(
      ["diagnose", arguments[1], "--data", "regression", "--out", "x", "--set", "data.train=8"])
    #expect(wide.status == 1 && !wide.text.contains("Fatal"), "\(wide.text)")
    let format = try commands.run(["export", "run", "--to", "npz", "--out", "w.npz"])
    #expect(format.status == 0 && bytes("w.npz") != nil)
  }
}
