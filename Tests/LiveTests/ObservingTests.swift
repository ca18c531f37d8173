// SPDX-License-Identifier: MIT

@testable import Live
@testable import Runs
@testable import Training
import EventPropCore
import Support
import Testing

@testable import Diagnosis

/// Updates that are observed, and cures by hand.
@Suite struct ObservingTests {
  /// Looking changes nothing: the same weights with and without the ledger, with margins or not.
  @Test(arguments: ["grid", "exact"]) func observingDoesNotDisturbTraining(solver: String) throws {
    func state(_ every: Int, margins: Bool) throws -> [[UInt8]] {
      let trainer = try makeTrainer(
        tinyPreset(), settings: ["diagnosis.every=\(every)", "simulation.solver=\(solver)"])
      trainer.observesMargins = margins
      for _ in 0..<6 {
        try trainer.trainBatch()
        if trainer.isEpochComplete { _ = trainer.finishEpoch() }
      }
      #expect((trainer.lanes[0].diagnosis.totals.updates > 0) == (every > 0))
      return trainer.state
    }
    let plain = try state(0, margins: false)
    #expect(try state(1, margins: false) == plain)
    #expect(try state(2, margins: true) == plain)
  }

  /// An update is observed by one step on whatever screen, and its slice can be had afterwards.
  @Test func whoComesLaterSeesTheSlice() throws {
    let training = try TrainingSession({ try makeTrainer(tinyPreset()) }) { _ in nil }
    training.comparesAtOnce = true
    training.observeNext()
    _ = training.trainBatch()
    #expect(training.snapshot().lanes[0].ledger != nil)
    training.apply(.detail(.slice))
    let slice = try #require(training.snapshot().lanes[0].slice)
    #expect(slice.update == 1 && slice.points.count > 1)
    // And stays while one looks elsewhere.
    training.apply(.detail(.ledger))
    training.apply(.detail(.slice))
    #expect(training.snapshot().lanes[0].slice == slice)
  }

  /// A cure by hand is logged, and a replay of the log does it again.
  @Test func curesAreReplayed() throws {
    let scratch = ScratchDirectory()
    let training = try TrainingSession({ try makeTrainer(tinyPreset()) }) {
      try RunDirectory(creating: scratch.file("run"), preset: $0.preset, network: $0.network)
    }
    _ = training.trainBatch()
    let before = training.trainer.state
    training.apply(.change(Cure(lane: 0, .lift(by: 0.125), layer: 0, neurons: [3, 5])))
    #expect(training.trainer.state != before)
    _ = training.trainBatch()
    training.apply(.change(Cure(lane: 0, .redraw, layer: 0, neurons: [7])))
    training.apply(.change(Cure(lane: 0, .redraw, layer: 4, neurons: [7])))
    #expect(training.notice.contains("there are hidden1 to hidden1"))
    training.apply(.change(Cure(lane: 0, .redraw, layer: 0, neurons: [20])))
    #expect(training.notice.contains("hidden1 has no neuron 20: 0 to 19"))
    while !training.trainer.isFinished { _ = training.trainBatch() }
    let log = try LoggedSession(contentsOf: scratch.file("run/commands.jsonl"))
    #expect(log.commands.map(\.text) == ["lift 0.125 hidden1 3,5", "redraw hidden1 7"])
    var replay = try Replay(log) {
      try makeTrainer(tinyPreset())
    } run: { _ in
      nil
    }
    _ = try replay.run()
    #expect(replay.trainer.state == training.trainer.state)
  }

  /// So is a layer scaled by hand; undone, it is as before. Adam's state stays.
  @Test func scalesAreReplayedAndUndone() throws {
    let scratch = ScratchDirectory()
    let text = tinyPreset(extra: twoLanes)
    let training = try TrainingSession({ try makeTrainer(text) }) {
      try RunDirectory(creating: scratch.file("run"), preset: $0.preset, network: $0.network)
    }
    var trainer: Trainer { training.trainer }
    func arrays(_ lane: Int) -> [(name: String, values: [Double])] {
      trainer.lanes[lane].arrays().map { ($0.name, $0.array.doubles) }
    }
    _ = training.trainBatch()
    let (before, other) = (arrays(1), arrays(0))
    training.apply(.change(ScaleWeights(lane: 1, by: 2, layer: 0)))
    for (old, new) in zip(before, arrays(1)) {
      let factor = old.name == "input-hidden1" ? 2.0 : 1
      #expect(new.values == old.values.map { factor * $0 }, "\(old.name)")
    }
    #expect(arrays(0).map(\.values) == other.map(\.values))
    training.apply(.change(Undo()))
    #expect(arrays(1).map(\.values) == before.map(\.values))
    training.apply(.change(ScaleWeights(lane: 0, by: 0.5, layer: nil)))
    _ = training.trainBatch()
    training.apply(.change(ScaleWeights(lane: 1, by: 1.8, layer: 0)))
    training.apply(.change(ScaleWeights(lane: 1, by: 2, layer: 1)))
    #expect(training.notice.contains("there are hidden1 to hidden1"))
    while !trainer.isFinished { _ = training.trainBatch() }
    let log = try LoggedSession(contentsOf: scratch.file("run/commands.jsonl"))
    #expect(
      log.commands.map(\.text)
        == ["scale 2.0 hidden1", "undo", "scale 0.5 output", "scale 1.8 hidden1"])
    var replay = try Replay(log) {
      try makeTrainer(text)
    } run: { _ in
      nil
    }
    _ = try replay.run()
    #expect(replay.trainer.state == trainer.state)
  }

  /// The tenths' norms are those of the gradient they are parts of: with one spike per input, their
  /// squares add up.
  @Test func flowAddsUpToTheGradient() throws {
    let trainer = try makeTrainer(tinyPreset(), settings: ["diagnosis.samples=1"])
    let lane = try #require(trainer.lanes[0] as? SolverLane<GridSolver>)
    let observer = try #require(lane.observer)
    let flow = try #require(lane.gradientFlow()).shaped
    let gradient = Parameters<Float>(lane.network)
    let (trial, workspace) = (lane.solver.makeTrial(), lane.solver.makeWorkspace())
    let sample = observer.samples[0]
    sample.train.withView { lane.solver.load($0, label: sample.label, into: trial) }
    lane.solver.forward(trial, weights: lane.weights, workspace: workspace)
    lane.solver.backward(
      trial, weights: lane.weights, push: [], gradient: gradient, workspace: workspace)
    let norm = gradient.matrices[0].norm * lane.network.layers[0].tauSyn[0]
    let parts = flow.norms[0].reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(abs(parts - norm) < 1e-5 * norm)
    #expect(abs(flow.shares(layer: 0).reduce(0, +) - 1) < 1e-12)
    #expect(flow.layers == ["hidden1", "output"])
  }
}
