// SPDX-License-Identifier: MIT

/// A layer of neurons of one model. Times in ms, voltages and thresholds without unit.
public struct Layer: Sendable, Equatable {
  /// Neurons; in the output layer one per class.
  public var size: Int
  /// The model of all its neurons.
  public var neuron: NeuronKind
  /// Membrane time constants.
  public var tauMem: PerNeuron
  /// Synaptic time constants of the currents into this layer.
  public var tauSyn: PerNeuron
  /// Theta, at which V makes a spike; without effect in a model that does not spike.
  public var threshold: PerNeuron
  /// Further vectors of the model, by name.
  public var further: [String: PerNeuron] = [:]
  /// Vectors that are trained: their values here are those at the start, `Parameters` holds those
  /// of the moment.
  public var trained: [NeuronParameter] = []
  /// Adds a projection from the layer to itself.
  public var isRecurrent: Bool
  /// nil: none. Acts on hidden layers only.
  public var rate: RateRegularisation?
  /// Probability that a neuron is dropped in a trial of training, below 1. Acts on hidden layers
  /// only, and only in batches of samples that bring the chance (`BatchSamples.dropoutChance`).
  public var dropout = 0.0

  /// Neurons that are all alike.
  public init(
    size: Int, neuron: NeuronKind = .lif, tauMem: Double = 20, tauSyn: Double = 5,
    threshold: Double = 1, isRecurrent: Bool = false, rate: RateRegularisation? = nil
  ) {
    self.size = size
    self.neuron = neuron
    self.tauMem = PerNeuron(tauMem)
    self.tauSyn = PerNeuron(tauSyn)
    self.threshold = PerNeuron(threshold)
    self.isRecurrent = isRecurrent
    self.rate = rate
  }

  /// A vector of the layer.
  public subscript(parameter: NeuronParameter) -> PerNeuron {
    get {
      switch parameter {
      case .tauMem: tauMem
      case .tauSyn: tauSyn
      case .threshold: threshold
      default: further[parameter.name] ?? PerNeuron(parameter.standard)
      }
    }
    set {
      switch parameter {
      case .tauMem: tauMem = newValue
      case .tauSyn: tauSyn = newValue
      case .threshold: threshold = newValue
      default: further[parameter.name] = newValue
      }
    }
  }

  /// Whether all neurons have the same constants.
  public var isUniform: Bool {
    tauMem.isUniform && tauSyn.isUniform && threshold.isUniform
      && further.values.allSatisfy(\.isUniform)
  }
}
