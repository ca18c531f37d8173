// SPDX-License-Identifier: MIT

import Foundation
import Kernels

/// A layer on the grid whose neurons have constants of their own, or adapt, or are reached with
/// delays that differ within what a neuron sends: memory for one thread.
final class GridEach {
  let width: Int
  let adapts: Bool
  /// Whether the gradients of time constants are wanted, which need V and I of every step.
  let recordsSteps: Bool
  /// Whether lI counts 1 in the gradient of weights.
  let countsAlike: Bool
  /// Of the adjoint: what lI counts in the gradient of weights (tau_s over the layer's unit).
  let share: UnsafeMutablePointer<Float>
  let tauMem: UnsafeMutablePointer<Float>
  private(set) var each = ep_each()
  /// a and la of neurons that adapt.
  let adapt: UnsafeMutablePointer<Float>?
  let la: UnsafeMutablePointer<Float>?
  /// Per step what arrives with delays: `(steps + reach) x width`; nil without delays.
  let current: UnsafeMutablePointer<Float>?
  /// Of the adjoint with delays, per step: lI and lV - lI, `(steps + reach) x width` each.
  let currents: UnsafeMutablePointer<Float>?
  let errors: UnsafeMutablePointer<Float>?
  /// V, I and a at the start of every step; nil where constants are not trained.
  let record: ep_each_record?
  /// Sums of the gradients of tau_m, tau_s, tau_a, threshold and adaptation, `width` each.
  let sums: UnsafeMutablePointer<Float>
  /// Of the outputs: u of the step gone through last, and of the next.
  let last: UnsafeMutablePointer<Float>
  let drive: UnsafeMutablePointer<Float>
  /// Delays of each synapse, or of each neuron that receives.
  let forward: GridDelays?
  let loop: GridDelays?
  /// Room for what a step finds where it is not kept.
  let found: (neurons: UnsafeMutablePointer<UInt32>, numbers: UnsafeMutablePointer<Float>)
  private let constants: UnsafeMutablePointer<Float>
  private let layer: Layer
  private let steps: Int
  private let problem: Problem
  /// Constants that `Parameters` holds.
  private let kept: [NeuronParameter]
  /// What was taken of those that change: nil before the first time.
  private var taken: [[Float]]?

  /// How many vectors of constants there are.
  private static let vectors = 18

  init(_ layer: Layer, projection: Int, sources: Int, problem: Problem, steps: Int) {
    (self.layer, self.problem, self.steps) = (layer, problem, steps)
    width = paddedWidth(layer.size)
    adapts = layer.neuron.adapts
    countsAlike = layer.tauSyn.isUniform && layer.learning[.tauSyn] == nil
    kept = layer.kept
    let timeConstants: [NeuronParameter] = [.tauMem, .tauSyn, .tauAdapt]
    recordsSteps = timeConstants.contains { layer.learning[$0]?.isTrained == true }
    constants = allocateZeroed(Self.vectors * width)
    share = constants + 16 * width
    tauMem = constants + 17 * width
    adapt = adapts ? allocateZeroed(width) : nil
    la = adapts ? allocateZeroed(width) : nil
    sums = allocateZeroed(5 * width)
    last = allocateZeroed(width)
    drive = allocateZeroed(width)
    found = (.allocate(capacity: width), allocateZeroed(2 * width))
    func delays(_ delays: Delays?, _ projection: Int, _ rows: Int) -> GridDelays? {
      guard let delays, delays.form != .axonal else { return nil }
      return GridDelays(
        delays, projection: projection, rows: rows, columns: layer.size, problem.step,
        steps: steps)
    }
    forward = delays(layer.delays, projection, sources)
    loop = delays(layer.loopDelays, projection + 1, layer.size)
    let rows = steps + max(forward?.reach ?? 0, loop?.reach ?? 0) + 16
    let isDelayed = forward != nil || loop != nil
    current = isDelayed ? allocateZeroed(rows * width) : nil
    currents = isDelayed ? allocateZeroed(rows * width) : nil
    errors = isDelayed ? allocateZeroed(rows * width) : nil
    record =
      recordsSteps
      ? ep_each_record(
        v: allocateZeroed(steps * width), i: allocateZeroed(steps * width),
        adapt: allocateZeroed(steps * width)) : nil
  }

  deinit {
    constants.deallocate()
    for memory in [adapt, la, current, currents, errors, record?.v, record?.i, record?.adapt] {
      memory?.deallocate()
    }
    sums.deallocate()
    last.deallocate()
    drive.deallocate()
    found.neurons.deallocate()
    found.numbers.deallocate()
  }

  /// Rows of `current`, `currents` and `errors` beyond the last step.
  var reach: Int { max(forward?.reach ?? 0, loop?.reach ?? 0) }

  /// The record of one step.
  func record(at n: Int) -> ep_each_record? {
    record.map {
      ep_each_record(v: $0.v + n * width, i: $0.i + n * width, adapt: $0.adapt + n * width)
    }
  }

  /// Whether the constants of the moment are those that were taken last; they are from now on.
  private func hasTaken(_ weights: Parameters<Float>, _ index: Int) -> Bool {
    let vectors = kept.compactMap { weights.vector($0, ofLayer: index) }
    if let taken {
      let areSame = zip(taken, vectors).allSatisfy { old, vector in
        memcmp(old, vector.base, MemoryLayout<Float>.stride * old.count) == 0
      }
      if areSame { return true }
    }
    taken = vectors.map { Array(UnsafeBufferPointer(start: $0.base, count: $0.count)) }
    return false
  }

  /// Takes the constants of the moment, where they are others than those of the last time.
  func take(_ weights: Parameters<Float>, layer index: Int) {
    forward?.take(weights)
    loop?.take(weights)
    if hasTaken(weights, index) { return }
    let now = weights.layer(index)
    let dt = problem.step
    func vector(_ number: Int) -> UnsafeMutablePointer<Float> { constants + number * width }
    for j in 0..<layer.size {
      let (mem, syn) = (now.tauMem[j], now.tauSyn[j])
      let decay = Decay(over: dt, tauMem: mem, tauSyn: syn)
      let (slow, fast) = decay.integrals(gap: dt, tauMem: mem, tauSyn: syn)
      let reading = now.stepReading(dt, rule: problem.rule, neuron: j)
      let beta = adapts ? now[.adaptation][j] : 0
      let tauAdapt = adapts ? now[.tauAdapt][j] : 1
      let fall = exp(-dt / tauAdapt)
      let numbers = [
        decay.a, decay.b, decay.rise, decay.adjointRise, now.threshold[j], exp(-dt / (2 * mem)),
        beta, fall, mem * beta / tauAdapt, reading.p, reading.q,
        // Of lV: (tau_m rise - slow/tau_m) I/tau_m and a dt V/tau_m; of -I/tau_s: b dt lI and
        // fast/tau_s lV.
        decay.rise - slow / (mem * mem), decay.a * dt / mem, decay.b * dt / syn,
        fast / (syn * syn), fall * dt / tauAdapt, syn / layer.gradientUnit, mem,
      ]
      for (number, value) in numbers.enumerated() { vector(number)[j] = Float(value) }
    }
    // Lanes without a neuron never spike.
    for j in layer.size..<width { vector(4)[j] = .infinity }
    each = ep_each(
      a: vector(0), b: vector(1), c: vector(2), back: vector(3), theta: vector(4),
      late: vector(5), kept: layer.lateness == nil ? 0 : 1, beta: vector(6), fall: vector(7),
      lift: vector(8), mean_v: vector(9), mean_i: vector(10), mem_i: vector(11),
      mem_v: vector(12), syn_i: vector(13), syn_v: vector(14), fall_a: vector(15))
  }

  /// Puts what comes by delayed synapses into `current`; 0 elsewhere.
  /// - Parameter own: the layer's own spikes, where they are known.
  func spread(_ incoming: GridSpikes, own: GridSpikes?) {
    guard let current else { return }
    // Rows beyond the last step are written, and not read.
    current.update(repeating: 0, count: steps * width)
    forward?.spread(incoming, to: current, width: width, adds: false)
    if let own { loop?.spread(own, to: current, width: width, adds: forward != nil) }
  }
}

extension Layer {
  /// Whether the grid takes it neuron by neuron.
  var isEach: Bool {
    !isUniform || neuron.adapts
      || [delays, loopDelays].contains { $0 != nil && $0?.form != .axonal }
  }
}

extension Parameters {
  /// A layer with the values of the moment.
  func layer(_ index: Int) -> Layer {
    var layer = network.layers[index]
    for (vector, values) in zip(network.vectors, vectors) where vector.layer == index {
      layer[vector.parameter] = PerNeuron(values.doubles)
    }
    return layer
  }
}
