import EventPropCore

/// A part of the gradient that is gathered, scaled and learned from on its own: a block of the first layer where there are
/// any, elsewhere some rows of a matrix.
struct GradientPart {
  let projection: Int
  /// Of `Solver.blocks`.
  var block: Int?
  /// In the memory of the matrix.
  let scalars: Range<Int>

  /// All parts of the gradient, those that take longest first. They depend on the network alone.
  static func parts<S: Solver>(of solver: S, _ gradient: Parameters<S.Scalar>) -> [GradientPart] {
    let blocks = solver.blocks.indices.map {
      GradientPart(
        projection: 0, block: $0, scalars: gradient.matrices[0].range(ofPanel: $0))
    }
    let rowsAtOnce = 64
    return gradient.matrices.indices.reduce(blocks) { parts, index in
      let matrix = gradient.matrices[index]
      if index == 0 && !blocks.isEmpty { return parts }
      let size = max(rowsAtOnce * matrix.count / max(matrix.rows, 1), 1)
      return parts
        + stride(from: 0, to: matrix.count, by: size).map {
          GradientPart(projection: index, scalars: $0..<min($0 + size, matrix.count))
        }
    }
  }
}
