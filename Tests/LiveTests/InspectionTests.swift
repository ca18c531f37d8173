// SPDX-License-Identifier: MIT

@testable import Live
@testable import Training
import Diagnosis
import Support
import Testing

/// Every screen works on the past: what numbers do not hold is computed anew from the weights of
/// then.
@Suite struct InspectionTests {
  @Test(arguments: [Detail.gradients, .ledger, .silence])
  func thePastIsAsItWasWhenItWasNow(detail: Detail) throws {
    let text = tinyPreset(
      extra: "[[lane]]\nname = \"a\"\n[[lane]]\nname = \"b\"\nloss.kind = \"max\"")
    let training = try TrainingSession({ try makeTrainer(text) }, run: { _ in nil })
    let undisturbed = try makeTrainer(text)
    for _ in 0..<3 { _ = training.trainBatch() }
    training.apply(.detail(detail))
    training.truth.isOn = false
    var then = training.snapshot()
    then.serial = 7
    #expect(then.isKept && !then.lacks(detail))
    // Only the weights are left, and the training goes on under another loss.
    training.apply(.detail(nil))
    var past = then
    for index in past.lanes.indices { past.lanes[index].detail = LaneDetail() }
    #expect(past.lacks(detail))
    training.apply(.change(SetLoss(lane: 0, kind: "avg_xentropy")))
    training.apply(.change(SetLoss(lane: 0, kind: "sum")))
    for _ in 0..<2 { _ = training.trainBatch() }
    training.apply(
      .inspect(
        InspectionRequest(
          serial: 7, position: past.position, lanes: past.lanes.compactMap(\.kept),
          probe: past.probe,
          detail: detail))
    )
    let inspection = training.snapshot().inspection
    past.fill(from: inspection, for: detail)
    #expect(!past.lacks(detail))
    for (a, b) in zip(past.lanes, then.lanes) {
      #expect(a.errors == b.errors && a.gradientFlow == b.gradientFlow)
      #expect(a.margins == b.margins && a.silence == b.silence)
    }
    // Of another snapshot or for another screen it says nothing.
    var other = then
    other.serial = 8
    for index in other.lanes.indices { other.lanes[index].detail = LaneDetail() }
    other.fill(from: inspection, for: detail)
    #expect(other.lacks(detail))
    // Looking back changes no weight.
    for _ in 0..<3 { try undisturbed.trainBatch() }
    let plain = try TrainingSession({ try makeTrainer(text) }, run: { _ in nil })
    for _ in 0..<5 { _ = plain.trainBatch() }
    #expect(plain.trainer.state == training.trainer.state)
  }
}
