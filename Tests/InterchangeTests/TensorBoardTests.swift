// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import Runs
import Support
import Testing
import Training

@testable import Interchange

@Suite struct TensorBoardTests {
  let scratch = ScratchDirectory()

  static let settings = [
    "--set", "data.train=130", "--set", "data.validate=20", "--set", "data.test=40", "--set",
    "hidden.0.size=20", "--set", "training.batch=32", "--set", "training.checkpoint.every=1",
  ]

  func train(_ arguments: [String]) throws -> (status: Int32, text: String) {
    let result = try Program.run(["train"] + arguments, in: scratch.path, seconds: 120)
    return (result.status, result.text)
  }

  /// What is written comes back, bit by bit, negative steps included.
  @Test func recordsRoundTrip() throws {
    let values = [-1.5, 0, 0.25, 2.5, 2.5]
    let histogram = try #require(EventHistogram(values + [.nan], bins: 4))
    let events = [
      EventMessage(time: 12.5, content: .version),
      EventMessage(time: 13, step: 300, content: .start),
      EventMessage(
        time: 14, step: 1 << 40,
        content: .summary([.scalar("a/é", -0.1), .histogram("h", histogram)])),
      EventMessage(time: 15, step: -1, content: .summary([.scalar("b", 1e30)])),
    ]
    let path = scratch.write(events.flatMap(\.record), to: "events")
    let read = try EventReader.events(path)
    #expect(read.map(\.time) == [12.5, 13, 14, 15] && read.map(\.step) == [0, 300, 1 << 40, -1])
    #expect(read[0].version == "brain.Event:2" && read[1].isStart)
    #expect(read[2].scalars == ["a/é": -0.1] && read[3].scalars == ["b": 1e30])
    #expect(
      read[2].histograms["h"]
        == EventReader.Histogram(
          least: -1.5, largest: 2.5, count: 5, sum: 3.75, squares: 14.8125,
          edges: [-0.5, 0.5, 1.5, 2.5], counts: [1, 2, 0, 2]))
    let single = try #require(EventHistogram([3, 3]))
    #expect(single.edges == [3] && single.counts == [2] && EventHistogram([.nan]) == nil)

    let bytes = events.flatMap(\.record)
    let records = EventRecord.all(in: bytes)
    #expect(records.map(\.step) == read.map(\.step))
    #expect(records.map(\.isSummary) == [false, false, true, true])
    #expect(records[2].scalars(bytes) == ["a/é": -0.1])
    // Damage and a cut end what is read, wherever they are.
    for cut in 0..<bytes.count {
      let whole = records.filter { $0.range.upperBound <= cut }.count
      #expect(EventRecord.all(in: Array(bytes[..<cut])).count == whole)
      var damaged = bytes
      damaged[cut] ^= 0x10
      let before = records.filter { $0.range.upperBound <= cut }.count
      #expect(EventRecord.all(in: damaged).count == before)
    }
  }

  /// Every epoch once, whatever was cut off, and the numbers of metrics.csv.
  @Test func trainingsAreWritten() throws {
    let first = try train(
      ["yin-yang-losses", "--epochs", "2", "--out", "run", "--tensorboard", "tb"]
        + Self.settings)
    try #require(first.status == 0, "\(first.text)")
    let table = MetricsTable.table(scratch.file("run/metrics.csv"))
    let lanes = Set(table.rows.compactMap { $0["lane"] })
    #expect(Set(try FileManager.default.contentsOfDirectory(atPath: scratch.file("tb"))) == lanes)
    // As a kill leaves it: an epoch beyond the checkpoint, and half a record.
    let lane = try #require(lanes.first)
    let folder = scratch.file("tb/\(lane)")
    let file = try #require(
      try FileManager.default.contentsOfDirectory(atPath: folder).first)
    let late = EventMessage(time: 1, step: 3, content: .summary([.scalar("loss/train", 9)]))
    let handle = try #require(FileHandle(forWritingAtPath: folder + "/" + file))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(late.record + late.record.prefix(20)))
    try handle.close()
    let second = try train(["--resume", "run", "--epochs", "4", "--tensorboard", "tb"])
    try #require(second.status == 0, "\(second.text)")

    let rows = MetricsTable.table(scratch.file("run/metrics.csv")).rows
    for lane in lanes {
      let files = try EventReader.all(scratch.file("tb/\(lane)"))
      #expect(files.count == 2 && files.allSatisfy { $0[0].version == "brain.Event:2" })
      #expect(files[1][1].isStart && files[1][1].step == 3)
      let events = files.joined().filter { !$0.scalars.isEmpty || !$0.histograms.isEmpty }
      #expect(events.map(\.step) == [0, 1, 2, 3, 4])
      #expect(
        Set(events[0].histograms.keys) == ["weights/input-hidden1", "weights/hidden1-output"])
      for event in events.dropFirst() {
        let row = try #require(
          rows.first { $0["lane"] == lane && $0["epoch"] == String(event.step) })
        for (tag, column) in [
          ("loss/train", "train_loss"), ("loss/validation", "validation_loss"),
          ("accuracy/train", "train_accuracy"), ("accuracy/test", "test_accuracy"),
          ("rate", "rate"), ("spikes/hidden1", "spikes_hidden1"),
          ("silent/hidden1", "silent_hidden1"), ("dead/hidden1", "dead_hidden1"),
          ("gradient/input-hidden1", "gradient_input-hidden1"),
          ("ledger/created", "spikes_created"), ("ledger/actual", "actual_change"),
        ] {
          let number = try #require(row[column].flatMap(Double.init), "\(column)")
          #expect(event.scalars[tag] == Float(number), "\(lane) \(event.step) \(tag)")
        }
        let rates = try #require(event.histograms["rates/hidden1"])
        #expect(rates.count == 20 && rates.counts.reduce(0, +) == 20)
        let weights = try #require(event.histograms["weights/input-hidden1"])
        #expect(weights.count == 100 && weights.counts.reduce(0, +) == 100)
      }
    }
    // Not into the folder of another run, and a new run leaves nothing behind.
    let third = try train(
      ["yin-yang-losses", "--out", "other", "--tensorboard", "tb"] + Self.settings)
    #expect(third.status == 1 && third.text.contains("needs another folder"), "\(third.text)")
    #expect(!FileManager.default.fileExists(atPath: scratch.file("other")))
    _ = scratch.write("", to: "file")
    let nowhere = try train(
      ["yin-yang-losses", "--out", "other", "--tensorboard", "file/tb"] + Self.settings)
    #expect(nowhere.status == 1 && nowhere.text.contains("file/tb: cannot be created"))
    #expect(!FileManager.default.fileExists(atPath: scratch.file("other")))
    let other = try train(
      ["yin-yang-losses", "--out", "other", "--set", "seed=9", "--epochs", "4"] + Self.settings)
    try #require(other.status == 0, "\(other.text)")
    // Nor is anything there touched, however short the other run is.
    func all() throws -> [Data] {
      try FileManager.default.subpathsOfDirectory(atPath: scratch.file("tb")).sorted().compactMap {
        FileManager.default.contents(atPath: scratch.file("tb/\($0)"))
      }
    }
    let before = try all()
    #expect(before.count >= 2)
    let made = try train(
      ["yin-yang-losses", "--out", "short", "--set", "seed=9", "--epochs", "1"] + Self.settings)
    try #require(made.status == 0, "\(made.text)")
    for run in ["other", "short"] {
      let wrong = try train(["--resume", run, "--epochs", "5", "--tensorboard", "tb"])
      #expect(wrong.status == 1 && wrong.text.contains("are not of \(run)"), "\(wrong.text)")
      #expect(try all() == before)
    }
  }

  /// Seeds have folders of their own; a run that is finished is written from its metrics.csv;
  /// trained delays have histograms.
  @Test func seedsAndFinishedRuns() throws {
    let first = try train(
      [
        "yin-yang-sum", "--epochs", "2", "--seeds", "2", "--out", "run", "--set",
        "hidden.0.delays={ init = { uniform = [0, 3] }, max = 4, train = true, rate = 0.01 }",
      ] + Self.settings)
    try #require(first.status == 0, "\(first.text)")
    let second = try train(["--resume", "run", "--tensorboard", "tb"])
    #expect(second.status == 0, "\(second.text)")
    let lane = try #require(
      try FileManager.default.contentsOfDirectory(atPath: scratch.file("tb")).first)
    let seeds = try FileManager.default.contentsOfDirectory(atPath: scratch.file("tb/\(lane)"))
    #expect(seeds.count == 2 && seeds.allSatisfy { $0.hasPrefix("seed-") })
    for seed in seeds {
      let events = try EventReader.all(scratch.file("tb/\(lane)/\(seed)")).joined()
      #expect(events.filter { !$0.scalars.isEmpty }.map(\.step) == [1, 2])
    }
    let third = try train(["--resume", "run", "--epochs", "3", "--tensorboard", "tb"])
    #expect(third.status == 0, "\(third.text)")
    for seed in seeds {
      let events = try EventReader.all(scratch.file("tb/\(lane)/\(seed)")).joined()
      #expect(events.filter { !$0.scalars.isEmpty }.map(\.step) == [1, 2, 3])
      #expect(events.last?.histograms["delays/input-hidden1"]?.count == 100)
    }
  }

  /// TensorBoard's own reader says the same.
  @Test func tensorBoardReadsThem() throws {
    guard try Python.run("import tensorboard").status == 0 else {
      print("TensorBoard's own reader was not tried: \(Python.name) cannot import tensorboard")
      return
    }
    let first = try train(
      ["yin-yang-sum", "--epochs", "2", "--out", "run", "--tensorboard", "tb"] + Self.settings)
    try #require(first.status == 0, "\(first.text)")
    let second = try train(["--resume", "run", "--epochs", "3", "--tensorboard", "tb"])
    try #require(second.status == 0, "\(second.text)")
    let lane = try #require(
      try FileManager.default.contentsOfDirectory(atPath: scratch.file("tb")).first)
    let code = """
      import json, sys
      from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
      events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "histograms": 0})
      events.Reload()
      tags = events.Tags()
      print(json.dumps({
        "scalars": {t: [[e.step, e.value] for e in events.Scalars(t)] for t in tags["scalars"]},
        "histograms": {t: [[h.step, h.histogram_value.num, sum(h.histogram_value.bucket)]
                           for h in events.Histograms(t)] for t in tags["histograms"]}}))
      """
    let read = try Python.run(code, scratch.file("tb/\(lane)"))
    try #require(read.status == 0, "\(read.text)")
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(read.text.utf8))
        as? [String: [String: [[Double]]]])
    let rows = MetricsTable.table(scratch.file("run/metrics.csv")).rows
    for (tag, column) in [
      ("loss/train", "train_loss"), ("accuracy/test", "test_accuracy"), ("rate", "rate"),
      ("spikes/hidden1", "spikes_hidden1"), ("gradient/hidden1-output", "gradient_hidden1-output"),
    ] {
      let expected = rows.map { row in
        [Float(row["epoch"]!)!, Float(Double(row[column]!)!)]
      }
      #expect(json["scalars"]?[tag]?.map { $0.map { Float($0) } } == expected, "\(tag)")
    }
    #expect(
      json["histograms"]?["weights/input-hidden1"] == (0...3).map { [Double($0), 100, 100] })
    #expect(json["histograms"]?["rates/hidden1"] == (1...3).map { [Double($0), 20, 20] })
  }
}
