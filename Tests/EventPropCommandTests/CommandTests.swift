// SPDX-License-Identifier: MIT

import Foundation
import Support
import Testing

/// The program itself, as a user runs it.
@Suite struct CommandTests {
  let scratch = ScratchDirectory()

  static let program = Program.path
  static let presets = Program.presets

  func start(
    _ arguments: [String], output: FileHandle? = nil, environment: [String: String] = [:]
  ) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.program)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: scratch.path)
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["EVENTPROP_PRESETS": Self.presets]) { $1 }.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output ?? FileHandle.nullDevice
    process.standardError = output ?? FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Waits for the end, two minutes at the most.
  func finish(_ process: Process) {
    for _ in 0..<12_000 where process.isRunning { usleep(10_000) }
    if process.isRunning {
      kill(process.processIdentifier, SIGKILL)
      Issue.record("still running after two minutes: \(process.arguments ?? [])")
    }
    process.waitUntilExit()
  }

  /// Exit status and everything printed.
  func run(_ arguments: String...) throws -> (status: Int32, text: String) { try run(arguments) }

  func run(
    _ arguments: [String], environment: [String: String] = [:]
  ) throws -> (status: Int32, text: String) {
    let path = scratch.write("", to: "output-\(UUID().uuidString)")
    let process = try start(
      arguments, output: FileHandle(forWritingAtPath: path), environment: environment)
    finish(process)
    return (process.terminationStatus, try String(contentsOfFile: path, encoding: .utf8))
  }

  static let small = [
    "--set", "data.train=200", "--set", "data.test=50", "--set", "hidden.0.size=20",
    "--set", "training.checkpoint.every=1", "--set", "training.shards=4",
  ]

  @Test func trainThenEvaluate() throws {
    let train = try run(
      "train", "yin-yang-sum", "--epochs", "2", "--threads", "2", "--set", "data.train=200",
      "--set",
      "data.test=50")
    #expect(train.status == 0, "\(train.text)")
    #expect(train.text.contains("run runs/yin-yang-sum-1"))
    #expect(train.text.contains("epoch 2  loss"))
    let files = try FileManager.default.contentsOfDirectory(
      atPath: scratch.file("runs/yin-yang-sum-1"))
    #expect(
      Set(files).isSuperset(of: ["preset.toml", "metrics.csv", "commands.jsonl", "checkpoints"]))
    let evaluate = try run("evaluate", "runs/yin-yang-sum-1", "--confusion")
    #expect(evaluate.status == 0, "\(evaluate.text)")
    #expect(evaluate.text.contains("checkpoint of epoch 2, 50 test samples"))
    #expect(evaluate.text.contains("accuracy"))
  }

  /// A preset, and a run from a checkpoint: every table is written, the run stays as it is.
  @Test func diagnosesPresetsAndRuns() throws {
    let first = try run(
      ["diagnose", "yin-yang-sum", "--updates", "2", "--out", "a", "--set", "training.epochs=1"]
        + Self.small)
    #expect(first.status == 0, "\(first.text)")
    #expect(first.text.contains("created") && first.text.contains("wrote updates.csv"))
    for name in ["updates", "events", "margins", "silence", "flow"] {
      let text = try String(contentsOfFile: scratch.file("a/\(name).csv"), encoding: .utf8)
      #expect(text.hasPrefix("lane,letter,trained_on,"), "\(name)")
      let widths = text.split(separator: "\n").map { $0.count { $0 == "," } }
      #expect(Set(widths).count == 1, "\(name)")
    }
    let updates = try String(contentsOfFile: scratch.file("a/updates.csv"), encoding: .utf8)
    #expect(updates.split(separator: "\n").count == 3)
    #expect(
      try run(["train", "yin-yang-sum", "--epochs", "2", "--out", "run"] + Self.small).status == 0)
    let before = try FileManager.default.subpathsOfDirectory(atPath: scratch.file("run"))
    let second = try run("diagnose", "run", "--epoch", "1", "--updates", "1", "--out", "b")
    #expect(second.status == 0, "\(second.text)")
    #expect(try FileManager.default.subpathsOfDirectory(atPath: scratch.file("run")) == before)
    let wrong = try run("diagnose", "run", "--epoch", "9", "--out", "c")
    #expect(wrong.status == 1 && wrong.text.contains("has no checkpoint 9; there are: 0, 1, 2"))
    let metrics = try String(contentsOfFile: scratch.file("run/metrics.csv"), encoding: .utf8)
    #expect(metrics.contains("spikes_created,spikes_deleted"))
    let table = try run(
      "figure", "run", "--panel", "ledger", "--table", "margins", "--out", "m.csv")
    #expect(table.status == 0, "\(table.text)")
  }

  /// Every preset that brings its data goes through; so do networks that explode or are silent.
  /// Tables and sentences fit 80 columns.
  @Test func doctorLooksAtEveryPreset() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.presets).filter {
      try $0.hasSuffix(".toml")
        && !String(contentsOfFile: Self.presets + "/" + $0, encoding: .utf8)
          .contains("path = \"\"")
    }.map { String($0.dropLast(5)) }
    #expect(names.count >= 9)
    let few = ["--set", "data.train=40", "--set", "data.test=20", "--samples", "6"]
    let odd = [
      ["yin-yang-sum", "--set", "hidden.0.weights={ mean = 1e9, sd = 1 }"],
      ["yin-yang-first-spike", "--set", "hidden.0.weights={ mean = 1e9, sd = 1 }"],
      ["yin-yang-losses", "--set", "hidden.0.weights={ mean = -123.456, sd = 0.000123456 }"],
      ["yin-yang-losses", "--set", "lane.0.name=\(String(repeating: "lane ", count: 7))x"],
      ["failure-starved-shorter", "--set", "hidden.0.recurrent_weights.sd=12.3"],
      ["yin-yang-first-spike", "--set", "output.weights.mean=0.001", "--target", "123.4"],
    ]
    for arguments in names.map({ [$0] }) + odd {
      let result = try run(["doctor", "--csv", "doctor.csv"] + arguments + few)
      #expect(result.status == 0, "\(arguments): \(result.text)")
      #expect(result.text.contains("6 training samples"))
      for line in result.text.split(separator: "\n") {
        #expect(line.count <= 80, "\(arguments): \(line)")
      }
      let rows = try String(contentsOfFile: scratch.file("doctor.csv"), encoding: .utf8)
        .split(separator: "\n")
      #expect(rows[0].hasPrefix("lane,layer,neurons,samples") && rows.count >= 3)
      #expect(Set(rows.map { $0.count { $0 == "," } }).count == 1)
    }
    #expect(try run("doctor", "yin-yang-sum", "--samples", "0").status == 64)
    #expect(try run("doctor", "no-such-preset").status == 1)
  }

  /// Sweeps print and write a table; the roofline names the share of the caches' rate. No figure is
  /// judged here.
  @Test func benchSweeps() throws {
    let result = try run(
      "bench", "M", "--sweep", "batch", "--rounds", "1", "--seconds", "0.02", "--csv", "sweep.csv")
    #expect(result.status == 0, "\(result.text)")
    let lines = try String(contentsOfFile: scratch.file("sweep.csv"), encoding: .utf8)
      .split(separator: "\n")
    #expect(lines.count == 6)
    #expect(lines[0].hasPrefix("batch,samples_per_second,us_per_sample,exponent"))
    for line in lines.dropFirst() {
      #expect(Double(line.split(separator: ",")[1]).map { $0 > 0 } == true, "\(line)")
    }
    #expect(try run("bench", "--csv", "x.csv").status == 64)
    #expect(try run("bench", "M", "S", "--sweep", "hidden").status == 64)
  }

  @Test func figuresComeFromCheckpoints() throws {
    let train = try run(
      "train", "yin-yang-losses", "--epochs", "2", "--threads", "2", "--out", "run", "--set",
      "data.train=200", "--set", "data.test=50", "--set", "training.checkpoint.every=1")
    #expect(train.status == 0, "\(train.text)")
    for panel in ["overview", "raster", "gradients", "compare", "shaping", "log"] {
      for ending in ["svg", "csv", "txt"] {
        let figure = try run(
          "figure", "run", "--panel", panel, "--epoch", "1", "--out", "\(panel).\(ending)")
        #expect(figure.status == 0, "\(figure.text)")
        let size = FileManager.default.contents(atPath: scratch.file("\(panel).\(ending)"))?.count
        #expect(size ?? 0 > 100)
      }
    }
    let missing = try run("figure", "run", "--epoch", "9", "--out", "x.svg")
    #expect(missing.status == 1)
    #expect(missing.text.contains("has no checkpoint 9; there are: 0, 1, 2"))
    #expect(try run("figure", "run", "--panel", "pie", "--out", "x.svg").status == 64)
    for (wrong, words) in [
      (["--figure", "pie", "--out", "x.svg"], "--figure is pie, allowed are loss, accuracy"),
      (["--figure", "loss", "--panel", "compare", "--out", "x.svg"], "only one of them"),
      (["--figure", "loss", "--out", "x.txt"], ".svg, .pdf or .csv"),
      (["--figure", "loss", "--size", "85", "--out", "x.svg"], "--size is 85"),
      (["--figure", "loss", "--legend", "up", "--out", "x.svg"], "--legend is up"),
      (["--panel", "compare", "--size", "85x60", "--out", "x.svg"], "--size goes with --figure"),
    ] {
      let result = try run(["figure", "run"] + wrong)
      #expect(result.status == 64 && result.text.contains(words), "\(result.text)")
    }
    let paper = ["figure", "run", "run", "--figure", "accuracy", "--size", "90x50"]
    #expect(try run(paper + ["--out", "a.svg"]).status == 0)
    let svg = try String(contentsOfFile: scratch.file("a.svg"), encoding: .utf8)
    #expect(svg.contains("width=\"90mm\" height=\"50mm\"") && svg.contains("ep:seed=\"1\""))
    #expect(svg.contains("eventprop figure run run --figure accuracy --epoch 2 --size 90x50"))
    #expect(try run(paper + ["--out", "a.csv"]).status == 0)
    let csv = try String(contentsOfFile: scratch.file("a.csv"), encoding: .utf8)
    #expect(csv.split(separator: "\n").count == 1 + 2 * 4 * 2)
    let pdf = try run(paper + ["--out", "a.pdf"], environment: ["PATH": scratch.file("nowhere")])
    #expect(pdf.status == 1 && pdf.text.contains("librsvg2-bin"), "\(pdf.text)")
    #expect(!FileManager.default.fileExists(atPath: scratch.file("a.pdf")))
  }

  /// Killed again and again at odd moments and resumed, the weights are those of an undisturbed
  /// run.
  @Test func killedAndResumed() throws {
    let arguments = ["train", "yin-yang-sum", "--epochs", "6", "--threads", "2"] + Self.small
    let whole = try start(arguments + ["--out", "whole"])
    finish(whole)
    try #require(whole.terminationStatus == 0)
    var next = arguments + ["--out", "killed"]
    for delay in [0.25, 0.13, 0.31, 0.22, 0.4, 0.19] {
      let process = try start(next)
      Thread.sleep(forTimeInterval: delay)
      kill(process.processIdentifier, SIGKILL)
      finish(process)
      if FileManager.default.fileExists(atPath: scratch.file("killed/commands.jsonl")) {
        next = ["train", "--resume", "killed", "--threads", "3"]
      } else {
        try? FileManager.default.removeItem(atPath: scratch.file("killed"))
      }
    }
    let last = try start(next)
    finish(last)
    #expect(last.terminationStatus == 0)
    for file in ["input-hidden1", "hidden1-output", "adam-mean/input-hidden1"] {
      let path = "checkpoints/6/sum/\(file).npy"
      let expected = FileManager.default.contents(atPath: scratch.file("whole/\(path)"))
      #expect(expected != nil)
      #expect(FileManager.default.contents(atPath: scratch.file("killed/\(path)")) == expected)
    }
  }

  private static let quick = ["yin-yang-sum"] + small

  /// Rows without checkpoints are refused, and what there is is kept when the user begins anew.
  @Test func resumesThatWouldLoseResultsAreRefused() throws {
    #expect(try run(["train"] + Self.quick + ["--epochs", "3", "--out", "run"]).status == 0)
    let rows = try String(contentsOfFile: scratch.file("run/metrics.csv"), encoding: .utf8)
    for breaking in ["gone", "empty", "unreadable"] {
      let folder = scratch.file("run/checkpoints")
      if breaking == "gone" {
        try FileManager.default.moveItem(atPath: folder, toPath: scratch.file("kept"))
      } else {
        try FileManager.default.createDirectory(
          atPath: folder, withIntermediateDirectories: true,
          attributes: breaking == "unreadable" ? [.posixPermissions: 0] : [:])
      }
      // Root reads everything.
      if breaking == "unreadable" && geteuid() == 0 { rmdir(folder); continue }
      let result = try run("train", "--resume", "run", "--epochs", "4")
      #expect(result.status == 1, "\(breaking): \(result.text)")
      #expect(result.text.contains("--start-over") || breaking == "unreadable")
      #expect(
        try String(contentsOfFile: scratch.file("run/metrics.csv"), encoding: .utf8) == rows)
      if breaking != "gone" { rmdir(folder) }
    }
    let anew = try run("train", "--resume", "run", "--start-over")
    #expect(anew.status == 0, "\(anew.text)")
    #expect(
      try String(
        contentsOfFile: scratch.file("run/before-restart-1/metrics.csv"), encoding: .utf8) == rows)
    #expect(
      try String(contentsOfFile: scratch.file("run/metrics.csv"), encoding: .utf8) == rows)
  }

  /// A number of epochs given at a resume is the run's from then on: the printed command goes on
  /// with it.
  @Test func epochsOfAResumeAreKept() throws {
    #expect(try run(["train"] + Self.quick + ["--epochs", "1", "--out", "run"]).status == 0)
    #expect(try run("train", "--resume", "run").text.contains("finished already: 1 of 1 epochs"))
    let process = try start(["train", "--resume", "run", "--epochs", "100000"])
    for _ in 0..<2000
    where !FileManager.default.fileExists(atPath: scratch.file("run/checkpoints/4")) {
      usleep(5000)
    }
    kill(process.processIdentifier, SIGTERM)
    finish(process)
    let preset = try String(contentsOfFile: scratch.file("run/preset.toml"), encoding: .utf8)
    #expect(preset.contains("epochs = 100000"))
    #expect(
      try run("train", "--resume", "run", "--epochs", "1").text.contains("would take it back"))
    // Settings of another kind are another run's.
    let other = try run("train", "--resume", "run", "--set", "training.optimiser.rate=1")
    #expect(other.status == 1 && other.text.contains("a run goes on as it is"))
    #expect(try run("open", "run", "--set", "training.optimiser.rate=1").status == 1)
  }

  /// `--epoch 2` is the end of epoch 2, `2+3` three batches later.
  @Test func checkpointsAreNamedExactly() throws {
    #expect(try run(["train"] + Self.quick + ["--epochs", "2", "--out", "run"]).status == 0)
    let files = FileManager.default
    let checkpoints = scratch.file("run/checkpoints")
    try files.copyItem(atPath: checkpoints + "/1", toPath: checkpoints + "/2+3")
    let state = checkpoints + "/2+3/state.toml"
    let text = try String(contentsOfFile: state, encoding: .utf8)
    try text.replacingOccurrences(of: "epoch = 1\nbatch = 0", with: "epoch = 2\nbatch = 3").write(
      toFile: state, atomically: true, encoding: .utf8)
    let whole = try run("evaluate", "run", "--epoch", "2")
    #expect(whole.text.contains("checkpoint of epoch 2, "), "\(whole.text)")
    let within = try run("evaluate", "run", "--epoch", "2+3")
    #expect(within.text.contains("checkpoint of epoch 2 and 3 batches, "), "\(within.text)")
    #expect(try run("evaluate", "run").text == within.text)
    #expect(try run("evaluate", "run", "--epoch", "2+4").text.contains("there are: 0, 1, 2, 2+3"))
  }

  /// A run folder that goes away ends the training with words, and nothing is made in its place.
  @Test func aMovedRunEndsTheTraining() throws {
    let process = try start(
      ["train"] + Self.quick + ["--epochs", "100000", "--out", "run"],
      output: FileHandle(forWritingAtPath: scratch.write("", to: "out")))
    for _ in 0..<2000
    where !FileManager.default.fileExists(atPath: scratch.file("run/checkpoints/2")) {
      usleep(5000)
    }
    try FileManager.default.moveItem(atPath: scratch.file("run"), toPath: scratch.file("moved"))
    finish(process)
    #expect(process.terminationStatus == 1)
    let text = try String(contentsOfFile: scratch.file("out"), encoding: .utf8)
    #expect(text.contains("the run's folder has been moved or deleted"), "\(text.suffix(300))")
    #expect(!FileManager.default.fileExists(atPath: scratch.file("run")))
    #expect(try run("evaluate", "moved").status == 0)
  }

  /// Output that does not get anywhere is an error; names cannot steer the terminal; links are not
  /// written through.
  @Test func outputIsSafe() throws {
    let name = "evil \\u001b]0;title\\u0007"
    let text = """
      name = "\(name)"
      [data]
      kind = "yin-yang"
      train = 32
      test = 8
      [simulation]
      duration = 30
      step = 0.5
      [[hidden]]
      size = 4
      [loss]
      kind = "sum"
      [training]
      epochs = 1
      """
    let preset = scratch.write(text, to: "evil.toml")
    let result = try run("train", preset, "--out", "run")
    #expect(result.status == 0 && result.text.contains("evil \\u{1B}]0;title\\u{7}"))
    #expect(!result.text.unicodeScalars.contains("\u{1B}"))
    for lane in ["a\\r\\nb", "a/b", "x\\u202Ey", "state.toml", "a\\u0000b"] {
      let wrong = scratch.write(text + "\n[[lane]]\nname = \"\(lane)\"\n", to: "lane.toml")
      let refused = try run("train", wrong, "--out", "lane")
      #expect(refused.status == 1 && refused.text.split(separator: "\n").count == 1, "\(lane)")
    }
    let full = try start(["evaluate", "run"], output: FileHandle(forWritingAtPath: "/dev/full"))
    finish(full)
    #expect(full.terminationStatus == 1)
    // A link where a file is to be made aside: it goes, what it points to stays.
    let target = scratch.write("precious", to: "target")
    #expect(symlink(target, scratch.file("run/metrics.csv.tmp")) == 0)
    #expect(try run("train", "--resume", "run", "--epochs", "2").status == 0)
    #expect(try String(contentsOfFile: target, encoding: .utf8) == "precious")
  }

  /// A run with data by a relative path goes on from anywhere, and after the data have moved.
  @Test func dataPathsAreAbsolute() throws {
    try FileManager.default.createDirectory(
      atPath: scratch.file("data"), withIntermediateDirectories: true)
    func idx(_ sizes: [Int], _ values: [UInt8]) -> [UInt8] {
      [0, 0, 8, UInt8(sizes.count)]
        + sizes.flatMap { size in (0..<4).map { UInt8(size >> (24 - 8 * $0) & 0xFF) } } + values
    }
    for part in ["train", "test"] {
      _ = scratch.write(
        idx([4, 2, 2], (0..<16).map { UInt8($0 * 16) }), to: "data/my-\(part)-images.idx3-ubyte")
      _ = scratch.write(idx([4], [0, 1, 0, 1]), to: "data/my-\(part)-labels.idx1-ubyte")
    }
    let first = try run(
      "train", "latency-mnist", "--set", "data.path=data", "--set", "hidden.0.size=4", "--epochs",
      "1",
      "--out", "run")
    #expect(first.status == 0, "\(first.text)")
    let elsewhere = scratch.file("data")
    let second = try Program.run(["train", "--resume", "../run", "--epochs", "2"], in: elsewhere)
    #expect(second.status == 0, "\(second.text)")
    try FileManager.default.moveItem(atPath: elsewhere, toPath: scratch.file("new"))
    #expect(try run("train", "--resume", "run", "--epochs", "3").status == 1)
    let third = try run("train", "--resume", "run", "--epochs", "3", "--set", "data.path=new")
    #expect(third.status == 0, "\(third.text)")
    #expect(try run("evaluate", "run").status == 0)
  }

  /// A session's log knows where it ended; replayed, it ends there.
  @Test func replaysEndWhereTheSessionEnded() throws {
    let process = try start(["train"] + Self.quick + ["--epochs", "100000", "--out", "run"])
    for _ in 0..<2000
    where !FileManager.default.fileExists(atPath: scratch.file("run/checkpoints/2")) {
      usleep(5000)
    }
    kill(process.processIdentifier, SIGTERM)
    finish(process)
    let replayed = try run(
      ["train", "run/preset.toml", "--replay", "run/commands.jsonl", "--out", "again"])
    #expect(replayed.status == 0, "\(replayed.text)")
    #expect(replayed.text.contains("where the session ended"))
    func last(_ run: String) throws -> [String: Data] {
      let folder = scratch.file(run + "/checkpoints")
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      let name = try #require(names.max { ($0.count, $0) < ($1.count, $1) })
      return [
        name: FileManager.default.contents(
          atPath: folder + "/\(name)/sum/input-hidden1.npy") ?? Data()
      ]
    }
    #expect(try last("run") == last("again"))
    // A replay that takes long is stopped by a signal.
    let log = try String(contentsOfFile: scratch.file("run/commands.jsonl"), encoding: .utf8)
    _ = scratch.write(
      log.split(separator: "\n").filter { !$0.contains("stop") }.joined(separator: "\n"),
      to: "endless.jsonl")
    let endless = try start(
      ["train", "run/preset.toml", "--replay", "endless.jsonl", "--out", "third"])
    for _ in 0..<2000
    where !FileManager.default.fileExists(atPath: scratch.file("third/checkpoints/1")) {
      usleep(5000)
    }
    kill(endless.processIdentifier, SIGTERM)
    finish(endless)
    #expect(endless.terminationStatus == 128 + SIGTERM)
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP]) func signalsLeaveACheckpoint(signal: Int32) throws {
    let process = try start(
      ["train", "yin-yang-sum", "--epochs", "100000", "--out", "run"] + Self.small)
    let deadline = Date().addingTimeInterval(60)
    let metrics = scratch.file("run/metrics.csv")
    while Date() < deadline,
      (try? String(contentsOfFile: metrics, encoding: .utf8))?.split(separator: "\n").count ?? 0 < 3
    {
      usleep(20_000)
    }
    kill(process.processIdentifier, signal)
    finish(process)
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 128 + signal)
    let log = try String(contentsOfFile: scratch.file("run/commands.jsonl"), encoding: .utf8)
    #expect(log.contains("\"command\": \"stop\""))
    let again = try run("train", "--resume", "run", "--epochs", "6")
    #expect(again.status == 0, "\(again.text)")
  }

  @Test func gradcheckPassesAndFails() throws {
    let good = try run(
      "gradcheck", "yin-yang-sum", "--weights", "20", "--samples", "2", "--set", "hidden.0.size=20")
    #expect(good.status == 0, "\(good.text)")
    #expect(good.text.contains("input-hidden1") && good.text.contains("ok"))
    let bad = try run(
      "gradcheck", "yin-yang-sum", "--weights", "20", "--samples", "2", "--set", "hidden.0.size=20",
      "--tolerance", "1e-14")
    #expect(bad.status == 1, "\(bad.text)")
    #expect(bad.text.contains("FAILED"))
  }

  /// What is drawn and not trained has no gradient that could be compared.
  @Test func gradcheckLeavesOutWhatIsNotTrained() throws {
    func check(_ tau: String) throws -> (status: Int32, text: String) {
      try run(
        "gradcheck", "yin-yang-sum", "--weights", "6", "--samples", "2", "--set",
        "hidden.0.size=20", "--set", "hidden.0.tau_mem={ uniform = [15, 25]\(tau) }")
    }
    let drawn = try check("")
    #expect(drawn.status == 0, "\(drawn.text)")
    #expect(!drawn.text.contains("tau_mem"))
    let trained = try check(", min = 5, train = true, rate = 0.01")
    #expect(trained.status == 0, "\(trained.text)")
    #expect(trained.text.contains("neurons/hidden1-tau_mem"))
  }

  @Test func badInputIsOneLineAndStatusOne() throws {
    let text = scratch.write("name = 3\n", to: "bad.toml")
    let cases: [([String], String)] = [
      (
        ["train", "no-such-preset"],
        "no-such-preset: is neither a file nor a preset; presets: exact"
      ),
      (["train", text], "bad.toml:1: name: is an integer (3), allowed is a string"),
      (["train", "latency-mnist"], "data.path: is not set"),
      (["train", "latency-mnist", "--set", "data.path=/nowhere"], "/nowhere: no such folder"),
      (["train", "shd", "--set", "data.path=/nowhere"], "/nowhere: no such folder"),
      (
        ["train", "yin-yang-sum", "--set", "training.epochs=-1"],
        "training.epochs: is -1, allowed is"
      ),
      (["train", "yin-yang-sum", "--out", "/proc/x"], "/proc/x: cannot be created"),
      (["train", "--resume", "nowhere"], "nowhere: is not the folder of a run"),
      (["evaluate", "nowhere"], "nowhere: is not the folder of a run: it has no preset.toml"),
      (["gradient", "nowhere", "--out", "x"], "nowhere/preset.toml: no such preset file"),
      (["data", "info", text], "magic 0x6e616d65 is not an IDX file"),
      (["presets", "check", text], "bad.toml:1: name"),
    ]
    for (arguments, expected) in cases {
      let path = scratch.write("", to: "out")
      let process = try start(arguments, output: FileHandle(forWritingAtPath: path))
      finish(process)
      let output = try String(contentsOfFile: path, encoding: .utf8)
      #expect(process.terminationStatus == 1, "\(arguments): \(output)")
      #expect(output.contains(expected), "\(arguments): \(output)")
      #expect(output.split(separator: "\n").count == 1, "\(arguments): \(output)")
    }
    #expect(!FileManager.default.fileExists(atPath: scratch.file("runs")))
  }

  @Test func usageErrorsAreStatus64() throws {
    #expect(try run("train").status == 64)
    #expect(try run("train", "x", "--threads", "0").status == 64)
    #expect(try run("bench", "Q").status == 64)
    #expect(try run("open", "--marks", "crayon").status == 64)
    #expect(try run("help").status == 0)
  }

  @Test func aFullDiskStopsTheTrainingWithAMessage() throws {
    // ulimit -f stands in for a full disk: writes past 8 blocks fail.
    let path = scratch.write("", to: "out")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = [
      "-c",
      "trap '' XFSZ; ulimit -f 8; exec \(Self.program) train \(Self.presets)/yin-yang-sum.toml --epochs 2 "
        + "--out full --set data.train=64 --set data.test=10 --set hidden.0.size=1000",
    ]
    process.currentDirectoryURL = URL(fileURLWithPath: scratch.path)
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle(forWritingAtPath: path)
    try process.run()
    finish(process)
    let output = try String(contentsOfFile: path, encoding: .utf8)
    #expect(process.terminationStatus == 1)
    #expect(output.contains("cannot be written: File too large"), "\(output)")
    let checkpoints = try FileManager.default.contentsOfDirectory(
      atPath: scratch.file("full/checkpoints"))
    #expect(checkpoints.isEmpty)
  }

  /// SSC brings its validation samples as a file: it is found, or named.
  @Test func validationSamplesFromAFile() throws {
    for (name, count) in [("ssc_train.h5", 8), ("ssc_valid.h5", 4), ("ssc_test.h5", 4)] {
      HDF5Writer.write(
        scratch.file(name), times: (0..<count).map { [0.01 + 0.001 * Double($0), 0.02] },
        units: (0..<count).map { [$0, 20] }, labels: (0..<count).map { $0 % 2 })
    }
    let begin = [
      "train", "shd", "--set", "data.path=.", "--set", "hidden.0.size=8", "--set",
      "data.train=8", "--set", "data.test=4", "--set", "training.batch=4", "--epochs", "1",
      "--threads", "1", "--set", "diagnosis.every=0", "--set", "simulation.duration=50",
    ]
    func column(_ run: String, _ name: String) throws -> String {
      let rows = try String(contentsOfFile: scratch.file(run + "/metrics.csv"), encoding: .utf8)
        .split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
      return String(rows[1][try #require(rows[0].firstIndex { $0 == name })])
    }
    let found = try run(begin + ["--out", "found"])
    #expect(found.status == 0, "\(found.text)")
    #expect(found.text.contains("validation samples are those of ssc_valid.h5"), "\(found.text)")
    #expect(try !column("found", "validation_accuracy").isEmpty)
    try FileManager.default.moveItem(
      atPath: scratch.file("ssc_valid.h5"), toPath: scratch.file("other.h5"))
    #expect(try run(begin + ["--out", "none"]).status == 0)
    #expect(try column("none", "validation_accuracy").isEmpty)
    let named = try run(begin + ["--out", "named", "--set", "data.validate_file=other.h5"])
    #expect(named.status == 0, "\(named.text)")
    #expect(try column("named", "validation_accuracy") == column("found", "validation_accuracy"))
    let seeds = try run(
      begin + [
        "--out", "seeds", "--set", "data.validate_file=other.h5", "--seeds", "2", "--set",
        "training.keep_best=true",
      ])
    #expect(seeds.status == 0, "\(seeds.text)")
    let first = try column("seeds", "validation_accuracy")
    #expect(try first == column("found", "validation_accuracy"))
    #expect(try !column("seeds/seed-2", "validation_accuracy").isEmpty)
    let both = try run(
      begin + ["--set", "data.validate_file=other.h5", "--set", "data.validate=2"])
    #expect(both.status == 1)
    #expect(both.text.contains("choose one of the four"), "\(both.text)")
  }

  /// Absurd weights end the training at once, with words.
  @Test(arguments: [false, true]) func explodedWeightsAreSaidSoon(isRecurrent: Bool) throws {
    let start = ContinuousClock.now
    let result = try run(
      [
        "train", "yin-yang-losses", "--epochs", "1", "--set", "simulation.solver=exact", "--set",
        "hidden.0.weights.mean=1e6", "--set", "hidden.0.size=20", "--set",
        "hidden.0.recurrent=\(isRecurrent)", "--out", "run",
      ]
        + (isRecurrent ? ["--set", "hidden.0.recurrent_weights={mean=1e6,sd=1}"] : []))
    #expect(result.status == 1)
    #expect(result.text.contains("the weights have exploded"), "\(result.text)")
    #expect(ContinuousClock.now - start < .seconds(30))
  }

  /// An exact lane whose neurons differ trains with all its alarms and ledgers: what is looked at
  /// on the grid is left out.
  @Test(arguments: ["hidden.0.tau_mem", "hidden.0.threshold"])
  func unlikeNeuronsTrain(key: String) throws {
    let list = (0..<12).map { "\(1 + 0.1 * Double($0))" }.joined(separator: ", ")
    let result = try run([
      "train", "yin-yang-sum", "--epochs", "2", "--threads", "2", "--set",
      "simulation.solver=exact", "--set", "hidden.0.size=12", "--set", "\(key)=[\(list)]", "--set",
      "data.train=64", "--set", "data.test=16", "--set", "diagnosis.every=2", "--out", "run",
    ])
    #expect(result.status == 0, "\(result.text)")
    let resumed = try run(["train", "--resume", "run", "--epochs", "3"])
    #expect(resumed.status == 0, "\(resumed.text)")
    let figure = try run(["figure", "run", "--panel", "gradients", "--out", "g.svg"])
    #expect(figure.status == 0, "\(figure.text)")
    let diagnosis = try run(["diagnose", "run", "--updates", "2", "--out", "diagnosis"])
    #expect(diagnosis.status == 0, "\(diagnosis.text)")
  }

  /// Outputs that follow signals: trained by both solvers to the same bits for any number of
  /// threads, evaluated, resumed and looked at. Losses of classes are refused.
  @Test(arguments: ["grid", "exact"]) func regressionTrains(solver: String) throws {
    let settings = [
      "simulation.solver=\(solver)", "hidden.0.size=12", "data.train=48", "data.test=16",
      "data.validate=8", "training.keep_best=true", "diagnosis.every=2",
    ].flatMap { ["--set", $0] }
    func train(_ out: String, epochs: Int, threads: Int) throws -> String {
      let result = try run(
        ["train", "regression", "--epochs", "\(epochs)", "--threads", "\(threads)"] + settings
          + ["--out", out])
      #expect(result.status == 0, "\(result.text)")
      return result.text
    }
    _ = try train("one", epochs: 3, threads: 1)
    _ = try train("three", epochs: 3, threads: 3)
    _ = try train("resumed", epochs: 2, threads: 2)
    let resumed = try run(["train", "--resume", "resumed", "--epochs", "3"])
    #expect(resumed.status == 0, "\(resumed.text)")
    let names = try FileManager.default.subpathsOfDirectory(
      atPath: scratch.file("one/checkpoints/3"))
    for name in names where name.hasSuffix(".npy") {
      let files = ["one", "three", "resumed"].map {
        FileManager.default.contents(atPath: scratch.file("\($0)/checkpoints/3/\(name)"))
      }
      #expect(files[0] != nil && files[0] == files[1] && files[0] == files[2], "\(name)")
    }
    let evaluated = try run(["evaluate", "one", "--csv", "e.csv", "--predictions", "p.csv"])
    #expect(evaluated.status == 0 && evaluated.text.contains("R²"), "\(evaluated.text)")
    #expect(!evaluated.text.contains("accuracy"), "\(evaluated.text)")
    // No file calls R² an accuracy, and what reads them finds it.
    for file in ["one/metrics.csv", "one/results.csv", "resumed/metrics.csv", "e.csv"] {
      let text = try String(contentsOfFile: scratch.file(file), encoding: .utf8)
      let head = text.prefix { $0 != "\n" }
      #expect(!head.contains("accuracy") && head.contains("r2"), "\(file): \(head)")
    }
    let listed = try run(["runs", ".", "--csv"])
    let line = listed.text.split(separator: "\n").first { $0.contains("one,") } ?? ""
    #expect(listed.status == 0 && line.contains("0."), "\(listed.text)")
    let wanted = try run(["bisect", "one", "r2", "1"])
    #expect(wanted.text.contains("r2 1.0") && !wanted.text.contains("accuracy"), "\(wanted.text)")
    let stopped = try run(
      ["train", "regression", "--epochs", "4", "--out", "stopped"] + settings
        + ["--set", "training.stop={ patience = 1, metric = \"validation_r2\", min_delta = 10 }"])
    #expect(stopped.text.contains("no validation_r2 improved"), "\(stopped.text)")
    for arguments in [
      ["figure", "one", "--figure", "raster", "--out", "r.svg"],
      ["figure", "one", "--figure", "accuracy", "--out", "c.svg"],
      ["figure", "one", "--panel", "compare", "--out", "s.svg"],
      ["diagnose", "one", "--updates", "2", "--out", "diagnosis"],
      ["report", "one", "--out", "report"],
    ] {
      let result = try run(arguments)
      #expect(result.status == 0, "\(arguments): \(result.text)")
    }
    let raster = try String(contentsOfFile: scratch.file("r.svg"), encoding: .utf8)
    #expect(raster.contains("target"))
    for setting in ["loss.kind=sum", "data.augment.blend=0.5"] {
      let refused = try run(
        ["train", "regression", "--set", setting] + settings + ["--out", "refused"])
      #expect(refused.status != 0 && refused.text.contains("target series"), "\(refused.text)")
    }
  }

  /// Delays, trained constants and adapting neurons train on both solvers with any number of
  /// threads, resume to the same bits, and can be looked at.
  @Test(arguments: ["grid", "exact"]) func modelsOfTodayTrain(solver: String) throws {
    let settings = [
      "simulation.solver=\(solver)", "hidden.0.size=12", "data.train=64", "data.test=16",
      "diagnosis.every=2", "hidden.0.neuron=alif", "hidden.0.recurrent=true",
      "hidden.0.delays={ init = { uniform = [0.5, 3] }, max = 8, train = true }",
      "hidden.0.recurrent_delays={ init = 1, max = 8, train = true, form = \"axonal\" }",
      "hidden.0.tau_mem={ normal = [20, 4], min = 5, train = true }",
      "hidden.0.tau_adapt={ value = 15, train = true }",
      "hidden.0.adaptation={ value = 0.2, train = true }",
      "output.tau_syn={ value = 6, train = true }",
      "output.delays={ init = 1, max = 4, train = true, form = \"dendritic\" }",
    ].flatMap { ["--set", $0] }
    func train(_ out: String, epochs: Int, threads: Int) throws {
      let result = try run(
        ["train", "yin-yang-sum", "--epochs", "\(epochs)", "--threads", "\(threads)"] + settings
          + ["--out", out])
      #expect(result.status == 0, "\(result.text)")
    }
    try train("one", epochs: 3, threads: 1)
    try train("three", epochs: 3, threads: 3)
    try train("resumed", epochs: 2, threads: 2)
    let resumed = try run(["train", "--resume", "resumed", "--epochs", "3"])
    #expect(resumed.status == 0, "\(resumed.text)")
    let names = try FileManager.default.subpathsOfDirectory(
      atPath: scratch.file("one/checkpoints/3"))
    #expect(names.contains { $0.hasSuffix("delays/input-hidden1.npy") })
    #expect(names.contains { $0.hasSuffix("neurons/hidden1-tau_adapt.npy") })
    for name in names where name.hasSuffix(".npy") {
      let files = ["one", "three", "resumed"].map {
        FileManager.default.contents(atPath: scratch.file("\($0)/checkpoints/3/\(name)"))
      }
      #expect(files[0] != nil && files[0] == files[1] && files[0] == files[2], "\(name)")
    }
    for arguments in [
      ["evaluate", "one"], ["figure", "one", "--panel", "gradients", "--out", "g.svg"],
      ["diagnose", "one", "--updates", "2", "--out", "diagnosis"],
      ["report", "one", "--out", "report"],
    ] {
      let result = try run(arguments)
      #expect(result.status == 0, "\(arguments): \(result.text)")
    }
  }
}
