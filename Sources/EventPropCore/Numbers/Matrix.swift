import Foundation

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
  private let memory: Memory<Scalar>

  public convenience init(rows: Int, columns: Int) {
    self.init(
      rows: rows, columns: columns, in: Memory(Self.room(rows: rows, columns: columns)), at: 0)
  }

  /// A matrix that shares zeroed memory with others.
  init(rows: Int, columns: Int, in memory: Memory<Scalar>, at offset: Int) {
    self.rows = rows
    self.columns = columns
    stride = paddedWidth(columns)
    self.memory = memory
    base = memory.base + offset
  }

  /// Scalars that a matrix takes.
  static func room(rows: Int, columns: Int) -> Int {
    precondition(rows >= 0 && columns >= 0)
    return max(rows * paddedWidth(columns), lanes)
  }

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

/// Zeroed memory that lives as long as someone holds it.
final class Memory<Scalar: NetworkScalar> {
  let base: UnsafeMutablePointer<Scalar>

  init(_ count: Int) { base = allocateZeroed(count) }

  deinit { base.deallocate() }
}

/// Zeroed memory aligned for vectors; free with `deallocate()`.
func allocateZeroed<T: BinaryFloatingPoint>(_ count: Int) -> UnsafeMutablePointer<T> {
  let typed: UnsafeMutablePointer<T> = allocate(count)
  typed.initialize(repeating: 0, count: max(count, 1))
  return typed
}

/// Memory aligned for vectors; free with `deallocate()`. Large pieces ask for huge pages: rows are read in random order,
/// and small pages would cost a look into the page tables for each, and collide in the caches.
func allocate<T: BinaryFloatingPoint>(_ count: Int) -> UnsafeMutablePointer<T> {
  let count = max(count, 1)
  var bytes = count * MemoryLayout<T>.stride
  let hugePage = 2 << 20
  let isHuge = bytes >= hugePage / 4
  if isHuge { bytes = (bytes + hugePage - 1) / hugePage * hugePage }
  let raw = UnsafeMutableRawPointer.allocate(
    byteCount: bytes, alignment: isHuge ? hugePage : 64)
  #if os(Linux)
    if isHuge { madvise(raw, bytes, MADV_HUGEPAGE) }
  #endif
  return raw.bindMemory(to: T.self, capacity: count)
}
