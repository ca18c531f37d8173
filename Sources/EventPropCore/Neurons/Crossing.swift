// SPDX-License-Identifier: MIT

import Foundation

/// Where a membrane reaches threshold between events.
///
/// With A = V + k I and B = -k I, V(s) = A exp(-s/tau_m) + B exp(-s/tau_s) has at most one maximum,
/// so the first crossing in a gap is bracketed by 0 and that maximum (or the end of the gap).
struct Crossing: Sendable {
  let tauMem: Double
  let tauSyn: Double
  var threshold: Double
  /// tau_m/tau_s where that is a small whole number, else 0.
  let power: Int

  init(tauMem: Double, tauSyn: Double, threshold: Double) {
    self.tauMem = tauMem
    self.tauSyn = tauSyn
    self.threshold = threshold
    let ratio = tauMem / tauSyn
    power = ratio == ratio.rounded() && (2...8).contains(ratio) ? Int(ratio) : 0
  }

  func hit(after s: Double) -> Hit {
    Hit(after: s, a: exp(-s / tauMem), b: exp(-s / tauSyn))
  }

  /// The first s in [0, gap] with V(s) = theta while V rises; nil when there is none.
  /// - Parameters:
  ///   - v: V at the start of the gap, at most theta up to rounding.
  ///   - i: I at the start of the gap.
  ///   - end: `Decay` over the whole gap.
  ///   - root: what `ep_exact_roots` gives for it; nil: not asked.
  @inline(__always)
  func first(v: Double, i: Double, gap: Double, end: Decay, root: Double? = nil) -> Hit? {
    if i <= threshold { return nil }  // V moves towards I, which only falls: it stays below
    // Rounding has put it there, and it still rises.
    if v >= threshold { return .now }
    let vEnd = end.a * v + end.rise * i
    if vEnd >= threshold { return solve(v: v, i: i, high: gap, root: root) }
    if end.b * i >= vEnd { return nil }  // still rising at the end
    if power > 0 && staysBelow(v: v, i: i) { return nil }
    let top = peak(v: v, i: i)
    guard top > 0, top < gap, voltage(v: v, i: i, at: top) >= threshold else { return nil }
    return solve(v: v, i: i, high: top, root: root)
  }

  /// tau_m = n tau_s: whether the maximum of V, whenever it is, is clearly below theta. With x =
  /// exp(-s/tau_m), A x + B x^n is highest where A + n B x^(n - 1) = 0, and A x (n - 1)/n there.
  @inline(__always)
  private func staysBelow(v: Double, i: Double) -> Bool {
    let n = Double(power)
    let b = -i / (n - 1)
    let a = v - b
    // (A (n - 1)/(n theta))^(n - 1) (-A/(n B)) < 1
    let height = a * (n - 1) / (n * threshold)
    return a > 0 && raised(height) * height * a < -n * b * (1 - 1e-9)
  }

  /// The time of the maximum of V, counted from where V and I hold (may lie outside the gap).
  func peak(v: Double, i: Double) -> Double {
    Decay.peakTime(v: v, i: i, tauMem: tauMem, tauSyn: tauSyn)
  }

  @inline(__always)
  func voltage(v: Double, i: Double, at s: Double) -> Double {
    let decay = Decay(over: s, tauMem: tauMem, tauSyn: tauSyn)
    return decay.a * v + decay.rise * i
  }

  /// V(0) < theta <= V(high), V rising in between: the crossing, to rounding.
  @inline(never)
  private func solve(v: Double, i: Double, high: Double, root: Double?) -> Hit {
    if power == 0 { return hit(after: solveNewton(v: v, i: i, high: high)) }
    let x = root ?? solvePolynomial(v: v, i: i)
    let s = -tauMem * log(x)
    return s <= high ? Hit(after: max(s, 0), a: x, b: raised(x) * x * x) : hit(after: high)
  }

  /// tau_m = n tau_s: with x = exp(-s/tau_m), f(x) = V - theta = A x + B x^n - theta is concave in
  /// x (B < 0) and below 0 at x = 1, so that Newton's steps come down to the earlier crossing and
  /// never beyond it, or back to before it from beyond, while f falls with x. They begin where a
  /// step of Halley's leads from the root of f's parabola at x = 1, where there is one, and end
  /// where what they leave, f'' step^2/(2 f'), is nothing.
  @inline(__always)
  private func solvePolynomial(v: Double, i: Double) -> Double {
    let n = Double(power)
    let b = -i / (n - 1)
    let a = v - b
    let bend = n * (n - 1) * b
    var x = 1.0
    let (slope, half) = (a + n * b, bend / 2)
    let discriminant = slope * slope - 4 * half * (v - threshold)
    if discriminant > 0 {
      let guess = 1 - 2 * (v - threshold) / (slope - discriminant.squareRoot())
      let powered = raised(guess)
      let lower = b * (powered * guess)
      let (value, slope) = ((a + lower) * guess - threshold, a + n * lower)
      if guess > 0 && guess < 1 && slope < 0 {
        let (square, curved) = (slope * slope, value * (bend * powered))
        // Too far away for Halley's step, Newton's.
        let curve = curved < 0.25 * square ? 0.5 * curved : 0
        x = min(guess - value * slope / (square - curve), 1)
      }
    }
    // Grazing crossings are almost double roots, where each step halves the error.
    for count in 0..<64 {
      let powered = raised(x)
      let lower = b * (powered * x)
      let value = (a + lower) * x - threshold
      let slope = a + n * lower
      let step = value / slope
      let next = min(x - step, 1)
      if !(slope < 0 && next > 0 && (count == 0 || value < 0 && next < x)) { break }
      x = next
      if bend * powered * (step * step) >= 1e-17 * slope { break }
    }
    return x
  }

  /// x^(n - 2).
  @inline(__always)
  private func raised(_ x: Double) -> Double {
    if power == 4 { return x * x }
    var result = 1.0
    for _ in 2..<power { result *= x }
    return result
  }

  private func solveNewton(v: Double, i: Double, high: Double) -> Double {
    var guess = min(high, tauMem * (threshold - v) / (i - v))
    var low = 0.0
    var high = high
    for _ in 0..<80 {
      if !(guess >= low && guess <= high) { guess = (low + high) / 2 }
      let decay = Decay(over: guess, tauMem: tauMem, tauSyn: tauSyn)
      let voltage = decay.a * v + decay.rise * i
      if voltage >= threshold { high = guess } else { low = guess }
      let next = guess - tauMem * (voltage - threshold) / (decay.b * i - voltage)
      if abs(next - guess) <= 4e-16 * max(guess, 1e-3) { return min(max(next, low), high) }
      if high - low <= 1e-15 * high { return high }
      guess = next
    }
    // Rounding keeps Newton moving by its own noise: the last guess is as good as any.
    return min(max(guess, low), high)
  }
}
