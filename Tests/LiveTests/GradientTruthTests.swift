// SPDX-License-Identifier: MIT

@testable import Live
@testable import Training
import Diagnosis
import EventPropCore
import Foundation
import Support
import Testing

/// The training gradient against the exact one, beside the training.
@Suite struct GradientTruthTests {
  static let text = tinyPreset(
    extra: "[[lane]]\nname = \"a\"\n[[lane]]\nname = \"b\"\nsimulation.solver = \"exact\"")

  func wait(_ training: TrainingSession, _ isSo: (Snapshot) -> Bool) -> Snapshot? {
    for _ in 0..<6000 {
      let snapshot = training.snapshot()
      if isSo(snapshot) { return snapshot }
      usleep(10_000)
    }
    return nil
  }

  @Test func comparesBesideTheTraining() throws {
    let training = try TrainingSession({ try makeTrainer(Self.text) }, run: { _ in nil })
    let undisturbed = try makeTrainer(Self.text)
    #expect(training.snapshot().lanes[0].comparison == nil)
    training.apply(.detail(.gradients))
    training.truth.isResting = true
    for _ in 0..<3 {
      _ = training.trainBatch()
      try undisturbed.trainBatch()
      let snapshot = try #require(
        wait(training) { $0.lanes[0].comparison != nil && $0.lanes[0].comparedAt == $0.position })
      // The exact lane has nothing to compare.
      #expect(snapshot.lanes[1].comparison == nil && snapshot.lanes[1].trainsExactly)
    }
    // The same as the lane's own weights give when asked directly; training does not notice.
    let lane = training.trainer.lanes[0]
    let probe = try #require(lane.comparable())
    let expected = GradientComparison(
      probe.problem, samples: probe.samples, weights: probe.weights, reach: 10)
    #expect(training.snapshot().lanes[0].comparison == expected)
    let surrogate = try #require(training.snapshot().lanes[0].surrogate)
    #expect(surrogate.rows.map(\.projection) == expected.rows.map(\.projection))
    #expect(abs((surrogate.rows.last?.cosine ?? 0) - 1) < 1e-4)
    #expect(expected.samples == 8 && expected.rows.count == 2)
    #expect(training.trainer.state == undisturbed.state)
  }

  /// After a change of loss, or a restart, what was found before is not shown as if it were of now.
  @Test func whatIsNoLongerSoIsForgotten() throws {
    let training = try TrainingSession({ try makeTrainer(Self.text) }, run: { _ in nil })
    training.apply(.detail(.gradients))
    _ = training.trainBatch()
    let before = try #require(wait(training) { $0.lanes[0].comparison != nil })
    training.truth.isOn = false
    training.apply(.change(SetLoss(lane: 0, kind: "max")))
    training.truth.isOn = true
    let after = try #require(wait(training) { $0.lanes[0].comparison != nil })
    #expect(after.lanes[0].comparison != before.lanes[0].comparison)
    let lane = training.trainer.lanes[0]
    let probe = try #require(lane.comparable())
    #expect(
      after.lanes[0].comparison
        == GradientComparison(
          probe.problem, samples: probe.samples, weights: probe.weights, reach: 10))
    // One under way when all begins again is dropped.
    _ = training.trainBatch()
    training.truth.isResting = true
    _ = training.snapshot()
    training.apply(.restart(keeping: false))
    for _ in 0..<20 {
      let lane = training.snapshot().lanes[0]
      #expect(lane.comparison == nil || lane.comparedAt == 0)
      usleep(5000)
    }
  }

  @Test func canBeSwitchedOff() throws {
    let training = try TrainingSession({ try makeTrainer(Self.text) }, run: { _ in nil })
    training.apply(.compareGradients(false))
    training.apply(.detail(.gradients))
    _ = training.snapshot()
    usleep(50_000)
    #expect(training.snapshot().lanes[0].comparison == nil)
    #expect(!training.snapshot().comparesGradients)
  }
}
