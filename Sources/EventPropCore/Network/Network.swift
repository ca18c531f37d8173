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

  /// The vectors that are trained, layer by layer.
  public var vectors: [LayerVector] {
    layers.indices.flatMap { layer in
      layers[layer].trained.map { LayerVector(layer: layer, parameter: $0) }
    }
  }

  /// Everything that is trained, by name: a matrix per projection (`input-hidden1`), then a vector
  /// per trained parameter of a layer (`hidden1-threshold`). The order of `Parameters.arrays`.
  public var parameterNames: [String] {
    projections.map { name(of: $0) }
      + vectors.map { name(ofPopulation: $0.layer + 1) + "-" + $0.parameter.name }
  }

  /// `input-hidden1`, `hidden1-hidden1`, ...: the names of weight files.
  public func name(of projection: Projection) -> String {
    name(ofPopulation: projection.source) + "-" + name(ofPopulation: projection.target)
  }
}

/// A vector of a layer that is trained.
public struct LayerVector: Sendable, Hashable {
  /// `0` is hidden1.
  public var layer: Int
  /// One of the layer's `trained`.
  public var parameter: NeuronParameter
}

/// All-to-all connections from one population to another (or to itself).
public struct Projection: Sendable, Hashable {
  /// Population number; that of `target` in a recurrent projection.
  public var source: Int
  /// Population number, 1 or above: nothing projects to the input.
  public var target: Int
}
