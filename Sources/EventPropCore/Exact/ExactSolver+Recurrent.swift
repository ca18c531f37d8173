// SPDX-License-Identifier: MIT

import Foundation

/// A recurrent layer: all neurons are carried from event to event together.
extension ExactSolver {
  /// Forward: the next event is the earlier of the next incoming spike and the earliest crossing.
  ///
  ///     over a gap: V <- a V + rise I, I <- b I        (all neurons)
  ///     neuron n reaches theta: spike, V_n <- 0, I_j += w_nj
  ///     at incoming spike i: I_j += w_ij
  ///
  /// (as LIF has it; other models by their own rules)
  ///
  /// - Parameters:
  ///   - neurons: one for each neuron of the layer, or one for all.
  ///   - dropped: neurons without spikes; empty: none.
  func sweep<N: NeuronModel>(
    _ neurons: [N], _ layer: Layer, _ incoming: IncomingSpikes, _ weights: Matrix<Double>,
    _ loop: Matrix<Double>, _ trial: ExactTrial, _ intervening: Intervening, dropped: [Bool]
  ) -> [ExactSpike] {
    var intervening = intervening
    let (isUniform, hasOneFlow) = (neurons.count == 1, layer.hasOneFlow)
    var states = Array(repeating: N.rest, count: layer.size)
    let whole = neurons[0].flows(over: incoming.gaps(until: problem.duration))
    var now = 0.0
    var e = 0
    // Over what is left of the gap to the next incoming spike.
    var rest = whole[0]
    var spikes: [ExactSpike] = []
    let limit = spikeLimit(layer)
    while true {
      let end = e < incoming.count ? incoming.times[e] : problem.duration
      var first: (hit: Hit, neuron: Int)?
      for j in 0..<layer.size {
        if j == intervening.neuron || (!dropped.isEmpty && dropped[j]) { continue }
        let neuron = neurons[isUniform ? 0 : j]
        if let hit = neuron.crossing(
          states[j], gap: end - now, flow: hasOneFlow ? rest : neuron.flow(over: end - now)),
          hit.after < first?.hit.after ?? .infinity
        {
          first = (hit, j)
        }
      }
      if case let j = intervening.neuron, j >= 0 {
        // Its turn is decided once the others' first crossing is known: an event may come before
        // it.
        let gap = min(first?.hit.after ?? .infinity, end - now)
        let neuron = neurons[isUniform ? 0 : j]
        let own = intervening.crossing(
          neuron, states[j], gap: gap, flow: neuron.flow(over: gap), now: now)
        if let own { first = (own, j) }
      }
      let gap = first?.hit.after ?? end - now
      let flow = first.map { neurons[0].flow(to: $0.hit) } ?? rest
      for j in 0..<layer.size {
        let neuron = neurons[isUniform ? 0 : j]
        neuron.run(&states[j], over: hasOneFlow ? flow : neuron.flow(over: gap))
      }
      if case let j = intervening.neuron, j >= 0 {
        intervening.passed(isBelow: neurons[isUniform ? 0 : j].isBelow(states[j]))
      }
      let arriving: UnsafeMutablePointer<Double>
      if let (hit, n) = first {
        now = min(now + hit.after, end)
        rest = neurons[0].flow(rest, after: hit, rest: end - now)
        let (slope, memory) = neurons[isUniform ? 0 : n].spike(&states[n])
        spikes.append(
          ExactSpike(
            time: now, neuron: Int32(n), preceding: Int32(e), slope: slope, memory: memory))
        arriving = loop.base + n * loop.stride
        if spikes.count > limit {
          trial.failure = explosion(layer)
          return []
        }
      } else {
        if e == incoming.count { return spikes }
        now = end
        arriving = weights.base + Int(incoming.sources[e]) * weights.stride
        e += 1
        rest = whole[e]
      }
      for j in 0..<layer.size {
        neurons[isUniform ? 0 : j].receive(&states[j], weight: arriving[j])
      }
    }
  }

  /// Adjoint of `sweep`: the same events in reverse.
  ///
  ///     over a gap: lI <- b lI + adjointRise lV, lV <- a lV        (all neurons)
  ///     at spike k of neuron n: dL/dw_nj -= tau_s lI_j;
  ///         lV_n += (theta lV_n + sum_j w_nj (lV_j - lI_j) + error_k)/(I_n - theta) + push_n;
  ///         dL/dtheta_n += tau_m lV_n
  ///     at incoming spike i: dL/dw_ij -= tau_s lI_j;  error_i = sum_j w_ij (lV_j - lI_j)
  ///
  /// - Parameter thresholds: the gradient of the thresholds, where they are trained.
  func sweepBack<N: NeuronModel>(
    _ neurons: [N], _ layer: Layer, _ incoming: IncomingSpikes, _ spikes: [ExactSpike],
    _ errors: [Double], _ push: [Double], _ weights: Matrix<Double>, _ gradient: Matrix<Double>,
    _ loop: Matrix<Double>, _ loopGradient: Matrix<Double>, thresholds: Matrix<Double>?
  ) -> [Double] {
    let (isUniform, hasOneFlow) = (neurons.count == 1, layer.hasOneFlow)
    var adjoints = Array(repeating: N.restAdjoint, count: layer.size)
    let shares = isUniform ? [] : (0..<layer.size).map { layer.tauSyn[$0] / layer.gradientUnit }
    var incomingErrors = Array(repeating: 0.0, count: incoming.count)
    let whole = neurons[0].flows(over: incoming.gaps(until: problem.duration))
    var later = problem.duration
    var isWhole = true
    var k = spikes.count - 1
    var e = incoming.count - 1

    /// Back over a gap to `time`; then adds lI to a gradient row and returns sum_j w_j (lV_j -
    /// lI_j).
    /// - Parameter known: of the gap, where there is one.
    func arrive(
      at time: Double, _ known: N.Flow?, _ row: Int, _ weights: Matrix<Double>,
      _ gradient: Matrix<Double>
    ) -> Double {
      let gap = later - time
      let flow = known ?? neurons[0].flow(over: gap)
      later = time
      var error = 0.0
      let w = weights.base + row * weights.stride
      let g = gradient.base + row * gradient.stride
      for j in 0..<layer.size {
        let neuron = neurons[isUniform ? 0 : j]
        neuron.runBack(&adjoints[j], over: hasOneFlow ? flow : neuron.flow(over: gap))
        g[j] += (isUniform ? 1 : shares[j]) * neuron.collected(adjoints[j])
        error += w[j] * neuron.transported(adjoints[j])
      }
      return error
    }

    while k >= 0 || e >= 0 {
      if k >= 0, Int(spikes[k].preceding) == e + 1 {
        let spike = spikes[k]
        let n = Int(spike.neuron)
        let error = arrive(at: spike.time, nil, n, loop, loopGradient)
        let neuron = neurons[isUniform ? 0 : n]
        neuron.jump(&adjoints[n], at: spike, loop: error, error: errors[k])
        if let thresholds { thresholds.base[n] += neuron.thresholdGradient(adjoints[n]) }
        if !push.isEmpty { neuron.push(&adjoints[n], by: push[n]) }
        isWhole = false
        k -= 1
      } else {
        incomingErrors[e] = arrive(
          at: incoming.times[e], isWhole ? whole[e + 1] : nil, Int(incoming.sources[e]), weights,
          gradient)
        isWhole = true
        e -= 1
      }
    }
    return incomingErrors
  }
}
