import Foundation

/// Where a membrane reaches threshold between events (MATH 6).
///
/// With A = V + k I and B = -k I, V(s) = A exp(-s/tau_m) + B exp(-s/tau_s) has at most one maximum, so
/// the first crossing in a gap is bracketed by 0 and that maximum (or the end of the gap).
struct Crossing {
  let tauMem: Double
  let tauSyn: Double
  let threshold: Double
  /// tau_m/tau_s where that is a small whole number, else 0.
  private let power: Int

  init(_ layer: Layer) {
    tauMem = layer.tauMem
    tauSyn = layer.tauSyn
    threshold = layer.threshold
    let ratio = layer.tauMem / layer.tauSyn
    power = ratio == ratio.rounded() && (2...8).contains(ratio) ? Int(ratio) : 0
  }

  /// The first s in [0, gap] with V(s) = theta while V rises; nil when there is none.
  /// - Parameters:
  ///   - v: V at the start of the gap, at most theta up to rounding.
  ///   - i: I at the start of the gap.
  ///   - end: `Decay` over the whole gap.
  @inline(__always)
  func time(v: Double, i: Double, gap: Double, end: Decay) -> Double? {
    if i <= threshold { return nil }  // V moves towards I, which only falls: it stays below
    if v >= threshold { return 0 }  // rounding has put it there, and it still rises
    let vEnd = end.a * v + end.rise * i
    if vEnd >= threshold { return solve(v: v, i: i, high: gap) }
    if end.b * i >= vEnd { return nil }  // still rising at the end
    let top = peak(v: v, i: i)
    guard top > 0, top < gap, voltage(v: v, i: i, at: top) >= threshold else { return nil }
    return solve(v: v, i: i, high: top)
  }

  /// As above, for the neuron of an intervention: forced spikes come at their time, suppressed crossings do not. V has
  /// at most one maximum in a gap, so that after a suppressed crossing no other follows before the next event.
  func time(
    v: Double, i: Double, gap: Double, end: Decay, now: Double, _ intervening: inout Intervening
  ) -> Double? {
    let own = intervening.isMuted ? nil : time(v: v, i: i, gap: gap, end: end)
    if let forced = intervening.forcedTime(now: now, gap: gap), forced <= own ?? .infinity {
      intervening.finish()
      return forced
    }
    if let own, intervening.suppresses(crossingAt: now + own) { return nil }
    return own
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
  @inline(__always)
  private func solve(v: Double, i: Double, high: Double) -> Double {
    power > 0 ? solvePolynomial(v: v, i: i, high: high) : solveNewton(v: v, i: i, high: high)
  }

  /// tau_m = n tau_s: with x = exp(-s/tau_m), V - theta = A x + B x^n - theta is concave in x (B < 0) and below 0 at
  /// x = 1, so that Newton's steps from there come down to the earlier crossing and never beyond it.
  @inline(__always)
  private func solvePolynomial(v: Double, i: Double, high: Double) -> Double {
    let b = -i / Double(power - 1)
    let a = v - b
    var x = 1.0
    // Grazing crossings are almost double roots, where each step halves the error.
    for _ in 0..<64 {
      var lower = b
      for _ in 1..<power { lower *= x }
      let value = (a + lower) * x - threshold
      let slope = a + Double(power) * lower
      let next = x - value / slope
      if !(value < 0 && slope < 0 && next < x && next > 0) { break }
      x = next
    }
    return min(-tauMem * log(x), high)
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
