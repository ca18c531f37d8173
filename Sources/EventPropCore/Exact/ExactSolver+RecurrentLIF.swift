// SPDX-License-Identifier: MIT

import Foundation
import Kernels

/// A recurrent layer of LIF neurons: as `ExactSolver+Recurrent.swift` has it, by kernels that take
/// all neurons through an event in one pass. The spikes are the same bits, the gradient is the same
/// but for the order in which sums over neurons are taken; where time constants differ, both are
/// the same but for the last digits of exponentials.
///
/// A pass ends with a look at the gap that comes next: V is concave while it rises, hence below its
/// tangent, and few neurons are left that can reach the threshold at all. Of those only the first
/// to do so is solved for; of any other it is enough to see that it has not crossed by then.
extension ExactSolver {
  /// Forward: as `sweep`, with the events that it went through.
  ///
  /// - Parameter index: of the layer.
  func sweepTogether(
    _ layer: Layer, _ index: Int, _ incoming: IncomingSpikes, _ weights: Matrix<Double>,
    _ loop: Matrix<Double>, _ trial: ExactTrial, dropped: [Bool]
  ) -> (spikes: [ExactSpike], events: [ExactEvent]) {
    let lanes = LIFLanes(layer)
    let width = lanes.width
    let state = Lanes<Double>(3 * width)
    let (v, i, theta) = (state.base, state.base + width, state.base + 2 * width)
    layer.setThresholds(theta, width: width, dropped: dropped)
    let few = FewNeurons(width: width)
    let sources = incoming.sources
    let (times, ends) = incoming.groups
    var (spikes, events) = trial.memory(ofLayer: index)
    let limit = spikeLimit(layer)
    let fetched = Self.fetchedBytes / (width * MemoryLayout<Double>.stride)
    return sources.withUnsafeBufferPointer { sources in
      func rows(_ matrix: Matrix<Double>, _ index: UnsafePointer<UInt32>?, _ count: Int)
        -> ep_exact_rows
      { ep_exact_rows(rows: matrix.base, stride: matrix.stride, index: index, count: count) }
      var now = 0.0
      // Incoming spikes from e on arrive next, those of a group at one time.
      var (e, group) = (0, 0)
      var end = times.first ?? problem.duration
      let whole = lanes.flows(over: IncomingSpikes.gaps(times, until: problem.duration))
      var past = (gap: 0.0, flow: Decay.none)
      var ahead = whole?[0] ?? .none
      var reset = width
      var spiking: UInt32 = 0
      var (arriving, upcoming) = (rows(loop, nil, 0), rows(weights, nil, 0))
      while true {
        // Over a gap to an event, at which rows arrive; then a look at the gap up to `end`.
        withUnsafePointer(to: &spiking) { spiking in
          if reset < width { arriving = rows(loop, spiking, 1) }
          lanes.step(
            v, i, theta, over: past, &arriving, &upcoming, reset: reset,
            ahead: (end - now, ahead), few: few)
        }
        upcoming.count = 0
        if let (hit, flow, n) = first(of: few, gap: end - now, ahead, lanes) {
          now = min(now + hit.after, end)
          let slope = flow.b * i[n] - theta[n]
          spikes.append(
            ExactSpike(time: now, neuron: Int32(n), preceding: Int32(e), slope: slope))
          if spikes.count > limit {
            trial.failure = explosion(layer)
            return ([], [])
          }
          (past, reset, spiking) = ((hit.after, flow), n, UInt32(n))
          events.append(ExactEvent(after: past, isSpike: true, index: spikes.count - 1))
          ahead = lanes.flow(ahead, after: hit, rest: end - now)
        } else {
          (past, reset) = ((end - now, ahead), width)
          events.append(ExactEvent(after: past, isSpike: false, index: e))
          if group == times.count { return (spikes, events) }
          now = end
          arriving = rows(weights, sources.baseAddress! + e, ends[group] - e)
          (e, group) = (ends[group], group + 1)
          end = problem.duration
          if group < times.count {
            end = times[group]
            upcoming = rows(
              weights, sources.baseAddress! + e, min(ends[group] - e, fetched))
          }
          ahead = whole?[group] ?? .none
        }
      }
    }
  }

  /// A tangent is raised by this factor, for what rounding takes from it.
  static var tangentMargin: Double { 1 + 1e-9 }
  /// Of rows that arrive next, what is fetched ahead: no more than a quarter of a first-level cache
  /// of 32 KB, where what is at hand must stay.
  private static var fetchedBytes: Int { 8 << 10 }

  /// Of some neurons that may spike in a gap, the one that does first, with the flow until then;
  /// of those that spike at the same time that of the lowest number.
  @inline(__always)
  private func first(of few: FewNeurons, gap: Double, _ flow: Decay, _ lanes: LIFLanes) -> (
    hit: Hit, flow: Decay, neuron: Int
  )? {
    let list = few.list.pointee
    if list.count == 0 { return nil }
    var first: (hit: Hit, place: Int)?
    var (until, there) = (gap, flow)
    func look(at place: Int) {
      let j = Int(list.index[place])
      guard
        let hit = lanes.neuron(j, threshold: list.theta[place]).crossing(
          LIF.State(v: list.v[place], i: list.i[place]), gap: until,
          flow: lanes.flow(there, over: until, of: j))
      else { return }
      if let first, hit.after > until || hit.after == until && place > first.place { return }
      first = (hit, place)
      (until, there) = (hit.after, lanes.flow(to: hit, of: j))
    }
    // The one whose tangent is there first is the likeliest to be the first. Of the others it is
    // asked whether they cross before the first so far.
    let likeliest = list.count == 1 ? 0 : ep_exact_likeliest(few.list)
    look(at: likeliest)
    if list.count > 1 && lanes.isUniform {
      var flow = ep_flow(there)
      for k in 0..<ep_exact_within(few.list, &flow, few.places) {
        if Int(few.places[k]) != likeliest { look(at: Int(few.places[k])) }
      }
    } else {
      for place in 0..<list.count where place != likeliest { look(at: place) }
    }
    return first.map { ($0.hit, there, Int(list.index[$0.place])) }
  }

  /// Adjoint of `sweepTogether`: as `sweepBack`.
  ///
  /// - Parameters:
  ///   - events: those of the forward pass; the last is the end.
  ///   - needsErrors: whether anyone wants the errors of the incoming spikes.
  func sweepTogetherBack(
    _ layer: Layer, _ incoming: IncomingSpikes, _ events: [ExactEvent], _ spikes: [ExactSpike],
    _ errors: [Double], _ push: [Double], _ weights: Matrix<Double>, _ gradient: Matrix<Double>,
    _ loop: Matrix<Double>, _ loopGradient: Matrix<Double>, thresholds: Matrix<Double>?,
    needsErrors: Bool
  ) -> [Double] {
    let lanes = LIFLanes(layer)
    let state = Lanes<Double>(2 * lanes.width)
    let (lv, li) = (state.base, state.base + lanes.width)
    let sources = incoming.sources
    var incomingErrors = Array(repeating: 0.0, count: needsErrors ? incoming.count : 0)
    // Incoming spikes before e have not been gone through.
    var e = incoming.count
    sources.withUnsafeBufferPointer { sources in
      for number in (1..<events.count).reversed() {
        // Between this event and the one after it, or T.
        let (event, after) = (events[number - 1], events[number])
        if event.isSpike {
          let k = event.index
          let spike = spikes[k]
          let n = Int(spike.neuron)
          var row = UInt32(n)
          let error = lanes.back(
            lv, li, over: after.gap, weights: loop.base + n * loop.stride,
            gradient: loopGradient, rows: &row, 1)
          let own = lanes.neuron(n, threshold: layer.threshold[n])
          var adjoint = LIF.Adjoint(lv: lv[n], li: li[n])
          own.jump(&adjoint, at: spike, loop: error, error: errors[k])
          if let thresholds { thresholds.base[n] += own.thresholdGradient(adjoint) }
          if !push.isEmpty { own.push(&adjoint, by: push[n]) }
          lv[n] = adjoint.lv
        } else if needsErrors {
          // One by one: each has a row of weights.
          var gap = after.gap
          while e > event.index {
            e -= 1
            incomingErrors[e] = lanes.back(
              lv, li, over: gap, weights: weights.base + Int(sources[e]) * weights.stride,
              gradient: gradient, rows: sources.baseAddress! + e, 1)
            gap = .now
          }
        } else {
          _ = lanes.back(
            lv, li, over: after.gap, weights: nil, gradient: gradient,
            rows: sources.baseAddress! + event.index, e - event.index)
          e = event.index
        }
      }
    }
    return incomingErrors
  }
}

/// An event of a recurrent layer in a trial: a spike of its own, spikes that arrive together, or
/// the end.
struct ExactEvent {
  /// Since the event before it, or t = 0, with exponentials of all neurons; where each has its own,
  /// without.
  let gap: Hit
  /// Whether it is the layer's.
  let isSpike: Bool
  private let number: Int32

  init(after past: (gap: Double, flow: Decay), isSpike: Bool, index: Int) {
    gap = Hit(after: past.gap, a: past.flow.a, b: past.flow.b)
    (self.isSpike, number) = (isSpike, Int32(index))
  }

  /// Of the layer's spike, or of the first that arrives.
  var index: Int { Int(number) }
}

extension ep_flow {
  /// Forward.
  @inline(__always)
  init(_ decay: Decay) { self.init(a: decay.a, b: decay.b, c: decay.rise) }
  /// Backward.
  @inline(__always)
  init(back decay: Decay) { self.init(a: decay.a, b: decay.b, c: decay.adjointRise) }
}

extension ExactLayerPasses {
  /// LIF neurons: those of a layer together where no spike of theirs is forced or suppressed;
  /// without recurrence only where their time constants are the same.
  static let lif: ExactLayerPasses = {
    let alone = spiking(LIF.self)
    return ExactLayerPasses(isSpiking: true) { pass in
      guard pass.isTogether else {
        pass.trial.events[pass.index] = []
        return alone.forward(pass)
      }
      let (neuron, layer) = (LIF(pass.layer, neuron: 0), pass.layer)
      if layer.isRecurrent {
        (pass.trial.layers[pass.index], pass.trial.events[pass.index]) =
          pass.solver.sweepTogether(
            layer, pass.index, pass.incoming, pass.matrix, pass.loop, pass.trial,
            dropped: pass.dropped)
      } else {
        pass.trial.layers[pass.index] = pass.solver.sweepTogether(
          neuron, layer, pass.incoming, pass.matrix, pass.trial, dropped: pass.dropped)
      }
    } backward: { pass, errors, push, gradient in
      // Where a spike was forced in the forward pass, neurons went through it one by one.
      let events = pass.trial.events[pass.index]
      guard pass.isTogether, !pass.layer.isRecurrent || !events.isEmpty else {
        return alone.backward(pass, errors, push, gradient)
      }
      let (neuron, layer) = (LIF(pass.layer, neuron: 0), pass.layer)
      let (spikes, sum) = (
        pass.trial.layers[pass.index], gradient.matrices[pass.own.projection]
      )
      let thresholds = gradient.vector(.threshold, ofLayer: pass.index)
      if layer.isRecurrent {
        return pass.solver.sweepTogetherBack(
          layer, pass.incoming, events, spikes, errors, push, pass.matrix, sum, pass.loop,
          gradient.matrices[pass.own.projection + 1], thresholds: thresholds,
          needsErrors: pass.index > 0)
      }
      return pass.solver.sweepTogetherBack(
        neuron, layer, pass.incoming, spikes, errors, push, pass.matrix, sum,
        thresholds: thresholds, phantom: (pass.trial.label, pass.phantomPush),
        needsErrors: pass.index > 0)
    }
  }()
}

extension Layer {
  /// Of every lane of the kernels; infinite for those without spikes.
  func setThresholds(_ theta: UnsafeMutablePointer<Double>, width: Int, dropped: [Bool]) {
    for j in 0..<width {
      let isThere = j < size && (dropped.isEmpty || !dropped[j])
      theta[j] = isThere ? threshold[j] : .infinity
    }
  }
}

extension ExactPass {
  /// A few neurons that do not reach each other are sooner done alone.
  fileprivate var isTogether: Bool {
    return (layer.isRecurrent || layer.hasOneFlow && layer.size >= 16)
      && trial.intervention?.layer != index && !solver.isOneByOne && !isBySynapse
  }
}
