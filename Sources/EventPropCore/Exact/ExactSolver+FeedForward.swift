// SPDX-License-Identifier: MIT

import Foundation

/// A layer without recurrence: each neuron is solved alone, by its own events.
extension ExactSolver {
  /// Forward, neuron by neuron:
  ///
  ///     over a gap: V <- a V + rise I, I <- b I;  V reaching theta: spike, V <- 0
  ///     at incoming spike i: I_j += w_ij
  ///
  /// (as LIF has it; other models by their own rules)
  ///
  /// - Parameters:
  ///   - neurons: one for each neuron of the layer, or one for all.
  ///   - dropped: neurons without spikes; empty: none.
  /// - Returns: the layer's spikes in order of time.
  func sweep<N: NeuronModel>(
    _ neurons: [N], _ layer: Layer, _ incoming: IncomingSpikes, _ weights: Matrix<Double>,
    _ trial: ExactTrial, _ intervening: Intervening, dropped: [Bool]
  ) -> [ExactSpike] {
    var intervening = intervening
    var spikes: [ExactSpike] = []
    spikes.reserveCapacity(2 * layer.size)
    let limit = spikeLimit(layer)
    let alike = layer.size / neurons.count
    for (kind, neuron) in neurons.enumerated() {
      let (lengths, flows) = gaps(incoming, neuron)
      for j in (kind * alike)..<((kind + 1) * alike) where dropped.isEmpty || !dropped[j] {
        let column = weights.column(j)
        var state = N.rest
        var now = 0.0
        for e in lengths.indices {
          fire(
            neuron, j, preceding: e, &state, now, gap: lengths[e], flows[e], &spikes, limit
          ) { state, gap, flow, now in
            j == intervening.neuron
              ? intervening.crossing(neuron, state, gap: gap, flow: flow, now: now)
              : neuron.crossing(state, gap: gap, flow: flow)
          }
          if spikes.count > limit {
            trial.failure = explosion(layer)
            return []
          }
          if j == intervening.neuron { intervening.passed(isBelow: neuron.isBelow(state)) }
          if e < incoming.count {
            now = incoming.times[e]
            neuron.receive(
              &state, weight: column.first[Int(incoming.sources[e]) * column.stride])
          }
        }
      }
    }
    return inOrderOfTime(spikes)
  }

  /// Takes a neuron through a gap and its spikes there; ends early with more spikes of the layer
  /// than are allowed.
  ///
  /// - Parameters:
  ///   - now: the start of the gap, ms.
  ///   - crossing: the first from a state, over what is left of the gap, from a time on.
  @inline(__always)
  func fire<N: NeuronModel>(
    _ neuron: N, _ j: Int, preceding e: Int, _ state: inout N.State, _ now: Double, gap: Double,
    _ flow: N.Flow, _ spikes: inout [ExactSpike], _ limit: Int,
    crossing: (N.State, Double, N.Flow, Double) -> Hit?
  ) {
    var (now, gap, flow) = (now, gap, flow)
    while let hit = crossing(state, gap, flow, now) {
      now += hit.after
      neuron.run(&state, to: hit)
      let (slope, memory) = neuron.spike(&state)
      spikes.append(
        ExactSpike(
          time: now, neuron: Int32(j), preceding: Int32(e), slope: slope, memory: memory,
          a: hit.a, b: hit.b))
      if spikes.count > limit { return }
      gap -= hit.after
      flow = neuron.flow(flow, after: hit, rest: gap)
    }
    neuron.run(&state, over: flow)
  }

  /// Adjoint of `sweep`, neuron by neuron, from T back:
  ///
  ///     over a gap: lI <- b lI + adjointRise lV, lV <- a lV
  ///     at own spike k: lV += (theta lV + error_k)/(I - theta) + push;  dL/dtheta += tau_m lV
  ///     at incoming spike i: dL/dw_ij -= tau_s lI_j;  error_i += w_ij (lV_j - lI_j)
  ///
  /// - Parameters:
  ///   - errors: per spike of the layer, sum of w (lV - lI) over its receivers and dl/dt.
  ///   - thresholds: the gradient of the thresholds, where they are trained.
  /// - Returns: the errors of the incoming spikes.
  func sweepBack<N: NeuronModel>(
    _ neurons: [N], _ layer: Layer, _ incoming: IncomingSpikes, _ spikes: [ExactSpike],
    _ errors: [Double], _ push: [Double], _ weights: Matrix<Double>, _ gradient: Matrix<Double>,
    thresholds: Matrix<Double>?, phantom: (neuron: Int, push: Double)
  ) -> [Double] {
    let own = SpikesByNeuron(spikes, neurons: layer.size)
    var incomingErrors = Array(repeating: 0.0, count: incoming.count)
    let alike = layer.size / neurons.count
    for (kind, neuron) in neurons.enumerated() {
      let (lengths, flows) = gaps(incoming, neuron)
      for j in (kind * alike)..<((kind + 1) * alike) {
        let share = layer.tauSyn[j] / layer.gradientUnit
        let (column, sums) = (weights.column(j), gradient.column(j))
        var adjoint = N.restAdjoint
        if j == phantom.neuron && phantom.push != 0 { neuron.push(&adjoint, by: phantom.push) }
        let places = own.range(j)
        var next = places.upperBound
        for e in lengths.indices.reversed() {
          let start = e > 0 ? incoming.times[e - 1] : 0
          let end = start + lengths[e]
          let last = next
          while next > places.lowerBound, Int(spikes[own.order[next - 1]].preceding) == e {
            next -= 1
          }
          // From the end of the gap back to its last spike, from each to the one before it, and on
          // to the start.
          var back = flows[e]
          for place in next..<last {
            let spike = spikes[own.order[place]]
            back = neuron.flow(back, after: spike, rest: end - spike.time)
          }
          for place in (next..<last).reversed() {
            let k = own.order[place]
            neuron.runBack(&adjoint, over: back)
            neuron.jump(&adjoint, at: spikes[k], loop: 0, error: errors[k])
            if let thresholds { thresholds.base[j] += neuron.thresholdGradient(adjoint) }
            if !push.isEmpty { neuron.push(&adjoint, by: push[j]) }
            let before = place > next ? spikes[own.order[place - 1]].time : start
            back = neuron.flow(to: spikes[k], gap: spikes[k].time - before)
          }
          neuron.runBack(&adjoint, over: back)
          if e > 0 {
            let row = Int(incoming.sources[e - 1]) * column.stride
            sums.first[row] += share * neuron.collected(adjoint)
            incomingErrors[e - 1] += column.first[row] * neuron.transported(adjoint)
          }
        }
      }
    }
    return incomingErrors
  }

  /// Sorted by time, equal times by neuron: shared out to as many slots of time as there are
  /// spikes, then put in order by insertion. Those of equal times come in order of neuron.
  func inOrderOfTime(_ spikes: [ExactSpike]) -> [ExactSpike] {
    let slots = spikes.count
    guard slots > 1 else { return spikes }
    // Many spikes may crowd into few slots, where insertion is slow.
    if slots > 4096 { return spikes.sorted { ($0.time, $0.neuron) < ($1.time, $1.neuron) } }
    let slotsPerTime = Double(slots) / problem.duration
    return withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * slots + 2) { numbers in
      // Of each spike its slot, then where each slot starts.
      let (slot, starts) = (numbers.baseAddress!, numbers.baseAddress! + slots)
      starts.initialize(repeating: 0, count: slots + 2)
      for (k, spike) in spikes.enumerated() {
        slot[k] = min(Int32(spike.time * slotsPerTime), Int32(slots - 1))
        starts[Int(slot[k]) + 2] += 1
      }
      for k in 1..<(slots + 2) { starts[k] += starts[k - 1] }
      return Array(unsafeUninitializedCapacity: slots) { sorted, count in
        let sorted = sorted.baseAddress!
        for (k, spike) in spikes.enumerated() {
          let place = Int(slot[k]) + 1
          (sorted + Int(starts[place])).initialize(to: spike)
          starts[place] += 1
        }
        for k in 1..<slots where sorted[k - 1].time > sorted[k].time {
          let spike = sorted[k]
          var place = k
          repeat {
            sorted[place] = sorted[place - 1]
            place -= 1
          } while place > 0 && sorted[place - 1].time > spike.time
          sorted[place] = spike
        }
        count = slots
      }
    }
  }

  /// The gaps before each incoming spike and after the last one, with the dynamics over each whole
  /// one.
  func gaps<N: NeuronModel>(_ incoming: IncomingSpikes, _ neuron: N)
    -> (lengths: [Double], flows: [N.Flow])
  {
    let lengths = incoming.gaps(until: problem.duration)
    return (lengths, neuron.flows(over: lengths))
  }

  func explosion(_ layer: Layer) -> String {
    "more than \(spikeLimit(layer)) spikes in one trial of a layer of \(layer.size) neurons: "
      + "the weights have exploded, or constants of its neurons are out of reason"
  }
}

/// The spikes of a layer sorted by neuron, in order of time for each.
struct SpikesByNeuron {
  /// Indices into the layer's spikes.
  private(set) var order: [Int]
  private var starts: [Int]

  init(_ spikes: [ExactSpike], neurons: Int) {
    starts = Array(repeating: 0, count: neurons + 1)
    for spike in spikes { starts[Int(spike.neuron) + 1] += 1 }
    for j in 0..<neurons { starts[j + 1] += starts[j] }
    var next = starts
    order = Array(repeating: 0, count: spikes.count)
    for (index, spike) in spikes.enumerated() {
      order[next[Int(spike.neuron)]] = index
      next[Int(spike.neuron)] += 1
    }
  }

  func range(_ neuron: Int) -> Range<Int> { starts[neuron]..<starts[neuron + 1] }
}
