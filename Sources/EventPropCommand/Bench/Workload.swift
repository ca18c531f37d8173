// SPDX-License-Identifier: MIT

import Experiments
import Training
import EventPropCore
import Foundation
import SpikeData

/// A synthetic training load for `bench`: three that other simulators are timed on, the exact
/// solver, and the models of today.
public struct Workload: Sendable {
  /// Short name on the command line: Y, M, S, X, ...
  public var name: String
  /// One line for the help: network, loss, solver or step, input spikes.
  public var title: String
  /// TOML without `[data]`: the samples are generated.
  public var presetText: String
  /// Generates this many samples: input units, spikes each (0: yin-yang points).
  var samples: Int
  var inputs: Int
  var spikes: Int
  var classes: Int
  /// Trial length of the input, ms, and samples in a batch.
  var duration = 1000.0
  var batch = 32
  /// Whether times are whole milliseconds.
  var isOnGrid = false

  /// In the order of the help of `bench`.
  public static let all: [Workload] = [
    Workload(
      name: "Y", title: "yin-yang 5-200-3, first spike, grid, 300 steps of 0.1 ms",
      presetText: yinYang(solver: "grid", mean: 1.5), samples: 4096, inputs: 5, spikes: 0,
      classes: 3),
    Workload(
      name: "X", title: "yin-yang 5-200-3, first spike, exact solver, 1.5 spikes per hidden neuron",
      presetText: yinYang(solver: "exact", mean: 2.3), samples: 2048, inputs: 5, spikes: 0,
      classes: 3),
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
        """, samples: 8192, inputs: 784, spikes: 120, classes: 10, duration: 20),
    Workload(
      name: "S", title: "SHD-like 700-256 recurrent-20, 1000 steps of 1 ms, 8000 input spikes",
      presetText: recurrent(solver: "grid"), samples: 256, inputs: 700, spikes: 8000, classes: 20),
    Workload(
      name: "E", title: "S by the exact solver, input spikes at any time",
      presetText: recurrent(solver: "exact"), samples: 256, inputs: 700, spikes: 8000,
      classes: 20),
    Workload(
      name: "W", title: "S by the exact solver, input spikes on whole milliseconds",
      presetText: recurrent(solver: "exact"), samples: 256, inputs: 700, spikes: 8000,
      classes: 20, isOnGrid: true),
    like("A", "S with trained axonal delays up to 200 ms", delays("axonal", loop: true)),
    like("I", "S with trained delays of input synapses up to 200 ms", delays("synaptic")),
    like(
      "D", "S with trained delays of all hidden synapses up to 200 ms",
      delays("synaptic", loop: true)),
    like(
      "T", "S with drawn time constants of each neuron", "tau_mem = { normal = [20, 3], min = 5 }"),
    like(
      "L", "S with neurons that adapt",
      "neuron = \"alif\"\nadaptation = 0.01\ntau_adapt = 100"),
  ]

  /// S with more keys for its hidden layer.
  private static func like(_ name: String, _ title: String, _ hidden: String) -> Workload {
    Workload(
      name: name, title: title, presetText: recurrent(solver: "grid", hidden: hidden),
      samples: 256, inputs: 700, spikes: 8000, classes: 20)
  }

  private static func delays(_ form: String, loop: Bool = false) -> String {
    let table =
      "{ form = \"\(form)\", init = { uniform = [0, 199] }, max = 200, train = true, rate = 1e-9 }"
    return "delays = \(table)" + (loop ? "\nrecurrent_delays = \(table)" : "")
  }

  private static func recurrent(solver: String, hidden: String = "") -> String {
    """
    name = "bench S"
    [simulation]
    duration = 1000.0
    step = 1.0
    solver = "\(solver)"
    [[hidden]]
    size = 256
    recurrent = true
    weights = { mean = 0.0245, sd = 0.012 }
    recurrent_weights = { mean = 0.0, sd = 0.02 }
    rate = { upper = 14, lambda_upper = 2.5e-10, lambda_lower = 2.5e-10 }
    \(hidden)
    [output]
    weights = { mean = 0.0, sd = 0.03 }
    [loss]
    kind = "sum"
    shaping = "exponential"
    [training]
    optimiser = { rate = 1e-9 }
    [diagnosis]
    every = 0
    """
  }

  private static func yinYang(solver: String, mean: Double) -> String {
    """
    name = "bench Y"
    [simulation]
    solver = "\(solver)"
    duration = 30.0
    step = 0.1
    [[hidden]]
    size = 200
    weights = { mean = \(mean), sd = 0.78 }
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
    for sample in 0..<samples {
      var train = SpikeTrain(
        times: (0..<spikes).map { _ in
          let time = random.uniform(0, duration - 1)
          return isOnGrid ? time.rounded() : time
        },
        units: (0..<spikes).map { _ in UInt16(random.index(below: inputs)) })
      train.sort()
      data.append(train, label: sample % classes)
    }
    return data
  }

  /// One measured round: samples per second, and spikes per hidden neuron and trial.
  public struct Round: Sendable {
    /// Trained samples per second of wall time, all threads together.
    public var samplesPerSecond: Double
    /// Spikes per neuron and trial of the first hidden layer, mean over the round.
    public var hiddenSpikes: Double
    /// Floating-point operations per sample that the equations ask for.
    public var operations: Double
    /// Bytes of weight and trace rows that a sample's spikes read.
    public var rowBytes: Double
  }

  /// What a sweep varies.
  public enum Axis: String, Sendable, CaseIterable {
    case hidden, steps, spikes, batch, threads

    /// The values it takes by default.
    public func values(cores: Int) -> [Int] {
      switch self {
      case .hidden: [64, 128, 256, 512, 1024]
      case .steps: [250, 500, 1000, 2000]
      case .spikes: [1000, 2000, 4000, 8000, 16_000]
      case .batch: [8, 16, 32, 64, 128]
      case .threads: Array(1...max(cores, 1))
      }
    }
  }

  /// The workload with one of its sizes changed, and the settings that go with it.
  public func varied(_ axis: Axis, _ value: Int) -> (workload: Workload, settings: [String]) {
    var other = self
    switch axis {
    case .hidden: return (other, ["hidden.0.size=\(value)"])
    case .steps:
      // As many spikes in each ms.
      let step = 1.0
      other.spikes = Int(Double(spikes) * Double(value) * step / duration)
      other.duration = Double(value) * step
      return (other, ["simulation.duration=\(other.duration)", "simulation.step=\(step)"])
    case .spikes: other.spikes = value
    case .batch:
      other.batch = value
      return (other, ["training.batch=\(value)"])
    case .threads: break
    }
    return (other, [])
  }

  /// Additions, multiplications and the like of one sample: rows of weights and of the trace for
  /// every spike, errors of hidden spikes, the neurons' steps forward and back, and its share of
  /// reduction and Adam.
  static func operations(
    _ network: Network, steps: Double, inputSpikes: Double, counts: [Double], batch: Double
  )
    -> (operations: Double, rowBytes: Double)
  {
    var total = 0.0
    var rowElements = 0.0
    for projection in network.projections {
      let target = Double(network.layers[projection.target - 1].size)
      let spikes = projection.source == 0 ? inputSpikes : counts[projection.source - 1]
      rowElements += 2 * spikes * target
      if projection.source > 0 { total += 3 * spikes * target }
      total += 16 * Double(network.size(ofPopulation: projection.source)) * target / batch
    }
    for layer in network.layers {
      total += steps * Double(layer.size) * (layer.neuron.isSpiking ? 9 : 13)
    }
    return (total + rowElements, 4 * rowElements)
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
      let lane = trainer.lanes[0]
      let means = lane.epochTally.meanSpikes
      let spikes = means.first ?? 0
      let counts = zip(means, lane.network.layers).map { $0 * Double($1.size) }
      let work = Workload.operations(
        lane.network, steps: preset.duration / lane.options.step,
        inputSpikes: self.spikes > 0 ? Double(self.spikes) : 5, counts: counts + [0],
        batch: Double(preset.training.batch))
      trainer.lanes[0].epochTally.clear()
      if round > 0 {
        results.append(
          Round(
            samplesPerSecond: Double(trained) / elapsed, hiddenSpikes: spikes,
            operations: work.operations, rowBytes: work.rowBytes))
      }
    }
    return results
  }
}
