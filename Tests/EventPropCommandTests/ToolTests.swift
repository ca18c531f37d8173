// SPDX-License-Identifier: MIT

import Foundation
import Support
import Testing

/// What runs hold, for other tools to read.
@Suite struct ToolTests {
  let commands = CommandTests()
  var scratch: ScratchDirectory { commands.scratch }

  static let small = [
    "--set", "data.train=96", "--set", "data.validate=20", "--set", "data.test=40", "--set",
    "hidden.0.size=12", "--set", "training.batch=32", "--set", "training.checkpoint.every=1",
  ]

  func train(_ arguments: String...) throws {
    let result = try commands.run(["train"] + arguments + Self.small)
    try #require(result.status == 0, "\(result.text)")
  }

  func table(_ file: String) throws -> [[String]] {
    try String(contentsOfFile: scratch.file(file), encoding: .utf8)
      .split(separator: "\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
  }

  /// Every number of every metrics.csv is there once, as it is written there.
  @Test func metricsInLongForm() throws {
    try train("yin-yang-losses", "--epochs", "2", "--seeds", "2", "--out", "a")
    try train("yin-yang-sum", "--epochs", "1", "--out", "b")
    let result = try commands.run("metrics", "a", "b", "--out", "long.csv")
    #expect(result.status == 0, "\(result.text)")
    let rows = try table("long.csv")
    #expect(rows[0] == ["run", "seed", "lane", "epoch", "metric", "layer", "value"])
    var found: [String: String] = [:]
    for row in rows.dropFirst() {
      try #require(row.count == 7 && Double(row[6]) != nil, "\(row)")
      let column = row[5].isEmpty ? row[4] : row[4] + "_" + row[5]
      #expect(found.updateValue(row[6], forKey: "\(row[0..<4]) \(column)") == nil, "\(row)")
    }
    var count = 0
    for (run, seed, file) in [
      ("a", "1", "a"), ("a", "2", "a/seed-2"), ("b", "1", "b"),
    ] {
      let metrics = try table(file + "/metrics.csv")
      for row in metrics.dropFirst() {
        let place = [run, seed, row[1], row[0]]
        for (column, value) in zip(metrics[0], row).dropFirst(2) where Double(value) != nil {
          #expect(found["\(place[...]) \(column)"] == value, "\(place) \(column)")
          count += 1
        }
      }
    }
    #expect(found.count == count && count > 200)
    #expect(rows.contains { $0[4] == "spikes" && $0[5] == "hidden1" })
    #expect(rows.contains { $0[4] == "gradient" && $0[5] == "input-hidden1" })
    // Without --out the same goes to the terminal.
    let text = try commands.run("metrics", "a", "b").text
    #expect(text.split(separator: "\n").count == rows.count)
    let wrong = try commands.run("metrics", "nothing")
    #expect(wrong.status == 1 && wrong.text.contains("nothing: is not the folder of a run"))
  }

  private struct Sums: Decodable { var predicted, actual: Double }

  /// The ledger as JSON lines says what updates.csv and events.csv say.
  @Test func ledgerAsLines() throws {
    try train(
      "yin-yang-sum", "--epochs", "1", "--out", "run", "--set",
      "lane=[{ name = \"é b\" }, { name = \"c\", loss = { kind = \"max\" } }]")
    let result = try commands.run("diagnose", "run", "--updates", "3", "--out", "d")
    #expect(result.status == 0 && result.text.contains("ledger.jsonl"), "\(result.text)")
    let lines = try String(contentsOfFile: scratch.file("d/ledger.jsonl"), encoding: .utf8)
      .split(separator: "\n")
    let objects = try lines.map {
      try #require(
        try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
    }
    #expect(
      objects.compactMap { $0["lane"] as? String } == [
        "é b", "c", "é b", "c", "é b", "c",
      ])
    let updates = try String(contentsOfFile: scratch.file("d/updates.csv"), encoding: .utf8)
      .split(separator: "\n").dropFirst()
    #expect(updates.count == objects.count)
    var all = 0
    // JSONSerialization is a bit or two off; JSONDecoder is not.
    let sums = try lines.map { try JSONDecoder().decode(Sums.self, from: Data($0.utf8)) }
    for (index, (object, update)) in zip(objects, updates).enumerated() {
      let own = ["predicted": sums[index].predicted, "actual": sums[index].actual]
      let row = update.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      #expect(object["epoch"] as? Int == Int(row[3]) && object["batch"] as? Int == Int(row[4]))
      for (key, column) in [("moved", 7), ("created", 8), ("deleted", 9)] {
        #expect(object[key] as? Int == Int(row[column]), "\(key)")
      }
      for (key, column) in [("predicted", 11), ("actual", 12)] {
        #expect(object[key] is Double && own[key] == Double(row[column]), "\(key)")
      }
      let events = try #require(object["events"] as? [[String: Any]])
      #expect(events.count == (object["created"] as! Int) + (object["deleted"] as! Int))
      for event in events {
        #expect(["created", "deleted"].contains(event["kind"] as? String))
        #expect(event["layer"] as? String == "hidden1" && event["sample"] is Int)
        #expect((0..<12).contains(try #require(event["neuron"] as? Int)))
        #expect((0...30).contains(try #require(event["time"] as? Double)))
        #expect(event["price"] is Double || event["price"] is NSNull)
      }
      all += events.count
    }
    let table = try String(contentsOfFile: scratch.file("d/events.csv"), encoding: .utf8)
    #expect(all > 0 && table.split(separator: "\n").count == all + 1)
  }

  /// A list of runs: newest first, damaged ones with what is wrong, sweeps by name.
  @Test func runsAreListed() throws {
    let files = FileManager.default
    #expect(try commands.run("runs").status == 1)
    try train("yin-yang-sum", "--epochs", "1")
    usleep(20_000)
    try train("yin-yang-losses", "--epochs", "2", "--seeds", "2")
    func shown(_ arguments: String...) throws -> [String] {
      let result = try commands.run(["runs"] + arguments)
      #expect(result.status == 0, "\(result.text)")
      return result.text.split(separator: "\n").map(String.init)
    }
    let lines = try shown()
    #expect(lines.count == 5 && lines[0].hasPrefix("run "))
    #expect(lines[1].hasPrefix("yin-yang-losses-1 ") && lines[2].hasPrefix("yin-yang-sum-1 "))
    #expect(lines[1].contains("2/2") && lines[1].hasSuffix("finished"))
    #expect(lines[3] == "open one with: eventprop open runs/yin-yang-losses-1")
    #expect(try shown("--sort", "name")[1].hasPrefix("yin-yang-losses-1 "))
    #expect(try shown("--sort", "epoch")[1].hasPrefix("yin-yang-losses-1 "))
    #expect(try shown("--preset", "yin-yang-sum").filter { $0.hasPrefix("yin") }.count == 1)
    #expect(try shown("--preset", "other") == ["no runs of other in runs"])
    #expect(try commands.run("runs", "--sort", "colour").status == 64)

    // The numbers are those of metrics.csv, as means over seeds of the best lane.
    let csv = try shown("--csv")
    let heads = csv[0].split(separator: ",").map(String.init)
    #expect(csv[1].contains("\"Yin-Yang, losses\""))
    let row = csv[1].replacingOccurrences(of: "Yin-Yang, losses", with: "").split(
      separator: ",", omittingEmptySubsequences: false
    ).map(String.init)
    let value = Dictionary(uniqueKeysWithValues: zip(heads, row))
    #expect(value["run"] == "runs/yin-yang-losses-1" && value["seeds"] == "2")
    var sums: [String: Double] = [:]
    for folder in ["runs/yin-yang-losses-1", "runs/yin-yang-losses-1/seed-2"] {
      let metrics = try table(folder + "/metrics.csv")
      let column = try #require(metrics[0].firstIndex(of: "test_accuracy"))
      for row in metrics.dropFirst() {
        sums["\(row[0]) \(row[1])", default: 0] += Double(row[column])! / 2
      }
    }
    let best = try #require(sums.values.max())
    let last = try #require(sums.filter { $0.key.hasPrefix("2 ") }.values.max())
    #expect(abs(Double(value["best_test"] ?? "")! - best) < 1e-12)
    #expect(abs(Double(value["last_test"] ?? "")! - last) < 1e-12)

    // Whatever is broken is said in the row.
    for (name, file, text) in [
      ("broken-1", "preset.toml", "name = [" as String?), ("broken-2", "metrics.csv", nil),
      ("broken-3", "metrics.csv", "\u{0}\u{1B}[2J"), ("broken-4", "preset.toml", nil),
    ] {
      let folder = scratch.file("runs/\(name)")
      try files.copyItem(atPath: scratch.file("runs/yin-yang-sum-1"), toPath: folder)
      try files.removeItem(atPath: folder + "/" + file)
      if let text { _ = scratch.write(text, to: "runs/\(name)/\(file)") }
    }
    try files.createDirectory(
      atPath: scratch.file("runs/notes"), withIntermediateDirectories: true)
    try files.createDirectory(
      atPath: scratch.file("runs/many"), withIntermediateDirectories: true)
    _ = scratch.write("", to: "runs/many/sweep.toml")
    let all = try shown("--sort", "name")
    for number in 1...4 {
      let line = try #require(all.first { $0.hasPrefix("broken-\(number) ") })
      #expect(line.contains("damaged: "), "\(line)")
      #expect(line.contains(number == 1 || number == 4 ? "preset.toml" : "metrics.csv"), "\(line)")
    }
    #expect(all.contains("runs/many is a sweep: eventprop sweep show runs/many"))
    #expect(!all.contains { $0.contains("notes") || $0.contains("\u{1B}") })
    #expect(try shown("--csv").count == 7)
    let sweep = try commands.run("watch", "runs/many")
    #expect(sweep.status == 1 && sweep.text.contains("eventprop open runs/many"), "\(sweep.text)")
    // A run alone may be named too.
    #expect(try shown("runs/yin-yang-sum-1").count == 3)
  }
}
