// SPDX-License-Identifier: MIT

/// What is drawn or trained of a network, or its gradient, or its moments: a matrix (pre x post)
/// per projection, the delays of those that have any, and a vector (1 x size) per parameter of a
/// layer that is. Where the first layer is run in blocks, the first matrix has a panel for each.
public final class Parameters<Scalar: NetworkScalar> {
  /// Gives the shapes; its trained vectors are as at the start, not those of `arrays`.
  public let network: Network
  /// In the order of `network.arrays`: matrices, delays, vectors.
  public let arrays: [Matrix<Scalar>]
  /// In the order of `network.projections`.
  public let matrices: [Matrix<Scalar>]
  /// In the order of `network.vectors`.
  public var vectors: ArraySlice<Matrix<Scalar>> { arrays[(arrays.count - keys.count)...] }
  /// `network.vectors`, which takes long to find.
  private let keys: [LayerVector]

  /// All zero.
  public init(_ network: Network) {
    self.network = network
    let shapes = network.arrays.map { ($0.rows, $0.columns) }
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
    keys = network.vectors
  }

  private init(_ network: Network, _ arrays: [Matrix<Scalar>]) {
    self.network = network
    self.arrays = arrays
    matrices = Array(arrays.prefix(network.projections.count))
    keys = network.vectors
  }

  /// The layers of the network with the values of the moment of what is drawn or trained.
  public var layers: [Layer] {
    if arrays.count == matrices.count { return network.layers }
    return network.layers.indices.map { layer($0) }
  }

  /// The weights of the projection into a layer (`0` is hidden1, the last the output) from below.
  public func forward(intoLayer layer: Int) -> Matrix<Scalar> {
    matrices[network.projections.firstIndex { $0.target == layer + 1 }!]
  }

  /// The delays of a projection, by its index: in the shape of their form; nil where it has none.
  public func delays(ofProjection index: Int) -> Matrix<Scalar>? {
    if arrays.count == matrices.count { return nil }
    return network.delayed.firstIndex(of: index).map { arrays[matrices.count + $0] }
  }

  /// Where a vector of a layer is kept; nil where `Parameters` does not hold it.
  func vector(_ parameter: NeuronParameter, ofLayer layer: Int) -> Matrix<Scalar>? {
    if arrays.count == matrices.count { return nil }
    let index = keys.firstIndex { $0.layer == layer && $0.parameter == parameter }
    return index.map { arrays[arrays.count - keys.count + $0] }
  }

  /// Normal weights, delays and vectors as their `Learning` has them; one stream of chance for
  /// each: the same for both solvers up to rounding.
  public convenience init(_ network: Network, initial: [InitialWeights], seed: Int) {
    self.init(network)
    for (index, matrix) in matrices.enumerated() {
      var random = Random(seed: seed, "weights", index)
      matrix.draw(initial[index], using: &random)
    }
    for (index, projection) in network.projections.enumerated() {
      guard let delays = network.delays(of: projection),
        let array = self.delays(ofProjection: index)
      else { continue }
      var random = Random(seed: seed, "delays", index)
      let count = array.rows * array.columns
      array.values = Scalar.values(
        delays.learning.draw(
          count, standard: Array(repeating: 0, count: count), using: &random))
    }
    for (vector, array) in zip(keys, vectors) {
      let layer = network.layers[vector.layer]
      let place = layer.neuron.parameters.firstIndex(of: vector.parameter)!
      var random = Random(seed: seed, "neurons", vector.layer, place)
      array.values = Scalar.values(
        layer.learning[vector.parameter]!.draw(
          layer.size, standard: layer[vector.parameter].values(layer.size), using: &random))
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
