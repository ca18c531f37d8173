// SPDX-License-Identifier: MIT

import Foundation
import Kernels

/// The LI output layer: integrals and maxima of its voltages.
///
/// Between two incoming spikes, V(u) = exp(-x/tau_m) V + rise(x) I with x = u - t0. Integrals
/// against w(t) are Gauss-Legendre on panels of at most half the shorter time constant that end at
/// every spike and kink of w: exact to rounding for shapings that change little over a panel.
extension ExactSolver {
  /// Forward: fills `trial.readout` and, for `.instantaneous`, `trial.loss`.
  func readVoltages(_ pass: ExactPass) {
    let (trial, layer, weights) = (pass.trial, pass.layer, pass.matrix)
    if pass.hasOneMean { return readMeans(trial, layer, pass.incoming, weights) }
    let arriving = ReadoutArrivals(pass)
    let lengths = arriving.gaps(until: problem.duration)
    let gaps = GapDecays(layer, gaps: lengths)
    let readout = problem.loss.readout
    var v = Array(repeating: 0.0, count: layer.size)
    var i = v
    // What rounding has cut off from the sums so far (Kahan): finite differences must tell 1e-17
    // apart.
    var lost = v
    for j in trial.readout.indices {
      trial.readout[j] = 0  // V(0) = 0
      trial.peaks[j] = Peak()
    }
    trial.loss = 0
    trial.lossRest = 0
    trial.error = 0
    trial.integrals.removeAll(keepingCapacity: true)
    trial.driveV = Array(
      repeating: 0, count: readout == .instantaneous ? lengths.count * layer.size : 0)
    trial.driveI = trial.driveV
    let isSensitive = layer.trainsTimeConstants
    var sensitivity = Array(repeating: Sensitivity(), count: isSensitive ? layer.size : 0)
    trial.byTimeConstants = Array(repeating: (0, 0), count: sensitivity.count)
    var start = 0.0
    for e in lengths.indices {
      let end = start + lengths[e]
      if readout == .maximum {
        for j in 0..<layer.size
        where seekPeak(&trial.peaks[j], &trial.readout[j], layer, j, v[j], i[j], start, end, e) {
          guard isSensitive else { continue }
          let there = sensitivity[j].after(
            trial.peaks[j].time - start, layer, j, v: v[j], i: i[j])
          trial.byTimeConstants[j] = (there.p, there.q)
        }
      } else {
        let integrals = integrate(layer, start, end)
        trial.integrals.append(contentsOf: integrals)
        for j in 0..<layer.size {
          let integral = integrals[integrals.count > 1 ? j : 0]
          let part = (v[j] * integral.decay + i[j] * integral.rise) / problem.duration - lost[j]
          let sum = trial.readout[j] + part
          lost[j] = (sum - trial.readout[j]) - part
          trial.readout[j] = sum
        }
        if readout == .instantaneous {
          let part =
            integrateLoss(trial, layer, v, i, start, end, e, sensitivity) - trial.lossRest
          let sum = trial.loss + part
          trial.lossRest = (sum - trial.loss) - part
          trial.loss = sum
        } else if isSensitive {
          integrate(sensitivity, trial, layer, v, i, start, end)
        }
      }
      for j in sensitivity.indices {
        sensitivity[j] = sensitivity[j].after(lengths[e], layer, j, v: v[j], i: i[j])
      }
      for j in 0..<layer.size {
        let decay = gaps.decay(e, j)
        v[j] = decay.a * v[j] + decay.rise * i[j]
        i[j] *= decay.b
      }
      if e < arriving.count {
        start = arriving.times[e]
        guard let source = arriving.source(e) else { continue }
        let row = weights.base + Int(source) * weights.stride
        for j in arriving.targets(e) { i[j] += row[j] }
      }
    }
  }

  /// Adjoint of `readVoltages`, output by output, from T back:
  ///
  ///     over a gap: lI <- b lI + adjointRise lV,  lV <- a lV,
  ///         and both take what dl/dV adds in the gap
  ///     at the maximum (`.maximum`): lV -= dL/dM/tau_m
  ///     where spike i arrives: dL/dw_ij -= tau_s lI_j;  error_i += w_ij (lV_j - lI_j)
  ///         and, where i turns a rise into the maximum, dL/dM_j dV_j/dt(t-);
  ///         dL/dd_ij takes what the error does
  func readVoltagesBack(_ pass: ExactPass, _ sums: Parameters<Double>) -> [Double] {
    let (trial, layer, weights) = (pass.trial, pass.layer, pass.matrix)
    let gradient = sums.matrices[pass.own.projection]
    if pass.hasOneMean {
      return readMeansBack(trial, layer, pass.incoming, weights, gradient)
    }
    let arriving = ReadoutArrivals(pass)
    let lengths = arriving.gaps(until: problem.duration)
    let gaps = GapDecays(layer, gaps: lengths)
    let readout = problem.loss.readout
    let delays = layer.delays.flatMap { delays in
      sums.delays(ofProjection: pass.own.projection).map { DelayTable($0, delays.form) }
    }
    let taus = [NeuronParameter.tauMem, .tauSyn].map { sums.vector($0, ofLayer: pass.index) }
    var errors = Array(repeating: 0.0, count: pass.incoming.count)
    for j in 0..<layer.size {
      let slope = trial.readoutGradient[j]
      let peak = trial.peaks[j]
      let tauMem = layer.tauMem[j]
      let adjointPerRise = tauMem / layer.tauSyn[j]
      let share = layer.tauSyn[j] / layer.gradientUnit
      if layer.trainsTimeConstants {
        let factor = readout == .instantaneous ? 1 : slope
        taus[0]?.base[j] += factor * trial.byTimeConstants[j].mem
        taus[1]?.base[j] += factor * trial.byTimeConstants[j].syn
      }
      var lv = 0.0
      var li = 0.0
      for e in lengths.indices.reversed() {
        if readout == .maximum && peak.interval == e {
          let start = e > 0 ? arriving.times[e - 1] : 0
          let after = layer.decay(over: start + lengths[e] - peak.time, neuron: j)
          let before = layer.decay(over: peak.time - start, neuron: j)
          li = after.b * li + after.adjointRise * lv
          lv = after.a * lv - slope / tauMem
          li = before.b * li + before.adjointRise * lv
          lv *= before.a
        } else {
          let decay = gaps.decay(e, j)
          li = decay.b * li + decay.adjointRise * lv
          lv *= decay.a
        }
        switch readout {
        case .weightedMean:
          let scale = slope / (problem.duration * tauMem)
          let integral = trial.integrals[gaps.place(e, j)]
          lv -= scale * integral.decay
          li -= scale * integral.rise * adjointPerRise
        case .instantaneous:
          let scale = 1 / (problem.duration * tauMem)
          lv -= scale * trial.driveV[e * layer.size + j]
          li -= scale * trial.driveI[e * layer.size + j] * adjointPerRise
        case .maximum, .firstSpike:
          break
        }
        if e > 0, let asked = arriving.asked(e - 1) {
          trial.keepAdjoint(
            pass.index, size: layer.size, time: asked, neuron: j, v: lv, i: li)
        } else if e > 0, arriving.reaches(e - 1, j), let source = arriving.source(e - 1) {
          let source = Int(source)
          let at = source * weights.stride + j
          gradient.base[at] += share * li
          var error = weights.base[at] * (lv - li)
          if readout == .maximum && arriving.turns(e - 1, peak, at: j) {
            error += slope * peak.slope / tauMem
          }
          errors[Int(arriving.spike(e - 1))] += error
          if let delays { delays.place(source, j).pointee += error }
        }
      }
    }
    return errors
  }

  /// Forward, all outputs in one pass for each gap: `readVoltages` for the mean voltage.
  private func readMeans(
    _ trial: ExactTrial, _ layer: Layer, _ incoming: IncomingSpikes, _ weights: Matrix<Double>
  ) {
    let width = paddedWidth(layer.size, lanes: 8)
    let state = Lanes<Double>(4 * width)
    let (v, i) = (state.base, state.base + width)
    let (mean, lost) = (v + 2 * width, v + 3 * width)
    trial.loss = 0
    trial.lossRest = 0
    let gaps = incoming.gaps(until: problem.duration)
    let decays = GapDecays(layer, gaps: gaps)
    let (starts, ends) = ([0] + incoming.times, incoming.times + [problem.duration])
    trial.integrals =
      closedForms(layer, starts, gaps)
      ?? zip(starts, ends).map { integrate(layer, $0, $1)[0] }
    for (e, integral) in trial.integrals.enumerated() {
      var flow = ep_flow(decays.decay(e, 0))
      ep_exact_li(
        v, i, &flow, integral.decay, integral.rise,
        e < incoming.count
          ? weights.base + Int(incoming.sources[e]) * weights.stride : nil,
        mean, lost, width)
    }
    for j in 0..<layer.size { trial.readout[j] = mean[j] / problem.duration }
  }

  /// Adjoint of `readMeans`, all outputs in one pass for each gap.
  private func readMeansBack(
    _ trial: ExactTrial, _ layer: Layer, _ incoming: IncomingSpikes, _ weights: Matrix<Double>,
    _ gradient: Matrix<Double>
  ) -> [Double] {
    let width = paddedWidth(layer.size, lanes: 8)
    let state = Lanes<Double>(3 * width)
    let (lv, li, slope) = (state.base, state.base + width, state.base + 2 * width)
    let (tauMem, tauSyn) = (layer.tauMem[0], layer.tauSyn[0])
    for j in 0..<layer.size {
      slope[j] = trial.readoutGradient[j] / (problem.duration * tauMem)
    }
    var errors = Array(repeating: 0.0, count: incoming.count)
    let decays = GapDecays(layer, gaps: incoming.gaps(until: problem.duration))
    for e in (0...incoming.count).reversed() {
      let integral = trial.integrals[e]
      let row = e > 0 ? Int(incoming.sources[e - 1]) * weights.stride : 0
      var flow = ep_flow(back: decays.decay(e, 0))
      let error = ep_exact_li_back(
        lv, li, &flow, slope, integral.decay,
        integral.rise * (tauMem / tauSyn), e > 0 ? weights.base + row : nil,
        gradient.base + row, width)
      if e > 0 { errors[e - 1] = error }
    }
    return errors
  }

  private func forEachNode(
    _ layer: Layer, _ start: Double, _ end: Double, _ body: (Double, Double) -> Void
  ) {
    let shortest = layer.isUniform ? 1 : layer.size
    let longest = (0..<shortest).reduce(Double.infinity) {
      min($0, layer.tauSyn[$1], layer.tauMem[$1])
    }
    GaussLegendre.forEachNode(from: start, to: end, longest: longest / 2, kinks: kinks, body)
  }

  /// `int w(u) exp(-(u - t0)/tau_m) du` and `int w(u) rise(u - t0) du` over one interval: of each
  /// output, or once where all are alike.
  private func integrate(_ layer: Layer, _ start: Double, _ end: Double) -> [ReadoutIntegral] {
    if layer.isUniform, let integral = closedForm(layer, start, end) { return [integral] }
    var integrals = Array(
      repeating: ReadoutIntegral(decay: 0, rise: 0), count: layer.isUniform ? 1 : layer.size)
    forEachNode(layer, start, end) { time, weight in
      let w = weight * problem.shaping.weight(at: time / problem.duration)
      for j in integrals.indices {
        let decay = layer.decay(over: time - start, neuron: j)
        integrals[j].decay += w * decay.a
        integrals[j].rise += w * decay.rise
      }
    }
    return integrals
  }

  /// The same where w has one; not for time constants near each other.
  private func closedForm(_ layer: Layer, _ start: Double, _ end: Double) -> ReadoutIntegral? {
    let (tauMem, tauSyn, duration) = (layer.tauMem[0], layer.tauSyn[0], problem.duration)
    guard !Decay.isClose(tauMem, tauSyn),
      let slow = problem.shaping.integral(
        from: start / duration, to: end / duration, rate: duration / tauMem),
      let fast = problem.shaping.integral(
        from: start / duration, to: end / duration, rate: duration / tauSyn)
    else { return nil }
    return ReadoutIntegral(
      decay: duration * slow, rise: tauSyn / (tauMem - tauSyn) * duration * (slow - fast))
  }

  /// The same of many intervals, where w = exp(-k x) throughout.
  private func closedForms(_ layer: Layer, _ starts: [Double], _ gaps: [Double])
    -> [ReadoutIntegral]?
  {
    let (tauMem, tauSyn, duration) = (layer.tauMem[0], layer.tauSyn[0], problem.duration)
    guard let rate = problem.shaping.decayRate, !Decay.isClose(tauMem, tauSyn) else { return nil }
    let (slowTau, fastTau) = (
      1 / (1 / tauMem + rate / duration), 1 / (1 / tauSyn + rate / duration)
    )
    let count = gaps.count
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: 3 * count) { memory in
      let slow = memory.baseAddress!
      let (fast, weights) = (slow + count, slow + 2 * count)
      ep_exact_rises(gaps, count, slowTau, slow)
      ep_exact_rises(gaps, count, fastTau, fast)
      if rate > 0 {
        ep_exact_exps(starts, count, duration / rate, weights)
      } else {
        weights.update(repeating: 1, count: count)
      }
      let factor = tauSyn / (tauMem - tauSyn)
      return (0..<count).map { e in
        let mean = weights[e] * slowTau * slow[e]
        return ReadoutIntegral(
          decay: mean, rise: factor * (mean - weights[e] * fastTau * fast[e]))
      }
    }
  }

  /// `.instantaneous`: `1/T int w l(V) du` over one interval; keeps what dl/dV adds to lV and lI.
  private func integrateLoss(
    _ trial: ExactTrial, _ layer: Layer, _ v: [Double], _ i: [Double], _ start: Double,
    _ end: Double, _ interval: Int, _ sensitivity: [Sensitivity]
  ) -> Double {
    var total = 0.0
    var values = v
    var slopes = v
    let isUniform = layer.isUniform
    let targets = targets
    forEachNode(layer, start, end) { time, weight in
      var decay = layer.decay(over: time - start)
      let w = weight * problem.shaping.weight(at: time / problem.duration)
      for j in 0..<layer.size {
        if !isUniform { decay = layer.decay(over: time - start, neuron: j) }
        values[j] = decay.a * v[j] + decay.rise * i[j]
      }
      if let targets {
        values.withUnsafeMutableBufferPointer {
          targets.subtract(label: trial.label, at: time / problem.duration, from: $0)
        }
        let square = values.reduce(0) { $0 + $1 * $1 / 2 }
        trial.error += weight * square / problem.duration
      }
      total += values.withUnsafeBufferPointer { values in
        slopes.withUnsafeMutableBufferPointer {
          w * problem.loss.value(values, label: trial.label, gradient: $0)
        }
      }
      for j in 0..<layer.size {
        if !isUniform { decay = layer.decay(over: time - start, neuron: j) }
        trial.driveV[interval * layer.size + j] += w * slopes[j] * decay.a
        trial.driveI[interval * layer.size + j] += w * slopes[j] * decay.rise
      }
      for j in sensitivity.indices {
        let there = sensitivity[j].after(time - start, layer, j, v: v[j], i: i[j])
        let scale = w * slopes[j] / problem.duration
        trial.byTimeConstants[j].mem += scale * there.p
        trial.byTimeConstants[j].syn += scale * there.q
      }
    }
    return total / problem.duration
  }

  /// 1/T int w dV/dtau du over one interval, of each output.
  private func integrate(
    _ sensitivity: [Sensitivity], _ trial: ExactTrial, _ layer: Layer, _ v: [Double],
    _ i: [Double], _ start: Double, _ end: Double
  ) {
    forEachNode(layer, start, end) { time, weight in
      let w = weight * problem.shaping.weight(at: time / problem.duration) / problem.duration
      for j in sensitivity.indices {
        let there = sensitivity[j].after(time - start, layer, j, v: v[j], i: i[j])
        trial.byTimeConstants[j].mem += w * there.p
        trial.byTimeConstants[j].syn += w * there.q
      }
    }
  }

  /// Looks for a higher maximum of one output in an interval: inside it, or at its end.
  /// - Returns: whether there is one.
  private func seekPeak(
    _ peak: inout Peak, _ highest: inout Double, _ layer: Layer, _ j: Int, _ v: Double,
    _ i: Double, _ start: Double, _ end: Double, _ interval: Int
  ) -> Bool {
    let decay = layer.decay(over: end - start, neuron: j)
    let (vEnd, iEnd) = (decay.a * v + decay.rise * i, decay.b * i)
    if i > v && iEnd < vEnd {
      let top = Decay.peakTime(v: v, i: i, tauMem: layer.tauMem[j], tauSyn: layer.tauSyn[j])
      let there = layer.decay(over: top, neuron: j)
      let value = there.a * v + there.rise * i
      if value > highest {
        highest = value
        peak = Peak(interval: interval, time: start + top, slope: 0)
        return true
      }
    } else if vEnd > highest {
      highest = vEnd
      peak = Peak(interval: interval, time: end, slope: iEnd - vEnd)
      return true
    }
    return false
  }
}

extension ExactPass {
  /// Whether what `integrate` gives serves all outputs, and nothing else is read.
  fileprivate var hasOneMean: Bool {
    solver.problem.loss.readout == .weightedMean && layer.isUniform && layer.delays == nil
      && trial.adjointTimes.isEmpty
  }
}

extension Layer {
  /// Whether tau_m or tau_s of its neurons are trained.
  var trainsTimeConstants: Bool {
    learning[.tauMem]?.isTrained == true || learning[.tauSyn]?.isTrained == true
  }
}

extension Sensitivity {
  /// What they are after a gap, for a neuron of a layer.
  func after(_ gap: Double, _ layer: Layer, _ j: Int, v: Double, i: Double) -> Sensitivity {
    after(
      gap, layer.decay(over: gap, neuron: j), v: v, i: i, tauMem: layer.tauMem[j],
      tauSyn: layer.tauSyn[j])
  }
}

/// Spikes as they arrive at the outputs: each at all of them, or where synapses have delays once at
/// each. Between them, as if they were spikes, the times at which adjoints are asked for.
private struct ReadoutArrivals {
  private let incoming: IncomingSpikes
  private let outputs: Int
  let times: [Double]
  /// With delays or times asked for: the spike of each arrival and its output, -1: all; of a time
  /// asked for its number, and -2.
  private let singly: [(spike: Int32, output: Int32)]

  init(_ pass: ExactPass) {
    incoming = pass.incoming
    outputs = pass.layer.size
    let delays = pass.delays(pass.own.projection, pass.layer.delays)
    let asked = pass.trial.adjointTimes
    if delays == nil && asked.isEmpty {
      (times, singly) = (incoming.times, [])
      return
    }
    var all: [(time: Double, spike: Int32, output: Int32)] = asked.enumerated().map {
      ($1, Int32($0), -2)
    }
    for e in 0..<incoming.count {
      guard let delays else {
        all.append((incoming.times[e], Int32(e), -1))
        continue
      }
      for j in 0..<outputs {
        let time = incoming.times[e] + delays[Int(incoming.sources[e]), j]
        if time < pass.solver.problem.duration { all.append((time, Int32(e), Int32(j))) }
      }
    }
    // What is asked for at the time of a spike is what holds after it.
    func isAsked(_ output: Int32) -> Int { output == -2 ? 1 : 0 }
    all.sort {
      ($0.time, isAsked($0.output), $0.spike, $0.output)
        < ($1.time, isAsked($1.output), $1.spike, $1.output)
    }
    times = all.map(\.time)
    singly = all.map { ($0.spike, $0.output) }
  }

  var count: Int { times.count }

  func gaps(until duration: Double) -> [Double] {
    IncomingSpikes(times: times).gaps(until: duration)
  }

  /// The index of an arriving spike among the incoming ones.
  func spike(_ e: Int) -> Int32 { singly.isEmpty ? Int32(e) : singly[e].spike }
  /// nil for a time that is asked for.
  func source(_ e: Int) -> UInt32? {
    asked(e) == nil ? incoming.sources[Int(spike(e))] : nil
  }
  /// The number of a time that is asked for; nil for spikes.
  func asked(_ e: Int) -> Int? {
    singly.isEmpty || singly[e].output != -2 ? nil : Int(singly[e].spike)
  }
  /// The outputs that it arrives at.
  func targets(_ e: Int) -> Range<Int> {
    if singly.isEmpty || singly[e].output == -1 { return 0..<outputs }
    return singly[e].output < 0 ? 0..<0 : Int(singly[e].output)..<(Int(singly[e].output) + 1)
  }
  func reaches(_ e: Int, _ j: Int) -> Bool {
    singly.isEmpty || singly[e].output == -1 || Int(singly[e].output) == j
  }

  /// Whether it is the first arrival at an output where the voltage of that has a maximum.
  func turns(_ e: Int, _ peak: Peak, at j: Int) -> Bool {
    peak.interval >= 0 && peak.interval <= e && peak.time == times[e]
      && !(peak.interval..<e).contains { reaches($0, j) }
  }
}
