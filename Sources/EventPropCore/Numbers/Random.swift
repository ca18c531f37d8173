// SPDX-License-Identifier: MIT

import Foundation

/// A seeded generator (xoshiro256++, Blackman & Vigna 2019): the only source of chance in the
/// product.
///
/// Streams are named by what they are for, never shared: a resumed run draws the same numbers
/// without having stored a generator. `Random(seed: 1, "order", 12)` is the order of epoch 12.
public struct Random: RandomNumberGenerator, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  /// The same arguments give the same stream; a change of any of them gives an unrelated one.
  public init(seed: Int, _ purpose: StaticString, _ indices: Int...) {
    var key = UInt64(bitPattern: Int64(seed))
    var hash = Random.mix(&key)
    purpose.withUTF8Buffer {
      for byte in $0 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
    for index in indices {
      hash ^= UInt64(bitPattern: Int64(index))
      hash = Random.mix(&hash)
    }
    state = (
      Random.mix(&hash), Random.mix(&hash), Random.mix(&hash), Random.mix(&hash)
    )
  }

  /// SplitMix64: advances `x` and returns a well-mixed word.
  private static func mix(_ x: inout UInt64) -> UInt64 {
    x &+= 0x9E37_79B9_7F4A_7C15
    var z = x
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// 64 bits; the period is 2^256 - 1.
  public mutating func next() -> UInt64 {
    func rotate(_ x: UInt64, _ k: UInt64) -> UInt64 { (x << k) | (x >> (64 - k)) }
    let result = rotate(state.0 &+ state.3, 23) &+ state.0
    let t = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= t
    state.3 = rotate(state.3, 45)
    return result
  }

  /// Uniform in [0, 1).
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Uniform in [low, high).
  public mutating func uniform(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * uniform()
  }

  /// Uniform in 0..<count.
  public mutating func index(below count: Int) -> Int { Int.random(in: 0..<count, using: &self) }

  /// Normal with mean 0 and standard deviation 1 (Box-Muller).
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }
}
