// SPDX-License-Identifier: MIT

@testable import Runs
import EventPropCore
import Support
import Testing

/// Outputs without a gradient in trials of their own class: counted, and lifted where the preset
/// says so.
@Suite struct MuteOutputTests {
  /// An output that never spikes, or whose voltage never rises above 0, is mute for its label on
  /// both solvers.
  @Test(arguments: ["first_spike", "first_spike_exp", "max"]) func muteLabelsAreFound(loss: String)
  {
    var fixture = Fixture(loss: loss, spikesPerUnit: 2)
    let last = fixture.weights.matrices.count - 1
    for row in 0..<fixture.weights.matrices[last].rows {
      fixture.weights.matrices[last][row, 1] = -1
    }
    fixture.samples =
      fixture.samples.filter { $0.label == 1 } + fixture.samples.filter { $0.label != 1 }
    func mute<S: Solver>(_ solver: S, _ weights: Parameters<S.Scalar>) -> [Bool] {
      fixture.samples.map { sample in
        let (trial, workspace) = (solver.makeTrial(), solver.makeWorkspace())
        sample.train.withView { solver.load($0, label: sample.label, into: trial) }
        solver.forward(trial, weights: weights, workspace: workspace)
        return trial.isLabelMute
      }
    }
    let exact = mute(ExactSolver(fixture.problem), fixture.weights)
    let grid = mute(GridSolver(fixture.problem), fixture.weights.converted(to: Float.self))
    #expect(exact[0] && grid[0])
    #expect(exact == grid)
  }

  @Test func onlyOutputsThatAreMuteTooOftenAreLifted() {
    let network = Network(
      inputs: 2, layers: [Layer(size: 3), Layer(size: 3, neuron: .lif)])
    let weights = Parameters<Float>(network)
    MuteOutputs(lift: 0.5, share: 0.1).apply(mute: [0, 1, 2], of: [10, 10, 10], in: weights)
    #expect(weights.matrices[0].values.allSatisfy { $0 == 0 })
    #expect(weights.matrices[1].values == [0, 0, 0.5, 0, 0, 0.5, 0, 0, 0.5])
  }

  /// Outputs that are all silent are awake within a few epochs when they are lifted.
  @Test func liftedOutputsLearnAgain() throws {
    func run(_ silent: String) throws -> (mute: [Int], accuracy: Double) {
      let text = tinyPreset(solver: "exact", loss: "first_spike_exp", training: silent)
      let rows = try makeTrainer(
        text, settings: ["output.weights.mean=0", "output.weights.sd=0", "training.epochs=40"]
      ).runAll()
      return (rows.map(\.mute), rows[rows.count - 1].trainAccuracy)
    }
    let left = try run("")
    let lifted = try run("silent = { lift_outputs = 0.05 }")
    // The phantom push wakes them too, in time.
    #expect(left.mute[0] == 110)
    #expect(2 * lifted.mute.reduce(0, +) < left.mute.reduce(0, +))
    #expect(lifted.mute[0] > 50 && lifted.mute[39] < 11)
    #expect(lifted.accuracy > 0.5)
  }

  /// A resumed epoch counts all of it.
  @Test func countsSurviveACheckpoint() throws {
    let scratch = ScratchDirectory()
    let text = tinyPreset(loss: "first_spike", training: "silent = { lift_outputs = 0.01 }")
    let whole = try makeTrainer(text)
    let rows = try whole.runAll()
    let first = try makeTrainer(text)
    let run = try RunDirectory(
      creating: scratch.file("run"), preset: first.preset, network: first.network)
    for _ in 0..<2 { try first.trainBatch() }
    try Checkpoint.write(first, to: run, keep: 0)
    let second = try makeTrainer(text)
    try Checkpoint.restore(try #require(try Checkpoint.all(in: run.path).last), into: second)
    for _ in 0..<2 { try second.trainBatch() }
    #expect(second.finishEpoch()[0].mute == rows[0].mute)
  }
}
