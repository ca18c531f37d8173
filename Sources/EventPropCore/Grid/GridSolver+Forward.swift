import Foundation
import Kernels

extension GridSolver {
  /// Forward pass of one trial:
  ///
  ///     I_j += sum of w_ij over spikes of i at n dt
  ///     V <- a V + rise I,  I <- b I
  ///     V_j >= theta: spike at (n + 1) dt, slope = I_start - V_end, V_j <- 0
  public func forward(
    _ trial: GridTrial, weights: Parameters<Float>, workspace: GridWorkspace
  ) {
    workspace.point(at: weights)
    workspace.clearState()
    workspace.mean.update(repeating: 0, count: trial.outputWidth)
    let layers = workspace.layers
    let output = layers[layers.count - 1]
    let voltages = trial.voltages
    let (input, drive) = (trial.input, trial.drive)
    let intervenes = trial.intervention != nil
    let seeksMaximum = problem.loss.readout == .maximum
    if seeksMaximum { trial.forgetPeaks() }
    for layer in layers.indices { trial.layers[layer].beginTrial() }

    weightOfStep.withUnsafeBufferPointer { weightOfStep in
      for n in 0..<steps {
        for projection in workspace.projections {
          let spikes = projection.source == 0 ? input : trial.layers[projection.source - 1]
          let arriving = spikes.range(at: n)
          if arriving.isEmpty { continue }
          let target = layers[projection.target - 1]
          ep_sum_rows(
            target.i, projection.weights, projection.stride, spikes.neurons + arriving.lowerBound,
            arriving.count, target.width)
        }
        for index in layers.indices {
          let layer = layers[index]
          if layer.isSpiking {
            trial.layers[index].reserve(layer.width)
            let spikes = trial.layers[index]
            let found = ep_lif_step(
              layer.v, layer.i, layer.decay.a, layer.decay.b, layer.decay.rise, layer.threshold,
              layer.width, spikes.neurons + spikes.count, spikes.slopes + spikes.count)
            let sent =
              intervenes ? trial.intervene(in: index, layer, at: n + 1, found: found) : found
            trial.layers[index].endStep(n, adding: sent)
          } else {
            ep_li_step(
              layer.v, layer.i, layer.decay.a, layer.decay.b, layer.decay.rise, layer.mean.p,
              layer.mean.q, weightOfStep[n], workspace.mean,
              drive.map { $0 + n * layer.width }, layer.width)
          }
        }
        if seeksMaximum { trial.seekPeaks(output, index: n + 1) }
        if let voltages {
          (voltages + n * output.width).update(from: output.v, count: output.width)
        }
      }
    }
    readOut(trial, workspace)
  }

  public func forward(
    _ trial: GridTrial, weights: Parameters<Float>, workspace: GridWorkspace,
    with intervention: Intervention
  ) {
    trial.intervention = intervention
    trial.isMuted = false
    forward(trial, weights: weights, workspace: workspace)
    trial.intervention = nil
  }

  /// Evaluates the loss and its derivative by the read-out.
  private func readOut(_ trial: GridTrial, _ workspace: GridWorkspace) {
    let outputs = trial.readout.count
    switch problem.loss.readout {
    case .weightedMean, .instantaneous:
      for j in 0..<outputs { trial.readout[j] = Double(workspace.mean[j]) }
    case .maximum:
      break  // seekPeaks has left the maxima in the read-out
    case .firstSpike:
      trial.readFirstSpikes(ofLayer: problem.network.layers.count - 1)
    }
    (trial.prediction, trial.loss, trial.needsPhantom) = problem.loss.conclude(
      &trial.readout, label: trial.label, duration: problem.duration,
      gradient: &trial.readoutGradient)
    if problem.loss.readout == .instantaneous { integrateInstantaneousLoss(trial) }
  }

  /// `L = sum_n w_n dt/T l(mean of V over step n)`; dl/dV of every step replaces the mean in `trial.drive`.
  private func integrateInstantaneousLoss(_ trial: GridTrial) {
    guard let drive = trial.drive else { return }
    let outputs = trial.readout.count
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * outputs) { scratch in
      let values = UnsafeMutableBufferPointer(rebasing: scratch[0..<outputs])
      let gradient = UnsafeMutableBufferPointer(rebasing: scratch[outputs...])
      var total = 0.0
      for n in 0..<steps {
        let row = n * trial.outputWidth
        for j in 0..<outputs { values[j] = Double(drive[row + j]) }
        total +=
          Double(weightOfStep[n])
          * problem.loss.value(
            UnsafeBufferPointer(values), label: trial.label, gradient: gradient)
        for j in 0..<outputs { drive[row + j] = Float(gradient[j]) }
      }
      trial.loss = total
    }
  }
}

extension GridSpikes {
  mutating func beginTrial() {
    count = 0
    offsets[0] = 0
    offsets[1] = 0
  }

  /// The spikes found at the end of step n have time index n + 1.
  @inline(__always)
  mutating func endStep(_ n: Int, adding found: Int) {
    count += found
    offsets[n + 2] = UInt32(count)
  }
}

extension GridTrial {
  /// Changes the spikes that a step has just found: `found` of them lie behind the last sent.
  /// - Returns: how many there are then.
  func intervene(in index: Int, _ layer: GridLayer, at time: Int, found: Int) -> Int {
    guard let intervention, intervention.layer == index else { return found }
    let isDue = intervention.isAt(Double(time) * dt)
    let neuron = intervention.neuron
    let first = layers[index].count
    let neurons = layers[index].neurons + first
    let slopes = layers[index].slopes + first
    let place = (0..<found).first { neurons[$0] >= UInt32(neuron) } ?? found
    let isThere = place < found && neurons[place] == UInt32(neuron)
    let start = layer.i[neuron] / layer.decay.b
    switch intervention.kind {
    case .force:
      guard isDue, !isThere else { return found }
      for k in (place..<found).reversed() {
        neurons[k + 1] = neurons[k]
        slopes[k + 1] = slopes[k]
      }
      neurons[place] = UInt32(neuron)
      slopes[place] = start - layer.v[neuron]
      layer.v[neuron] = 0
      return found + 1
    case .suppress:
      if isDue { isMuted = true }
      guard isMuted else { return found }
      guard isThere else {
        isMuted = false
        return found
      }
      layer.v[neuron] = start - slopes[place]
      for k in place..<(found - 1) {
        neurons[k] = neurons[k + 1]
        slopes[k] = slopes[k + 1]
      }
      return found - 1
    }
  }

  func forgetPeaks() {
    for j in readout.indices { readout[j] = -.infinity }
  }

  /// Updates the maxima of the outputs with the voltages at a time index. Only ends of steps count,
  /// so outputs that stay below 0 have a maximum below 0.
  @inline(__always)
  func seekPeaks(_ output: GridLayer, index: Int) {
    readout.withUnsafeMutableBufferPointer { readout in
      for j in readout.indices where Double(output.v[j]) > readout[j] {
        readout[j] = Double(output.v[j])
        peakIndex[j] = index
        peakSlope[j] = output.i[j] - output.v[j]
      }
    }
  }

  /// First spike times in ms; infinite for silent outputs.
  func readFirstSpikes(ofLayer layer: Int) {
    for j in readout.indices { readout[j] = .infinity }
    let list = layers[layer]
    for index in 0...steps {
      for k in list.range(at: index) {
        let neuron = Int(list.neurons[k])
        readout[neuron] = min(readout[neuron], Double(index) * dt)
      }
    }
  }
}
