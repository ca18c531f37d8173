// SPDX-License-Identifier: MIT

import Foundation

/// Adaptive leaky integrate-and-fire: every spike raises the neuron's own threshold, which falls
/// back.
///
///     tau_m dV/dt = -V + I        tau_s dI/dt = -I        tau_a da/dt = -a
///     V reaches theta + beta a: spike, V <- 0, a <- a + 1
///
/// The adjoint of a, after Wunderlich & Pehle's scheme (a- is a just before a spike):
///
///     tau_a dla/ds = -la        tau_m G = I - theta - beta a- + tau_m beta a-/tau_a
///     at a spike: lV <- (I lV - la + error)/(tau_m G),  la <- la - beta tau_m lV/tau_a
public struct ALIF: NeuronModel {
  /// ms.
  public let tauMem: Double
  /// ms.
  public let tauSyn: Double
  /// ms.
  public let tauAdapt: Double
  /// theta, in the unit of V.
  public let threshold: Double
  /// beta, in the unit of V: what a spike adds to the threshold.
  public let adaptation: Double

  /// The constants of one neuron, by its index in the layer.
  public init(_ layer: Layer, neuron: Int) {
    tauMem = layer.tauMem[neuron]
    tauSyn = layer.tauSyn[neuron]
    threshold = layer.threshold[neuron]
    adaptation = layer[.adaptation][neuron]
    tauAdapt = layer[.tauAdapt][neuron]
  }

  /// V, I and a.
  public struct State: Sendable {
    /// Membrane voltage; 0 at rest and after a spike.
    public var v = 0.0
    /// Synaptic current, in the unit of V.
    public var i = 0.0
    /// Spikes that the threshold still remembers.
    public var a = 0.0
  }

  /// lV, lI and la.
  public struct Adjoint: Sendable {
    /// Adjoint of V.
    public var lv = 0.0
    /// Adjoint of I.
    public var li = 0.0
    /// Adjoint of a.
    public var la = 0.0
  }

  /// What a gap does.
  public struct Flow: Sendable {
    /// To V and I.
    var decay: Decay
    /// To a: exp(-gap/tau_a).
    var c: Double
  }

  /// V = I = a = 0, as at t = 0.
  public static var rest: State { State() }
  /// All 0, as at t = T.
  public static var restAdjoint: Adjoint { Adjoint() }

  public func flow(over gap: Double) -> Flow {
    Flow(decay: Decay(over: gap, tauMem: tauMem, tauSyn: tauSyn), c: exp(-gap / tauAdapt))
  }

  /// Taken anew from `rest`.
  public func flow(_ whole: Flow, after hit: Hit, rest: Double) -> Flow { flow(over: rest) }
  /// Taken anew from `rest`.
  public func flow(_ whole: Flow, after spike: ExactSpike, rest: Double) -> Flow {
    flow(over: rest)
  }
  /// Taken anew from the time until then.
  public func flow(to hit: Hit) -> Flow { flow(over: hit.after) }
  /// Taken anew from `gap`.
  public func flow(to spike: ExactSpike, gap: Double) -> Flow { flow(over: gap) }

  /// V <- a V + rise I,  I <- b I,  a <- c a
  public func run(_ state: inout State, over flow: Flow) {
    state.v = flow.decay.a * state.v + flow.decay.rise * state.i
    state.i *= flow.decay.b
    state.a *= flow.c
  }

  /// lI <- b lI + adjointRise lV,  lV <- a lV,  la <- c la
  public func runBack(_ adjoint: inout Adjoint, over flow: Flow) {
    adjoint.li = flow.decay.b * adjoint.li + flow.decay.adjointRise * adjoint.lv
    adjoint.lv *= flow.decay.a
    adjoint.la *= flow.c
  }

  /// I += w
  public func receive(_ state: inout State, weight: Double) { state.i += weight }
  /// lV - lI
  public func transported(_ adjoint: Adjoint) -> Double { adjoint.lv - adjoint.li }
  /// lI
  public func collected(_ adjoint: Adjoint) -> Double { adjoint.li }

  /// The exponentials until then, of V and I.
  public func hit(after gap: Double) -> Hit {
    Hit(after: gap, a: exp(-gap / tauMem), b: exp(-gap / tauSyn))
  }

  /// V < theta + beta a
  public func isBelow(_ state: State) -> Bool { height(state) < 0 }

  /// V, I and a at the crossing.
  public func run(_ state: inout State, to hit: Hit) { run(&state, over: flow(over: hit.after)) }

  /// V <- 0, a <- a + 1; the memory is a just before.
  public func spike(_ state: inout State) -> (slope: Double, memory: Double) {
    let before = state.a
    state.v = 0
    state.a += 1
    let theta = threshold + adaptation * before
    return (state.i - theta + tauMem * adaptation * before / tauAdapt, before)
  }

  /// lV <- (I lV - la + loop + error)/(tau_m G),  la <- la - beta tau_m lV/tau_a
  public func jump(_ adjoint: inout Adjoint, at spike: ExactSpike, loop: Double, error: Double) {
    let theta = threshold + adaptation * spike.memory
    let i = spike.slope + theta - tauMem * adaptation * spike.memory / tauAdapt
    adjoint.lv = (i * adjoint.lv - adjoint.la + loop + error) / spike.slope
    adjoint.la -= adaptation * tauMem * adjoint.lv / tauAdapt
  }

  /// lV += amount
  public func push(_ adjoint: inout Adjoint, by amount: Double) { adjoint.lv += amount }

  /// tau_m lV
  public func thresholdGradient(_ adjoint: Adjoint) -> Double { tauMem * adjoint.lv }

  /// Those of LIF, and dL/dtau_a -= int la a/tau_a dt
  public func collect(
    _ sums: UnsafeMutablePointer<Double>, from state: State, to adjoint: Adjoint, gap: Double,
    flow: Flow
  ) {
    let (mem, syn) = flow.decay.timeConstantGradients(
      v: state.v, i: state.i, lv: adjoint.lv, li: adjoint.li, gap: gap, tauMem: tauMem,
      tauSyn: tauSyn)
    sums[0] += mem
    sums[1] += syn
    sums[4] -= adjoint.la * state.a * flow.c * gap / tauAdapt
  }

  /// dL/dtheta += tau_m lV,  dL/dbeta += tau_m lV a-
  public func collect(
    _ sums: UnsafeMutablePointer<Double>, at spike: ExactSpike, adjoint: Adjoint
  ) {
    sums[2] += tauMem * adjoint.lv
    sums[3] += tauMem * adjoint.lv * spike.memory
  }
}

// MARK: - Crossing

extension ALIF {
  /// f = V - theta - beta a.
  private func height(_ state: State) -> Double {
    state.v - threshold - adaptation * state.a
  }

  /// f' = (I - V)/tau_m + beta a/tau_a.
  private func slope(_ state: State) -> Double {
    (state.i - state.v) / tauMem + adaptation * state.a / tauAdapt
  }

  private func after(_ gap: Double, _ state: State) -> State {
    var state = state
    run(&state, over: flow(over: gap))
    return state
  }

  /// The first s in [0, gap] at which f rises to 0; none is missed. f is a constant and three
  /// exponentials, and may cross more than once. exp(s/tau_a) f' changes its direction where
  /// V'' + V'/tau_a is 0, which is once at most, and that place is known in closed form; on either
  /// side f' has one zero at most, and between those f is monotone.
  public func crossing(_ state: State, gap: Double, flow: Flow) -> Hit? {
    // V stays below the larger of V and I, and the threshold above what it comes down to.
    if max(state.v, state.i, 0) < threshold + adaptation * state.a * flow.c { return nil }
    // Rounding has put it there, and it still rises.
    if height(state) >= 0, slope(state) > 0 { return .now }
    let turns = turns(state, gap: gap)
    for (low, high) in zip(turns, turns.dropFirst()) where low < high {
      if height(after(low, state)) < 0, height(after(high, state)) >= 0 {
        return hit(after: root(low, high, isAbove: false) { height(after($0, state)) })
      }
    }
    return nil
  }

  /// In order, the places that part [0, gap] into stretches in which f is monotone.
  private func turns(_ state: State, gap: Double) -> [Double] {
    var ends = [0.0]
    if let bend = bend(state), bend > 0, bend < gap { ends.append(bend) }
    ends.append(gap)
    var turns = [0.0]
    for (low, high) in zip(ends, ends.dropFirst()) {
      let (from, to) = (slope(after(low, state)), slope(after(high, state)))
      if (from > 0) != (to > 0) {
        turns.append(root(low, high, isAbove: from > 0) { slope(after($0, state)) })
      }
    }
    return turns + [gap]
  }

  /// Where V'' + V'/tau_a = V' (1/tau_a - 1/tau_m) - I/(tau_m tau_s) is 0: where V/I, which is
  /// exp(s D) V0/I0 + (exp(s D) - 1)/(tau_m D), has the value for it. nil: nowhere.
  private func bend(_ state: State) -> Double? {
    guard state.i != 0 else { return nil }
    let difference = (tauMem - tauSyn) / tauMem / tauSyn
    let rate = 1 / tauAdapt - 1 / tauMem
    guard rate != 0 else { return nil }
    let (start, end) = (state.v / state.i, 1 - 1 / (tauSyn * rate))
    let step = tauMem * (end - start)
    let x = difference * step / (1 + start * difference * tauMem)
    let time = difference == 0 ? step : log1p(x) / difference
    return time.isFinite ? time : nil
  }

  /// Where a function that is monotone between two places, and changes its sign, is 0: by
  /// bisection and the secant in turn (Illinois), to rounding. At the place returned it is at or
  /// beyond 0, as at `high`.
  private func root(
    _ low: Double, _ high: Double, isAbove: Bool, _ function: (Double) -> Double
  ) -> Double {
    let sign = isAbove ? -1.0 : 1.0
    var (a, b) = (low, high)
    var (fa, fb) = (sign * function(a), sign * function(b))
    var side = 0
    for turn in 0..<200 {
      if b - a <= 2e-16 * max(abs(b), 1e-3) || fb == 0 { break }
      var guess = (a * fb - b * fa) / (fb - fa)
      if turn % 4 == 3 || !(guess > a && guess < b) { guess = (a + b) / 2 }
      if guess == a || guess == b { break }
      let f = sign * function(guess)
      if f >= 0 {
        (b, fb) = (guess, f)
        if side == 1 { fa /= 2 }
        side = 1
      } else {
        (a, fa) = (guess, f)
        if side == -1 { fb /= 2 }
        side = -1
      }
    }
    return b
  }
}

extension NeuronParameter {
  /// beta, what a spike adds to the threshold; without unit, as V.
  public static let adaptation = NeuronParameter("adaptation", standard: 0.1, allowsZero: true)
  /// Time constant tau_a with which the threshold falls back.
  public static let tauAdapt = NeuronParameter("tau_adapt", standard: 100, unit: "ms")
}

extension NeuronKind {
  /// Hidden layers whose neurons adapt.
  public static let alif = NeuronKind(
    "alif", parameters: [.tauMem, .tauSyn, .threshold, .adaptation, .tauAdapt], isOnGrid: true,
    exact: .spiking(ALIF.self))
}
