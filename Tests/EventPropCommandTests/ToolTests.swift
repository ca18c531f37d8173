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
}
