// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import Support
import Testing
import Training

@testable import Runs

@Suite struct ActivityTests {
  let scratch = ScratchDirectory()

  /// Written with the metrics, read back to what the trainer had; a resume cuts it where it cuts
  /// these.
  @Test func ratesAreKeptWithARun() throws {
    let text = tinyPreset()
    let trainer = try makeTrainer(text)
    let run = try RunDirectory(
      creating: scratch.file("run"), preset: trainer.preset, network: trainer.network)
    var rows: [EpochMetrics] = []
    try Checkpoint.write(trainer, to: run, keep: 0)
    while !trainer.isFinished {
      let step = try trainer.step()
      guard let epoch = step.rows else { continue }
      try run.append(epoch)
      rows += epoch
      if trainer.epoch == 2 { try Checkpoint.write(trainer, to: run, keep: 0) }
    }
    let file = run.path + "/" + ActivityTable.file
    let read = ActivityTable.read(file, trainer.network)
    #expect(read.count == 1 && read["sum"]?.count == 3)
    for row in rows {
      let own = try #require(read[row.lane]?[row.epoch])
      #expect(own.count == 1 && own[0].rates.count == 20)
      #expect(row.spikes[0] > 0 && abs(own[0].mean - row.spikes[0]) < 1e-3 * row.spikes[0])
      #expect(own[0].gradientByTenth.count == 10 && own[0].spikesByTenth.count == 10)
      for (a, b) in zip(own[0].rates, row.activity[0].rates) { #expect(abs(a - b) <= 1e-3 * b) }
    }
    let again = try makeTrainer(text)
    let place = try #require(try Checkpoint.all(in: run.path).last)
    try again.resume(run.path, at: place)
    #expect(again.epoch == 2)
  }

  /// What is damaged or of another network is left out, without a word and without a crash.
  @Test func hostileRowsAreLeftOut() throws {
    let network = try makeTrainer(tinyPreset()).network
    let rates = (0..<20).map { _ in "1" }.joined(separator: " ")
    let lines = [
      ActivityTable.header, "1,a,hidden1,\(rates),,", "2,a,hidden1,1 2 3,,",
      "3,a,hidden9,\(rates),,",
      "x,a,hidden1,\(rates),,", "4,a,hidden1,\(rates) 1,,", "5,a,hidden1,\(rates),1,",
      "6,a,hidden1,nan \(rates.dropFirst(2)),,", "7,a,hidden0,\(rates),,",
      "-1,a,hidden1,\(rates),,", "99999999999999999999,a,hidden1,\(rates),,", "8,a",
      "9,\"b, c\",hidden1,\(rates),\(Array(repeating: "0.5", count: 10).joined(separator: " ")),",
    ]
    let file = scratch.write(lines.joined(separator: "\n"), to: "activity.csv")
    let read = ActivityTable.read(file, network)
    #expect(read["a"]?.keys.sorted() == [1] && read["b, c"]?.keys.sorted() == [9])
    #expect(ActivityTable.read("/nowhere", network).isEmpty)
  }
}
