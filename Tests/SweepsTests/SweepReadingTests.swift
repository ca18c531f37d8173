// SPDX-License-Identifier: MIT

import EventPropCore
import Experiments
import Foundation
import Support
import Testing

@testable import Sweeps

@Suite struct SweepReadingTests {
  let tiny = TinySweep()

  @Test func gridsChangeTheLastAxisFastest() throws {
    let sweep = try tiny.read(
      """
      [[axis]]
      key = "hidden.0.size"
      range = [10, 20]
      steps = 3
      [[axis]]
      key = "loss.shaping"
      name = "shaping"
      values = ["none", "exponential"]
      """)
    #expect(
      sweep.points.map { $0.map(\.plainText) } == [
        ["10", "none"], ["10", "exponential"], ["15", "none"], ["15", "exponential"],
        ["20", "none"], ["20", "exponential"],
      ])
    #expect(sweep.axes.map(\.name) == ["hidden.0.size", "shaping"])
    #expect(
      sweep.settings(ofPoint: 3).suffix(2) == ["hidden.0.size=15", "loss.shaping=\"exponential\""])
    #expect(try sweep.preset(ofPoint: 4).lanes[0].hidden[0].size == 20)
    #expect(sweep.words(ofPoint: 1) == "hidden.0.size = 10, shaping = exponential")
  }

  @Test func ranges() throws {
    func values(_ text: String) throws -> [ConfigValue] {
      try tiny.read("[[axis]]\nkey = \"training.optimiser.rate\"\n\(text)").points.map { $0[0] }
    }
    #expect(
      try values("range = [0.1, 0.5]\nsteps = 5") == [0.1, 0.2, 0.3, 0.4, 0.5].map { .real($0) })
    #expect(
      try values("log_range = [1e-4, 1e-1]\nsteps = 4")
        == [1e-4, 1e-3, 1e-2, 1e-1].map { .real($0) })
    // By hand: 2^(0, 1/3, 2/3, 1, ...) to 8, rounded, once each.
    #expect(
      try values("log_range = [1, 8]\nsteps = 10\ninteger = true")
        == [1, 2, 3, 4, 5, 6, 8].map { .integer($0) })
    // Ends without a point are whole numbers where the steps are.
    #expect(try values("range = [1, 2]\nsteps = 3") == [.integer(1), .real(1.5), .integer(2)])
  }

  /// Streams of their own: an axis more, or more samples, leave the others' draws as they are.
  @Test func randomDraws() throws {
    let rate = """
      [[axis]]
      key = "training.optimiser.rate"
      log_range = [1e-4, 1e-1]
      """
    let size = """
      [[axis]]
      key = "hidden.0.size"
      range = [8, 40]
      integer = true
      """
    let head = "mode = \"random\"\nsamples = 5\nseed = 7"
    let points = try tiny.read(rate + "\n" + size, head: head).points
    var (first, second) = (Random(seed: 7, "sweep axis", 0), Random(seed: 7, "sweep axis", 1))
    for point in points {
      let rate = 1e-4 * pow(1000, first.uniform())
      #expect(abs(point[0].number! / rate - 1) < 1e-5)
      let size = second.uniform() * 32 + 8
      guard case .integer(let whole) = point[1] else { Issue.record("\(point[1])"); continue }
      #expect(abs(Double(whole) - size) < 0.51)
    }
    let more = try tiny.read(rate, head: head.replacingOccurrences(of: "= 5", with: "= 9")).points
    #expect(more.count == 9 && more.prefix(5).map { $0[0] } == points.map { $0[0] })
  }

  /// Of target series R² is the metric, under either name.
  @Test func targetSeriesAreComparedByR2() throws {
    let preset = try String(
      contentsOfFile: PresetLibrary.path(of: "regression"), encoding: .utf8)
    let axis = "[[axis]]\nkey = \"hidden.0.size\"\nvalues = [3, 4]"
    let sweep = try tiny.read(axis, preset: preset)
    #expect(sweep.metric == "test_r2" && sweep.goal == .max && sweep.isAccuracy)
    let named = try tiny.read(axis, head: "metric = \"train_r2\"", preset: preset)
    #expect(named.metric == "train_r2" && named.goal == .max)
    #expect(
      tiny.message(axis, head: "metric = \"acc\"", preset: preset).contains("test_r2, test_loss"))
  }

  @Test func whatIsWrongIsSaidWithFileAndLine() throws {
    #expect(tiny.message("") == "s.toml: axis: is missing; needed is at least one [[axis]]")
    #expect(
      tiny.message(head: "metrik = 1").hasPrefix(
        "s.toml:3: metrik: is not a key here; did you mean metric?"))
    #expect(
      tiny.message(head: "seeds = 0")
        == "s.toml:3: seeds: is 0, allowed is a whole number from 1 to 64")
    #expect(
      tiny.message(head: "mode = \"grit\"").contains(
        "s.toml:3: mode: is \"grit\", allowed is one of \"grid\", \"random\""))
    #expect(
      tiny.message(head: "samples = 3").contains("s.toml:3: samples: is for mode = \"random\""))
    #expect(
      tiny.message(head: "metric = \"acc\"").contains(
        "s.toml:3: metric: is \"acc\", allowed is a column of metrics.csv: test_accuracy"))
    #expect(
      tiny.message(head: "set = { seeds = 3 }").contains(
        "s.toml:3: set.seeds: seeds is no key here"))
    #expect(
      tiny.message("[[axis]]\nkey = \"seed\"\nvalues = [1, 2]").contains(
        "s.toml:5: axis.0.key: seed is no key here"))
    #expect(
      tiny.message("[[axis]]\nkey = \"hidden.0.size\"\nvalues = []")
        == "s.toml:6: axis.0.values: is empty")
    #expect(
      tiny.message("[[axis]]\nkey = \"hidden.0.size\"\nvalues = [3, 3]")
        == "s.toml:6: axis.0.values: has 3 twice")
    #expect(
      tiny.message("[[axis]]\nkey = \"hidden.0.size\"\nvalues = [[3]]").contains(
        "s.toml:6: axis.0.values: entry 0 is [3], allowed is a number, a string, true or false"))
    #expect(
      tiny.message("[[axis]]\nkey = \"hidden.0.size\"").contains(
        "axis.0.values: needed is one of values, range and log_range"))
    #expect(
      tiny.message("[[axis]]\nkey = \"hidden.0.size\"\nrange = [3, 9]").contains(
        "axis.0.steps: is missing"))
    #expect(
      tiny.message("[[axis]]\nkey = \"hidden.0.size\"\nlog_range = [0, 9]\nsteps = 3").contains(
        "s.toml:6: axis.0.log_range: allowed are two numbers, the smaller one first, both above 0"))
    #expect(
      tiny.message("[[axis]]\nkey = \"training.optimiser.rate\"\nname = \"epoch\"\nvalues = [1]")
        .contains("s.toml:6: axis.0.name: is \"epoch\", which is a column of results.csv"))
    #expect(
      tiny.message(TinySweep.rates + "\n" + TinySweep.rates).contains(
        "axis.1.key: training.optimiser.rate has an axis already"))
    #expect(
      tiny.message(
        "[[axis]]\nkey = \"hidden.0.size\"\nrange = [1, 20000]\nsteps = 10000\n\(TinySweep.rates)"
      ).contains("axis: the grid has 10000 x 2 points, allowed are 10000"))
    #expect(
      tiny.message(
        "[[axis]]\nkey = \"hidden.0.size\"\nrange = [1, 2]\ninteger = true",
        head: "mode = \"random\"\nsamples = 3"
      ).contains("samples: is 3, but the axes have hardly more than 2 different points"))
  }

  /// Of a point's preset: at the axis that makes it.
  @Test func everyPresetIsRead() throws {
    #expect(
      tiny.message("[[axis]]\nkey = \"training.bach\"\nvalues = [3]").contains(
        "s.toml:5: axis training.bach: training.bach: is not a key here; did you mean batch?"))
    #expect(
      tiny.message("[[axis]]\nkey = \"training.batch\"\nvalues = [32, 0]").contains(
        "s.toml:5: axis training.batch: training.batch: is 0, allowed is"))
    #expect(
      tiny.message(head: "[set]\ntraining.epochs = -1").contains(
        "s.toml:4: set: training.epochs: is -1"))
    #expect(
      tiny.message("[[axis]]\nkey = \"hidden.3.size\"\nvalues = [3]").contains(
        "hidden.3.size: there is nothing of that name"))
    #expect(tiny.message(preset: "name = 1").contains("tiny.toml:1: name: is an integer"))
    let path = tiny.scratch.write("preset = \"nowhere.toml\"\n" + TinySweep.rates, to: "t.toml")
    #expect(throws: (any Error).self) { try Sweep(contentsOf: path) }
  }

  /// What a folder keeps reads back to the same points, from anywhere.
  @Test func theFolderIsTheSweep() throws {
    let sweep = try tiny.read(
      head: "seeds = 2\nset = { \"training.epochs\" = 2, training.batch = 16 }")
    #expect(sweep.seeds == 2 && sweep.firstSeed == 3)
    // Choosing is for validation samples, where there are some.
    #expect(sweep.metric == "validation_accuracy" && sweep.goal == .max)
    let path = tiny.scratch.file("out")
    let made = try SweepFolder(sweep, at: path)
    let opened = try SweepFolder(opening: path)
    #expect(opened.sweep.points == sweep.points)
    #expect(opened.sweep.resolvedText == made.sweep.resolvedText)
    for point in sweep.points.indices {
      #expect(
        try opened.sweep.preset(ofPoint: point).resolvedText
          == sweep.preset(ofPoint: point).resolvedText)
    }
    #expect(try opened.sweep.preset(ofPoint: 0).training.batch == 16)
    #expect(try opened.sweep.preset(ofPoint: 0).training.epochs == 2)
    #expect(
      try String(contentsOfFile: path + "/points.csv", encoding: .utf8)
        == "point,rate\n0,0.001\n1,0.01\n")
    #expect(made.run(1).hasSuffix("out/runs/1"))
    // The same again is the same folder; another one is not.
    #expect(try SweepFolder(sweep, at: path).path == path)
    let other = try tiny.read(
      head: "seeds = 3\nset = { \"training.epochs\" = 2, training.batch = 16 }")
    #expect { try SweepFolder(other, at: path) } throws: {
      "\($0)".contains("holds another sweep: seeds is 2 there, 3 here")
    }
    _ = tiny.scratch.write("x", to: "full/x")
    try FileManager.default.createDirectory(
      atPath: tiny.scratch.file("full"), withIntermediateDirectories: true)
    _ = tiny.scratch.write("x", to: "full/x")
    #expect(throws: (any Error).self) { try SweepFolder(sweep, at: tiny.scratch.file("full")) }
  }
}
