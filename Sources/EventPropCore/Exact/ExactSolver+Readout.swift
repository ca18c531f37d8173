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
  func readVoltages(
    _ trial: ExactTrial, _ layer: Layer, _ incoming: IncomingSpikes, _ weights: Matrix<Double>
  ) {
    if hasOneMean(layer) { return readMeans(trial, layer, incoming, weights) }
    let lengths = incoming.gaps(until: problem.duration)
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
    trial.integrals.removeAll(keepingCapacity: true)
    trial.driveV = Array(
      repeating: 0, count: readout == .instantaneous ? lengths.count * layer.size : 0)
    trial.driveI = trial.driveV
    var start = 0.0
    for e in lengths.indices {
      let end = start + lengths[e]
      if readout == .maximum {
        for j in 0..<layer.size {
          seekPeak(&trial.peaks[j], &trial.readout[j], layer, j, v[j], i[j], start, end, e)
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
          let part = integrateLoss(trial, layer, v, i, start, end, e) - trial.lossRest
          let sum = trial.loss + part
          trial.lossRest = (sum - trial.loss) - part
          trial.loss = sum
        }
      }
      for j in 0..<layer.size {
        let decay = gaps.decay(e, j)
        v[j] = decay.a * v[j] + decay.rise * i[j]
        i[j] *= decay.b
      }
      if e < incoming.count {
        start = incoming.times[e]
        let row = weights.base + Int(incoming.sources[e]) * weights.stride
        for j in 0..<layer.size { i[j] += row[j] }
      }
    }
  }

  /// Adjoint of `readVoltages`, output by output, from T back:
  ///
  ///     over a gap: lI <- b lI + adjointRise lV,  lV <- a lV,
  ///         and both take what dl/dV adds in the gap
  ///     at the maximum (`.maximum`): lV -= dL/dM/tau_m
  ///     at incoming spike i: dL/dw_ij -= tau_s lI_j;  error_i += w_ij (lV_j - lI_j)
  ///         and, where i turns a rise into the maximum, dL/dM_j dV_j/dt(t-)
  func readVoltagesBack(
    _ trial: ExactTrial, _ layer: Layer, _ incoming: IncomingSpikes, _ weights: Matrix<Double>,
    _ gradient: Matrix<Double>
  ) -> [Double] {
    if hasOneMean(layer) { return readMeansBack(trial, layer, incoming, weights, gradient) }
    let lengths = incoming.gaps(until: problem.duration)
    let gaps = GapDecays(layer, gaps: lengths)
    let readout = problem.loss.readout
    var errors = Array(repeating: 0.0, count: incoming.count)
    for j in 0..<layer.size {
      let slope = trial.readoutGradient[j]
      let peak = trial.peaks[j]
      let tauMem = layer.tauMem[j]
      let adjointPerRise = tauMem / layer.tauSyn[j]
      // The layer's common factor is -tau_s of its first neuron.
      let share = layer.isUniform ? 1 : layer.tauSyn[j] / layer.tauSyn[0]
      var lv = 0.0
      var li = 0.0
      for e in lengths.indices.reversed() {
        if readout == .maximum && peak.interval == e {
          let start = e > 0 ? incoming.times[e - 1] : 0
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
        if e > 0 {
          let at = Int(incoming.sources[e - 1]) * weights.stride + j
          gradient.base[at] += share * li
          errors[e - 1] += weights.base[at] * (lv - li)
          if readout == .maximum && peak.interval == e - 1 && peak.time == incoming.times[e - 1] {
            errors[e - 1] += slope * peak.slope / tauMem
          }
        }
      }
    }
    return errors
  }

  /// Whether what `integrate` gives serves all outputs, and nothing else is read.
  private func hasOneMean(_ layer: Layer) -> Bool {
    problem.loss.readout == .weightedMean && layer.isUniform
  }

  /// Forward, all outputs in one pass for each gap: `readVoltages` for the mean voltage.
  private func readMeans(
    _ trial: ExactTrial, _ layer: Layer, _ incoming: IncomingSpikes, _ weights: Matrix<Double>
  ) {
    let width = paddedWidth(layer.size)
    let state = Lanes<Double>(4 * width)
    let (v, i) = (state.base, state.base + width)
    let (mean, lost) = (v + 2 * width, v + 3 * width)
    trial.loss = 0
    trial.lossRest = 0
    trial.integrals.removeAll(keepingCapacity: true)
    var start = 0.0
    for e in 0...incoming.count {
      let end = e < incoming.count ? incoming.times[e] : problem.duration
      let integral = integrate(layer, start, end)[0]
      trial.integrals.append(integral)
      ep_exact_li(
        v, i, ep_flow(layer.decay(over: end - start)), integral.decay, integral.rise,
        e < incoming.count
          ? weights.base + Int(incoming.sources[e]) * weights.stride : nil,
        mean, lost, width)
      start = end
    }
    for j in 0..<layer.size { trial.readout[j] = mean[j] / problem.duration }
  }

  /// Adjoint of `readMeans`, all outputs in one pass for each gap.
  private func readMeansBack(
    _ trial: ExactTrial, _ layer: Layer, _ incoming: IncomingSpikes, _ weights: Matrix<Double>,
    _ gradient: Matrix<Double>
  ) -> [Double] {
    let width = paddedWidth(layer.size)
    let state = Lanes<Double>(3 * width)
    let (lv, li, slope) = (state.base, state.base + width, state.base + 2 * width)
    let (tauMem, tauSyn) = (layer.tauMem[0], layer.tauSyn[0])
    for j in 0..<layer.size {
      slope[j] = trial.readoutGradient[j] / (problem.duration * tauMem)
    }
    var errors = Array(repeating: 0.0, count: incoming.count)
    var end = problem.duration
    for e in (0...incoming.count).reversed() {
      let start = e > 0 ? incoming.times[e - 1] : 0
      let integral = trial.integrals[e]
      let row = e > 0 ? Int(incoming.sources[e - 1]) * weights.stride : 0
      let error = ep_exact_li_back(
        lv, li, ep_flow(back: layer.decay(over: end - start)), slope, integral.decay,
        integral.rise * (tauMem / tauSyn), e > 0 ? weights.base + row : nil,
        gradient.base + row, width)
      if e > 0 { errors[e - 1] = error }
      end = start
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

  /// `.instantaneous`: `1/T int w l(V) du` over one interval; keeps what dl/dV adds to lV and lI.
  private func integrateLoss(
    _ trial: ExactTrial, _ layer: Layer, _ v: [Double], _ i: [Double], _ start: Double,
    _ end: Double, _ interval: Int
  ) -> Double {
    var total = 0.0
    var values = v
    var slopes = v
    let isUniform = layer.isUniform
    forEachNode(layer, start, end) { time, weight in
      var decay = layer.decay(over: time - start)
      let w = weight * problem.shaping.weight(at: time / problem.duration)
      for j in 0..<layer.size {
        if !isUniform { decay = layer.decay(over: time - start, neuron: j) }
        values[j] = decay.a * v[j] + decay.rise * i[j]
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
    }
    return total / problem.duration
  }

  /// Looks for a higher maximum of one output in an interval: inside it, or at its end.
  private func seekPeak(
    _ peak: inout Peak, _ highest: inout Double, _ layer: Layer, _ j: Int, _ v: Double,
    _ i: Double, _ start: Double, _ end: Double, _ interval: Int
  ) {
    let decay = layer.decay(over: end - start, neuron: j)
    let (vEnd, iEnd) = (decay.a * v + decay.rise * i, decay.b * i)
    if i > v && iEnd < vEnd {
      let top = Decay.peakTime(v: v, i: i, tauMem: layer.tauMem[j], tauSyn: layer.tauSyn[j])
      let there = layer.decay(over: top, neuron: j)
      let value = there.a * v + there.rise * i
      if value > highest {
        highest = value
        peak = Peak(interval: interval, time: start + top, slope: 0)
      }
    } else if vEnd > highest {
      highest = vEnd
      peak = Peak(interval: interval, time: end, slope: iEnd - vEnd)
    }
  }
}
