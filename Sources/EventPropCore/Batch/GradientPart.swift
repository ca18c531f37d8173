// SPDX-License-Identifier: MIT

/// A part of the gradient that is gathered, scaled and learned from on its own: a block of the
/// first layer where it is run in blocks, elsewhere some rows of an array.
public struct GradientPart: Sendable {
  /// Index into `Parameters.arrays`.
  public let array: Int
  /// Which panel of the array, where that is a block.
  var panel: Int?
  /// In the memory of the array.
  public let scalars: Range<Int>

  /// All parts, those that take longest first. They depend on the network and the solver alone.
  static func parts<Scalar>(of gradient: Parameters<Scalar>, inBlocks: Bool) -> [GradientPart] {
    let rowsAtOnce = 64
    return gradient.arrays.enumerated().flatMap { index, array in
      if index == 0 && inBlocks {
        return array.panels.indices.map {
          GradientPart(array: index, panel: $0, scalars: array.range(ofPanel: $0))
        }
      }
      let size = max(rowsAtOnce * array.count / max(array.rows, 1), 1)
      return stride(from: 0, to: array.count, by: size).map {
        GradientPart(array: index, scalars: $0..<min($0 + size, array.count))
      }
    }
  }
}
