// SPDX-License-Identifier: MIT

import Foundation
import Kernels

/// Layers whose neurons have constants of their own, or adapt, or are reached with delays: step by
/// step, forward and back. Delays are rounded to whole steps here; `Parameters` keeps them as they
/// are.
extension GridSolver {
  /// Forward, per step n:
  ///
  ///     I_j += sum of w_ij over spikes of i that arrive at n dt, sent d_ij before
  ///     V <- a V + rise I,  I <- b I,  a <- fall a
  ///     V_j >= theta + beta a_j: spike at (n + 1) dt,
  ///         slope = I_start - V_end + tau_m beta a/tau_a, V_j is reset, a_j <- a_j + 1
  func runEach(
    _ layer: GridLayer, _ each: GridEach, _ index: Int, _ trial: GridTrial,
    _ workspace: GridWorkspace
  ) {
    let incoming = trial.incoming(index)
    let sent = trial.arriving(index, at: layer)
    var own = trial.layers[index]
    let voltages = index == workspace.layers.count - 1 ? trial.voltages : nil
    let forward = workspace.forward(to: index)
    let loop = workspace.loop(of: index)
    let dropped = trial.dropped(inLayer: index)
    let width = layer.width
    own.beginTrial()
    layer.clearState()
    each.adapt?.update(repeating: 0, count: width)
    each.spread(incoming, own: nil)
    layer.loopAxons?.begin()
    var constants = each.each
    // Local names, as in `sweepBackEach`.
    let (v, i, adapt, current) = (layer.v, layer.i, each.adapt, each.current)
    let (isAtOnce, loopIsAtOnce) = (each.forward == nil, each.loop == nil)
    let (loopDelays, loopAxons) = (each.loop, layer.loopAxons)
    withUnsafeTemporaryAllocation(of: ep_rows.self, capacity: 2) { arriving in
      for n in 0..<steps {
        own.reserve(width)
        var sources = 0
        var upcoming = ep_rows()
        if isAtOnce {
          arriving[sources] = forward.rows(of: sent, at: n, 0..<width)
          upcoming = forward.rows(of: sent, at: n + 1, 0..<width)
          sources += 1
        }
        if let loop, loopIsAtOnce {
          // By axons of the layer's own what was sent to arrive now.
          arriving[sources] =
            loopAxons?.rows(loop.weights, loop.stride, at: n)
            ?? loop.rows(of: own, at: n, 0..<width)
          sources += 1
        }
        let (neurons, slopes, memories) = (
          own.neurons + own.count, own.slopes + own.count, own.memories + own.count
        )
        var found = ep_each_step(
          v, i, adapt, &constants, arriving.baseAddress, sources, &upcoming,
          current.map { $0 + n * width }, nil, width, neurons, slopes, memories)
        found = dropped.removeDropped(from: neurons, slopes, memories, count: found)
        if trial.intervention != nil {
          found = trial.intervene(in: index, layer, own, at: n + 1, found: found)
        }
        if let loopDelays, let loop, let current, n + 1 < steps {
          for k in 0..<found {
            let source = Int(neurons[k])
            ep_delay_send(
              current + (n + 1) * width, width, loop.weights + source * loop.stride,
              loopDelays.stepsBySource + source * loopDelays.width, layer.size)
          }
        }
        loopAxons?.send(neurons, found, at: n + 1)
        own.endStep(n, adding: found)
        if let voltages { (voltages + n * width).update(from: layer.v, count: width) }
      }
    }
    trial.layers[index] = own
  }

  /// LI neurons: V, weighted in time.
  func integrateEach(
    _ layer: GridLayer, _ each: GridEach, _ trial: GridTrial, _ workspace: GridWorkspace
  ) {
    let index = workspace.layers.count - 1
    let sent = trial.arriving(index, at: layer)
    let projection = workspace.forward(to: index)
    let width = layer.width
    layer.clearState()
    workspace.mean.update(repeating: 0, count: width)
    each.spread(trial.incoming(index), own: nil)
    var constants = each.each
    let isDelayed = each.forward != nil
    for n in 0..<steps {
      var arriving = isDelayed ? ep_rows() : projection.rows(of: sent, at: n, 0..<width)
      ep_each_li(
        layer.v, layer.i, &constants, &arriving, each.current.map { $0 + n * width }, nil,
        weightOfStep[n], workspace.mean, trial.drive.map { $0 + n * width },
        (workspace.outputs?.v ?? trial.voltages).map { $0 + n * width },
        workspace.outputs.map { $0.i + n * width }, width)
    }
    if let outputs = workspace.outputs {
      trial.forgetPeaks()
      for n in 0..<steps {
        trial.seekPeaks(outputs.v + n * width, outputs.i + n * width, index: n + 1)
      }
      trial.voltages?.update(from: outputs.v, count: steps * width)
    }
  }

  /// The states at the start of every step, once more.
  private func record(
    _ layer: GridLayer, _ each: GridEach, _ index: Int, _ trial: GridTrial,
    _ arrived: (below: GridSpikes, loop: GridSpikes), _ workspace: GridWorkspace
  ) {
    let (sent, sentByLoop) = arrived
    let (forward, loop) = (workspace.forward(to: index), workspace.loop(of: index))
    let width = layer.width
    layer.clearState()
    each.adapt?.update(repeating: 0, count: width)
    each.spread(trial.incoming(index), own: layer.isSpiking ? trial.layers[index] : nil)
    var constants = each.each
    withUnsafeTemporaryAllocation(of: ep_rows.self, capacity: 2) { arriving in
      for n in 0..<steps {
        var record = each.record(at: n)!
        var sources = 0
        if each.forward == nil {
          arriving[sources] = forward.rows(of: sent, at: n, 0..<width)
          sources += 1
        }
        if let loop, each.loop == nil {
          arriving[sources] = loop.rows(of: sentByLoop, at: n, 0..<width)
          sources += 1
        }
        let current = each.current.map { $0 + n * width }
        if layer.isSpiking {
          _ = ep_each_step(
            layer.v, layer.i, each.adapt, &constants, arriving.baseAddress, sources, nil, current,
            &record, width, each.found.neurons, each.found.numbers, each.found.numbers + width)
        } else {
          if sources == 0 { arriving[0] = ep_rows() }
          ep_each_li(
            layer.v, layer.i, &constants, arriving.baseAddress, current, &record, 0,
            each.found.numbers, nil, nil, nil, width)
        }
      }
    }
  }

  /// Adjoint of `runEach` and `integrateEach`, from T back, step by step:
  ///
  ///     over a step: lI <- b lI + adjointRise lV,  lV <- a lV,  la <- fall la
  ///         (outputs under their drive, as in `backward`)
  ///     at a spike of neuron k at n dt:
  ///         lV_k += [(theta + beta a - tau_m beta a/tau_a) lV_k - la_k + error_k]/slope,
  ///         la_k -= beta tau_m lV_k/tau_a,
  ///         error_k = sum_j w_kj (lV_j - lI_j)((n + d_kj) dt) + dl/dt_k
  ///     dL/dw_kj -= tau_s lI_j,  dL/dd_kj += w_kj (lV_j - lI_j), where the spike arrives
  ///     and for the constants what each step and spike has of their gradients
  func sweepBackEach(
    _ layer: GridLayer, _ each: GridEach, _ index: Int, _ trial: GridTrial, _ push: [Double],
    _ tape: GridTape, _ workspace: GridWorkspace
  ) {
    let isOutput = index == workspace.layers.count - 1
    let readout = isOutput ? problem.loss.readout : nil
    let incoming = trial.incoming(index)
    let own = trial.layers[index]
    let forward = workspace.forward(to: index)
    let loop = workspace.loop(of: index)
    let (incomingErrors, ownErrors) = (index > 0 ? incoming.errors : nil, own.errors)
    let keepsErrors = !workspace.errorTraces.isEmpty
    let trace = tape.traces[index]
    let width = layer.width
    let (sent, sentByLoop) = trial.arrived(index, at: layer)
    if each.recordsSteps { record(layer, each, index, trial, (sent, sentByLoop), workspace) }
    tape.useAll()
    let axons = layer.axons.map { trial.arrivals[$0.projection] }
    let loopAxons = layer.loopAxons.map { trial.arrivals[$0.projection] }
    let wantsErrors = incomingErrors != nil || axons != nil
    let drive = isOutput ? startOutput(layer, trial, workspace) : nil
    if !isOutput { layer.clearState() }
    each.la?.update(repeating: 0, count: width)
    each.last.update(repeating: 0, count: width)
    each.sums.update(repeating: 0, count: 5 * width)
    if let currents = each.currents, let errors = each.errors {
      let rest = (each.reach + 16) * width
      (currents + steps * width).update(repeating: 0, count: rest)
      (errors + steps * width).update(repeating: 0, count: rest)
    }
    var constants = each.each
    let lv = layer.v
    // lI lives in the row of the trace where it is kept as it is, elsewhere in the layer.
    var li = layer.i
    // Of all that is looked at in each step there is a local name: each look at a property of a
    // class counts references.
    let (sums, last, la, held) = (each.sums, each.last, each.la, each.drive)
    let (share, tauMem) = (each.countsAlike && drive == nil ? nil : each.share, each.tauMem)
    let (currents, errors) = (each.currents, each.errors)
    let (recordsSteps, adapts) = (each.recordsSteps, each.adapts)
    let (isAtOnce, loopIsAtOnce) = (each.forward == nil, each.loop == nil && loop != nil)
    let loopDelays = each.loop
    var peak = readout == .maximum ? workspace.nextPeak(of: trial) : -1
    var row = 0
    for n in stride(from: steps, through: 0, by: -1) {
      let arriving = isAtOnce ? sent.range(at: n) : 0..<0
      let spikes = layer.isSpiking ? own.range(at: n) : 0..<0
      let looping = loopIsAtOnce ? sentByLoop.range(at: n) : 0..<0
      if n < steps {
        let u: UnsafeMutablePointer<Float>? = drive.map { drive in
          let (scale, values) = (-drive.held * weightOfStep[n], drive.values + n * drive.stride)
          for k in 0..<width { held[k] = scale * values[k] }
          return held
        }
        if recordsSteps {
          var record = each.record(at: n)!
          ep_each_collect(
            sums, sums + width, sums + 2 * width, &constants, &record, lv, li, la, u, last,
            width)
        }
        let isKept = !arriving.isEmpty || !looping.isEmpty
        let kept = isKept ? trace.values + row * trace.stride : nil
        let result = share == nil ? kept ?? layer.i : layer.i
        ep_each_back(
          lv, li, result, la, &constants, u, last, currents.map { $0 + n * width },
          errors.map { $0 + n * width }, share, share == nil ? nil : kept, width)
        li = result
        if kept != nil {
          trace.rows[n] = UInt32(truncatingIfNeeded: row)
          row += 1
        }
      }
      if keepsErrors { workspace.recordErrors(of: index, at: n, lv, li) { last[$0] } }
      let hasPeak = n == peak
      if wantsErrors, !arriving.isEmpty {
        ep_dot_rows(
          sent.errors + arriving.lowerBound, forward.weights, forward.stride,
          sent.neurons + arriving.lowerBound, arriving.count, lv, li, width)
        if hasPeak && n < steps {
          addKinks(at: n, arriving, sent, forward, sent.errors, trial, workspace)
        }
      }
      if hasPeak {
        for j in workspace.peaks.reversed() where trial.peakIndex[j] == n {
          if each.forward != nil && n < steps && trial.peakSlope[j] > 0 {
            addKink(at: n, output: j, each, incoming, incomingErrors, trial, workspace, tape)
          }
        }
        while let j = workspace.peaks.last, trial.peakIndex[j] == n {
          lv[j] -= workspace.drive[j] / each.tauMem[j]
          workspace.peaks.removeLast()
        }
        peak = workspace.nextPeak(of: trial)
      }
      if let loop, !looping.isEmpty {
        ep_dot_rows(
          sentByLoop.errors + looping.lowerBound, loop.weights, loop.stride,
          sentByLoop.neurons + looping.lowerBound, looping.count, lv, li, width)
        loopAxons?.hand(looping, to: ownErrors)
      }
      if spikes.isEmpty { continue }
      if let loopDelays, let loop, let errors, n < steps {
        for k in spikes {
          let source = Int(own.neurons[k])
          ownErrors[k] += ep_delay_sum(
            errors + n * width, width, loop.weights + source * loop.stride,
            loopDelays.stepsBySource + source * loopDelays.width, layer.size)
        }
      }
      if readout == .firstSpike { addSpikeTimes(at: n, spikes, own, ownErrors, trial) }
      for k in spikes {
        let j = Int(own.neurons[k])
        var theta = constants.theta[j]
        var error = ownErrors[k]
        let memory = adapts ? own.memories[k] : 0
        if let la {
          theta += (constants.beta[j] - constants.lift[j]) * memory
          error -= la[j]
        }
        lv[j] += (theta * lv[j] + error) / own.slopes[k]
        la?[j] -= constants.lift[j] * lv[j]
        let ofTheta = tauMem[j] * lv[j]
        sums[3 * width + j] += ofTheta
        sums[4 * width + j] += ofTheta * memory
        if !push.isEmpty { lv[j] += Float(push[j]) }
      }
    }
    handDelays(layer, trial, incomingErrors, tape)
    finish(each, index, incoming, own, incomingErrors, tape)
  }

  /// Gradients of delayed projections and of constants, once a layer has been gone through.
  private func finish(
    _ each: GridEach, _ index: Int, _ incoming: GridSpikes, _ own: GridSpikes,
    _ incomingErrors: UnsafeMutablePointer<Float>?, _ tape: GridTape
  ) {
    let sum = tape.sum
    if let currents = each.currents, let errors = each.errors {
      for (delays, spikes, spikeErrors) in [
        (each.forward, incoming, incomingErrors), (each.loop, own, nil),
      ] {
        guard let delays else { continue }
        delays.gather(
          spikes, currents, errors, width: each.width, share: each.share,
          weights: sum.matrices[delays.projection],
          delays: sum.delays(ofProjection: delays.projection), spikeErrors: spikeErrors)
      }
    }
    let parameters: [NeuronParameter] = [.tauMem, .tauSyn, .tauAdapt, .threshold, .adaptation]
    for (number, parameter) in parameters.enumerated() {
      guard let vector = sum.vector(parameter, ofLayer: index) else { continue }
      ep_add(vector.base, each.sums + number * each.width, each.width)
    }
  }

  /// `.maximum` at a kink of one output, spikes arriving with delays: see `addKinks`.
  private func addKink(
    at n: Int, output j: Int, _ each: GridEach, _ incoming: GridSpikes,
    _ errors: UnsafeMutablePointer<Float>?, _ trial: GridTrial, _ workspace: GridWorkspace,
    _ tape: GridTape
  ) {
    guard let delays = each.forward else { return }
    let projection = workspace.forward(to: workspace.layers.count - 1)
    var slope = trial.peakSlope[j]
    for k in 0..<Int(incoming.offsets[min(n + 1, steps)]) {
      let source = Int(incoming.neurons[k])
      guard Int(incoming.times[k]) + Int(delays.stepsBySource[source * delays.width + j]) == n
      else { continue }
      slope += projection.weights[source * projection.stride + j]
      if slope < 0 {
        let error = workspace.drive[j] * trial.peakSlope[j] / each.tauMem[j]
        if let errors { errors[k] += error }
        if let sum = tape.sum.delays(ofProjection: delays.projection) {
          sum.base[(delays.form == .dendritic ? 0 : source * sum.stride) + j] += error
        }
        break
      }
    }
  }
}

extension Array where Element == Bool {
  /// The same for spikes that have memories too.
  fileprivate func removeDropped(
    from spikes: UnsafeMutablePointer<UInt32>, _ slopes: UnsafeMutablePointer<Float>,
    _ memories: UnsafeMutablePointer<Float>, count: Int
  ) -> Int {
    if isEmpty { return count }
    var kept = 0
    for k in 0..<count where !self[Int(spikes[k])] {
      spikes[kept] = spikes[k]
      slopes[kept] = slopes[k]
      memories[kept] = memories[k]
      kept += 1
    }
    return kept
  }
}
