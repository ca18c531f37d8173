// SPDX-License-Identifier: MIT

import Support
import Testing

@testable import Live
@testable import Training

@Suite struct BreakpointTests {
  @Test func breakpointsAreReadAndOthersRefused() {
    func read(_ text: String) -> Breakpoint? {
      Breakpoint(words: text.split(separator: " ").map(String.init))
    }
    #expect(read("silent hidden1 10%") == .silent(layer: 0, percent: 10))
    #expect(read("silent hidden2 2.5") == .silent(layer: 1, percent: 2.5))
    #expect(read("neuron 17 silent") == .neuron(layer: 0, neuron: 17))
    #expect(read("neuron hidden2 3 silent") == .neuron(layer: 1, neuron: 3))
    #expect(read("deleted > created 20") == .deletions(20))
    #expect(read("loss > 2x") == .loss(times: 2))
    for text in [
      "", "silent", "silent hidden0 10%", "silent hidden1 0%", "silent hidden1 100%",
      "neuron -1 silent", "neuron 1 dead", "deleted > created 0", "loss > 1x", "loss > nanx",
      "loss < 2x",
    ] { #expect(read(text) == nil, "\(text)") }
  }

  /// The batch after which it is first so, found by hand, is the one it pauses at; the training is
  /// the same as without.
  @Test func theyPauseAtTheBatchThatDoesIt() throws {
    let text = tinyPreset()
    let plain = try makeTrainer(text)
    var expected: Int?
    var neuron = 0
    var batches = 0
    while !plain.isFinished && expected == nil {
      if try plain.step().samples == 0 { continue }
      batches += 1
      let spikes = plain.lanes[0].lastTally.spikes[0]
      if batches > 2, let silent = spikes.firstIndex(of: 0) {
        (expected, neuron) = (batches, silent)
      }
    }
    let batch = try #require(expected)
    let training = try TrainingSession({ try makeTrainer(text) }, run: { _ in nil })
    for _ in 0..<2 { _ = training.trainBatch() }
    training.apply(.breakWhen(.neuron(layer: 0, neuron: neuron)))
    training.apply(.breakWhen(.neuron(layer: 3, neuron: 0)))
    training.apply(.breakWhen(.neuron(layer: 0, neuron: 9999)))
    var trained = 2
    while !training.hasStopped && trained < 200 {
      if training.trainBatch() > 0 { trained += 1 }
    }
    #expect(training.hasStopped && trained <= batch)
    #expect(training.notice.contains("neuron \(neuron) of hidden1"))
    let hit = try #require(training.snapshot().breakHit)
    #expect(hit.number == 1 && hit.lane == 0)
    if trained == batch { #expect(training.trainer.state == plain.state) }
    // Once: it is gone.
    training.hasStopped = false
    _ = training.trainBatch()
    #expect(!training.hasStopped)
    training.apply(.breakWhen(nil))
    #expect(training.notice == "no breakpoints")
  }

  @Test func lossAndSilence() throws {
    let training = try TrainingSession({ try makeTrainer(tinyPreset()) }, run: { _ in nil })
    training.apply(.breakWhen(.silent(layer: 0, percent: 1e-9)))
    training.apply(.breakWhen(.loss(times: 1e6)))
    _ = training.trainBatch()
    let silent = training.trainer.lanes[0].lastTally.meanSilent[0]
    #expect(training.hasStopped == (silent > 0))
    training.apply(.breakWhen(nil))
    training.hasStopped = false
    for _ in 0..<12 { _ = training.trainBatch() }
    training.apply(.breakWhen(.loss(times: 1.000_000_1)))
    var trained = 0
    while !training.hasStopped && trained < 50 { trained += training.trainBatch() > 0 ? 1 : 1 }
    #expect(training.hasStopped && training.notice.contains("the batch's loss is"))
  }
}
