import Foundation

/// The linear dynamics between events, and their adjoint (MATH 1 and 2; Wunderlich & Pehle 2021):
///
///     tau_m dV/dt  = -V + I        tau_s dI/dt  = -I
///     tau_m dlV/ds = -lV           tau_s dlI/ds = -lI + lV        s = T - t
///
/// Over a gap d, with a = exp(-d/tau_m) and b = exp(-d/tau_s):
///
///     V  <- a V + rise I           I  <- b I
///     lI <- b lI + adjointRise lV  lV <- a lV
public struct Decay: Sendable {
  public var a: Double
  public var b: Double
  /// k (a - b) with k = tau_s/(tau_m - tau_s); a d/tau_m when the time constants are equal.
  public var rise: Double
  /// tau_m/(tau_m - tau_s) (a - b); b d/tau_s when the time constants are equal.
  public var adjointRise: Double

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
    if tauMem == tauSyn {
      rise = a * gap / tauMem
      adjointRise = b * gap / tauSyn
    } else {
      rise = tauSyn / (tauMem - tauSyn) * (a - b)
      adjointRise = tauMem / (tauMem - tauSyn) * (a - b)
    }
  }
}

extension Decay {
  /// When V, rising from v under the current i, turns: dV/dt = 0. Not a number, or outside the gap, where it does not.
  @inline(__always)
  public static func peakTime(v: Double, i: Double, tauMem: Double, tauSyn: Double) -> Double {
    if tauMem == tauSyn {
      // V(s) = exp(-s/tau) (V + I s/tau)
      return tauMem * (1 - v / i)
    }
    let k = tauSyn / (tauMem - tauSyn)
    let ratio = k * i * tauMem / ((v + k * i) * tauSyn)
    return log(ratio) / (1 / tauSyn - 1 / tauMem)
  }
}

extension Layer {
  @inline(__always)
  func decay(over gap: Double) -> Decay { Decay(over: gap, tauMem: tauMem, tauSyn: tauSyn) }

  /// What is left of a gap after its first part, whose exponentials are known: `rest` long.
  @inline(__always)
  func decay(_ whole: Decay, after part: (a: Double, b: Double), rest: Double) -> Decay {
    // Near the smallest numbers quotients would not be accurate.
    if min(whole.a, whole.b) < 1e-250 { return decay(over: rest) }
    return Decay(
      a: whole.a / part.a, b: whole.b / part.b, gap: rest, tauMem: tauMem, tauSyn: tauSyn)
  }
}
