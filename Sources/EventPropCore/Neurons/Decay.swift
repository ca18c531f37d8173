// SPDX-License-Identifier: MIT

import Foundation
import Kernels

/// The linear dynamics between events, and their adjoint (Wunderlich & Pehle 2021):
///
///     tau_m dV/dt  = -V + I        tau_s dI/dt  = -I
///     tau_m dlV/ds = -lV           tau_s dlI/ds = -lI + lV        s = T - t
///
/// Over a gap d, with a = exp(-d/tau_m) and b = exp(-d/tau_s):
///
///     V  <- a V + rise I           I  <- b I
///     lI <- b lI + adjointRise lV  lV <- a lV
public struct Decay: Sendable {
  /// exp(-d/tau_m).
  public var a: Double
  /// exp(-d/tau_s).
  public var b: Double
  /// k (a - b) with k = tau_s/(tau_m - tau_s), which is (d/tau_m) a g(x): x = d (1/tau_s -
  /// 1/tau_m), g(x) = (1 - exp(-x))/x, g(0) = 1.
  public var rise: Double
  /// tau_m/(tau_m - tau_s) (a - b) = (d/tau_s) a g(x).
  public var adjointRise: Double

  /// Over no time.
  static let none = Decay(a: 1, b: 1, rise: 0, adjointRise: 0)

  private init(a: Double, b: Double, rise: Double, adjointRise: Double) {
    (self.a, self.b, self.rise, self.adjointRise) = (a, b, rise, adjointRise)
  }

  /// Whether `rise` must not be taken from a - b over short gaps.
  @inline(__always)
  static func isClose(_ tauMem: Double, _ tauSyn: Double) -> Bool {
    abs(tauMem - tauSyn) < 0.25 * tauMem
  }

  /// `gap` and time constants in ms; these may be equal.
  @inline(__always)
  public init(over gap: Double, tauMem: Double, tauSyn: Double) {
    self.init(
      a: exp(-gap / tauMem), b: exp(-gap / tauSyn), gap: gap, tauMem: tauMem, tauSyn: tauSyn)
  }

  /// From exponentials that are known already.
  @inline(__always)
  init(a: Double, b: Double, gap: Double, tauMem: Double, tauSyn: Double) {
    self.a = a
    self.b = b
    // Near equal time constants k (a - b) divides one cancelled difference by another; elsewhere,
    // and over gaps in which a and b part, it is as good as g and takes no exponential.
    if Decay.isClose(tauMem, tauSyn) {
      let x = gap / tauSyn * ((tauMem - tauSyn) / tauMem)
      if abs(x) < 0.5 {
        let g = x == 0 ? 1 : -expm1(-x) / x
        rise = gap / tauMem * a * g
        adjointRise = gap / tauSyn * a * g
        return
      }
    }
    rise = tauSyn / (tauMem - tauSyn) * (a - b)
    adjointRise = tauMem / (tauMem - tauSyn) * (a - b)
  }
}

extension Decay {
  /// Over many gaps at once, with the kernel's exponentials.
  static func over(_ gaps: [Double], tauMem: Double, tauSyn: Double) -> [Decay] {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * gaps.count) { exps in
      guard let a = exps.baseAddress, !gaps.isEmpty else { return [] }
      let b = a + gaps.count
      ep_exact_exps(gaps, gaps.count, tauMem, a)
      ep_exact_exps(gaps, gaps.count, tauSyn, b)
      return gaps.indices.map {
        Decay(a: a[$0], b: b[$0], gap: gaps[$0], tauMem: tauMem, tauSyn: tauSyn)
      }
    }
  }

  /// When V, rising from v under the current i, turns: dV/dt = 0. Not a number, or outside the gap,
  /// where it does not.
  @inline(__always)
  public static func peakTime(v: Double, i: Double, tauMem: Double, tauSyn: Double) -> Double {
    // With D = 1/tau_s - 1/tau_m: log1p(D (I - V)/(I/tau_m + V D))/D, whose limit for D = 0 is
    // tau_m (I - V)/I.
    let difference = (tauMem - tauSyn) / tauMem / tauSyn
    let start = (i - v) / (i / tauMem + v * difference)
    return difference == 0 ? start : log1p(difference * start) / difference
  }
}

extension Decay {
  /// What is left of a gap after its first part, whose exponentials are known: `rest` long.
  @inline(__always)
  func rest(_ rest: Double, after part: (a: Double, b: Double), tauMem: Double, tauSyn: Double)
    -> Decay
  {
    // Near the smallest numbers quotients would not be accurate.
    if min(a, b) < 1e-250 { return Decay(over: rest, tauMem: tauMem, tauSyn: tauSyn) }
    return Decay(a: a / part.a, b: b / part.b, gap: rest, tauMem: tauMem, tauSyn: tauSyn)
  }
}

extension Layer {
  /// The dynamics of one neuron over a gap.
  @inline(__always)
  func decay(over gap: Double, neuron: Int = 0) -> Decay {
    Decay(over: gap, tauMem: tauMem[neuron], tauSyn: tauSyn[neuron])
  }
}

/// What the dynamics do over some gaps: of each neuron of a layer, or once where all are alike.
public struct GapDecays: Sendable {
  private let decays: [Decay]
  private let perGap: Int

  /// - Parameter gaps: their lengths, ms.
  public init(_ layer: Layer, gaps: [Double]) {
    let perGap = layer.isUniform ? 1 : layer.size
    self.perGap = perGap
    decays =
      perGap == 1
      ? Decay.over(gaps, tauMem: layer.tauMem[0], tauSyn: layer.tauSyn[0])
      : gaps.flatMap { gap in (0..<perGap).map { layer.decay(over: gap, neuron: $0) } }
  }

  /// Where the values of a gap and a neuron are, in an array of as many as there are decays.
  @inline(__always)
  func place(_ gap: Int, _ neuron: Int) -> Int { perGap == 1 ? gap : gap * perGap + neuron }

  /// Over the gap of some number, of a neuron.
  @inline(__always)
  public func decay(_ gap: Int, _ neuron: Int) -> Decay { decays[place(gap, neuron)] }
}
