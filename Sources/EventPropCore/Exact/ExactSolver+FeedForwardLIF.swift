// SPDX-License-Identifier: MIT

import Kernels

/// A layer of LIF neurons with the same time constants that do not reach each other: as
/// `ExactSolver+FeedForward.swift` has it, all neurons through a gap in one pass, but for those
/// that spike in it. The spikes are the same bits, the gradient is the same but for the order in
/// which sums over neurons are taken.
extension ExactSolver {
  /// Forward: as `sweep`.
  func sweepTogether(
    _ neuron: LIF, _ layer: Layer, _ incoming: IncomingSpikes, _ weights: Matrix<Double>,
    _ trial: ExactTrial, dropped: [Bool]
  ) -> [ExactSpike] {
    let width = paddedWidth(layer.size)
    let state = Lanes<Double>(3 * width)
    let (v, i, theta) = (state.base, state.base + width, state.base + 2 * width)
    layer.setThresholds(theta, width: width, dropped: dropped)
    let few = FewNeurons(width: width)
    let list = few.list
    let sources = incoming.sources
    let (times, ends) = incoming.groups
    let flows = neuron.flows(over: IncomingSpikes.gaps(times, until: problem.duration))
    let limit = spikeLimit(layer)
    var spikes: [ExactSpike] = []
    spikes.reserveCapacity(2 * layer.size)
    /// Neurons that spike in the gap at hand, as they are at its end.
    var fired: [(neuron: Int, state: LIF.State)] = []
    let panels = weights.rowsOfPanels
    return sources.withUnsafeBufferPointer { sources in
      var now = 0.0
      // Incoming spikes from e on arrive at the end of the gap, those of a group at one time.
      var (e, group) = (0, 0)
      var arriving: (index: UnsafePointer<UInt32>?, count: Int) = (nil, 0)
      while true {
        let end = group < times.count ? times[group] : problem.duration
        let flow = flows[group]
        var (still, ahead) = (ep_flow(.none), ep_flow(flow))
        fired.removeAll(keepingCapacity: true)
        for (panel, row) in panels {
          let lanes = panel.lowerBound
          var rows = ep_exact_rows(
            rows: row, stride: panel.count, index: arriving.index, count: arriving.count)
          var none = ep_exact_rows(rows: row, stride: panel.count, index: nil, count: 0)
          ep_exact_step(
            v + lanes, i + lanes, theta + lanes, &still, &rows, &none, width,
            &ahead, (end - now) / neuron.tauMem * Self.tangentMargin, panel.count, list)
          if neuron.power > 0 { ep_exact_roots(list, Int32(neuron.power), few.numbers) }
          for k in 0..<list.pointee.count {
            let j = lanes + Int(list.pointee.index[k])
            let own = neuron.with(threshold: theta[j])
            var state = LIF.State(v: v[j], i: i[j])
            var root = neuron.power > 0 ? few.numbers[k] : nil
            let before = spikes.count
            fire(own, j, preceding: e, &state, now, gap: end - now, flow, &spikes, limit) {
              state, gap, flow, _ in
              defer { root = nil }
              return own.crossing(state, gap: gap, flow: flow, root: root)
            }
            if spikes.count > before { fired.append((j, state)) }
            if spikes.count > limit {
              trial.failure = explosion(layer)
              return []
            }
          }
        }
        if group == times.count { return inOrderOfTime(spikes) }
        ep_exact_gap(v, i, flow.a, flow.rise, flow.b, width)
        for (j, state) in fired { (v[j], i[j]) = (state.v, state.i) }
        arriving = (sources.baseAddress! + e, ends[group] - e)
        (e, group, now) = (ends[group], group + 1, end)
      }
    }
  }

  /// Adjoint of `sweepTogether`: as `sweepBack`.
  ///
  /// - Parameter needsErrors: whether anyone wants the errors of the incoming spikes.
  func sweepTogetherBack(
    _ neuron: LIF, _ layer: Layer, _ incoming: IncomingSpikes, _ spikes: [ExactSpike],
    _ errors: [Double], _ push: [Double], _ weights: Matrix<Double>, _ gradient: Matrix<Double>,
    thresholds: Matrix<Double>?, phantom: (neuron: Int, push: Double), needsErrors: Bool
  ) -> [Double] {
    let width = paddedWidth(layer.size)
    let state = Lanes<Double>(2 * width)
    let (lv, li) = (state.base, state.base + width)
    if phantom.push != 0 { lv[phantom.neuron] += phantom.push }
    let own = SpikesByNeuron(spikes, neurons: layer.size)
    /// By neuron, one after its last spike that has not been gone through.
    var next = (0..<layer.size).map { own.range($0).upperBound }
    var fired: [(neuron: Int, adjoint: LIF.Adjoint)] = []
    let (panels, sums) = (weights.rowsOfPanels, gradient.rowsOfPanels)
    let sources = incoming.sources
    let times = incoming.times
    let flows = neuron.flows(over: incoming.gaps(until: problem.duration))
    var incomingErrors = Array(repeating: 0.0, count: needsErrors ? times.count : 0)
    var k = spikes.count
    // The gap before incoming spike e, or the last one; incoming spikes from `first` on come
    // together at its start.
    var e = times.count
    var end = problem.duration
    while true {
      let first = startOfGroup(e, times, spikes, k)
      let start = e > 0 ? times[e - 1] : 0
      let flow = flows[e]
      fired.removeAll(keepingCapacity: true)
      while k > 0, Int(spikes[k - 1].preceding) == e {
        k -= 1
        let j = Int(spikes[k].neuron)
        let places = own.range(j)
        let last = next[j]
        while next[j] > places.lowerBound,
          Int(spikes[own.order[next[j] - 1]].preceding) == e
        { next[j] -= 1 }
        // Gone through with a later one.
        if next[j] == last { continue }
        fired.append(
          (
            j,
            back(
              neuron.with(threshold: layer.threshold[j]),
              LIF.Adjoint(lv: lv[j], li: li[j]), flow, start, end,
              own.order[next[j]..<last], spikes, errors, push, thresholds)
          ))
      }
      ep_exact_gap(li, lv, flow.b, flow.adjointRise, flow.a, width)
      for (j, adjoint) in fired { (lv[j], li[j]) = (adjoint.lv, adjoint.li) }
      if e == 0 { return incomingErrors }
      sources.withUnsafeBufferPointer { sources in
        let index = sources.baseAddress! + first
        var still = ep_flow(back: .none)
        for ((panel, row), (_, sum)) in zip(panels, sums) {
          let error = ep_exact_back(
            lv + panel.lowerBound, li + panel.lowerBound, &still,
            needsErrors ? row + Int(index[0]) * panel.count : nil, sum, panel.count, index,
            e - first, panel.count)
          if needsErrors { incomingErrors[first] += error }
        }
      }
      (e, end) = (first, start)
    }

    /// The first incoming spike of those that are collected with the one before e: with errors
    /// that alone, else all at its time that no spike of the layer lies between.
    func startOfGroup(_ e: Int, _ times: [Double], _ spikes: [ExactSpike], _ k: Int) -> Int {
      guard e > 0 else { return 0 }
      var first = e - 1
      if needsErrors { return first }
      var k = k
      while k > 0 && Int(spikes[k - 1].preceding) == e { k -= 1 }
      while first > 0 && times[first - 1] == times[e - 1]
        && (k == 0 || Int(spikes[k - 1].preceding) < first)
      { first -= 1 }
      return first
    }
  }

  /// One neuron from the end of a gap back through its spikes to the start.
  private func back(
    _ neuron: LIF, _ adjoint: LIF.Adjoint, _ flow: Decay, _ start: Double, _ end: Double,
    _ order: ArraySlice<Int>, _ spikes: [ExactSpike], _ errors: [Double], _ push: [Double],
    _ thresholds: Matrix<Double>?
  ) -> LIF.Adjoint {
    var adjoint = adjoint
    var back = flow
    for k in order { back = neuron.flow(back, after: spikes[k], rest: end - spikes[k].time) }
    for place in order.indices.reversed() {
      let k = order[place]
      let j = Int(spikes[k].neuron)
      neuron.runBack(&adjoint, over: back)
      neuron.jump(&adjoint, at: spikes[k], loop: 0, error: errors[k])
      if let thresholds { thresholds.base[j] += neuron.thresholdGradient(adjoint) }
      if !push.isEmpty { neuron.push(&adjoint, by: push[j]) }
      let before = place > order.startIndex ? spikes[order[place - 1]].time : start
      back = neuron.flow(to: spikes[k], gap: spikes[k].time - before)
    }
    neuron.runBack(&adjoint, over: back)
    return adjoint
  }
}
