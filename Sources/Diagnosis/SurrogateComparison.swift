// SPDX-License-Identifier: MIT

import EventPropCore

/// What a surrogate gradient would say, against the exact gradient that trains: the same loss,
/// samples, weights and steps of the grid, and the same spikes.
///
/// The surrogate gradient is plain backpropagation through the grid's steps, with the derivative of
/// the threshold replaced by 1/(1 + k |V - theta|)^2 (SuperSpike; Zenke & Ganguli 2018). It is the
/// derivative of no loss, so that its cosine with the exact one is a comparison and no error. As
/// that function's integral over V is 2/k, not 1, its norm depends on k wherever spikes lie between
/// weights and loss. Pseudo-gradients (rate regularisation) are in neither.
public struct SurrogateComparison: Sendable, Equatable {
  /// One weight matrix.
  public struct Row: Sendable, Equatable {
    /// `input-hidden1`, ...
    public var projection: String
    /// |dL/dW|, L2, of the surrogate gradient; a mean over the samples.
    public var surrogateNorm: Double
    /// |dL/dW|, L2, of EventProp's gradient on the grid; a mean over the same samples.
    public var gridNorm: Double
    /// Of the angle between the two, -1...1; nil where one of them is 0 or not a finite number.
    public var cosine: Double?
  }

  /// A hidden neuron that is silent on all samples, and that the surrogate gradient would move.
  public struct Neuron: Sendable, Equatable {
    /// Index within the layer.
    public var neuron: Int
    /// L2 norm of the surrogate gradient of all its incoming weights, recurrent ones included.
    public var norm: Double
    /// The same of EventProp's gradient on the grid: 0 for a silent neuron.
    public var gridNorm: Double
    /// What a step down the surrogate gradient g, of the length of g, adds to the weights that
    /// arrive at the neuron in a trial: -sum_i g_i n_i, n_i being the mean number of spikes that
    /// arrive from i.
    public var drive: Double

    /// Whether that step raises V, as a sum over time and trials.
    public var isRaised: Bool { drive > 0 }
  }

  /// A hidden layer.
  public struct HiddenLayer: Sendable, Equatable {
    /// `hidden1`, ...
    public var name: String
    /// How many neurons have no spike on any sample.
    public var silent: Int
    /// Those of them whose surrogate gradient is not 0, the largest norm first.
    public var moved: [Neuron]
    /// Median norm of the surrogate gradient of the incoming weights of a neuron that spikes: what
    /// the norms of `moved` are measured by; nil where all are silent.
    public var spikingNorm: Double?
  }

  /// k of `init` where none is given; 10 to 100 is usual for theta = 1.
  public static let standardSteepness = 40.0

  /// One per weight matrix, in the order of `Network.projections`.
  public var rows: [Row] = []
  /// One per hidden layer, in order.
  public var layers: [HiddenLayer] = []
  /// How many samples both gradients are the mean of.
  public var samples = 0
  /// Samples left out because their loss is not a finite number.
  public var failed = 0
  /// k, by the unit of V.
  public var steepness: Double
  /// Whether the reset of V counts as a constant, as most libraries have it; else the surrogate
  /// gradient runs through it too.
  public var detachesReset: Bool

  /// Why there is nothing to compare with, in words; nil: there is.
  public static func obstacle(_ problem: Problem) -> String? {
    if problem.loss.readout == .firstSpike {
      return "the loss reads when an output spikes: a surrogate stands for the derivative of "
        + "whether it does, and has none of the time"
    }
    let network = problem.network
    guard network.output.neuron == .li,
      network.layers.dropLast().allSatisfy({ $0.neuron == .lif }),
      network.layers.allSatisfy({
        $0.isUniform && $0.delays == nil && $0.loopDelays == nil
      })
    else {
      return "a surrogate gradient is taken of LIF neurons and LI outputs on the grid alone, all "
        + "of a layer alike, without trained constants and without delays"
    }
    return nil
  }

  /// Slow: every neuron at every step, in plain loops. nil where `obstacle` says why.
  /// - Parameters:
  ///   - samples: the mean loss over these.
  ///   - weights: in the order of `Network.projections`, row-major `pre x post`.
  ///   - steepness: k, by the unit of V; 0 or more.
  ///   - detachesReset: the reset of V counts as a constant.
  public init?(
    _ problem: Problem, samples: [GradientCheck.Sample], weights: [[Double]],
    steepness: Double = standardSteepness, detachesReset: Bool = true
  ) {
    guard Self.obstacle(problem) == nil else { return nil }
    precondition(steepness >= 0)
    (self.steepness, self.detachesReset) = (steepness, detachesReset)
    let network = problem.network
    let grid = GradientComparison.Pass(GridSolver(problem), weights)
    let surrogate = SurrogateGradient(
      grid.solver, weights: grid.weights.matrices.map { $0.doubles },
      steepness: steepness, detachesReset: detachesReset)
    var sum = grid.weights.matrices.map { Array(repeating: 0.0, count: $0.rows * $0.columns) }
    var counts = SpikeCounts(network)
    for (train, label) in samples {
      guard let spikes = grid.run(train, label) else {
        failed += 1
        continue
      }
      self.samples += 1
      grid.addGradient()
      let input = grid.trial.inputSpikes
      let amounts = network.layers.dropLast().enumerated().map {
        surrogate.amounts(spikes[$0], size: $1.size)
      }
      surrogate.addGradient(of: surrogate.run(input, label: label, spikes: amounts), to: &sum)
      counts.add([input] + spikes, before: (Double(surrogate.steps) - 0.5) * problem.step)
    }
    let trials = Double(max(self.samples, 1))
    grid.solver.finish(grid.gradient, trials: self.samples)
    let gradients = (
      sum.map { $0.map { $0 / trials } },
      grid.gradient.matrices.map { $0.doubles }
    )
    rows = network.projections.enumerated().map { index, projection in
      let angle = Angle(gradients.0[index], gradients.1[index])
      return Row(
        projection: network.name(of: projection), surrogateNorm: angle.norms.0,
        gridNorm: angle.norms.1, cosine: angle.cosine)
    }
    layers = (0..<network.hiddenCount).map { layer in
      let neurons = Self.neurons(of: network, layer, gradients, counts, trials)
      let isSilent = counts.all[layer + 1].map { $0 == 0 }
      let spiking = neurons.filter { !isSilent[$0.neuron] }.map(\.norm).sorted()
      return HiddenLayer(
        name: network.name(ofPopulation: layer + 1), silent: neurons.count - spiking.count,
        moved: neurons.filter { isSilent[$0.neuron] && $0.norm > 0 }
          .sorted { ($1.norm, $0.neuron) < ($0.norm, $1.neuron) },
        spikingNorm: spiking.isEmpty ? nil : spiking[spiking.count / 2])
    }
  }

  /// What the gradients, the surrogate one first, say to each neuron of a layer.
  private static func neurons(
    of network: Network, _ layer: Int, _ gradients: ([[Double]], [[Double]]),
    _ counts: SpikeCounts, _ trials: Double
  ) -> [Neuron] {
    let size = network.layers[layer].size
    return (0..<size).map { neuron in
      var (surrogate, grid, drive) = (0.0, 0.0, 0.0)
      for (index, projection) in network.projections.enumerated()
      where projection.target == layer + 1 {
        for (source, count) in counts.arriving[projection.source].enumerated() {
          let place = source * size + neuron
          let (x, y) = (gradients.0[index][place], gradients.1[index][place])
          surrogate += x * x
          grid += y * y
          drive -= x * Double(count) / trials
        }
      }
      return Neuron(
        neuron: neuron, norm: surrogate.squareRoot(), gridNorm: grid.squareRoot(), drive: drive)
    }
  }

  /// Per population and neuron, over the samples.
  private struct SpikeCounts {
    var all: [[Int]]
    /// Without those that come with the end of the trial, and reach nobody.
    var arriving: [[Int]]

    init(_ network: Network) {
      all = (0...network.layers.count).map {
        Array(repeating: 0, count: network.size(ofPopulation: $0))
      }
      arriving = all
    }

    /// - Parameter end: ms.
    mutating func add(_ spikes: [[LayerSpike]], before end: Double) {
      for (population, spikes) in spikes.enumerated() {
        for spike in spikes {
          all[population][spike.neuron] += 1
          if spike.time < end { arriving[population][spike.neuron] += 1 }
        }
      }
    }
  }
}
