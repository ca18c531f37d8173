// SPDX-License-Identifier: MIT

import Foundation

/// Layers whose synapses have delays, or whose constants are trained: every neuron has arrivals of
/// its own, and is carried from one to the next by itself. In a recurrent layer the neuron whose
/// next event comes first is the next to move; each spike that it sends reaches the others later,
/// or at once.
///
/// Backward, nothing that arrives changes an adjoint: only a neuron's own spikes do. So a recurrent
/// layer first finds the jumps of all its spikes, from the last to the first, and then goes back
/// through every neuron once more, alone, with the jumps known.
extension ExactSolver {
  /// Forward:
  ///
  ///     over a gap: V <- a V + rise I, I <- b I
  ///     neuron n reaches theta at t: spike, V_n <- 0; at t + d_nj: I_j += w_nj
  ///     at t_i + d_ij, spike i having been sent at t_i: I_j += w_ij
  ///
  /// (as LIF has it; other models by their own rules)
  func sweepBySynapse<N: NeuronModel>(_ neurons: [N], _ pass: ExactPass) -> [ExactSpike] {
    pass.layer.isRecurrent
      ? sweepLoop(neurons, pass) : sweepAlone(neurons, pass)
  }

  /// Neuron by neuron.
  private func sweepAlone<N: NeuronModel>(_ neurons: [N], _ pass: ExactPass) -> [ExactSpike] {
    let (layer, trial) = (pass.layer, pass.trial)
    let synapses = Synapses(pass, loopSpikes: [])
    let limit = spikeLimit(layer)
    var intervening = Intervening(trial, in: pass.index)
    var spikes: [ExactSpike] = []
    for j in 0..<layer.size where pass.dropped.isEmpty || !pass.dropped[j] {
      let neuron = neurons[neurons.count > 1 ? j : 0]
      let arrivals = synapses.arrivals(at: j)
      var state = N.rest
      var now = 0.0
      for e in 0...arrivals.count {
        let end = e < arrivals.count ? arrivals[e].time : problem.duration
        var gap = end - now
        var flow = neuron.flow(over: gap)
        while let hit = j == intervening.neuron
          ? intervening.crossing(neuron, state, gap: gap, flow: flow, now: now)
          : neuron.crossing(state, gap: gap, flow: flow)
        {
          now = min(now + hit.after, end)
          neuron.run(&state, to: hit)
          let (slope, memory) = neuron.spike(&state)
          spikes.append(
            ExactSpike(
              time: now, neuron: Int32(j), preceding: Int32(e), slope: slope, memory: memory))
          if spikes.count > limit {
            trial.failure = explosion(layer)
            return []
          }
          gap = end - now
          flow = neuron.flow(over: gap)
        }
        neuron.run(&state, over: flow)
        if j == intervening.neuron { intervening.passed(isBelow: neuron.isBelow(state)) }
        if e < arrivals.count {
          now = arrivals[e].time
          neuron.receive(&state, weight: synapses.weight(arrivals[e].event, j))
        }
      }
    }
    return inOrderOfTime(spikes)
  }

  /// The neuron whose next event comes first is the next.
  private func sweepLoop<N: NeuronModel>(_ neurons: [N], _ pass: ExactPass) -> [ExactSpike] {
    let (layer, trial) = (pass.layer, pass.trial)
    let (size, duration) = (layer.size, problem.duration)
    var synapses = Synapses(pass, loopSpikes: [])
    let limit = spikeLimit(layer)
    var intervening = Intervening(trial, in: pass.index)
    /// What the intervention will have become once the next event of its neuron has come.
    var upcoming = intervening
    var spikes: [ExactSpike] = []
    let known = (0..<size).map { synapses.arrivals(at: $0) }
    var next = Array(repeating: 0, count: size)
    /// Spikes of the layer that are on their way to each neuron, the last to arrive first.
    var underWay: [[Arrival]] = Array(repeating: [], count: size)
    var arrived = Array(repeating: 0, count: size)
    var states = Array(repeating: N.rest, count: size)
    var since = Array(repeating: 0.0, count: size)
    var hits: [Hit?] = Array(repeating: nil, count: size)
    var line = Tournament(size)

    /// The next arrival at a neuron, which may be none, at T.
    func nextArrival(_ j: Int) -> Arrival? {
      let sent = underWay[j].last
      guard next[j] < known[j].count else { return sent }
      let incoming = known[j][next[j]]
      return sent.map { $0 < incoming ? $0 : incoming } ?? incoming
    }

    /// Looks for the next event of a neuron.
    func look(_ j: Int) {
      let end = nextArrival(j)?.time ?? duration
      let neuron = neurons[neurons.count > 1 ? j : 0]
      let gap = end - since[j]
      let flow = neuron.flow(over: gap)
      if j == intervening.neuron {
        upcoming = intervening
        hits[j] = upcoming.crossing(neuron, states[j], gap: gap, flow: flow, now: since[j])
      } else if pass.dropped.isEmpty || !pass.dropped[j] {
        hits[j] = neuron.crossing(states[j], gap: gap, flow: flow)
      }
      line.set(j, hits[j].map { min(since[j] + $0.after, end) } ?? end)
    }

    for j in 0..<size { look(j) }
    while true {
      let (j, time) = line.first
      let neuron = neurons[neurons.count > 1 ? j : 0]
      if let hit = hits[j] {
        if j == intervening.neuron { intervening = upcoming }
        neuron.run(&states[j], to: hit)
        since[j] = time
        let (slope, memory) = neuron.spike(&states[j])
        let k = spikes.count
        spikes.append(
          ExactSpike(
            time: time, neuron: Int32(j), preceding: Int32(arrived[j]), slope: slope,
            memory: memory))
        if spikes.count > limit {
          trial.failure = explosion(layer)
          return []
        }
        synapses.sent.append(Int32(j))
        for m in 0..<size {
          let arrival = Arrival(
            time: time + synapses.loopDelay(j, m), event: Int32(synapses.count + k))
          guard arrival.time < duration else { continue }
          let isNext = nextArrival(m).map { arrival < $0 } ?? true
          var place = underWay[m].count
          while place > 0, underWay[m][place - 1] < arrival { place -= 1 }
          underWay[m].insert(arrival, at: place)
          if isNext && m != j && arrival.time <= line.time(m) { look(m) }
        }
        look(j)
      } else {
        guard let arrival = nextArrival(j) else {
          // The first event of all is the end of the trial.
          return spikes
        }
        if j == intervening.neuron { intervening = upcoming }
        neuron.run(&states[j], over: neuron.flow(over: arrival.time - since[j]))
        if j == intervening.neuron { intervening.passed(isBelow: neuron.isBelow(states[j])) }
        since[j] = arrival.time
        neuron.receive(&states[j], weight: synapses.weight(arrival.event, j))
        if let sent = underWay[j].last, sent == arrival {
          underWay[j].removeLast()
        } else {
          next[j] += 1
        }
        arrived[j] += 1
        look(j)
      }
    }
  }

  /// Adjoint of `sweepBySynapse`:
  ///
  ///     over a gap: lI <- b lI + adjointRise lV, lV <- a lV
  ///     at own spike k: lV += (theta lV + sum_j w_nj (lV_j - lI_j)(t_k + d_nj) + error_k)
  ///         /(I - theta) + push
  ///     where spike i arrives: dL/dw_ij -= tau_s lI_j,  dL/dd_ij += w_ij (lV_j - lI_j),
  ///         error_i += w_ij (lV_j - lI_j)
  ///     and for the neuron's constants what its model collects
  ///
  /// - Returns: the errors of the incoming spikes.
  func sweepBySynapseBack<N: NeuronModel>(
    _ neurons: [N], _ pass: ExactPass, _ spikes: [ExactSpike], _ errors: [Double],
    _ push: [Double], _ gradient: Parameters<Double>
  ) -> [Double] {
    let layer = pass.layer
    let synapses = Synapses(pass, loopSpikes: spikes)
    let own = SpikesByNeuron(spikes, neurons: layer.size)
    let loopErrors =
      layer.isRecurrent
      ? loopErrors(neurons, pass, synapses, own, spikes, errors, push)
      : Array(repeating: 0.0, count: spikes.count)
    let sinks = Sinks(pass, gradient)
    var incomingErrors = Array(repeating: 0.0, count: synapses.count)
    var constants = Array(repeating: 0.0, count: layer.neuron.parameters.count)
    for j in 0..<layer.size {
      let neuron = neurons[neurons.count > 1 ? j : 0]
      let share = layer.tauSyn[j] / layer.gradientUnit
      let arrivals = synapses.arrivals(at: j)
      let ownSpikes = own.range(j).map { own.order[$0] }
      // Forward once more, for the states at the start of every gap.
      let states =
        sinks.vectors.isEmpty
        ? [] : states(neuron, arrivals, ownSpikes, spikes) { synapses.weight($0, j) }
      for index in constants.indices { constants[index] = 0 }
      var adjoint = N.restAdjoint
      if !layer.isRecurrent, j == pass.trial.label, pass.phantomPush != 0 {
        neuron.push(&adjoint, by: pass.phantomPush)
      }
      var later = problem.duration
      var (e, s) = (arrivals.count, ownSpikes.count)
      var place = states.count
      let times = pass.trial.adjointTimes
      var asked = times.count
      func back(to time: Double) {
        while asked > 0, times[asked - 1] >= time {
          asked -= 1
          var there = adjoint
          neuron.runBack(&there, over: neuron.flow(over: later - times[asked]))
          let li = neuron.collected(there)
          pass.trial.keepAdjoint(
            pass.index, size: layer.size, time: asked, neuron: j,
            v: neuron.transported(there) + li, i: li)
        }
        let gap = later - time
        let flow = neuron.flow(over: gap)
        place -= 1
        if place >= 0 {
          constants.withUnsafeMutableBufferPointer {
            neuron.collect(
              $0.baseAddress!, from: states[place], to: adjoint, gap: gap, flow: flow)
          }
        }
        neuron.runBack(&adjoint, over: flow)
        later = time
      }
      while e > 0 || s > 0 {
        if s > 0, Int(spikes[ownSpikes[s - 1]].preceding) == e {
          s -= 1
          let k = ownSpikes[s]
          back(to: spikes[k].time)
          neuron.jump(&adjoint, at: spikes[k], loop: loopErrors[k], error: errors[k])
          constants.withUnsafeMutableBufferPointer {
            neuron.collect($0.baseAddress!, at: spikes[k], adjoint: adjoint)
          }
          if !push.isEmpty { neuron.push(&adjoint, by: push[j]) }
        } else {
          e -= 1
          let event = arrivals[e].event
          back(to: arrivals[e].time)
          let error = synapses.weight(event, j) * neuron.transported(adjoint)
          sinks.add(
            event, synapses, j, weight: share * neuron.collected(adjoint), delay: error)
          if event < synapses.count { incomingErrors[Int(event)] += error }
        }
      }
      back(to: 0)
      for (index, vector) in sinks.vectors { vector.base[j] += constants[index] }
    }
    return incomingErrors
  }

  /// The states of a neuron at the start of every gap between its arrivals and spikes.
  private func states<N: NeuronModel>(
    _ neuron: N, _ arrivals: [Arrival], _ ownSpikes: [Int], _ spikes: [ExactSpike],
    weight: (Int32) -> Double
  ) -> [N.State] {
    var states = [N.rest]
    var state = N.rest
    var now = 0.0
    var (e, s) = (0, 0)
    while e < arrivals.count || s < ownSpikes.count {
      if s < ownSpikes.count, Int(spikes[ownSpikes[s]].preceding) == e {
        let time = spikes[ownSpikes[s]].time
        neuron.run(&state, over: neuron.flow(over: time - now))
        _ = neuron.spike(&state)
        now = time
        s += 1
      } else {
        neuron.run(&state, over: neuron.flow(over: arrivals[e].time - now))
        neuron.receive(&state, weight: weight(arrivals[e].event))
        now = arrivals[e].time
        e += 1
      }
      states.append(state)
    }
    return states
  }

  /// Per spike of a recurrent layer: sum_j w_nj (lV_j - lI_j)(t_k + d_nj), from the last spike to
  /// the first. An adjoint is known from the last of the neuron's own spikes gone through.
  private func loopErrors<N: NeuronModel>(
    _ neurons: [N], _ pass: ExactPass, _ synapses: Synapses, _ own: SpikesByNeuron,
    _ spikes: [ExactSpike], _ errors: [Double], _ push: [Double]
  ) -> [Double] {
    let (size, duration) = (pass.layer.size, problem.duration)
    var loopErrors = Array(repeating: 0.0, count: spikes.count)
    /// Per spike: the adjoint just before it, in forward time.
    var before = Array(repeating: N.restAdjoint, count: spikes.count)
    /// Per neuron: the place of the first of its spikes gone through, in `own.order`.
    var places = (0..<size).map { own.range($0).upperBound }

    /// The adjoint of a neuron at a time, from the own spike at a place, or from T.
    func adjoint(_ m: Int, from place: Int, at time: Double) -> N.Adjoint {
      let neuron = neurons[neurons.count > 1 ? m : 0]
      let isLast = place == own.range(m).upperBound
      var adjoint = isLast ? N.restAdjoint : before[own.order[place]]
      let end = isLast ? duration : spikes[own.order[place]].time
      neuron.runBack(&adjoint, over: neuron.flow(over: end - time))
      return adjoint
    }

    for k in spikes.indices.reversed() {
      let spike = spikes[k]
      let n = Int(spike.neuron)
      for m in 0..<size {
        let arrival = Arrival(
          time: spike.time + synapses.loopDelay(n, m), event: Int32(synapses.count + k))
        guard arrival.time < duration else { continue }
        // The first own spike that comes after the arrival.
        var place = places[m]
        while place < own.range(m).upperBound,
          synapses.isBefore(spikes[own.order[place]], arrival, at: m)
        { place += 1 }
        let neuron = neurons[neurons.count > 1 ? m : 0]
        loopErrors[k] +=
          synapses.loopWeight(n, m)
          * neuron.transported(adjoint(m, from: place, at: arrival.time))
      }
      let neuron = neurons[neurons.count > 1 ? n : 0]
      var jumping = adjoint(n, from: places[n], at: spike.time)
      neuron.jump(&jumping, at: spike, loop: loopErrors[k], error: errors[k])
      if !push.isEmpty { neuron.push(&jumping, by: push[n]) }
      places[n] -= 1
      before[k] = jumping
    }
    return loopErrors
  }
}

/// A spike as it reaches a neuron.
struct Arrival: Comparable {
  /// ms.
  var time: Double
  /// The number of an incoming spike; that of a spike of the layer itself comes after those of all
  /// incoming ones.
  var event: Int32

  /// Equal times in order of event.
  static func < (a: Arrival, b: Arrival) -> Bool { (a.time, a.event) < (b.time, b.event) }
}

/// The synapses of a layer in a trial, and what comes by them.
struct Synapses {
  /// Incoming spikes.
  let incoming: IncomingSpikes
  /// The neurons of the layer's own spikes, in order of time.
  var sent: [Int32]
  private let times: [Double]
  private let size: Int
  private let duration: Double
  private let weights: (base: UnsafeMutablePointer<Double>, stride: Int)
  private let loop: (base: UnsafeMutablePointer<Double>, stride: Int)?
  private let delays: DelayTable?
  private let loopDelays: DelayTable?

  /// - Parameter spikes: those of the layer itself, where they are known; of any layer, but they
  ///   arrive only in a recurrent one.
  init(_ pass: ExactPass, loopSpikes spikes: [ExactSpike]) {
    incoming = pass.incoming
    let isRecurrent = pass.layer.isRecurrent
    sent = isRecurrent ? spikes.map(\.neuron) : []
    times = isRecurrent ? spikes.map(\.time) : []
    size = pass.layer.size
    duration = pass.solver.problem.duration
    weights = (pass.matrix.base, pass.matrix.stride)
    loop = isRecurrent ? (pass.loop.base, pass.loop.stride) : nil
    delays = pass.delays(pass.own.projection, pass.layer.delays)
    loopDelays = isRecurrent ? pass.delays(pass.own.projection + 1, pass.layer.loopDelays) : nil
  }

  /// How many incoming spikes there are.
  var count: Int { incoming.count }

  func loopDelay(_ n: Int, _ m: Int) -> Double { loopDelays?[n, m] ?? 0 }
  func loopWeight(_ n: Int, _ m: Int) -> Double { loop!.base[n * loop!.stride + m] }

  /// The row of an event in the matrix that it arrives by, and whether that is the loop.
  @inline(__always)
  func source(_ event: Int32) -> (row: Int, isLoop: Bool) {
    let index = Int(event)
    return index < count
      ? (Int(incoming.sources[index]), false) : (Int(sent[index - count]), true)
  }

  @inline(__always)
  func weight(_ event: Int32, _ j: Int) -> Double {
    let (row, isLoop) = source(event)
    return isLoop ? loopWeight(row, j) : weights.base[row * weights.stride + j]
  }

  /// All that arrive at a neuron within the trial, in order.
  func arrivals(at j: Int) -> [Arrival] {
    var arrivals: [Arrival] = []
    arrivals.reserveCapacity(count + sent.count)
    for e in 0..<count {
      let delay = delays?[Int(incoming.sources[e]), j] ?? 0
      let time = incoming.times[e] + delay
      if time < duration { arrivals.append(Arrival(time: time, event: Int32(e))) }
    }
    for k in times.indices {
      let time = times[k] + loopDelay(Int(sent[k]), j)
      if time < duration { arrivals.append(Arrival(time: time, event: Int32(count + k))) }
    }
    if delays != nil || loop != nil { arrivals.sort() }
    return arrivals
  }

  /// Whether a spike of a neuron comes before something arrives at it.
  func isBefore(_ spike: ExactSpike, _ arrival: Arrival, at j: Int) -> Bool {
    if spike.time != arrival.time { return spike.time < arrival.time }
    return Int(spike.preceding) <= arrivals(at: j).count { $0 < arrival }
  }
}

/// Where the gradients of a layer go.
private struct Sinks {
  let weights: Matrix<Double>
  let loop: Matrix<Double>?
  let delays: DelayTable?
  let loopDelays: DelayTable?
  /// Each with its place among the model's parameters.
  let vectors: [(index: Int, sum: Matrix<Double>)]

  init(_ pass: ExactPass, _ gradient: Parameters<Double>) {
    let (layer, own) = (pass.layer, pass.own)
    weights = gradient.matrices[own.projection]
    loop = layer.isRecurrent ? gradient.matrices[own.projection + 1] : nil
    func table(_ projection: Int, _ delays: Delays?) -> DelayTable? {
      guard let delays, let matrix = gradient.delays(ofProjection: projection) else { return nil }
      return DelayTable(matrix, delays.form)
    }
    delays = table(own.projection, layer.delays)
    loopDelays = layer.isRecurrent ? table(own.projection + 1, layer.loopDelays) : nil
    vectors = layer.neuron.parameters.enumerated().compactMap { index, parameter in
      gradient.vector(parameter, ofLayer: pass.index).map { (index, $0) }
    }
  }

  @inline(__always)
  func add(
    _ event: Int32, _ synapses: Synapses, _ j: Int, weight: Double, delay: Double
  ) {
    let (row, isLoop) = synapses.source(event)
    let matrix = isLoop ? loop! : weights
    matrix.base[row * matrix.stride + j] += weight
    if let delays = isLoop ? loopDelays : delays { delays.place(row, j).pointee += delay }
  }
}

/// Times of which the earliest is known: each beats its neighbour, and so on. Of equal ones that of
/// the lowest number.
private struct Tournament {
  private let leaves: Int
  private var times: [Double]
  /// Of each match the winner; the first match is 1.
  private var winners: [Int]

  init(_ count: Int) {
    var leaves = 1
    while leaves < count { leaves *= 2 }
    self.leaves = leaves
    times = Array(repeating: .infinity, count: leaves)
    winners = Array(repeating: 0, count: 2 * leaves)
    for j in 0..<leaves { winners[leaves + j] = j }
    for match in (1..<max(leaves, 2)).reversed() where leaves > 1 {
      winners[match] = winners[2 * match]
    }
  }

  var first: (index: Int, time: Double) {
    let index = winners[1]
    return (index, times[index])
  }

  func time(_ j: Int) -> Double { times[j] }

  mutating func set(_ j: Int, _ time: Double) {
    times[j] = time
    var match = (leaves + j) / 2
    while match >= 1 {
      let (a, b) = (winners[2 * match], winners[2 * match + 1])
      winners[match] = times[b] < times[a] ? b : a
      match /= 2
    }
  }
}
