// SPDX-License-Identifier: MIT

import Foundation

/// A `rows x columns` matrix, stored panel by panel. A panel is a range of columns, stored
/// row-major; the last one is padded with zeros to a multiple of `lanes` columns. Most matrices are
/// one panel.
///
/// A reference type: weights, gradients and moments are large, live long and are written in place.
/// Whoever holds it exclusively may write it; it is not `Sendable`.
public final class Matrix<Scalar: NetworkScalar> {
  /// Panels are padded to a multiple of this many columns.
  public static var lanes: Int { 16 }

  /// In `Parameters`: pre-synaptic units, or 1 for a vector.
  public let rows: Int
  /// Padding not included. In `Parameters`: post-synaptic neurons.
  public let columns: Int
  /// Columns of each panel, padding included.
  public let panels: [Range<Int>]
  /// `count` scalars, 64-byte aligned.
  public let base: UnsafeMutablePointer<Scalar>
  private let memory: Memory<Scalar>

  /// Scalars, padding included.
  public var count: Int { rows * paddedWidth(columns) }

  /// Scalars from one row to the next of a matrix of one panel.
  public var stride: Int {
    precondition(panels.count == 1)
    return paddedWidth(columns)
  }

  /// Zeros, in one panel and memory of its own.
  public convenience init(rows: Int, columns: Int) {
    self.init(
      rows: rows, columns: columns, panels: [0..<paddedWidth(columns)],
      in: Memory(Self.room(rows: rows, columns: columns)), at: 0)
  }

  /// A matrix that shares zeroed memory with others.
  init(
    rows: Int, columns: Int, panels: [Range<Int>], in memory: Memory<Scalar>, at offset: Int
  ) {
    precondition(
      panels.reduce(0) { $1.lowerBound == $0 ? $1.upperBound : -1 } == paddedWidth(columns))
    self.rows = rows
    self.columns = columns
    self.panels = panels
    self.memory = memory
    base = memory.base + offset
  }

  /// Scalars that a matrix takes.
  static func room(rows: Int, columns: Int) -> Int {
    precondition(rows >= 0 && columns >= 0)
    return max(rows * paddedWidth(columns), lanes)
  }

  /// The scalars of some panel, from the first of its first row to the last of its last.
  public func range(ofPanel panel: Int) -> Range<Int> {
    (rows * panels[panel].lowerBound)..<(rows * panels[panel].upperBound)
  }

  /// Each panel with its first row; its rows are as far apart as it has columns.
  @inline(__always)
  var rowsOfPanels: [(panel: Range<Int>, first: UnsafeMutablePointer<Scalar>)] {
    panels.map { ($0, base + rows * $0.lowerBound) }
  }

  /// A column: its scalar in row r is `first[r * stride]`.
  @inline(__always)
  func column(_ column: Int) -> (first: UnsafeMutablePointer<Scalar>, stride: Int) {
    let panel = panels[panel(of: column)]
    return (base + rows * panel.lowerBound + column - panel.lowerBound, panel.count)
  }

  private func panel(of column: Int) -> Int {
    var panel = 0
    while panels[panel].upperBound <= column { panel += 1 }
    return panel
  }

  /// Traps beyond the last row or column. Looks for the panel each time: not for inner loops.
  public subscript(row: Int, column: Int) -> Scalar {
    get {
      precondition(row < rows && column < columns)
      let (first, stride) = self.column(column)
      return first[row * stride]
    }
    set {
      precondition(row < rows && column < columns)
      let (first, stride) = self.column(column)
      first[row * stride] = newValue
    }
  }

  /// Calls `body` with each row's part in each panel, without padding, row by row.
  private func forEachRun(_ body: (UnsafeMutableBufferPointer<Scalar>) -> Void) {
    for row in 0..<rows {
      for panel in panels {
        body(
          UnsafeMutableBufferPointer(
            start: base + rows * panel.lowerBound + row * panel.count,
            count: min(panel.upperBound, columns) - panel.lowerBound))
      }
    }
  }

  /// `values` in Double.
  public var doubles: [Double] { Scalar.doubles(values) }

  /// The entries without padding, row by row.
  public var values: [Scalar] {
    get {
      var all: [Scalar] = []
      all.reserveCapacity(rows * columns)
      forEachRun { all.append(contentsOf: $0) }
      return all
    }
    set {
      precondition(newValue.count == rows * columns)
      newValue.withUnsafeBufferPointer { values in
        var next = 0
        forEachRun { run in
          for k in run.indices { run[k] = values[next + k] }
          next += run.count
        }
      }
    }
  }

  /// The same panels in memory of its own.
  public func copy() -> Matrix {
    let twin = Matrix(
      rows: rows, columns: columns, panels: panels,
      in: Memory(Self.room(rows: rows, columns: columns)), at: 0)
    twin.base.update(from: base, count: count)
    return twin
  }

  /// Padding stays as it is.
  public func fill(with value: Scalar) { forEachRun { $0.update(repeating: value) } }

  /// Multiplies every entry, in the matrix's own precision.
  public func scale(by factor: Double) {
    let factor = Scalar(factor)
    forEachRun { for k in $0.indices { $0[k] *= factor } }
  }

  /// Holds some scalars of a matrix of one panel within a range; padding stays as it is.
  func hold(_ scalars: Range<Int>, in range: ClosedRange<Double>) {
    let (low, high) = (Scalar(range.lowerBound), Scalar(range.upperBound))
    let stride = stride
    for k in scalars where k % stride < columns { base[k] = min(max(base[k], low), high) }
  }

  /// The L2 norm, summed in row order in Double.
  public var norm: Double {
    var squares = 0.0
    forEachRun { for x in $0 { squares += Double(x) * Double(x) } }
    return squares.squareRoot()
  }
}

/// `count` rounded up to a whole number of vectors.
func paddedWidth(_ count: Int, lanes: Int = 16) -> Int { (count + lanes - 1) / lanes * lanes }

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

/// Memory aligned for vectors; free with `deallocate()`. Large pieces ask for huge pages: rows are
/// read in random order, and small pages would cost a look into the page tables for each, and
/// collide in the caches.
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
