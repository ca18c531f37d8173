// SPDX-License-Identifier: MIT

/// What is trained of a network, or its gradient, or its moments: a matrix (pre x post) per
/// projection and a vector (1 x size) per trained parameter of a layer. Where the first layer is
/// run in blocks, the first matrix has a panel for each.
public final class Parameters<Scalar: NetworkScalar> {
  /// Gives the shapes; its trained vectors are as at the start, not those of `arrays`.
  public let network: Network
  /// In the order of `network.parameterNames`: matrices, then vectors.
  public let arrays: [Matrix<Scalar>]
  /// In the order of `network.projections`.
  public let matrices: [Matrix<Scalar>]
  /// In the order of `network.vectors`.
  public var vectors: ArraySlice<Matrix<Scalar>> { arrays[matrices.count...] }

  /// All zero.
  public init(_ network: Network) {
    self.network = network
    let shapes =
      network.projections.map {
        (network.size(ofPopulation: $0.source), network.size(ofPopulation: $0.target))
      } + network.vectors.map { (1, network.layers[$0.layer].size) }
    var (offsets, room) = ([Int](), 0)
    for (rows, columns) in shapes {
      offsets.append(room)
      room += Matrix<Scalar>.room(rows: rows, columns: columns)
    }
    let memory = Memory<Scalar>(room)
    let arrays = zip(shapes, offsets).enumerated().map { index, matrix in
      let ((rows, columns), offset) = matrix
      let panels =
        index == 0 && !network.blocks.isEmpty ? network.blocks : [0..<paddedWidth(columns)]
      return Matrix(rows: rows, columns: columns, panels: panels, in: memory, at: offset)
    }
    self.arrays = arrays
    matrices = Array(arrays.prefix(network.projections.count))
  }

  private init(_ network: Network, _ arrays: [Matrix<Scalar>]) {
    self.network = network
    self.arrays = arrays
    matrices = Array(arrays.prefix(network.projections.count))
  }

  /// The layers of the network with the values of the moment of what is trained.
  public var layers: [Layer] {
    var layers = network.layers
    for (vector, values) in zip(network.vectors, vectors) {
      layers[vector.layer][vector.parameter] = PerNeuron(values.values.map { Double($0) })
    }
    return layers
  }

  /// The weights of the projection into a layer (`0` is hidden1, the last the output) from below.
  public func forward(intoLayer layer: Int) -> Matrix<Scalar> {
    matrices[network.projections.firstIndex { $0.target == layer + 1 }!]
  }

  /// Where a vector of a layer is kept; nil where it is not trained.
  func vector(_ parameter: NeuronParameter, ofLayer layer: Int) -> Matrix<Scalar>? {
    if arrays.count == matrices.count { return nil }
    let index = network.vectors.firstIndex { $0.layer == layer && $0.parameter == parameter }
    return index.map { arrays[matrices.count + $0] }
  }

  /// Normal weights, vectors as the layers have them; one stream of chance per projection: the same
  /// for both solvers up to rounding.
  public convenience init(_ network: Network, initial: [InitialWeights], seed: Int) {
    self.init(network)
    for (index, matrix) in matrices.enumerated() {
      var random = Random(seed: seed, "weights", index)
      matrix.draw(initial[index], using: &random)
    }
    for (vector, array) in zip(network.vectors, vectors) {
      let layer = network.layers[vector.layer]
      array.values = layer[vector.parameter].values(layer.size).map { Scalar($0) }
    }
  }

  /// Sets all arrays to 0, padding included.
  public func clear() {
    for array in arrays { Scalar.clear(array.base, width: array.count) }
  }

  /// Shares no memory with this one.
  public func copy() -> Parameters { Parameters(network, arrays.map { $0.copy() }) }

  /// The same arrays, and copies of those that are chosen.
  func sharing(copyingAt isCopied: [Bool]) -> Parameters {
    Parameters(network, zip(isCopied, arrays).map { $0 ? $1.copy() : $1 })
  }

  /// The same numbers in another precision.
  public func converted<Other: NetworkScalar>(to: Other.Type) -> Parameters<Other> {
    let other = Parameters<Other>(network)
    for (from, into) in zip(arrays, other.arrays) {
      into.values = Other.values(from.doubles)
    }
    return other
  }

  /// L2 norm of each array.
  public var norms: [Double] { arrays.map(\.norm) }
}

/// The normal distribution that initial weights are drawn from.
public struct InitialWeights: Sendable, Equatable {
  /// In the unit of weights, whatever the fan-in.
  public var mean: Double
  /// Standard deviation, in the unit of weights, whatever the fan-in; 0: all are `mean`.
  public var sd: Double

  /// One for each of `network.projections`, in that order.
  public init(mean: Double, sd: Double) {
    self.mean = mean
    self.sd = sd
  }
}

extension Matrix {
  func draw(_ weights: InitialWeights, using random: inout Random) {
    for row in 0..<rows {
      for column in 0..<columns {
        self[row, column] = Scalar(weights.mean + weights.sd * random.normal())
      }
    }
  }
}
