// SPDX-License-Identifier: MIT

import EventPropCore
import Kernels

/// What this machine's caches deliver to the loop that the grid solver spends most time in: sums of
/// random rows.
public struct Roofline: Sendable {
  /// Bytes of the matrix whose rows are summed.
  public var bytes: Int
  /// Median over rounds.
  public var gigabytesPerSecond: Double
  /// One addition per float read.
  public var gigaflops: Double { gigabytesPerSecond / 4 }

  /// From a first-level cache to memory, by default.
  public static let sizes = [16 << 10, 256 << 10, 768 << 10, 4 << 20, 64 << 20]

  /// Sums `rowsAtOnce` random rows of 256 floats at a time, as a step of 8 input spikes and some
  /// recurrent ones does.
  public static func measure(bytes: Int, rounds: Int = 5, seconds: Double = 0.1) -> Roofline {
    let (width, rowsAtOnce) = (256, 10)
    let rows = max(rowsAtOnce, bytes / (4 * width))
    let matrix = Matrix<Float>(rows: rows, columns: width)
    let total = Matrix<Float>(rows: 1, columns: width)
    var state: UInt64 = 1
    let index = (0..<8192).map { _ -> UInt32 in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt32((state >> 33) % UInt64(rows))
    }
    let clock = ContinuousClock()
    var rates: [Double] = []
    for round in 0...rounds {
      let start = clock.now
      var calls = 0
      var elapsed = 0.0
      while elapsed < seconds {
        calls += sum(index, of: matrix, rowsAtOnce: rowsAtOnce, into: total)
        elapsed = (clock.now - start) / .seconds(1)
      }
      if round > 0 { rates.append(Double(calls * rowsAtOnce * width * 4) / elapsed / 1e9) }
    }
    return Roofline(bytes: rows * width * 4, gigabytesPerSecond: rates.sorted()[rates.count / 2])
  }

  /// As the gradient of one neuron is gathered. Returns how often.
  private static func sum(
    _ index: [UInt32], of matrix: Matrix<Float>, rowsAtOnce: Int, into total: Matrix<Float>
  ) -> Int {
    let starts = [0, UInt32(rowsAtOnce)]
    return index.withUnsafeBufferPointer { index in
      starts.withUnsafeBufferPointer { starts in
        let calls = index.count / rowsAtOnce
        for call in 0..<calls {
          ep_gather(
            total.base, total.stride, matrix.base, matrix.stride, starts.baseAddress,
            index.baseAddress! + call * rowsAtOnce, 1, total.stride)
        }
        return calls
      }
    }
  }
}
