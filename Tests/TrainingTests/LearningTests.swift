// SPDX-License-Identifier: MIT

import EventPropCore
import Experiments
import Foundation
import Support
import Testing

@testable import Training

/// Other optimisers, clipping by value, blended samples in addition, and dropout in training.
@Suite struct LearningTests {
  static let optimisers = [
    "{ kind = \"adamw\", weight_decay = 0.1, rate = 5e-3 }",
    "{ kind = \"sgd\", momentum = 0.9, nesterov = true, weight_decay = 1e-3, rate = 0.05 }",
    "{ kind = \"sgd\", rate = 0.5 }",
  ]

  private func trainer(
    _ settings: [String], solver: String = "grid", hidden: String = "", threads: Int = 1
  ) throws -> Trainer {
    try makeTrainer(
      tinyPreset(solver: solver, hidden: hidden), threads: threads, settings: settings)
  }

  @Test(arguments: optimisers, ["grid", "exact"])
  func threadsDoNotMatterToOptimisers(optimiser: String, solver: String) throws {
    let settings = [
      "training.optimiser=\(optimiser)", "training.clip=0.5", "training.clip_value=0.01",
      "data.augment={ blend = 0.5, blend_added = 0.5, channel_jitter = 1, input_noise = 20 }",
      "hidden.0.dropout=0.2", "training.epochs=2",
    ]
    let states = try [1, 3].map { threads in
      let trainer = try trainer(settings, solver: solver, threads: threads)
      _ = try trainer.runAll()
      return trainer.state
    }
    #expect(states[0] == states[1])
    #expect(Set(states[0][0]).count > 10)
  }

  @Test(arguments: optimisers) func optimisersLearn(optimiser: String) throws {
    let rows = try trainer(
      ["training.optimiser=\(optimiser)", "data.train=420", "training.epochs=8"]
    ).runAll()
    #expect(rows[7].trainLoss < rows[0].trainLoss)
    #expect(rows[7].trainAccuracy > 0.45)
  }

  /// Files of a lane: weights, and what its optimiser keeps.
  @Test func stateIsThatOfTheOptimiser() throws {
    func names(_ optimiser: String) throws -> [String] {
      try trainer(["training.optimiser=\(optimiser)"]).lanes[0].arrays().map(\.name)
    }
    #expect(
      try names("{}") == [
        "input-hidden1", "adam-mean/input-hidden1", "adam-square/input-hidden1", "hidden1-output",
        "adam-mean/hidden1-output", "adam-square/hidden1-output",
      ])
    #expect(
      try names("{ kind = \"sgd\", momentum = 0.5 }") == [
        "input-hidden1", "sgd-momentum/input-hidden1", "hidden1-output",
        "sgd-momentum/hidden1-output",
      ])
    #expect(try names("{ kind = \"sgd\" }") == ["input-hidden1", "hidden1-output"])
  }

  /// A step of plain descent is the rate times the gradient of the mean loss over the batch: so a
  /// limit on that bounds it, whatever the size of the batch.
  @Test func clippingByValueBoundsEveryElement() throws {
    func step(_ settings: [String]) throws -> [Double] {
      let trainer = try trainer(
        ["training.optimiser={ kind = \"sgd\", rate = 1 }"] + settings, solver: "exact")
      let before = trainer.lanes[0].arrays().flatMap { $0.array.doubles }
      try trainer.trainBatch()
      let after = trainer.lanes[0].arrays().flatMap { $0.array.doubles }
      return zip(before, after).map { $0 - $1 }
    }
    let free = try step([])
    let size = free.map(abs).max()! / 4
    let limited = try step(["training.clip_value=\(size)"])
    for (a, b) in zip(free, limited) { #expect(abs(min(max(a, -size), size) - b) < 1e-12) }
    #expect(limited.contains { abs(abs($0) - size) < 1e-12 })
    // By norm first: to a tenth, so that the limit has nothing to do.
    let norm = free.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let both = try step(["training.clip=\(norm / 10)", "training.clip_value=\(size)"])
    for (a, b) in zip(free, both) { #expect(abs(a / 10 - b) < 1e-12) }
  }

  /// An epoch has all originals as they are, and blended ones in addition.
  @Test(arguments: [0.0, 0.5, 1, 2.3]) func blendedSamplesComeInAddition(share: Double) throws {
    let trainer = try trainer(["data.augment={ blend = 0.5, blend_added = \(share) }"])
    let added = Int((share * 110).rounded())
    #expect(trainer.epochSamples == 110 + added)
    #expect(trainer.batchesPerEpoch == (110 + added + 31) / 32)
    var trained = 0
    while !trainer.isEpochComplete {
      try trainer.trainBatch()
      trained += trainer.lastBatchSize
    }
    let tally = trainer.lanes[0].epochTally
    #expect(trained == 110 + added && tally.trials == trained)
    #expect(tally.ofClass.reduce(0, +) == trained)
    if share == 2.3 { #expect(tally.ofClass.allSatisfy { $0 > 60 }) }
  }

  /// Originals are as loaded; a blended one depends on seed, epoch and number, and is labelled as
  /// what it is made of.
  @Test func blendedSamplesAreDrawnByNumber() throws {
    let preset = try Preset(
      text: tinyPreset(), file: "p", settings: ["data.augment={ blend = 0.5, blend_added = 1 }"])
    let data = try preset.loadData().train
    let pool = WorkerPool(threads: 2)
    func samples(_ indices: [Int], epoch: Int) -> [(SpikeTrain, Int)] {
      let batch = SampleBatch(
        data, options: preset.data, isTraining: true, duration: 30, seed: 3, capacity: 256)
      batch.prepare(indices, epoch: epoch, pool: pool)
      var result: [(SpikeTrain, Int)] = []
      batch.forEach(0..<indices.count) { _, view, label in
        result.append((SpikeTrain(times: Array(view.times), units: Array(view.units)), label))
      }
      var labels: [Int] = []
      batch.forEachLabel(0..<indices.count) { _, label in labels.append(label) }
      #expect(labels == result.map(\.1))
      return result
    }
    let all = samples(Array(0..<220), epoch: 1)
    for k in 0..<110 { #expect(all[k].0 == data[k] && all[k].1 == data.labels[k]) }
    let again = samples([150, 7, 219], epoch: 1)
    #expect(again[0].0 == all[150].0 && again[1].0 == all[7].0 && again[2].0 == all[219].0)
    let later = samples(Array(110..<220), epoch: 2)
    #expect(zip(all[110...], later).contains { $0.0 != $1.0 })
    // The mean unit of a class's samples lies in that class's sign: labels fit in number.
    #expect(Set(all[110...].map(\.1)).count == data.classNames.count)
  }

  /// Evaluation, observed updates and diagnosis know of no dropout; training does.
  @Test func dropoutIsOfTrainingAlone() throws {
    let (plain, dropping) = (
      try trainer(["diagnosis.every=1"]),
      try trainer(["hidden.0.dropout=0.5", "diagnosis.every=1"])
    )
    let a = plain.evaluate(lane: 0, plain.data.test)
    let b = dropping.evaluate(lane: 0, dropping.data.test)
    #expect(a.loss == b.loss && a.predictions == b.predictions)
    try plain.trainBatch()
    try dropping.trainBatch()
    #expect(plain.state != dropping.state)
    #expect(
      plain.lanes[0].diagnosis.ledger?.lossBefore == dropping.lanes[0].diagnosis.ledger?.lossBefore)
    let (x, y) = (plain.lanes[0].epochTally, dropping.lanes[0].epochTally)
    let share = Double(y.spikes[0].reduce(0, +)) / Double(x.spikes[0].reduce(0, +))
    #expect(abs(share - 0.5) < 0.1)
    #expect(y.silent[0] <= x.silent[0])
    // The evaluation after a batch with dropout is again without.
    let c = dropping.evaluate(lane: 0, dropping.data.test)
    #expect(c.loss == dropping.evaluate(lane: 0, dropping.data.test).loss)
    let rows = try trainer(
      ["hidden.0.dropout=0.2", "data.train=420", "training.epochs=8"]).runAll()
    #expect(rows[7].trainLoss < rows[0].trainLoss)
  }
}
