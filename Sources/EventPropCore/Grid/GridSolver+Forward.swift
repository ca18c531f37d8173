// SPDX-License-Identifier: MIT

import Foundation
import Kernels

extension GridSolver {
  /// Forward pass of one trial, layer by layer; per step n of a layer:
  ///
  ///     I_j += sum of w_ij over spikes of i at n dt
  ///     V <- a V + rise I,  I <- b I
  ///     V_j >= theta: spike at (n + 1) dt, slope = I_start - V_end, V_j is reset (`ResetRule`)
  public func forward(
    _ trial: GridTrial, weights: Parameters<Float>, workspace: GridWorkspace
  ) {
    if !blocks.isEmpty && !trial.isWatched(0) {
      withUnsafeTemporaryAllocation(of: GridSpikes.self, capacity: 1) { input in
        withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<BlockSpikes>.self, capacity: 1) {
          input.initializeElement(at: 0, to: trial.input)
          $0.initializeElement(at: 0, to: trial.blocks.baseAddress!)
          let dropped = trial.dropped(inLayer: 0)
          for block in blocks.indices { forward(block: block, input, $0, weights, [dropped]) }
        }
      }
    }
    forward(trial, weights, workspace, withSlopes: true)
  }

  /// The slopes of the first layer's spikes stay with its blocks.
  func forwardBeyondBlocks(
    _ trial: GridTrial, weights: Parameters<Float>, workspace: GridWorkspace
  ) { forward(trial, weights, workspace, withSlopes: false) }

  private func forward(
    _ trial: GridTrial, _ weights: Parameters<Float>, _ workspace: GridWorkspace, withSlopes: Bool
  ) {
    workspace.point(at: weights)
    for index in workspace.layers.indices {
      let layer = workspace.layers[index]
      if index == 0 && !blocks.isEmpty && !trial.isWatched(0) {
        for block in trial.blocks { block.prefetchCodes() }
        trial.layers[0].take(trial.blocks, steps: steps, withSlopes: withSlopes)
        continue
      }
      layer.take(weights, layer: index)
      if let each = layer.each {
        if layer.isSpiking {
          runEach(layer, each, index, trial, workspace)
        } else {
          integrateEach(layer, each, trial, workspace)
        }
      } else if !layer.isSpiking {
        integrate(layer, trial, workspace)
      } else if layer.isRecurrent || trial.isWatched(index) {
        runStepByStep(layer, index, trial, workspace)
      } else {
        runByPieces(layer, index, trial, workspace)
      }
    }
    readOut(trial, workspace)
  }

  /// LIF neurons whose spikes are their own input: all neurons of a step before any of the next.
  private func runStepByStep(
    _ layer: GridLayer, _ index: Int, _ trial: GridTrial, _ workspace: GridWorkspace
  ) {
    let incoming = trial.arriving(index, at: layer)
    var own = trial.layers[index]
    let voltages = index == workspace.layers.count - 1 ? trial.voltages : nil
    let forward = workspace.forward(to: index)
    let loop = workspace.loop(of: index)
    let loopAxons = layer.loopAxons
    loopAxons?.begin()
    let panels = index == 0 && !blocks.isEmpty ? blocks : [0..<layer.width]
    let dropped = trial.dropped(inLayer: index)
    own.beginTrial()
    layer.clearState()
    withUnsafeTemporaryAllocation(of: ep_rows.self, capacity: 2) { arriving in
      for n in 0..<steps {
        own.reserve(layer.width)
        var found = 0
        for part in 0..<panels.count {
          let panel = panels[part]
          arriving[0] = forward.rows(of: incoming, at: n, panel)
          if let loop {
            // By axons of the layer's own what was sent to arrive now.
            arriving[1] =
              loopAxons?.rows(loop.weights, loop.stride, at: n) ?? loop.rows(of: own, at: n, panel)
          }
          var upcoming = forward.rows(of: incoming, at: n + 1, panel)
          found += ep_lif_step(
            layer.v + panel.lowerBound, layer.i + panel.lowerBound, layer.decay.a, layer.decay.b,
            layer.decay.rise, layer.threshold, layer.reset, arriving.baseAddress,
            loop == nil ? 1 : 2, &upcoming, panel.lowerBound, panel.count,
            own.neurons + own.count + found,
            own.slopes + own.count + found)
        }
        found = dropped.removeDropped(
          from: own.neurons + own.count, own.slopes + own.count, count: found
        ) { Int($0) }
        if trial.intervention != nil {
          found = trial.intervene(in: index, layer, own, at: n + 1, found: found)
        }
        loopAxons?.send(own.neurons + own.count, found, at: n + 1)
        own.endStep(n, adding: found)
        if let voltages { (voltages + n * layer.width).update(from: layer.v, count: layer.width) }
      }
    }
    trial.layers[index] = own
  }

  /// LIF neurons that only spikes of other layers reach: piece after piece, each through the whole
  /// trial in registers.
  private func runByPieces(
    _ layer: GridLayer, _ index: Int, _ trial: GridTrial, _ workspace: GridWorkspace
  ) {
    let incoming = trial.arriving(index, at: layer)
    let projection = workspace.forward(to: index)
    let pieces = UnsafeMutableBufferPointer(
      rebasing: workspace.pieces[0..<((layer.width + Int(EP_BLOCK) - 1) / Int(EP_BLOCK))])
    let dropped = trial.dropped(inLayer: index)
    for piece in pieces.indices {
      let first = pieces[piece].first
      let width = min(Int(EP_BLOCK), layer.width - first)
      pieces[piece].reserve(width * steps)
      pieces[piece].count = ep_lif_block(
        layer.decay.a, layer.decay.b, layer.decay.rise, layer.threshold, layer.reset,
        projection.weights + first, projection.stride, incoming.neurons, incoming.offsets, steps,
        width, pieces[piece].codes, pieces[piece].slopes)
      pieces[piece].count = dropped.removeDropped(
        from: pieces[piece].codes, pieces[piece].slopes, count: pieces[piece].count
      ) { first + Int(ep_code_lane($0)) }
    }
    trial.layers[index].take(pieces, steps: steps, withSlopes: true)
  }

  /// LI neurons: V, weighted in time.
  private func integrate(_ layer: GridLayer, _ trial: GridTrial, _ workspace: GridWorkspace) {
    let incoming = trial.arriving(workspace.layers.count - 1, at: layer)
    let projection = workspace.forward(to: workspace.layers.count - 1)
    workspace.mean.update(repeating: 0, count: layer.width)
    weightOfStep.withUnsafeBufferPointer {
      ep_li_trial(
        layer.decay.a, layer.decay.b, layer.decay.rise, layer.mean.p, layer.mean.q,
        projection.weights, projection.stride, incoming.neurons, incoming.offsets, steps,
        $0.baseAddress, workspace.mean, trial.drive, workspace.outputs?.v ?? trial.voltages,
        workspace.outputs?.i, layer.width)
    }
    if let outputs = workspace.outputs {
      trial.forgetPeaks()
      for n in 0..<steps {
        trial.seekPeaks(outputs.v + n * layer.width, outputs.i + n * layer.width, index: n + 1)
      }
      trial.voltages?.update(from: outputs.v, count: steps * layer.width)
    }
  }

  /// Runs the intervention's layer step by step. A time that is no end of a step has no effect.
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
    (trial.prediction, trial.loss, trial.needsPhantom, trial.isLabelMute) =
      problem.loss.conclude(
        &trial.readout, label: trial.label, duration: problem.duration,
        gradient: &trial.readoutGradient)
    trial.fit = nil
    if problem.loss.readout == .instantaneous { integrateInstantaneousLoss(trial) }
  }

  /// `L = sum_n w_n dt/T l(mean of V over step n)`; dl/dV of every step replaces the mean in
  /// `trial.drive`. Targets are taken in the middle of a step.
  private func integrateInstantaneousLoss(_ trial: GridTrial) {
    guard let drive = trial.drive else { return }
    let outputs = trial.readout.count
    let targets = targets
    var error = 0.0
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * outputs) { scratch in
      let values = UnsafeMutableBufferPointer(rebasing: scratch[0..<outputs])
      let gradient = UnsafeMutableBufferPointer(rebasing: scratch[outputs...])
      var total = 0.0
      for n in 0..<steps {
        let row = n * trial.outputWidth
        for j in 0..<outputs { values[j] = Double(drive[row + j]) }
        if let targets {
          let middle = (Double(n) + 0.5) / Double(steps)
          targets.subtract(label: trial.label, at: middle, from: values)
          error += values.reduce(0) { $0 + $1 * $1 / 2 }
        }
        total +=
          Double(weightOfStep[n])
          * problem.loss.value(
            UnsafeBufferPointer(values), label: trial.label, gradient: gradient)
        for j in 0..<outputs { drive[row + j] = Float(gradient[j]) }
      }
      trial.loss = total
    }
    if let targets = problem.targets {
      trial.fit = Fit(error: error / Double(steps), spread: targets.spreads[trial.label])
      trial.prediction = -1
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
    for k in count..<(count + found) { times[k] = UInt32(truncatingIfNeeded: n + 1) }
    count += found
    offsets[n + 2] = UInt32(truncatingIfNeeded: count)
  }

  /// Takes over spikes found block by block, sorted by time (counting sort).
  mutating func take(
    _ blocks: UnsafeMutableBufferPointer<BlockSpikes>, steps: Int, withSlopes: Bool
  ) {
    count = 0
    let total = blocks.reduce(0) { $0 + $1.count }
    reserve(total)
    count = total
    let offsets = offsets
    offsets.update(repeating: 0, count: steps + 3)
    for block in blocks {
      for k in 0..<block.count { offsets[Int(ep_code_time(block.codes[k])) + 2] += 1 }
    }
    for n in 1..<(steps + 3) { offsets[n] += offsets[n - 1] }
    // offsets[n + 1] now is where the spikes with time index n begin; it moves on to where they
    // end.
    let (neurons, slopes, times) = (neurons, slopes, times)
    for block in blocks {
      let first = UInt32(truncatingIfNeeded: block.first)
      for k in 0..<block.count {
        let (n, lane) = (ep_code_time(block.codes[k]), ep_code_lane(block.codes[k]))
        let place = Int(offsets[Int(n) + 1])
        offsets[Int(n) + 1] += 1
        neurons[place] = first &+ lane
        times[place] = n
        if withSlopes { slopes[place] = block.slopes[k] }
      }
    }
  }
}

extension GridTrial {
  /// The spikes of a population: those that reach layer `population` from below.
  func incoming(_ population: Int) -> GridSpikes {
    population == 0 ? input : layers[population - 1]
  }

  /// The same as they arrive, once more by the delays of the moment.
  func arriving(_ population: Int, at layer: GridLayer) -> GridSpikes {
    guard let axons = layer.axons else { return incoming(population) }
    arrivals[axons.projection].take(incoming(population), axons, steps: steps)
    return arrivals[axons.projection].spikes
  }

  /// For the adjoint, the spikes that reach a layer from below and by its own loop as they arrived
  /// in the last forward pass.
  func arrived(_ index: Int, at layer: GridLayer) -> (below: GridSpikes, loop: GridSpikes) {
    if let own = layer.loopAxons { arrivals[own.projection].take(layers[index], own, steps: steps) }
    for axons in [layer.axons, layer.loopAxons] {
      if let axons { arrivals[axons.projection].clearErrors() }
    }
    return (
      layer.axons.map { arrivals[$0.projection].spikes } ?? incoming(index),
      layer.loopAxons.map { arrivals[$0.projection].spikes } ?? layers[index]
    )
  }

  /// Whether something must be seen or changed at every step of a layer.
  func isWatched(_ layer: Int) -> Bool {
    intervention?.layer == layer || (voltages != nil && layer == layers.count - 1)
  }

  /// Changes the spikes that a step has just found: `found` of them lie behind the last sent.
  /// - Returns: how many there are then.
  func intervene(
    in index: Int, _ layer: GridLayer, _ own: GridSpikes, at time: Int, found: Int
  ) -> Int {
    guard let intervention, intervention.layer == index else { return found }
    let isDue = intervention.isAt(Double(time) * dt)
    let neuron = intervention.neuron
    let neurons = own.neurons + own.count
    let slopes = own.slopes + own.count
    let place = (0..<found).first { neurons[$0] >= UInt32(neuron) } ?? found
    let isThere = place < found && neurons[place] == UInt32(neuron)
    let start = layer.i[neuron] / (layer.each?.each.b[neuron] ?? layer.decay.b)
    let adapt = layer.each?.adapt
    let lift = adapt == nil ? 0 : layer.each!.each.lift[neuron]
    let memories = own.memories + own.count
    switch intervention.kind {
    case .force:
      guard isDue, !isThere else { return found }
      for k in (place..<found).reversed() {
        neurons[k + 1] = neurons[k]
        slopes[k + 1] = slopes[k]
        memories[k + 1] = memories[k]
      }
      let memory = adapt?[neuron] ?? 0
      neurons[place] = UInt32(neuron)
      slopes[place] = start - layer.v[neuron] + lift * memory
      memories[place] = memory
      layer.v[neuron] = layer.reset.after(layer.v[neuron])
      adapt?[neuron] += 1
      return found + 1
    case .suppress:
      if isDue { isMuted = true }
      guard isMuted else { return found }
      guard isThere else {
        isMuted = false
        return found
      }
      layer.v[neuron] = start - slopes[place] + (adapt == nil ? 0 : lift * memories[place])
      adapt?[neuron] -= 1
      for k in place..<(found - 1) {
        neurons[k] = neurons[k + 1]
        slopes[k] = slopes[k + 1]
        memories[k] = memories[k + 1]
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
  func seekPeaks(_ v: UnsafePointer<Float>, _ i: UnsafePointer<Float>, index: Int) {
    readout.withUnsafeMutableBufferPointer { readout in
      for j in readout.indices where Double(v[j]) > readout[j] {
        readout[j] = Double(v[j])
        peakIndex[j] = index
        peakSlope[j] = i[j] - v[j]
      }
    }
  }

  /// First spike times in ms; infinite for silent outputs.
  func readFirstSpikes(ofLayer layer: Int) {
    let list = layers[layer]
    readout.withUnsafeMutableBufferPointer { readout in
      readout.update(repeating: .infinity)
      for k in stride(from: list.count - 1, through: 0, by: -1) {
        readout[Int(list.neurons[k])] = Double(list.times[k]) * dt
      }
    }
  }
}
