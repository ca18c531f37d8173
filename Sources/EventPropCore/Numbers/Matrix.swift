/// A `rows x columns` matrix, row-major, each row padded with zeros to a multiple of `lanes`.
///
/// A reference type: weights, gradients and moments are large, live long and are written in place.
/// Whoever holds it exclusively may write it; it is not `Sendable`.
public final class Matrix<Scalar: NetworkScalar> {
  /// Rows are padded to a multiple of this many scalars.
  public static var lanes: Int { 16 }

  public let rows: Int
  public let columns: Int
  /// Scalars from one row to the next.
  public let stride: Int
  /// `rows * stride` scalars, 64-byte aligned.
  public let base: UnsafeMutablePointer<Scalar>

  public init(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0)
    self.rows = rows
    self.columns = columns
    stride = paddedWidth(columns)
    base = allocateZeroed(max(rows * stride, Self.lanes))
  }

  deinit { base.deallocate() }

  public subscript(row: Int, column: Int) -> Scalar {
    get {
      precondition(row < rows && column < columns)
      return base[row * stride + column]
    }
    set {
      precondition(row < rows && column < columns)
      base[row * stride + column] = newValue
    }
  }

  /// The entries without padding, row by row.
  public var values: [Scalar] {
    get {
      var all: [Scalar] = []
      all.reserveCapacity(rows * columns)
      for row in 0..<rows {
        all.append(contentsOf: UnsafeBufferPointer(start: base + row * stride, count: columns))
      }
      return all
    }
    set {
      precondition(newValue.count == rows * columns)
      for row in 0..<rows {
        for column in 0..<columns {
          base[row * stride + column] = newValue[row * columns + column]
        }
      }
    }
  }

  public func copy() -> Matrix {
    let twin = Matrix(rows: rows, columns: columns)
    twin.base.update(from: base, count: rows * stride)
    return twin
  }

  public func fill(with value: Scalar) {
    for row in 0..<rows {
      (base + row * stride).update(repeating: value, count: columns)
    }
  }

  /// The L2 norm, summed in row order in Double.
  public var norm: Double {
    var squares = 0.0
    for row in 0..<rows {
      for column in 0..<columns {
        let x = Double(base[row * stride + column])
        squares += x * x
      }
    }
    return squares.squareRoot()
  }
}

/// `count` rounded up to a whole number of 16-lane vectors.
func paddedWidth(_ count: Int) -> Int { (count + 15) / 16 * 16 }

/// Zeroed memory aligned for vectors; free with `deallocate()`.
func allocateZeroed<T: BinaryFloatingPoint>(_ count: Int) -> UnsafeMutablePointer<T> {
  let raw = UnsafeMutableRawPointer.allocate(
    byteCount: max(count, 1) * MemoryLayout<T>.stride, alignment: 64)
  let typed = raw.bindMemory(to: T.self, capacity: max(count, 1))
  typed.initialize(repeating: 0, count: max(count, 1))
  return typed
}
