// SPDX-License-Identifier: MIT

import Kernels

/// The neurons of a recurrent layer of LIF as the kernels take them: all alike, or each with time
/// constants of its own. Those take exponentials of each neuron at each event.
final class LIFLanes {
  let width: Int
  /// One for each neuron, or one for all.
  private let neurons: [LIF]
  private let memory: Lanes<Double>
  private var each = ep_exact_flow()

  init(_ layer: Layer) {
    width = paddedWidth(layer.size)
    let isUniform = layer.hasOneFlow
    neurons = (0..<(isUniform ? 1 : layer.size)).map { LIF(layer, neuron: $0) }
    memory = Lanes(isUniform ? 0 : 8 * width)
    guard !isUniform else { return }
    let base = memory.base
    func lanes(_ number: Int) -> UnsafeMutablePointer<Double> { base + number * width }
    for (j, neuron) in neurons.enumerated() {
      let (tauMem, tauSyn) = (neuron.tauMem, neuron.tauSyn)
      lanes(3)[j] = 1 / tauMem
      lanes(4)[j] = 1 / tauSyn
      lanes(5)[j] = Decay.isClose(tauMem, tauSyn) ? 0 : tauSyn / (tauMem - tauSyn)
      lanes(6)[j] = tauMem / tauSyn
      lanes(7)[j] = tauSyn / layer.gradientUnit
    }
    each = ep_exact_flow(
      a: lanes(0), b: lanes(1), c: lanes(2), rate_mem: lanes(3), rate_syn: lanes(4),
      rise: lanes(5), ratio: lanes(6), share: lanes(7),
      fastest: neurons.reduce(0) { max($0, 1 / $1.tauMem, 1 / $1.tauSyn) })
  }

  var isUniform: Bool { neurons.count == 1 }

  @inline(__always)
  func neuron(_ j: Int, threshold: Double) -> LIF {
    neurons[isUniform ? 0 : j].with(threshold: threshold)
  }

  /// Until a crossing of one neuron, or of all where they are alike.
  @inline(__always)
  func flow(to hit: Hit, of j: Int) -> Decay { neurons[isUniform ? 0 : j].flow(to: hit) }

  /// What is left of a gap's flow, of all, after a crossing; nothing where each has its own.
  @inline(__always)
  func flow(_ whole: Decay, after hit: Hit, rest: Double) -> Decay {
    isUniform ? neurons[0].flow(whole, after: hit, rest: rest) : .none
  }

  /// That of all over many gaps at once; nil where each has its own.
  func flows(over gaps: [Double]) -> [Decay]? { isUniform ? neurons[0].flows(over: gaps) : nil }

  /// Of a neuron over a gap whose flow, of all, is known.
  @inline(__always)
  func flow(_ flow: Decay, over gap: Double, of j: Int) -> Decay {
    isUniform ? flow : neurons[j].flow(over: gap)
  }

  /// The kernel of an event: over the gap before it, and a look at the gap ahead.
  @inline(__always)
  func step(
    _ v: UnsafeMutablePointer<Double>, _ i: UnsafeMutablePointer<Double>,
    _ theta: UnsafePointer<Double>, over past: (gap: Double, flow: Decay),
    _ arriving: inout ep_exact_rows, _ upcoming: inout ep_exact_rows, reset: Int,
    ahead: (gap: Double, flow: Decay), few: FewNeurons
  ) {
    // A tangent is raised a little, for what rounding takes from it.
    let reach = ahead.gap * ExactSolver.tangentMargin
    if isUniform {
      var (flow, next) = (ep_flow(past.flow), ep_flow(ahead.flow))
      ep_exact_step(
        v, i, theta, &flow, &arriving, &upcoming, reset, &next,
        reach / neurons[0].tauMem, width, few.list)
    } else {
      ep_exact_flows(&each, past.gap, width)
      ep_exact_step_each(
        v, i, theta, &each, &arriving, &upcoming, reset, reach, width, few.list)
    }
  }

  /// The kernel of its adjoint.
  @inline(__always)
  func back(
    _ lv: UnsafeMutablePointer<Double>, _ li: UnsafeMutablePointer<Double>,
    over gap: Hit, weights: UnsafePointer<Double>?,
    gradient: Matrix<Double>, rows: UnsafePointer<UInt32>, _ count: Int
  ) -> Double {
    if isUniform {
      var flow = ep_flow(back: neurons[0].flow(to: gap))
      return ep_exact_back(
        lv, li, &flow, weights, gradient.base, gradient.stride, rows, count, width)
    }
    ep_exact_flows(&each, gap.after, width)
    return ep_exact_back_each(
      lv, li, &each, weights, gradient.base, gradient.stride, rows, count, width)
  }
}

/// The neurons that may spike in a gap, as a kernel has found them.
final class FewNeurons {
  let list: UnsafeMutablePointer<ep_exact_few>
  /// As many as the layer is wide: for places in the list, or numbers of each.
  let places: UnsafeMutablePointer<UInt32>
  let numbers: UnsafeMutablePointer<Double>
  private let memory: Lanes<Double>
  private let indices: Lanes<UInt32>

  init(width: Int) {
    memory = Lanes(4 * width)
    indices = Lanes(2 * width)
    let base = memory.base
    list = .allocate(capacity: 1)
    list.initialize(
      to: ep_exact_few(
        index: indices.base, v: base, i: base + width, theta: base + 2 * width, count: 0))
    places = indices.base + width
    numbers = base + 3 * width
  }

  deinit { list.deallocate() }
}
