// SPDX-License-Identifier: MIT

@testable import Live
@testable import Training
import Diagnosis
import Experiments
import Foundation
import Runs
import Support
import Testing

/// Reports on the weights, as the screen Doctor gets them.
@Suite struct DoctorTests {
  static let text = tinyPreset(
    extra: twoLanes + "\n[[lane]]\nname = \"twin\"\n")
  static let quiet = ["hidden.0.weights={ mean = 0.6, sd = 0.15 }"]

  private func session(_ settings: [String] = quiet) throws -> TrainingSession {
    let training = try TrainingSession(
      { try makeTrainer(Self.text, settings: settings) }, run: { _ in nil })
    training.reportsAtOnce = true
    return training
  }

  /// The same as the command says, of every lane; and of now, not of the preset, once a command has
  /// scaled the weights.
  @Test func reportsAreOfThePresentWeights() throws {
    let training = try session()
    #expect(training.snapshot().lanes.allSatisfy { $0.doctor == nil })
    training.apply(.detail(.doctor(target: nil)))
    let first = training.snapshot()
    let expected = try makeTrainer(Self.text, settings: Self.quiet).initReports(
      samples: 32, target: nil)
    for lane in first.lanes {
      let finding = try #require(lane.doctor)
      let report = try #require(expected.first { $0.lanes.contains(lane.name) }).report
      #expect(finding.report == report && finding.position == 0 && !finding.isStale)
    }
    // At the same place nothing is found anew.
    #expect(training.snapshot().lanes[0].doctor?.number == first.lanes[0].doctor?.number)
    let advice = try #require(first.lanes[0].doctor?.report.counsel.first { $0.cure != nil })
    guard case .scale(let factor, layer: 0)? = advice.cure else {
      Issue.record("\(advice)")
      return
    }
    #expect(advice.text.contains("hidden.0.weights = {"))
    training.apply(.change(ScaleWeights(lane: 0, by: factor, layer: 0)))
    let after = try #require(training.snapshot().lanes[0].doctor)
    #expect(after.number > first.lanes[0].doctor!.number)
    let rate = try #require(after.report.layers[0].rates)
    #expect(abs(rate.mean - after.report.target) < 0.1)
    // Not the drawn weights any more: no key of the preset is told.
    #expect(after.report.terms.initial == nil)
    // Taken back, it is as it was.
    training.apply(.change(Undo()))
    #expect(training.snapshot().lanes[0].doctor?.report == first.lanes[0].doctor?.report)
    // Another target, another report.
    training.apply(.detail(.doctor(target: 2)))
    let other = try #require(training.snapshot().lanes[1].doctor)
    #expect(other.asked == 2 && other.report.target == 2)
  }

  /// Later too, and without any effect on the training; of the past from the weights of then.
  @Test func laterAndInThePast() throws {
    let (training, undisturbed) = (try session([]), try session([]))
    training.apply(.detail(.doctor(target: nil)))
    for _ in 0..<3 {
      _ = training.trainBatch()
      _ = training.snapshot()
      _ = undisturbed.trainBatch()
    }
    var then = training.snapshot()
    #expect(then.lanes[0].doctor?.position == then.position)
    #expect(then.lanes[0].doctor?.report.terms.initial == nil)
    let kept = training.trainer.lanes.map { $0.keep() }
    let known = then.lanes.map { $0.doctor?.report }
    for _ in 0..<2 {
      _ = training.trainBatch()
      _ = undisturbed.trainBatch()
    }
    #expect(training.trainer.state == undisturbed.trainer.state)
    let detail = Detail.doctor(target: nil)
    for index in then.lanes.indices { then.lanes[index].doctor?.position = 0 }
    #expect(then.lacks(detail))
    training.apply(
      .inspect(
        InspectionRequest(
          serial: then.serial, position: then.position, lanes: kept,
          probe: then.probe, detail: detail)))
    then.fill(from: training.snapshot().inspection, for: detail)
    #expect(!then.lacks(detail) && then.lanes.map { $0.doctor?.report } == known)
  }

  /// Beside the training: nobody waits for it, and what a command has outdated says so.
  @Test func reportsComeBesides() throws {
    let training = try session()
    training.reportsAtOnce = false
    training.truth.isResting = true
    training.apply(.detail(.doctor(target: nil)))
    func wait(until isReached: (Snapshot) -> Bool) {
      for _ in 0..<60_000 {
        if isReached(training.snapshot()) { return }
        usleep(1000)
      }
      Issue.record("no such report within a minute")
    }
    wait { $0.lanes.allSatisfy { $0.doctor != nil } }
    let first = training.snapshot().lanes[0].doctor
    training.apply(.change(ScaleWeights(lane: 0, by: 2, layer: 0)))
    #expect(training.doctor.finding(of: 0)?.isStale ?? false)
    wait { $0.lanes.allSatisfy { $0.doctor?.isStale == false } }
    #expect(training.snapshot().lanes[0].doctor?.report != first?.report)
    let now = training.snapshot()
    training.apply(
      .inspect(
        InspectionRequest(
          serial: now.serial, position: now.position,
          lanes: training.trainer.lanes.map { $0.keep() },
          probe: 0, detail: .doctor(target: 3))))
    wait { $0.inspection?.lanes.first?.doctor?.report.target == 3 }
  }

  /// Of finished runs at once, for figures, or as it comes, for the screen.
  @Test(arguments: [true, false]) func finishedRunsHaveThem(atOnce: Bool) throws {
    let scratch = ScratchDirectory()
    let path = scratch.file("run")
    let training = try TrainingSession({ try makeTrainer(Self.text) }) {
      try RunDirectory(creating: path, preset: $0.preset, network: $0.network)
    }
    for _ in 0..<5 { _ = training.trainBatch() }
    try training.writeCheckpoint()
    training.reportsAtOnce = true
    training.apply(.detail(.doctor(target: nil)))
    let expected = training.snapshot().lanes.map { $0.doctor?.report }
    let item = FinishedRuns.Item(
      preset: try Preset(ofRun: path), folder: path,
      place: try Checkpoint.find(in: path, named: nil))
    let runs = try FinishedRuns([item], atOnce: atOnce)
    runs.send(.detail(.doctor(target: nil)))
    var snapshot = try #require(runs.snapshot(after: 0))
    #expect(!atOnce || snapshot.lanes.allSatisfy { $0.doctor != nil })
    for _ in 0..<60_000 where snapshot.lanes.contains(where: { $0.doctor == nil }) {
      if let newer = runs.snapshot(after: snapshot.serial) { snapshot = newer }
      usleep(1000)
    }
    #expect(snapshot.lanes.map { $0.doctor?.report } == expected && !expected.contains(nil))
  }
}
