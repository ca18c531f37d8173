// SPDX-License-Identifier: MIT

import CAllocations
import EventPropCore
import Support
import Testing

/// The step loops of the grid solver ask for no memory: a trial in 1200 steps asks as often as one
/// in 60.
@Suite struct AllocationTests {
  /// How often `body` asks for memory. Whether the program counts at all is asked first.
  static func allocations(in body: () -> Void) -> Int {
    let before = ep_allocation_count()
    body()
    return Int(ep_allocation_count() - before)
  }

  static let isCounting = allocations { keep(Array(repeating: 1, count: 1000)) } > 0

  @inline(never) static func keep(_ values: [Int]) { #expect(values.count == 1000) }

  /// What a trial's load, forward and backward pass ask for once memory has grown to what they
  /// need; and its spikes.
  private func trial(_ loss: String, recurrent: Bool, steps: Int) -> (made: [Int], spikes: Int) {
    let fixture = Fixture(
      loss: loss, hidden: [40, 30], recurrent: recurrent, duration: 30, step: 30 / Double(steps),
      samples: 1, spikesPerUnit: 3)
    let solver = GridSolver(fixture.problem)
    let weights = fixture.weights.converted(to: Float.self)
    let (trial, workspace, tape) = (
      solver.makeTrial(), solver.makeWorkspace(), solver.makeTape()
    )
    let sample = fixture.samples[0]
    var made = [Int.max, .max, .max]
    // The least of some passes: the runtime itself takes memory when it meets something for the
    // first time.
    for _ in 0..<6 {
      solver.rewind(tape)
      let now = [
        Self.allocations {
          sample.train.withView { solver.load($0, label: sample.label, into: trial) }
        },
        Self.allocations { solver.forward(trial, weights: weights, workspace: workspace) },
        Self.allocations {
          solver.backward(trial, weights: weights, push: [], tape: tape, workspace: workspace)
        },
      ]
      made = zip(made, now).map { min($0, $1) }
    }
    return (made, (0..<2).reduce(0) { $0 + trial.spikes(ofLayer: $1).count })
  }

  @Test(
    .enabled(if: isCounting), arguments: ["sum", "avg_xentropy", "max", "first_spike"],
    [false, true])
  func stepsAskForNoMemory(loss: String, recurrent: Bool) {
    let few = trial(loss, recurrent: recurrent, steps: 60)
    let many = trial(loss, recurrent: recurrent, steps: 1200)
    #expect(few.spikes > 20)
    #expect(many.spikes > 20)
    // One request in a step would make 1140 more. The runtime's own come and go by one or two.
    for (few, many) in zip(few.made, many.made) { #expect(abs(many - few) < 10) }
  }
}
