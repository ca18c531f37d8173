// SPDX-License-Identifier: MIT

import Foundation
import Kernels

extension GridSolver {
  /// Adjoint of `forward`, layer by layer from the output down, each from T back to 0:
  ///
  ///     over a gap of steps without spikes: lI <- b lI + adjointRise lV,  lV <- a lV
  ///     with a drive u = -dl/dV_j w/T (outputs):
  ///         lI <- u + b (lI - u) + adjointRise (lV - u),  lV <- u + a (lV - u)
  ///     (both read-out rules; the state kept is lV - u and lI - u)
  ///     at a spike of neuron k at n dt:
  ///     lV_k += [theta lV_k + sum_j w_kj (lV_j - lI_j) + dl/dt_k] / (I_start - V_end) + push_k
  ///     dL/dw_kj -= tau_s lI_j(n dt)                        (gathered from the tape)
  ///
  /// Everything on the right of a jump is the value just after the spike: where layers spike
  /// together, what a spike takes from the layer above is found before the jumps of that layer.
  public func backward(
    _ trial: GridTrial, weights: Parameters<Float>, push: [[Double]], tape: GridTape,
    workspace: GridWorkspace
  ) {
    sweepBack(trial, downTo: 0, weights, push, tape, workspace)
  }

  func backwardToBlocks(
    _ trial: GridTrial, weights: Parameters<Float>, push: [[Double]], tape: GridTape,
    workspace: GridWorkspace
  ) {
    sweepBack(trial, downTo: blocks.isEmpty ? 0 : 1, weights, push, tape, workspace)
    if !blocks.isEmpty { trial.handErrorsToBlocks() }
  }

  private func sweepBack(
    _ trial: GridTrial, downTo first: Int, _ weights: Parameters<Float>, _ push: [[Double]],
    _ tape: GridTape, _ workspace: GridWorkspace
  ) {
    workspace.point(at: weights)
    for own in trial.layers { own.errors.update(repeating: 0, count: own.count) }
    for index in (first..<workspace.layers.count).reversed() {
      let push = index < push.count ? push[index] : []
      let layer = workspace.layers[index]
      layer.take(weights, layer: index)
      if let each = layer.each {
        sweepBackEach(layer, each, index, trial, push, tape, workspace)
      } else {
        sweepBack(layer, index, trial, push, tape, workspace)
      }
    }
    for (index, projection) in projections.enumerated()
    where projection.target > first {
      let layer = workspace.layers[projection.target - 1]
      let isLoop = projection.source == projection.target
      if (isLoop ? layer.each?.loop : layer.each?.forward) != nil { continue }
      let isShifted = (isLoop ? layer.loopAxons : layer.axons) != nil
      tape.add(
        isShifted ? trial.arrivals[index].spikes : trial.incoming(projection.source),
        projection: index, target: projection.target - 1)
    }
  }

  /// One layer from T back: fills its trace, and the errors of the spikes that reach it.
  private func sweepBack(
    _ layer: GridLayer, _ index: Int, _ trial: GridTrial, _ push: [Double],
    _ tape: GridTape, _ workspace: GridWorkspace
  ) {
    let trace = tape.traces[index]
    let isOutput = index == workspace.layers.count - 1
    let readout = isOutput ? problem.loss.readout : nil
    let drive = isOutput ? startOutput(layer, trial, workspace) : nil
    let keepsErrors = !workspace.errorTraces.isEmpty
    let own = trial.layers[index]
    let (incoming, looped) = trial.arrived(index, at: layer)
    let forward = workspace.forward(to: index)
    let loop = workspace.loop(of: index)
    let axons = layer.axons.map { trial.arrivals[$0.projection] }
    let loopAxons = layer.loopAxons.map { trial.arrivals[$0.projection] }
    if axons != nil || loopAxons != nil { tape.useAll() }
    let incomingErrors = index > 0 || axons != nil ? incoming.errors : nil
    let ownErrors = own.errors
    if !isOutput { layer.clearState() }
    // lI lives in the row of the trace where it is kept, elsewhere in the layer; under a drive lI -
    // u stays in the layer.
    let lv = layer.v
    var li = layer.i
    var peak = readout == .maximum ? workspace.nextPeak(of: trial) : -1
    var later = steps
    var row = 0
    for n in stride(from: steps, through: 0, by: -1) {
      let arriving = incoming.range(at: n)
      let spikes = layer.isSpiking ? own.range(at: n) : 0..<0
      let looping = loop == nil ? 0..<0 : loopAxons == nil ? spikes : looped.range(at: n)
      let hasPeak = n == peak
      if arriving.isEmpty && looping.isEmpty && spikes.isEmpty && !hasPeak && !keepsErrors && n > 0
      {
        continue
      }
      if n < steps {
        let isKept = !(arriving.isEmpty && looping.isEmpty)
        let kept = isKept ? trace.values + row * trace.stride : nil
        if let drive {
          weightOfStep.withUnsafeBufferPointer {
            let gap = layer.gaps[1]
            ep_adjoint_driven(
              lv, li, kept, gap.a, gap.b, gap.c, drive.values, drive.stride, $0.baseAddress,
              drive.held, n, later, steps, layer.width)
          }
        } else {
          let result = kept ?? layer.i
          ep_adjoint_gap(lv, li, result, layer.gaps[later - n], layer.width)
          li = result
        }
        if isKept {
          trace.rows[n] = UInt32(truncatingIfNeeded: row)
          row += 1
        }
        later = n
      }
      if keepsErrors {
        workspace.recordErrors(of: index, at: n, lv, li) { j in
          guard let drive, n < steps else { return 0 }
          return -drive.held * weightOfStep[n] * drive.values[n * drive.stride + j]
        }
      }
      if let incomingErrors, !arriving.isEmpty {
        ep_dot_rows(
          incomingErrors + arriving.lowerBound, forward.weights, forward.stride,
          incoming.neurons + arriving.lowerBound, arriving.count, lv, li, layer.width)
        if hasPeak && n < steps {
          addKinks(at: n, arriving, incoming, forward, incomingErrors, trial, workspace)
        }
      }
      if hasPeak {
        dropPeaks(at: n, layer, trial, workspace)
        peak = workspace.nextPeak(of: trial)
      }
      if let loop, !looping.isEmpty {
        ep_dot_rows(
          looped.errors + looping.lowerBound, loop.weights, loop.stride,
          looped.neurons + looping.lowerBound, looping.count, lv, li, layer.width)
        loopAxons?.hand(looping, to: ownErrors)
      }
      if spikes.isEmpty { continue }
      if readout == .firstSpike { addSpikeTimes(at: n, spikes, own, ownErrors, trial) }
      for k in spikes {
        let neuron = Int(own.neurons[k])
        lv[neuron] += (layer.threshold * lv[neuron] + ownErrors[k]) / own.slopes[k]
      }
      if !push.isEmpty {
        push.withUnsafeBufferPointer { push in
          for k in spikes { lv[Int(own.neurons[k])] += Float(push[Int(own.neurons[k])]) }
        }
      }
    }
    handDelays(layer, trial, index > 0 ? trial.incoming(index).errors : nil, tape)
  }

  /// Once a layer has been gone through: the errors of spikes that came by axons with delays, to
  /// where they were sent, and to the gradients of the delays.
  func handDelays(
    _ layer: GridLayer, _ trial: GridTrial, _ incomingErrors: UnsafeMutablePointer<Float>?,
    _ tape: GridTape
  ) {
    for axons in [layer.axons, layer.loopAxons] {
      guard let axons else { continue }
      let arrivals = trial.arrivals[axons.projection]
      if let incomingErrors, axons === layer.axons {
        arrivals.hand(0..<arrivals.spikes.count, to: incomingErrors)
      }
      arrivals.add(to: tape.sum.delays(ofProjection: axons.projection))
    }
  }

  /// What drives the adjoint of the outputs over every step: dl/dV in rows of `stride`, times w
  /// dt/T, times `held`.
  struct Drive {
    let values: UnsafePointer<Float>
    let stride: Int
    let held: Float
  }

  /// The state of the output layer at T, and what will drive it.
  func startOutput(
    _ layer: GridLayer, _ trial: GridTrial, _ workspace: GridWorkspace
  ) -> Drive? {
    layer.clearState()
    for j in 0..<layer.width {
      workspace.drive[j] = j < trial.readout.count ? Float(trial.readoutGradient[j]) : 0
    }
    if trial.needsPhantom { layer.v[trial.label] += Float(problem.loss.phantomPush) }
    let held = Float(1 / problem.step)
    switch problem.loss.readout {
    case .weightedMean:
      return Drive(values: workspace.drive, stride: 0, held: held)
    case .instantaneous:
      return trial.drive.map { Drive(values: $0, stride: layer.width, held: held) }
    case .maximum:
      workspace.orderPeaks(trial)
      return nil
    case .firstSpike:
      return nil
    }
  }

  /// `.firstSpike`: dl/dt_j belongs to the first spike of output j.
  func addSpikeTimes(
    at n: Int, _ spikes: Range<Int>, _ own: GridSpikes, _ errors: UnsafeMutablePointer<Float>,
    _ trial: GridTrial
  ) {
    for k in spikes {
      let neuron = Int(own.neurons[k])
      if trial.readout[neuron] == Double(n) * problem.step {
        errors[k] += Float(trial.readoutGradient[neuron])
      }
    }
  }

  /// `.maximum`: lV_j -= dL/dM_j/tau_m at the maximum of output j.
  func dropPeaks(
    at n: Int, _ output: GridLayer, _ trial: GridTrial, _ workspace: GridWorkspace
  ) {
    while let j = workspace.peaks.last, trial.peakIndex[j] == n {
      output.v[j] -= workspace.drive[j] / output.tauMem
      workspace.peaks.removeLast()
    }
  }

  /// `.maximum` at a kink: output j rises to its maximum at n dt, where spikes turn it down. The
  /// one that makes I_j - V_j negative carries the maximum along: dl/dt += dL/dM_j dV_j/dt(t-).
  func addKinks(
    at n: Int, _ arriving: Range<Int>, _ incoming: GridSpikes, _ projection: GridProjection,
    _ errors: UnsafeMutablePointer<Float>, _ trial: GridTrial, _ workspace: GridWorkspace
  ) {
    let output = workspace.layers[workspace.layers.count - 1]
    for j in workspace.peaks where trial.peakIndex[j] == n && trial.peakSlope[j] > 0 {
      var slope = trial.peakSlope[j]
      for k in arriving {
        slope += projection.weights[Int(incoming.neurons[k]) * projection.stride + j]
        if slope < 0 {
          errors[k] += workspace.drive[j] * trial.peakSlope[j] / output.tauMem
          break
        }
      }
    }
  }
}

extension GridWorkspace {
  /// Outputs in ascending order of their maxima's time: the last one comes first going backward.
  func orderPeaks(_ trial: GridTrial) {
    peaks.removeAll(keepingCapacity: true)
    for j in 0..<trial.readout.count {
      peaks.append(j)
      var place = j
      while place > 0, trial.peakIndex[peaks[place - 1]] > trial.peakIndex[j] {
        peaks[place] = peaks[place - 1]
        place -= 1
      }
      peaks[place] = j
    }
  }

  /// The time index of the maximum that comes next going backward; -1: none is left.
  func nextPeak(of trial: GridTrial) -> Int {
    guard let output = peaks.last else { return -1 }
    return trial.peakIndex[output]
  }
}
