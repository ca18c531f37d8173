// SPDX-License-Identifier: MIT

@testable import Training
import Foundation
import Support
import Testing

@testable import EventPropCore

@Suite struct TrainerTests {
  @Test(arguments: ["grid", "exact"], LossTable.all.map(\.kind))
  func learns(solver: String, loss: String) throws {
    let text = tinyPreset(
      solver: solver, loss: loss, training: "silent = { policy = \"lift\", by = 0.05 }")
    let epochs = loss == "mse_time" ? 20 : 8
    // Outputs that are silent count as T, which draws the label's own there: all must spike.
    let strong =
      loss == "mse_time"
      ? [
        "output.weights.mean=5", "training.silent.lift_outputs=0.05",
        "training.silent.mute_share=0.02", "training.clip_value=0.05",
      ] : []
    let rows = try makeTrainer(
      text, settings: ["data.train=420", "training.epochs=\(epochs)"] + strong
    ).runAll()
    #expect(rows.count == epochs)
    #expect(rows[epochs - 1].trainLoss < rows[0].trainLoss)
    #expect(rows.map(\.trainAccuracy).max()! > 0.5)
  }

  @Test(arguments: ["grid", "exact"]) func threadsDoNotMatter(solver: String) throws {
    let text = tinyPreset(
      solver: solver,
      hidden: "recurrent = true\nrate = { upper = 1, lambda_upper = 1e-4, lambda_lower = 1e-4 }",
      training: "silent = { policy = \"redraw\" }\nclip = 0.5",
      extra: "[data.augment]\ndrop = 0.1\njitter = 0.5\n" + twoLanes)
    let states = try [1, 2, 3].map { threads in
      let trainer = try makeTrainer(text, threads: threads)
      _ = try trainer.runAll()
      return trainer.state
    }
    #expect(states[0] == states[1])
    #expect(states[0] == states[2])
    #expect(Set(states[0][0]).count > 10)
  }

  /// A first layer that is cut into blocks, with fewer threads than blocks, as many, and more.
  @Test(arguments: [false, true]) func threadsDoNotMatterToBlocks(regularised: Bool) throws {
    let text = tinyPreset(
      hidden: regularised ? "rate = { upper = 1, lambda_upper = 1e-4, lambda_lower = 1e-4 }" : "",
      training: regularised ? "silent = { policy = \"lift\", by = 0.01 }\nclip = 0.5" : "",
      extra: twoLanes)
    let states = try [1, 2, 3, 4].map { threads in
      let trainer = try makeTrainer(text, threads: threads, settings: ["hidden.0.size=150"])
      #expect(trainer.network.blocks.count == 3)
      _ = try trainer.runAll()
      return trainer.state
    }
    for state in states { #expect(state == states[0]) }
    #expect(Set(states[0][0]).count > 10)
  }

  @Test func everySampleOfAnEpochIsLearnedFrom() throws {
    let trainer = try makeTrainer(tinyPreset())
    #expect(trainer.batchesPerEpoch == 4)  // 110 samples in batches of 32
    for _ in 0..<4 { try trainer.trainBatch() }
    #expect(trainer.lanes[0].epochTally.trials == 110)
    #expect(trainer.lanes[0].updates == 4)
    // The last, short batch changes the weights.
    let trainer2 = try makeTrainer(tinyPreset())
    for _ in 0..<3 { try trainer2.trainBatch() }
    let before = trainer2.state
    try trainer2.trainBatch()
    #expect(trainer2.state != before)
  }

  @Test func equalLanesStayEqualAndStartFromTheSameWeights() throws {
    let text = tinyPreset(extra: "[[lane]]\nname = \"a\"\n[[lane]]\nname = \"b\"")
    let trainer = try makeTrainer(text)
    _ = try trainer.runAll()
    let half = trainer.state.count / 2
    #expect(trainer.state[..<half].elementsEqual(trainer.state[half...]))
    let differing = try makeTrainer(tinyPreset(extra: twoLanes))
    #expect(differing.state[..<half].elementsEqual(differing.state[half...]))
    _ = try differing.runAll()
    #expect(!differing.state[..<half].elementsEqual(differing.state[half...]))
  }

  /// A gradient whose square is beyond Float ends the training in words, and leaves no NaN; with
  /// clipping, nothing changed.
  @Test(arguments: [0, 0.5]) func explodedGradientsEndTheTraining(clip: Double) throws {
    let trainer = try makeTrainer(
      tinyPreset(training: "clip = \(clip)"),
      settings: ["output.weights={ mean = 0.0, sd = 1e30 }"])
    let before = trainer.state
    let error = #expect(throws: TrainingError.self) { try trainer.trainBatch() }
    let text = error?.description ?? ""
    #expect(text.hasPrefix("lane sum, epoch 1, batch 1: the gradient of input-hidden1 "), "\(text)")
    #expect(text.contains("has exploded"))
    let weights = trainer.lanes[0].arrays().flatMap { $0.array.doubles }
    #expect(weights.allSatisfy { $0.isFinite })
    if clip > 0 { #expect(trainer.state == before) }
  }

  @Test func clippingBoundsTheStep() throws {
    let free = try makeTrainer(tinyPreset())
    let clipped = try makeTrainer(tinyPreset(training: "clip = 1e-9"))
    try free.trainBatch()
    try clipped.trainBatch()
    // Adam divides the scale out, so compare the moments.
    func moment(_ trainer: Trainer) -> Double {
      trainer.lanes[0].arrays().first { $0.name == "adam-mean/input-hidden1" }!.array.doubles
        .reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
    #expect(moment(clipped) <= 1.01e-10)
    #expect(moment(free) > 1e-6)
  }

  @Test func explodingTrainingStopsWithAMessage() throws {
    let trainer = try makeTrainer(
      tinyPreset(solver: "exact"), settings: ["hidden.0.weights.mean=1e9", "training.batch=1"])
    let error = #expect(throws: TrainingError.self) { try trainer.trainBatch() }
    #expect(error?.description.hasPrefix("lane sum, epoch 1, batch 1: more than") == true)
  }

  @Test func deadNeuronsAreLifted() throws {
    let settings = ["hidden.0.weights.mean=-3.0", "hidden.0.weights.sd=0.1", "training.epochs=1"]
    let plain = try makeTrainer(tinyPreset(), settings: settings)
    let rows = try plain.runAll()
    #expect(rows[0].dead == [20])
    #expect(rows[0].silent == [20])
    let lifted = try makeTrainer(
      tinyPreset(training: "silent = { policy = \"lift\", by = 1.0 }"), settings: settings)
    _ = try lifted.runAll()
    let a = plain.lanes[0].arrays()[0].array.doubles
    let b = lifted.lanes[0].arrays()[0].array.doubles
    for (x, y) in zip(a, b) { #expect(abs(y - x - 1) < 1e-5) }
  }
}

@Suite struct WorkerPoolTests {
  @Test(arguments: [1, 2, 5]) func everyJobRunsOnce(threads: Int) {
    let pool = WorkerPool(threads: threads)
    for count in [0, 1, 3, 1000] {
      let hits = UnsafeMutableBufferPointer<Int>.allocate(capacity: max(count, 1))
      hits.initialize(repeating: 0)
      pool.forEach(count) { hits[$0] += 1 }
      #expect(hits.prefix(count).allSatisfy { $0 == 1 })
      hits.deallocate()
    }
  }

  /// Jobs side by side, some far longer than others, each with parts that idle threads help with:
  /// every part of every job once, over many rounds.
  @Test(arguments: [1, 2, 3, 5]) func jobsAreHelped(threads: Int) {
    let pool = WorkerPool(threads: threads)
    for count in [1, 2, 3, 4, 7] {
      let parts = 16
      let hits = UnsafeMutableBufferPointer<Int>.allocate(capacity: count * parts)
      hits.initialize(repeating: 0)
      for _ in 0..<50 {
        pool.sideBySide(count) { job, pool in
          for _ in 0..<3 {
            pool.forEach(parts) { part in
              var random = Random(seed: job, "work", part)
              for _ in 0..<(job == 0 ? 400 : 20) { _ = random.uniform() }
              hits[job * parts + part] += 1
            }
          }
        }
      }
      #expect(hits.allSatisfy { $0 == 150 })
      hits.deallocate()
    }
  }
}
