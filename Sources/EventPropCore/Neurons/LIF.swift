// SPDX-License-Identifier: MIT

/// Leaky integrate-and-fire (Wunderlich & Pehle 2021): spikes at theta, reset to 0, no refractory
/// time.
///
///     tau_m dV/dt = -V + I        tau_s dI/dt = -I        V reaches theta: spike, V <- 0
public struct LIF: NeuronModel {
  /// ms.
  public let tauMem: Double
  /// ms.
  public let tauSyn: Double
  /// theta, in the unit of V.
  public private(set) var threshold: Double
  private var crossing: Crossing

  /// The constants of one neuron, by its index in the layer.
  public init(_ layer: Layer, neuron: Int) {
    tauMem = layer.tauMem[neuron]
    tauSyn = layer.tauSyn[neuron]
    threshold = layer.threshold[neuron]
    crossing = Crossing(tauMem: tauMem, tauSyn: tauSyn, threshold: threshold)
  }

  /// The same with another threshold.
  @inline(__always)
  func with(threshold: Double) -> LIF {
    var other = self
    other.threshold = threshold
    other.crossing.threshold = threshold
    return other
  }

  /// V and I.
  public struct State: Sendable {
    /// Membrane voltage; 0 at rest and after a spike.
    public var v = 0.0
    /// Synaptic current, in the unit of V; a spike leaves it as it is.
    public var i = 0.0
  }

  /// lV and lI.
  public struct Adjoint: Sendable {
    /// Adjoint of V.
    public var lv = 0.0
    /// Adjoint of I.
    public var li = 0.0
  }

  /// V = I = 0, as at t = 0.
  public static var rest: State { State() }
  /// lV = lI = 0, as at t = T.
  public static var restAdjoint: Adjoint { Adjoint() }

  /// a = exp(-gap/tau_m), b = exp(-gap/tau_s) and what follows from them.
  @inline(__always)
  public func flow(over gap: Double) -> Decay { Decay(over: gap, tauMem: tauMem, tauSyn: tauSyn) }

  /// By a kernel: the last digits of exponentials may not be those of `flow(over:)`.
  public func flows(over gaps: [Double]) -> [Decay] {
    Decay.over(gaps, tauMem: tauMem, tauSyn: tauSyn)
  }

  /// Divides the exponentials, whole by hit; takes them anew from `rest` near underflow.
  @inline(__always)
  public func flow(_ whole: Decay, after hit: Hit, rest: Double) -> Decay {
    whole.rest(rest, after: (hit.a, hit.b), tauMem: tauMem, tauSyn: tauSyn)
  }

  /// Divides the exponentials, whole by spike; takes them anew from `rest` near underflow.
  @inline(__always)
  public func flow(_ whole: Decay, after spike: ExactSpike, rest: Double) -> Decay {
    whole.rest(rest, after: (spike.a, spike.b), tauMem: tauMem, tauSyn: tauSyn)
  }

  /// Takes the crossing's own exponentials.
  @inline(__always)
  public func flow(to hit: Hit) -> Decay {
    Decay(a: hit.a, b: hit.b, gap: hit.after, tauMem: tauMem, tauSyn: tauSyn)
  }

  /// Takes the spike's own exponentials: `gap` must be the time they belong to.
  @inline(__always)
  public func flow(to spike: ExactSpike, gap: Double) -> Decay {
    Decay(a: spike.a, b: spike.b, gap: gap, tauMem: tauMem, tauSyn: tauSyn)
  }

  /// V <- a V + rise I,  I <- b I
  @inline(__always)
  public func run(_ state: inout State, over flow: Decay) {
    state.v = flow.a * state.v + flow.rise * state.i
    state.i *= flow.b
  }

  /// lI <- b lI + adjointRise lV,  lV <- a lV
  @inline(__always)
  public func runBack(_ adjoint: inout Adjoint, over flow: Decay) {
    adjoint.li = flow.b * adjoint.li + flow.adjointRise * adjoint.lv
    adjoint.lv *= flow.a
  }

  /// I += w
  @inline(__always)
  public func receive(_ state: inout State, weight: Double) { state.i += weight }

  /// lV - lI
  @inline(__always)
  public func transported(_ adjoint: Adjoint) -> Double { adjoint.lv - adjoint.li }

  /// lI
  @inline(__always)
  public func collected(_ adjoint: Adjoint) -> Double { adjoint.li }

  /// Where V rises to theta, to rounding; at 0 where rounding has put V there and it still rises.
  @inline(__always)
  public func crossing(_ state: State, gap: Double, flow: Decay) -> Hit? {
    crossing.first(v: state.v, i: state.i, gap: gap, end: flow)
  }

  /// The same, where `roots` has been asked already.
  @inline(__always)
  func crossing(_ state: State, gap: Double, flow: Decay, root: Double?) -> Hit? {
    crossing.first(v: state.v, i: state.i, gap: gap, end: flow, root: root)
  }

  /// tau_m/tau_s where `ep_exact_roots` takes it, else 0.
  var power: Int { crossing.power }

  /// a = exp(-gap/tau_m), b = exp(-gap/tau_s)
  @inline(__always)
  public func hit(after gap: Double) -> Hit { crossing.hit(after: gap) }

  /// V < theta
  @inline(__always)
  public func isBelow(_ state: State) -> Bool { state.v < threshold }

  /// I <- b I; V is left to `spike`.
  @inline(__always)
  public func run(_ state: inout State, to hit: Hit) { state.i *= hit.b }

  /// V <- 0, with tau_m dV/dt = I - theta.
  @inline(__always)
  public func spike(_ state: inout State) -> (slope: Double, memory: Double) {
    state.v = 0
    return (state.i - threshold, 0)
  }

  /// lV += (theta lV + loop + error)/(I - theta)
  @inline(__always)
  public func jump(_ adjoint: inout Adjoint, at spike: ExactSpike, loop: Double, error: Double) {
    adjoint.lv += (threshold * adjoint.lv + loop + error) / spike.slope
  }

  /// lV += amount
  @inline(__always)
  public func push(_ adjoint: inout Adjoint, by amount: Double) { adjoint.lv += amount }

  /// tau_m lV
  @inline(__always)
  public func thresholdGradient(_ adjoint: Adjoint) -> Double { tauMem * adjoint.lv }

  /// dL/dtau_m += int lV (I - V)/tau_m dt,  dL/dtau_s -= int lI I/tau_s dt
  public func collect(
    _ sums: UnsafeMutablePointer<Double>, from state: State, to adjoint: Adjoint, gap: Double,
    flow: Decay
  ) {
    let (mem, syn) = flow.timeConstantGradients(
      v: state.v, i: state.i, lv: adjoint.lv, li: adjoint.li, gap: gap, tauMem: tauMem,
      tauSyn: tauSyn)
    sums[0] += mem
    sums[1] += syn
  }

  /// dL/dtheta += tau_m lV
  public func collect(
    _ sums: UnsafeMutablePointer<Double>, at spike: ExactSpike, adjoint: Adjoint
  ) { sums[2] += tauMem * adjoint.lv }
}

extension NeuronKind {
  /// Hidden layers, and the output of first-spike losses.
  public static let lif = NeuronKind(
    "lif", parameters: [.tauMem, .tauSyn, .threshold],
    isOnGrid: true, exact: .lif)
}
