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
  /// Vectors that are drawn or trained: their values here are those at the start, `Parameters`
  /// holds those of the moment.
  public var learning: [NeuronParameter: Learning] = [:]
  /// Of the projection that reaches the layer from below; nil: spikes arrive at once.
  public var delays: Delays?
  /// Of the layer's projection to itself.
  public var loopDelays: Delays?
  /// On a grid that carries over what V has grown since a spike (`ResetRule.carried`): how late
  /// spikes are seen on average, ms: half a step. nil: V is set to 0. The exact solver, which sees
  /// them in time, does without.
  public var lateness: Double?
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

  /// Whether all neurons have the same constants, now and for good.
  public var isUniform: Bool {
    tauMem.isUniform && tauSyn.isUniform && threshold.isUniform
      && further.values.allSatisfy(\.isUniform) && learning.isEmpty
  }

  /// Vectors that `Parameters` holds, in the order in which the model has them.
  public var kept: [NeuronParameter] {
    neuron.parameters.filter { learning[$0] != nil }
  }

  /// A vector is trained from its values here on.
  /// - Parameter rate: nil: `Parameters` holds it, and it stays as it is.
  public mutating func train(_ parameter: NeuronParameter, rate: Double?) {
    learning[parameter] = Learning(rate: rate, range: parameter.range)
  }

  /// Whether time constants are the same for all neurons, now and for good.
  var hasOneFlow: Bool {
    [NeuronParameter.tauMem, .tauSyn, .tauAdapt].allSatisfy {
      self[$0].isUniform && learning[$0] == nil
    }
  }

  /// What the gradients of weights into the layer are kept in units of, apart from the sign: tau_s,
  /// ms, where it is one for all and for good; elsewhere that of the first neuron, or 1.
  package var gradientUnit: Double { learning[.tauSyn] == nil ? tauSyn[0] : 1 }
}
