/// One matrix (pre x post) per projection of a network: weights, gradients or moments. The first one has a panel for each
/// of `Network.blocks`.
public final class Parameters<Scalar: NetworkScalar> {
  public let network: Network
  /// In the order of `network.projections`.
  public let matrices: [Matrix<Scalar>]

  /// All zero.
  public init(_ network: Network) {
    self.network = network
    let shapes = network.projections.map {
      (network.size(ofPopulation: $0.source), network.size(ofPopulation: $0.target))
    }
    var (offsets, room) = ([Int](), 0)
    for (rows, columns) in shapes {
      offsets.append(room)
      room += Matrix<Scalar>.room(rows: rows, columns: columns)
    }
    let memory = Memory<Scalar>(room)
    matrices = zip(shapes, offsets).enumerated().map { index, matrix in
      let ((rows, columns), offset) = matrix
      let panels =
        index == 0 && !network.blocks.isEmpty ? network.blocks : [0..<paddedWidth(columns)]
      return Matrix(rows: rows, columns: columns, panels: panels, in: memory, at: offset)
    }
  }

  private init(_ network: Network, _ matrices: [Matrix<Scalar>]) {
    self.network = network
    self.matrices = matrices
  }

  /// Normal weights, one stream of chance per projection: the same for both solvers up to rounding.
  public convenience init(_ network: Network, initial: [InitialWeights], seed: Int) {
    self.init(network)
    for (index, matrix) in matrices.enumerated() {
      var random = Random(seed: seed, "weights", index)
      matrix.draw(initial[index], using: &random)
    }
  }

  public func clear() {
    for matrix in matrices { Scalar.clear(matrix.base, width: matrix.count) }
  }

  public func copy() -> Parameters { Parameters(network, matrices.map { $0.copy() }) }

  /// The same numbers in another precision.
  public func converted<Other: NetworkScalar>(to: Other.Type) -> Parameters<Other> {
    let other = Parameters<Other>(network)
    for (from, into) in zip(matrices, other.matrices) {
      into.values = from.values.map { Other($0) }
    }
    return other
  }

  /// L2 norm per projection.
  public var norms: [Double] { matrices.map(\.norm) }
}

/// The normal distribution that initial weights are drawn from.
public struct InitialWeights: Sendable, Equatable {
  public var mean: Double
  public var sd: Double

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
