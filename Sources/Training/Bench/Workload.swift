import EventPropCore
import Foundation
import SpikeData

/// A synthetic training load for `bench`: the three of FIELDNOTES.md's table of rivals, and the exact solver.
public struct Workload: Sendable {
  /// Short name on the command line: Y, M, S, X.
  public var name: String
  public var title: String
  public var presetText: String
  /// Generates this many samples: input units, spikes each (0: yin-yang points).
  var samples: Int
  var inputs: Int
  var spikes: Int
  var classes: Int

  public static let all: [Workload] = [
    Workload(
      name: "Y", title: "yin-yang 5-200-3, first spike, grid, 300 steps of 0.1 ms",
      presetText: yinYang(solver: "grid"), samples: 4096, inputs: 5, spikes: 0, classes: 3),
    Workload(
      name: "X", title: "yin-yang 5-200-3, first spike, exact solver",
      presetText: yinYang(solver: "exact"), samples: 2048, inputs: 5, spikes: 0, classes: 3),
    Workload(
      name: "M", title: "latency MNIST 784-128-10, 20 steps of 1 ms, 120 input spikes",
      presetText: """
        name = "bench M"
        [simulation]
        duration = 20.0
        step = 1.0
        [[hidden]]
        size = 128
        weights = { mean = 0.078, sd = 0.045 }
        [output]
        weights = { mean = 0.0, sd = 0.1 }
        [loss]
        kind = "sum"
        [training]
        optimiser = { rate = 1e-9 }
        [diagnosis]
        every = 0
        """, samples: 8192, inputs: 784, spikes: 120, classes: 10),
    Workload(
      name: "S", title: "SHD-like 700-256 recurrent-20, 1000 steps of 1 ms, 8000 input spikes",
      presetText: """
        name = "bench S"
        [simulation]
        duration = 1000.0
        step = 1.0
        [[hidden]]
        size = 256
        recurrent = true
        weights = { mean = 0.0245, sd = 0.012 }
        recurrent_weights = { mean = 0.0, sd = 0.02 }
        rate = { upper = 14, lambda_upper = 2.5e-10, lambda_lower = 2.5e-10 }
        [output]
        weights = { mean = 0.0, sd = 0.03 }
        [loss]
        kind = "sum"
        shaping = "exponential"
        [training]
        optimiser = { rate = 1e-9 }
        [diagnosis]
        every = 0
        """, samples: 256, inputs: 700, spikes: 8000, classes: 20),
  ]

  private static func yinYang(solver: String) -> String {
    """
    name = "bench Y"
    [simulation]
    solver = "\(solver)"
    duration = 30.0
    step = 0.1
    [[hidden]]
    size = 200
    weights = { mean = 1.5, sd = 0.78 }
    [output]
    weights = { mean = 0.93, sd = 0.1 }
    [loss]
    kind = "first_spike"
    [training]
    optimiser = { rate = 1e-9 }
    [diagnosis]
    every = 0
    """
  }

  /// The input spikes: uniform in unit and time, reproducible.
  func data() -> SpikeDataSet {
    if spikes == 0 {
      return YinYang(early: 0, late: 20, bias: 0).generate(samples, seed: 1, purpose: "bench")
    }
    var random = Random(seed: 1, "bench")
    var data = SpikeDataSet(
      name: "bench", unitCount: inputs, classNames: (0..<classes).map(String.init))
    let duration = inputs == 784 ? 20.0 : 1000.0
    for sample in 0..<samples {
      var train = SpikeTrain(
        times: (0..<spikes).map { _ in Float(random.uniform(0, duration - 1)) },
        units: (0..<spikes).map { _ in UInt16(random.index(below: inputs)) })
      train.sort()
      data.append(train, label: sample % classes)
    }
    return data
  }

  /// One measured round: samples per second, and spikes per hidden neuron and trial.
  public struct Round: Sendable {
    public var samplesPerSecond: Double
    public var hiddenSpikes: Double
  }

  /// Trains on the workload: one warm-up round, then `rounds` of about `seconds` each.
  public func measure(rounds: Int, seconds: Double, threads: Int, settings: [String] = []) throws
    -> [Round]
  {
    let preset = try Preset(text: presetText, file: "bench \(name)", settings: settings)
    let data = data()
    let trainer = try Trainer(
      preset,
      data: DataSplits(train: data, validate: data.selecting([]), test: data.selecting([])),
      threads: threads)
    let clock = ContinuousClock()
    var results: [Round] = []
    for round in 0...rounds {
      var trained = 0
      let start = clock.now
      var elapsed = 0.0
      let goal = round == 0 ? seconds / 2 : seconds
      while elapsed < goal {
        if trainer.isEpochComplete { trainer.seek(epoch: 0, batch: 0) }
        try trainer.trainBatch()
        trained += trainer.lastBatchSize
        elapsed = (clock.now - start) / .seconds(1)
      }
      let spikes = trainer.lanes[0].epochTally.meanSpikes.first ?? 0
      trainer.lanes[0].epochTally.clear()
      if round > 0 {
        results.append(Round(samplesPerSecond: Double(trained) / elapsed, hiddenSpikes: spikes))
      }
    }
    return results
  }
}
