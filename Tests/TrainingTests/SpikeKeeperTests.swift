// SPDX-License-Identifier: MIT

@testable import Experiments
@testable import Training
import EventPropCore
import SpikeData
import Support
import Testing

/// `training.keep_spikes`: an update takes no hidden neuron's spikes on a few training samples.
@Suite struct SpikeKeeperTests {
  static let every = KeepSpikes(perNeuron: 1, probe: 1, slope: 0)

  private func problem(_ network: Network) -> Problem {
    Problem(
      network: network, duration: 60, step: 0.1,
      loss: LossTable.entry("sum")!.make(LossParameters(duration: 60)))
  }

  /// Two neurons with one spike each: peak w/3 (4^(-1/3) - 4^(-4/3)), so that one above w = 6.35
  /// spikes.
  @Test func aStepIsHalvedUntilTheSpikeStays() throws {
    let network = Network(inputs: 1, layers: [Layer(size: 2), Layer(size: 1, neuron: .li)])
    let problem = problem(network)
    let weights = Parameters<Double>(network)
    weights.matrices[0].values = [10, 10]
    let keeper = SpikeKeeper(
      Self.every, ExactSolver(problem),
      samples: [(SpikeTrain(times: [1], units: [0]), 0)])
    let pool = WorkerPool(threads: 1)
    try keeper.begin(weights, pool: pool)
    weights.matrices[0].values = [2, 9]
    let tally = try keeper.end(weights, pool: pool)
    // 6 is too little, 8 is not.
    #expect(weights.matrices[0].values == [8, 9])
    #expect(tally.kept == 1 && tally.lost == 0 && tally.batches == 1)
    #expect(abs(tally.stepGivenUp - 6 / 65.0.squareRoot()) < 1e-12)
    try keeper.begin(weights, pool: pool)
    weights.matrices[0].values = [-100, 7]
    #expect(try keeper.end(weights, pool: pool).kept == 1)
    #expect(weights.matrices[0].values == [8, 7])
    // Without need, all of the step is taken.
    try keeper.begin(weights, pool: pool)
    weights.matrices[0].values = [7, 70]
    #expect(try keeper.end(weights, pool: pool).numbers == [0, 0, 0, 1])
    #expect(weights.matrices[0].values == [7, 70])
    // Who has no spike is left alone.
    weights.matrices[0].values = [3, 70]
    try keeper.begin(weights, pool: pool)
    weights.matrices[0].values = [2, 60]
    #expect(try keeper.end(weights, pool: pool).numbers == [0, 0, 0, 1])
    #expect(weights.matrices[0].values == [2, 60])
  }

  /// A spike that hardly comes about does not count: w = 6.36 makes one of slope 0.12.
  @Test func aSpikeAboutToVanishDoesNotCount() throws {
    let network = Network(inputs: 1, layers: [Layer(size: 1), Layer(size: 1, neuron: .li)])
    let problem = problem(network)
    for (slope, left) in [(0.0, 6.36), (1.0, 7.18)] {
      let weights = Parameters<Double>(network)
      weights.matrices[0].values = [8]
      let keeper = SpikeKeeper(
        KeepSpikes(perNeuron: 1, probe: 1, slope: slope), ExactSolver(problem),
        samples: [(SpikeTrain(times: [1], units: [0]), 0)])
      let pool = WorkerPool(threads: 1)
      try keeper.begin(weights, pool: pool)
      weights.matrices[0].values = [6.36]
      _ = try keeper.end(weights, pool: pool)
      #expect(abs(weights.matrices[0].values[0] - left) < 1e-9)
    }
  }

  /// hidden2 needs both spikes of hidden1, which may lose one: no step of hidden2 helps.
  @Test func spikesLostByOthersAreCounted() throws {
    let network = Network(
      inputs: 2, layers: [Layer(size: 1), Layer(size: 1), Layer(size: 1, neuron: .li)])
    let problem = problem(network)
    let weights = Parameters<Double>(network)
    weights.matrices[0].values = [10, 10]
    weights.matrices[1].values = [6]
    let keeper = SpikeKeeper(
      Self.every, ExactSolver(problem),
      samples: [(SpikeTrain(times: [1, 20], units: [0, 1]), 0)])
    let pool = WorkerPool(threads: 1)
    try keeper.begin(weights, pool: pool)
    weights.matrices[0].values = [10, 0]
    weights.matrices[1].values = [5]
    let tally = try keeper.end(weights, pool: pool)
    #expect(tally.kept == 0 && tally.lost == 1)
    #expect(weights.matrices[0].values == [10, 0] && weights.matrices[1].values == [6])
    #expect(abs(tally.stepGivenUp - 1 / 101.0.squareRoot()) < 1e-12)
  }

  private func spikes(_ trainer: Trainer, _ lane: Int) -> [Int] {
    let samples = SampleList(
      trainer.data.train.samples(trainer.keptSamples(32), nil, duration: trainer.preset.duration))
    if let lane = trainer.lanes[lane] as? SolverLane<GridSolver> {
      return lane.runner.forward(samples, pool: trainer.pool).spikes[0]
    }
    let lane = trainer.lanes[lane] as! SolverLane<ExactSolver>
    return lane.runner.forward(samples, pool: trainer.pool).spikes[0]
  }

  /// A rate that silences neurons in an update; none of them where spikes are kept.
  @Test(arguments: ["grid", "exact"], [1, 12]) func noUpdateSilences(solver: String, least: Int)
    throws
  {
    let trainer = try makeTrainer(
      tinyPreset(
        solver: solver, loss: "first_spike",
        extra: """
          [[lane]]
          name = "free"
          [[lane]]
          name = "kept"
          training.keep_spikes = { per_neuron = \(least), probe = 32, slope = 0 }
          """),
      settings: [
        "training.optimiser.rate=0.5", "hidden.0.size=60", "hidden.0.weights.mean=1.5",
        "hidden.0.weights.sd=0.8",
      ])
    #expect(trainer.lanes[0].keeping == nil)
    var fallen = [0, 0]
    var rows: [EpochMetrics] = []
    var sums = KeepingTally()
    for batch in 1...12 {
      let before = [spikes(trainer, 0), spikes(trainer, 1)]
      try trainer.trainBatch()
      for lane in 0..<2 {
        let after = spikes(trainer, lane)
        fallen[lane] += after.indices.count { after[$0] < min(before[lane][$0], least) }
      }
      guard batch % 4 == 0 else { continue }
      let keeping = try #require(trainer.lanes[1].keeping)
      #expect(keeping.batches == 4)
      sums.add(keeping)
      rows = trainer.finishEpoch()
      #expect(rows[0].kept == nil && rows[0].lost == nil && rows[0].stepGivenUp == nil)
      #expect(rows[1].kept == keeping.kept && rows[1].stepGivenUp == keeping.stepGivenUp)
      #expect(rows[1].lost == 0 && rows[1].stepGivenUp! < 1)
      #expect(trainer.lanes[1].keeping == KeepingTally())
    }
    #expect(fallen[0] > 5)
    #expect(fallen[1] == 0)
    #expect(sums.kept > 20 && sums.stepGivenUp > 0.01)
  }

  static let deep = """
    recurrent = true
    rate = { upper = 1, lambda_upper = 1e-4, lambda_lower = 1e-4 }
    [[hidden]]
    size = 15
    weights = { mean = 1.5, sd = 1.0 }
    """
  static let extra = "[data.augment]\ndrop = 0.1\n[data.delay_line]\ncopies = 2\nstep = 2.0"

  @Test(arguments: ["grid", "exact"]) func threadsDoNotMatter(solver: String) throws {
    let results = try [1, 3].map { threads in
      let trainer = try makeTrainer(
        tinyPreset(
          solver: solver, hidden: Self.deep,
          training: "clip = 0.5\nkeep_spikes = { per_neuron = 4, probe = 50 }", extra: Self.extra),
        threads: threads, settings: ["training.optimiser.rate=0.1"])
      let rows = try trainer.runAll()
      return (trainer.state, rows.map { [Double($0.kept!), Double($0.lost!), $0.stepGivenUp!] })
    }
    #expect(results[0].0 == results[1].0)
    #expect(results[0].1 == results[1].1)
    #expect(results[0].1.map { $0[0] }.max()! > 0)
  }

  /// A lane without the key has the bits that it has alone; so has one whose spikes are never at
  /// risk.
  @Test(arguments: ["grid", "exact"]) func withoutNeedNothingChanges(solver: String) throws {
    let settings = ["training.optimiser.rate=1e-4"]
    func state(_ extra: String) throws -> [[UInt8]] {
      let trainer = try makeTrainer(
        tinyPreset(solver: solver, hidden: Self.deep, extra: extra), settings: settings)
      let rows = try trainer.runAll()
      #expect(rows.allSatisfy { $0.kept ?? 0 == 0 })
      return trainer.state
    }
    let alone = try state("")
    let both = try state(
      """
      [[lane]]
      name = "free"
      [[lane]]
      name = "kept"
      training.keep_spikes = { slope = 0 }
      """)
    #expect(alone + alone == both)
  }

  /// What a lane is made anew from by commands and by a failed batch holds the epoch's counts.
  @Test func countsSurviveCommands() throws {
    let trainer = try makeTrainer(
      tinyPreset(training: "keep_spikes = {}"), settings: ["training.optimiser.rate=0.3"])
    for _ in 0..<2 { try trainer.trainBatch() }
    let keeping = trainer.lanes[0].keeping
    #expect(keeping!.batches == 2)
    try trainer.apply(SetRate(lane: 0, 0.2))
    #expect(trainer.lanes[0].keeping == keeping)
    try trainer.trainBatch()
    try trainer.apply(Undo())
    #expect(trainer.lanes[0].keeping!.batches == 3)
    try trainer.trainBatch()
    #expect(trainer.finishEpoch()[0].kept! >= keeping!.kept)
  }
}
