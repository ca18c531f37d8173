import Foundation
import Kernels

/// What this machine's caches deliver to the loop that the grid solver spends most time in: sums of random rows.
public struct Roofline: Sendable {
  /// Bytes of the matrix whose rows are summed.
  public var bytes: Int
  /// Median over rounds.
  public var gigabytesPerSecond: Double
  /// One addition per float read.
  public var gigaflops: Double { gigabytesPerSecond / 4 }

  /// From a first-level cache to memory, by default.
  public static let sizes = [16 << 10, 256 << 10, 768 << 10, 4 << 20, 64 << 20]

  /// Sums `rowsAtOnce` random rows of 256 floats at a time, as a step of 8 input spikes and some recurrent ones does.
  public static func measure(bytes: Int, rounds: Int = 5, seconds: Double = 0.1) -> Roofline {
    let (width, rowsAtOnce) = (256, 10)
    let rows = max(rowsAtOnce, bytes / (4 * width))
    let matrix = Aligned(count: rows * width)
    let sum = Aligned(count: width)
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
        for offset in stride(from: 0, to: index.count - rowsAtOnce, by: rowsAtOnce) {
          index.withUnsafeBufferPointer {
            ep_sum_rows(
              sum.base, matrix.base, width, $0.baseAddress! + offset, rowsAtOnce, width)
          }
          calls += 1
        }
        elapsed = (clock.now - start) / .seconds(1)
      }
      if round > 0 { rates.append(Double(calls * rowsAtOnce * width * 4) / elapsed / 1e9) }
    }
    return Roofline(bytes: rows * width * 4, gigabytesPerSecond: rates.sorted()[rates.count / 2])
  }

  private final class Aligned {
    let base: UnsafeMutablePointer<Float>

    init(count: Int) {
      base = UnsafeMutableRawPointer.allocate(byteCount: 4 * count, alignment: 64)
        .bindMemory(to: Float.self, capacity: count)
      base.initialize(repeating: 0, count: count)
    }

    deinit { base.deallocate() }
  }
}
