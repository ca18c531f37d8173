import Foundation

/// A recurrent LIF layer: all neurons are carried from event to event together.
extension ExactSolver {
  /// Forward: the next event is the earlier of the next incoming spike and the earliest crossing.
  ///
  ///     over a gap: V <- a V + rise I, I <- b I        (all neurons)
  ///     neuron n reaches theta: spike, V_n <- 0, I_j += w_nj
  ///     at incoming spike i: I_j += w_ij
  func sweep(
    _ layer: Layer, _ incoming: IncomingSpikes, _ weights: Matrix<Double>, _ loop: Matrix<Double>,
    _ trial: ExactTrial, _ intervening: Intervening
  ) -> [ExactSpike] {
    var intervening = intervening
    let crossing = Crossing(layer)
    var v = Array(repeating: 0.0, count: layer.size)
    var i = v
    var now = 0.0
    var e = 0
    var spikes: [ExactSpike] = []
    let limit = spikeLimit(layer)
    while true {
      let end = e < incoming.count ? incoming.times[e] : problem.duration
      var decay = layer.decay(over: end - now)
      var first: (after: Double, neuron: Int)?
      for j in 0..<layer.size {
        if j == intervening.neuron { continue }
        if let hit = crossing.first(v: v[j], i: i[j], gap: end - now, end: decay),
          hit.after < first?.after ?? .infinity
        {
          first = (hit.after, j)
        }
      }
      if case let j = intervening.neuron, j >= 0 {
        // Its turn is decided once the others' first crossing is known: an event may come before it.
        let gap = min(first?.after ?? .infinity, end - now)
        let own = crossing.first(
          v: v[j], i: i[j], gap: gap, end: layer.decay(over: gap), now: now, &intervening)
        if let own { first = (own.after, j) }
      }
      if let first { decay = layer.decay(over: first.after) }
      for j in 0..<layer.size {
        v[j] = decay.a * v[j] + decay.rise * i[j]
        i[j] *= decay.b
      }
      if case let j = intervening.neuron, j >= 0 {
        intervening.passed(v: v[j], threshold: layer.threshold)
      }
      if let (after, n) = first {
        now = min(now + after, end)
        v[n] = 0
        spikes.append(
          ExactSpike(
            time: now, neuron: Int32(n), preceding: Int32(e), slope: i[n] - layer.threshold))
        for j in 0..<layer.size { i[j] += loop.base[n * loop.stride + j] }
        if spikes.count > limit {
          trial.failure = explosion(layer)
          return []
        }
      } else {
        if e == incoming.count { return spikes }
        now = end
        let row = weights.base + Int(incoming.sources[e]) * weights.stride
        for j in 0..<layer.size { i[j] += row[j] }
        e += 1
      }
    }
  }

  /// Adjoint of `sweep`: the same events in reverse.
  ///
  ///     over a gap: lI <- b lI + adjointRise lV, lV <- a lV        (all neurons)
  ///     at spike k of neuron n: dL/dw_nj -= tau_s lI_j;
  ///         lV_n += (theta lV_n + sum_j w_nj (lV_j - lI_j) + error_k)/(I_n - theta) + push_n
  ///     at incoming spike i: dL/dw_ij -= tau_s lI_j;  error_i = sum_j w_ij (lV_j - lI_j)
  func sweepBack(
    _ layer: Layer, _ incoming: IncomingSpikes, _ spikes: [ExactSpike], _ errors: [Double],
    _ push: [Double], _ weights: Matrix<Double>, _ gradient: Matrix<Double>,
    _ loop: Matrix<Double>, _ loopGradient: Matrix<Double>
  ) -> [Double] {
    var lv = Array(repeating: 0.0, count: layer.size)
    var li = lv
    var incomingErrors = Array(repeating: 0.0, count: incoming.count)
    var later = problem.duration
    var k = spikes.count - 1
    var e = incoming.count - 1

    /// Back over a gap to `time`; then adds lI to a gradient row and returns sum_j w_j (lV_j - lI_j).
    func arrive(at time: Double, _ row: Int, _ weights: Matrix<Double>, _ gradient: Matrix<Double>)
      -> Double
    {
      let decay = layer.decay(over: later - time)
      later = time
      var error = 0.0
      let w = weights.base + row * weights.stride
      let g = gradient.base + row * gradient.stride
      for j in 0..<layer.size {
        li[j] = decay.b * li[j] + decay.adjointRise * lv[j]
        lv[j] *= decay.a
        g[j] += li[j]
        error += w[j] * (lv[j] - li[j])
      }
      return error
    }

    while k >= 0 || e >= 0 {
      if k >= 0, Int(spikes[k].preceding) == e + 1 {
        let spike = spikes[k]
        let n = Int(spike.neuron)
        let error = arrive(at: spike.time, n, loop, loopGradient)
        lv[n] += (layer.threshold * lv[n] + error + errors[k]) / spike.slope
        if !push.isEmpty { lv[n] += push[n] }
        k -= 1
      } else {
        incomingErrors[e] = arrive(
          at: incoming.times[e], Int(incoming.sources[e]), weights, gradient)
        e -= 1
      }
    }
    return incomingErrors
  }
}
