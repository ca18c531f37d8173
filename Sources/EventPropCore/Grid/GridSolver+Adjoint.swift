import Foundation
import Kernels

extension GridSolver {
  /// Adjoint of `forward`, from T back to 0; mirrors it step by step:
  ///
  ///     from (n + 1) dt to n dt, with u = -dl/dV_j w/T     (outputs; 0 elsewhere)
  ///     lI <- u + b (lI - u) + adjointRise (lV - u),  lV <- u + a (lV - u)
  ///     (`ReadoutRule.sampled`: u = 0, then lV -= dl/dV_j w dt/(T tau_m))
  ///     at a spike of neuron k at n dt:
  ///     lV_k += [theta lV_k + sum_j w_kj (lV_j - lI_j) + dl/dt_k] / (I_start - V_end) + push_k
  ///     dL/dw_kj -= tau_s lI_j(n dt)                        (gathered at the end from the trace)
  ///
  /// Everything on the right of a jump is the value just after the spike.
  public func backward(
    _ trial: GridTrial, weights: Parameters<Float>, push: [[Double]], gradient: Parameters<Float>,
    workspace: GridWorkspace
  ) {
    workspace.point(at: weights)
    workspace.clearState()
    let layers = workspace.layers
    let output = layers[layers.count - 1]
    for j in 0..<output.width {
      workspace.drive[j] = j < trial.readout.count ? Float(trial.readoutGradient[j]) : 0
    }
    let readout = problem.loss.readout
    let stepRate = Float(1 / problem.step)
    let isSampled = problem.rule == .sampled
    let keepsErrors = !workspace.errorTraces.isEmpty
    let trialDrive = trial.drive
    if readout == .maximum { workspace.orderPeaks(trial) }
    if trial.needsPhantom { output.v[trial.label] += Float(problem.loss.phantomPush) }

    jump(at: steps, trial, workspace, push)
    weightOfStep.withUnsafeBufferPointer { weightOfStep in
      for n in (0..<steps).reversed() {
        if readout == .maximum { dropPeaks(at: n + 1, trial, workspace) }
        for index in layers.indices {
          let layer = layers[index]
          var drive: UnsafePointer<Float>?
          if index == layers.count - 1 {
            if readout == .weightedMean { drive = UnsafePointer(workspace.drive) }
            if readout == .instantaneous {
              drive = trialDrive.map { UnsafePointer($0 + n * layer.width) }
            }
          }
          ep_adjoint_step(
            layer.v, layer.i, layer.decay.a, layer.decay.b, layer.decay.adjointRise,
            isSampled ? nil : drive, weightOfStep[n] * stepRate, layer.trace + n * layer.width,
            layer.width)
          if isSampled, let drive {
            for j in 0..<layer.size { layer.v[j] -= drive[j] * weightOfStep[n] / layer.tauMem }
          }
        }
        if keepsErrors { workspace.recordErrors(at: n) }
        jump(at: n, trial, workspace, push)
      }
    }
    gather(trial, gradient, workspace)
  }

  /// The jumps of lV at time index n. Layers go upwards: a spike reads the lV and lI of its own layer
  /// (recurrent) and of the next one before their spikes of the same instant make them jump.
  @inline(__always)
  private func jump(
    at n: Int, _ trial: GridTrial, _ workspace: GridWorkspace, _ push: [[Double]]
  ) {
    let layers = workspace.layers
    for index in layers.indices where layers[index].isSpiking {
      let spikes = trial.layers[index]
      let range = spikes.range(at: n)
      if range.isEmpty { continue }
      let layer = layers[index]
      let readout = workspace.readout
      for (slot, k) in range.enumerated() {
        let neuron = Int(spikes.neurons[k])
        var error: Float = 0
        for projection in workspace.projections where projection.source == index + 1 {
          let target = layers[projection.target - 1]
          error += ep_dot_difference(
            projection.weights + neuron * projection.stride, target.v, target.i, target.width)
        }
        workspace.errors[slot] = error
      }
      if n < steps && readout == .maximum && index == layers.count - 2 {
        addKinks(at: n, trial, workspace)
      }
      if readout == .firstSpike && index == layers.count - 1 {
        addSpikeTimes(at: n, trial, workspace)
      }
      for (slot, k) in range.enumerated() {
        let neuron = Int(spikes.neurons[k])
        let lv = layer.v[neuron]
        layer.v[neuron] =
          lv + (layer.threshold * lv + workspace.errors[slot]) / spikes.slopes[k]
      }
      if index < push.count, !push[index].isEmpty {
        push[index].withUnsafeBufferPointer {
          for k in range { layer.v[Int(spikes.neurons[k])] += Float($0[Int(spikes.neurons[k])]) }
        }
      }
    }
  }

  /// `.firstSpike`: dl/dt_j belongs to the first spike of output j.
  private func addSpikeTimes(at n: Int, _ trial: GridTrial, _ workspace: GridWorkspace) {
    let spikes = trial.layers[problem.network.layers.count - 1]
    for (slot, k) in spikes.range(at: n).enumerated() {
      let neuron = Int(spikes.neurons[k])
      if trial.readout[neuron] == Double(n) * problem.step {
        workspace.errors[slot] += Float(trial.readoutGradient[neuron])
      }
    }
  }

  /// `.maximum`: lV_j -= dL/dM_j/tau_m at the maximum of output j.
  private func dropPeaks(at n: Int, _ trial: GridTrial, _ workspace: GridWorkspace) {
    let output = workspace.layers[workspace.layers.count - 1]
    while let j = workspace.peaks.last, trial.peakIndex[j] == n {
      output.v[j] -= workspace.drive[j] / output.tauMem
      workspace.peaks.removeLast()
    }
  }

  /// `.maximum` at a kink: output j rises to its maximum at n dt, where spikes turn it down. The one
  /// that makes I_j - V_j negative carries the maximum along: dl/dt += dL/dM_j dV_j/dt(t-).
  private func addKinks(at n: Int, _ trial: GridTrial, _ workspace: GridWorkspace) {
    let last = workspace.layers.count - 1
    let output = workspace.layers[last]
    let spikes = trial.layers[last - 1]
    let projection = workspace.projections[workspace.projections.count - 1]
    for j in workspace.peaks where trial.peakIndex[j] == n && trial.peakSlope[j] > 0 {
      var slope = trial.peakSlope[j]
      for (slot, k) in spikes.range(at: n).enumerated() {
        slope += projection.weights[Int(spikes.neurons[k]) * projection.stride + j]
        if slope < 0 {
          workspace.errors[slot] += workspace.drive[j] * trial.peakSlope[j] / output.tauMem
          break
        }
      }
    }
  }

  /// Adds, for every projection and pre-synaptic neuron, the sum of lI over its spikes.
  private func gather(
    _ trial: GridTrial, _ gradient: Parameters<Float>, _ workspace: GridWorkspace
  ) {
    var sorted = -1
    for (index, projection) in workspace.projections.enumerated() {
      let source = projection.source
      let matrix = gradient.matrices[index]
      if sorted != source {
        let spikes = source == 0 ? trial.input : trial.layers[source - 1]
        workspace.sortByNeuron(spikes, size: matrix.rows)
        sorted = source
      }
      let target = workspace.layers[projection.target - 1]
      let starts = workspace.starts
      // A block of columns of the trace stays in the second-level cache while all rows pass.
      let block = 128
      for column in stride(from: 0, to: target.width, by: block) {
        let width = min(block, target.width - column)
        for row in 0..<matrix.rows {
          let start = Int(starts[row])
          let count = Int(starts[row + 1]) - start
          if count == 0 { continue }
          ep_sum_rows(
            matrix.base + row * matrix.stride + column, target.trace + column, target.width,
            workspace.indices + start, count, width)
        }
      }
    }
  }
}

extension GridWorkspace {
  /// Outputs in ascending order of their maxima's time: the last one comes first going backward.
  func orderPeaks(_ trial: GridTrial) {
    peaks.removeAll(keepingCapacity: true)
    peaks.append(contentsOf: trial.readout.indices)
    peaks.sort { (trial.peakIndex[$0], $0) < (trial.peakIndex[$1], $1) }
  }
}
