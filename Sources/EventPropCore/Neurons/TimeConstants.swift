// SPDX-License-Identifier: MIT

import Foundation

/// What the time constants have of a gradient: integrals of products of the dynamics and their
/// adjoint over a gap, in closed form.
extension Decay {
  /// Over a gap of d ms, with D = 1/tau_s - 1/tau_m:
  ///
  ///     slow = tau_m int_0^d exp(-(d - u)/tau_m) rise(u) du = (d a - tau_m rise)/D
  ///     fast = tau_m int_0^d exp(-(d - u)/tau_s) rise(u) du = (tau_m rise - d b)/D
  ///
  /// For small x = d D by their series: a d^2 (1/2 - x/6 + ...), a d^2 (1/2 - x/3 + ...).
  @inline(__always)
  func integrals(gap: Double, tauMem: Double, tauSyn: Double) -> (slow: Double, fast: Double) {
    let difference = (tauMem - tauSyn) / tauMem / tauSyn
    let x = gap * difference
    if abs(x) >= 0.5 {
      return (
        (gap * a - tauMem * rise) / difference, (tauMem * rise - gap * b) / difference
      )
    }
    // sum (-x)^n/(n + 2)! and sum (-x)^n/(n! (n + 2))
    var (slow, fast) = (0.0, 0.0)
    var term = 1.0
    for n in 0..<16 {
      slow += term / Double((n + 1) * (n + 2))
      fast += term / Double(n + 2)
      term *= -x / Double(n + 1)
    }
    let scale = a * gap * gap
    return (scale * slow, scale * fast)
  }

  /// int lV (I - V)/tau_m dt and -int lI I/tau_s dt over a gap, from V and I at its start and lV
  /// and lI at its end.
  @inline(__always)
  func timeConstantGradients(
    v: Double, i: Double, lv: Double, li: Double, gap: Double, tauMem: Double, tauSyn: Double
  ) -> (mem: Double, syn: Double) {
    let (slow, fast) = integrals(gap: gap, tauMem: tauMem, tauSyn: tauSyn)
    return (
      lv / tauMem * (i * (tauMem * rise - slow / tauMem) - a * v * gap),
      -i / tauSyn * (b * gap * li + fast / tauSyn * lv)
    )
  }
}

/// How V and I of a neuron without threshold depend on its time constants: their derivatives, which
/// run along with them.
///
///     tau_m dP/dt = -P - (I - V)/tau_m            P = dV/dtau_m
///     tau_s dR/dt = -R + I/tau_s                  R = dI/dtau_s
///     tau_m dQ/dt = -Q + R                        Q = dV/dtau_s
struct Sensitivity {
  var p = 0.0
  var q = 0.0
  var r = 0.0

  /// What they are after a gap, V and I being those at its start.
  @inline(__always)
  func after(
    _ gap: Double, _ flow: Decay, v: Double, i: Double, tauMem: Double, tauSyn: Double
  ) -> Sensitivity {
    let (slow, fast) = flow.integrals(gap: gap, tauMem: tauMem, tauSyn: tauSyn)
    // int exp(-(d - u)/tau_m) u exp(-u/tau_s) du = `fast`: in both one decay ends where the other
    // begins.
    return Sensitivity(
      p: flow.a * p - (i * (flow.rise - slow / (tauMem * tauMem)) - flow.a * v * gap / tauMem)
        / tauMem,
      q: flow.a * q + flow.rise * r + i * fast / (tauMem * tauSyn * tauSyn),
      r: flow.b * (r + i * gap / (tauSyn * tauSyn)))
  }
}
