/// What a network is: its input units, its layers, and the projections between them. No weights.
///
/// Populations are numbered 0 (input), 1... (hidden), `layers.count` (output); layer `k` of
/// `layers` is population `k + 1`.
public struct Network: Sendable, Equatable {
  /// Input units (channels).
  public var inputs: Int
  /// Hidden layers in order, then the output layer. At least one.
  public var layers: [Layer]

  public init(inputs: Int, layers: [Layer]) {
    self.inputs = inputs
    self.layers = layers
  }

  public var output: Layer { layers[layers.count - 1] }
  public var hiddenCount: Int { layers.count - 1 }

  /// `input`, `hidden1`, ..., `output`.
  public func name(ofPopulation population: Int) -> String {
    switch population {
    case 0: "input"
    case layers.count: "output"
    default: "hidden\(population)"
    }
  }

  public func size(ofPopulation population: Int) -> Int {
    population == 0 ? inputs : layers[population - 1].size
  }

  /// Where neurons of the first layer do not reach each other, and it is not the output: blocks of about 64 of them, so
  /// that each can be run through a whole batch on its own. Columns of the first matrix, padding included.
  public var blocks: [Range<Int>] {
    guard layers.count > 1, layers[0].neuron == .lif, !layers[0].isRecurrent else { return [] }
    let vectors = paddedWidth(layers[0].size) / 16
    let count = (vectors + 3) / 4
    return (0..<count).map { (16 * ($0 * vectors / count))..<(16 * (($0 + 1) * vectors / count)) }
  }

  /// Every projection, ordered by target; the feed-forward one of a target comes first.
  public var projections: [Projection] {
    layers.indices.flatMap { index in
      let population = index + 1
      let forward = Projection(source: population - 1, target: population)
      let loop = Projection(source: population, target: population)
      return layers[index].isRecurrent ? [forward, loop] : [forward]
    }
  }

  /// `input-hidden1`, `hidden1-hidden1`, ...: the names of weight files.
  public func name(of projection: Projection) -> String {
    name(ofPopulation: projection.source) + "-" + name(ofPopulation: projection.target)
  }
}

/// All-to-all connections from one population to another (or to itself).
public struct Projection: Sendable, Hashable {
  public var source: Int
  public var target: Int
}

/// A layer of like neurons. Times in ms, voltages and thresholds without unit.
public struct Layer: Sendable, Equatable {
  public var size: Int
  public var neuron: NeuronModel
  /// Membrane time constant.
  public var tauMem: Double
  /// Synaptic time constant of the currents into this layer.
  public var tauSyn: Double
  public var threshold: Double
  public var isRecurrent: Bool
  public var rate: RateRegularisation?

  public init(
    size: Int, neuron: NeuronModel = .lif, tauMem: Double = 20, tauSyn: Double = 5,
    threshold: Double = 1, isRecurrent: Bool = false, rate: RateRegularisation? = nil
  ) {
    self.size = size
    self.neuron = neuron
    self.tauMem = tauMem
    self.tauSyn = tauSyn
    self.threshold = threshold
    self.isRecurrent = isRecurrent
    self.rate = rate
  }
}

/// How a neuron turns current into voltage and spikes.
public enum NeuronModel: String, Sendable, CaseIterable {
  /// Leaky integrate-and-fire: spikes at the threshold, reset to 0, no refractory time.
  case lif
  /// Leaky integrator: no threshold.
  case li
}
