// SPDX-License-Identifier: MIT

/// What a network is: its input units, its layers, and the projections between them. No weights.
///
/// Populations are numbered 0 (input), 1... (hidden), `layers.count` (output); layer `k` of
/// `layers` is population `k + 1`.
public struct Network: Sendable, Equatable {
  /// Input units (channels).
  public var inputs: Int
  /// Hidden layers in order, then the output layer. At least one.
  public var layers: [Layer]

  /// Nothing is checked here: `layers` must not be empty.
  public init(inputs: Int, layers: [Layer]) {
    self.inputs = inputs
    self.layers = layers
  }

  /// Read by the loss; one neuron per class.
  public var output: Layer { layers[layers.count - 1] }
  /// Layers without the output; may be 0.
  public var hiddenCount: Int { layers.count - 1 }

  /// `input`, `hidden1`, ..., `output`.
  public func name(ofPopulation population: Int) -> String {
    switch population {
    case 0: "input"
    case layers.count: "output"
    default: "hidden\(population)"
    }
  }

  /// Input units for 0, else neurons of `layers[population - 1]`.
  public func size(ofPopulation population: Int) -> Int {
    population == 0 ? inputs : layers[population - 1].size
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

  /// Delays of a projection; nil: it has none.
  public func delays(of projection: Projection) -> Delays? {
    let layer = layers[projection.target - 1]
    return projection.source == projection.target ? layer.loopDelays : layer.delays
  }

  /// The projections that have delays, by their index in `projections`.
  public var delayed: [Int] {
    projections.enumerated().filter { delays(of: $1) != nil }.map(\.offset)
  }

  /// The vectors that `Parameters` holds, layer by layer.
  public var vectors: [LayerVector] {
    layers.indices.flatMap { layer in
      layers[layer].kept.map { LayerVector(layer: layer, parameter: $0) }
    }
  }

  /// Everything that is drawn or trained, in the order of `Parameters.arrays`: the weights of each
  /// projection, the delays of those that have any, the vectors of layers.
  public var arrays: [NetworkArray] {
    let projections = projections
    return projections.map { projection in
      let layer = layers[projection.target - 1]
      return NetworkArray(
        name: name(of: projection), rows: size(ofPopulation: projection.source),
        columns: layer.size, learning: nil, layer: projection.target - 1,
        gradientFactor: -layer.gradientUnit)
    }
      + projections.compactMap { projection in
        guard let delays = delays(of: projection) else { return nil }
        let (rows, columns) = delays.shape(
          size(ofPopulation: projection.source), size(ofPopulation: projection.target))
        return NetworkArray(
          name: "delays/" + name(of: projection), rows: rows, columns: columns,
          learning: delays.learning, layer: projection.target - 1, gradientFactor: 1)
      }
      + vectors.map { vector in
        NetworkArray(
          name: "neurons/" + name(ofPopulation: vector.layer + 1) + "-" + vector.parameter.name,
          rows: 1, columns: layers[vector.layer].size,
          learning: layers[vector.layer].learning[vector.parameter], layer: vector.layer,
          gradientFactor: 1)
      }
  }

  /// What solvers leave in the arrays of a gradient is multiplied by these, in the order of
  /// `arrays`: without their names, for every batch asks.
  var gradientFactors: [Double] {
    var factors: [Double] = []
    var further = 0
    for layer in layers {
      factors.append(-layer.gradientUnit)
      if layer.isRecurrent { factors.append(-layer.gradientUnit) }
      further += (layer.delays == nil ? 0 : 1) + (layer.learning.isEmpty ? 0 : layer.kept.count)
      if layer.isRecurrent && layer.loopDelays != nil { further += 1 }
    }
    return factors + Array(repeating: 1, count: further)
  }

  /// The names of `arrays`: `input-hidden1`, `delays/input-hidden1`, `neurons/hidden1-tau_mem`.
  public var parameterNames: [String] { arrays.map(\.name) }

  /// `input-hidden1`, `hidden1-hidden1`, ...: the names of weight files.
  public func name(of projection: Projection) -> String {
    name(ofPopulation: projection.source) + "-" + name(ofPopulation: projection.target)
  }
}

/// A vector of a layer that is drawn or trained.
public struct LayerVector: Sendable, Hashable {
  /// `0` is hidden1.
  public var layer: Int
  /// One of the layer's `kept`.
  public var parameter: NeuronParameter
}

/// One of the arrays of `Parameters`.
public struct NetworkArray: Sendable, Equatable {
  /// Of files, metrics and screens.
  public var name: String
  /// In weights and synaptic delays pre-synaptic units; 1 in vectors.
  public var rows: Int
  /// Post-synaptic neurons, or neurons of the layer; 1 in axonal delays.
  public var columns: Int
  /// nil: weights, which the optimiser's own rate trains without bounds.
  public var learning: Learning?
  /// Whether updates change it.
  public var isTrained: Bool { learning?.isTrained ?? true }
  /// The layer that it reaches or belongs to; `0` is hidden1.
  public var layer: Int
  /// What solvers leave in a gradient's array is multiplied by it.
  public var gradientFactor: Double
}

/// All-to-all connections from one population to another (or to itself).
public struct Projection: Sendable, Hashable {
  /// Population number; that of `target` in a recurrent projection.
  public var source: Int
  /// Population number, 1 or above: nothing projects to the input.
  public var target: Int
}
