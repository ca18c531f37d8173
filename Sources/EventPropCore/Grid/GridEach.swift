// SPDX-License-Identifier: MIT

import Foundation
import Kernels

/// A layer on the grid whose neurons have constants of their own, or adapt, or are reached with
/// delays: memory for one thread.
final class GridEach {
  let width: Int
  let adapts: Bool
  /// Whether the gradients of time constants are wanted, which need V and I of every step.
  let recordsSteps: Bool
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
  let forward: GridDelays?
  let loop: GridDelays?
  /// Room for what a step finds where it is not kept.
  let found: (neurons: UnsafeMutablePointer<UInt32>, numbers: UnsafeMutablePointer<Float>)
  private let constants: UnsafeMutablePointer<Float>
  private let layer: Layer
  private let steps: Int
  private let problem: Problem
  private var isFixed = false

  /// How many vectors of constants there are.
  private static let vectors = 18

  init(_ layer: Layer, projection: Int, sources: Int, problem: Problem, steps: Int) {
    (self.layer, self.problem, self.steps) = (layer, problem, steps)
    width = paddedWidth(layer.size)
    adapts = layer.neuron == .alif
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
    forward = layer.delays.map {
      GridDelays($0, projection: projection, rows: sources, columns: layer.size, problem.step)
    }
    loop = layer.loopDelays.map {
      GridDelays(
        $0, projection: projection + 1, rows: layer.size, columns: layer.size, problem.step)
    }
    let rows = steps + max(forward?.reach ?? 0, loop?.reach ?? 0) + 1
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

  /// Takes the constants of the moment. Those that nothing changes are taken once.
  func take(_ weights: Parameters<Float>, layer index: Int) {
    forward?.take(weights)
    loop?.take(weights)
    if isFixed { return }
    isFixed = layer.learning.isEmpty
    let now = isFixed ? layer : weights.layer(index)
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
    current.update(repeating: 0, count: (steps + reach + 1) * width)
    forward?.spread(incoming, to: current, width: width, steps: steps)
    if let own { loop?.spread(own, to: current, width: width, steps: steps) }
  }
}

extension Layer {
  /// Whether the grid takes it neuron by neuron.
  var isEach: Bool {
    !isUniform || delays != nil || loopDelays != nil || neuron == .alif
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

/// The delays of one projection on the grid, in steps, and its weights beside them, both by target:
/// the synapses of a neuron are neighbours. Taken over anew only where they have changed.
final class GridDelays {
  let form: Delays.Form
  let projection: Int
  /// The longest delay, in steps.
  let reach: Int
  let rows: Int
  let columns: Int
  /// By target, then source.
  private let weights: UnsafeMutablePointer<Float>
  private let steps: UnsafeMutablePointer<UInt32>
  /// By source, then target.
  let stepsBySource: UnsafeMutablePointer<UInt32>
  private let step: Double
  /// What was taken over: weights and delays as `Parameters` has them.
  private var taken: (weights: UnsafeMutablePointer<Float>, delays: UnsafeMutablePointer<Float>)?
  /// Spikes sorted by source.
  private let starts: UnsafeMutablePointer<UInt32>
  private var times: UnsafeMutablePointer<UInt32>
  private var places: UnsafeMutablePointer<UInt32>
  private var sortedErrors: UnsafeMutablePointer<Float>
  private var capacity = 256

  init(_ delays: Delays, projection: Int, rows: Int, columns: Int, _ step: Double) {
    (form, self.projection, self.rows, self.columns) = (delays.form, projection, rows, columns)
    self.step = step
    reach = Int((delays.longest / step).rounded(.up)) + 1
    weights = allocateZeroed(rows * columns)
    steps = .allocate(capacity: rows * columns)
    stepsBySource = .allocate(capacity: rows * columns)
    starts = .allocate(capacity: rows + 2)
    times = .allocate(capacity: capacity)
    places = .allocate(capacity: capacity)
    sortedErrors = .allocate(capacity: capacity)
  }

  deinit {
    weights.deallocate()
    steps.deallocate()
    stepsBySource.deallocate()
    taken?.weights.deallocate()
    taken?.delays.deallocate()
    starts.deallocate()
    times.deallocate()
    places.deallocate()
    sortedErrors.deallocate()
  }

  func take(_ parameters: Parameters<Float>) {
    let matrix = parameters.matrices[projection]
    guard let delays = parameters.delays(ofProjection: projection) else { return }
    if let taken,
      memcmp(taken.weights, matrix.base, 4 * matrix.count) == 0,
      memcmp(taken.delays, delays.base, 4 * delays.count) == 0
    {
      return
    }
    if taken == nil { taken = (allocate(matrix.count), allocate(delays.count)) }
    taken!.weights.update(from: matrix.base, count: matrix.count)
    taken!.delays.update(from: delays.base, count: delays.count)
    let stride = matrix.stride
    let rowStride = form == .dendritic ? 0 : delays.stride
    let columnStride = form == .axonal ? 0 : 1
    let perStep = Float(1 / step)
    let most = Float(reach)
    for i in 0..<rows {
      for j in 0..<columns {
        let delay = delays.base[i * rowStride + j * columnStride] * perStep + 0.5
        let count = UInt32(min(max(delay, 0), most))
        stepsBySource[i * columns + j] = count
        steps[j * rows + i] = count
        weights[j * rows + i] = matrix.base[i * stride + j]
      }
    }
  }

  private func synapses(of target: Int) -> ep_delays {
    ep_delays(weights: weights + target * rows, steps: steps + target * rows)
  }

  /// Sorts spikes by source; in order of time for each. Those at T are left out.
  private func sort(_ spikes: GridSpikes, steps: Int) {
    let count = Int(spikes.offsets[steps])
    if count > capacity {
      times.deallocate()
      places.deallocate()
      sortedErrors.deallocate()
      capacity = 2 * count
      times = .allocate(capacity: capacity)
      places = .allocate(capacity: capacity)
      sortedErrors = .allocate(capacity: capacity)
    }
    starts.update(repeating: 0, count: rows + 2)
    for k in 0..<count { starts[Int(spikes.neurons[k]) + 2] += 1 }
    for source in 0..<rows { starts[source + 2] += starts[source + 1] }
    for k in 0..<count {
      let slot = Int(spikes.neurons[k]) + 1
      times[Int(starts[slot])] = spikes.times[k]
      places[Int(starts[slot])] = UInt32(truncatingIfNeeded: k)
      starts[slot] += 1
    }
  }

  /// Adds what spikes bring to the rows of steps at which they arrive.
  func spread(
    _ spikes: GridSpikes, to current: UnsafeMutablePointer<Float>, width: Int, steps: Int
  ) {
    sort(spikes, steps: steps)
    let length = steps + reach + 1
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 16 * length) { series in
      let series = series.baseAddress!
      for first in stride(from: 0, to: columns, by: 16) {
        let count = min(16, columns - first)
        series.update(repeating: 0, count: count * length)
        for lane in 0..<count {
          var synapses = synapses(of: first + lane)
          ep_delay_spread(series + lane * length, &synapses, starts, times, rows)
        }
        for n in 0..<steps {
          let row = current + n * width + first
          for lane in 0..<count { row[lane] += series[lane * length + n] }
        }
      }
    }
  }

  /// The adjoint: from lI and lV - lI of every step to the gradients of weights and delays, and to
  /// the errors of the spikes.
  func gather(
    _ spikes: GridSpikes, _ currents: UnsafePointer<Float>, _ errors: UnsafePointer<Float>,
    width: Int, steps: Int, share: UnsafePointer<Float>, weights sum: Matrix<Float>,
    delays delaySum: Matrix<Float>?, spikeErrors: UnsafeMutablePointer<Float>?
  ) {
    sort(spikes, steps: steps)
    let length = 2 * (steps + reach + 1)
    let count = Int(starts[rows])
    if spikeErrors != nil { sortedErrors.update(repeating: 0, count: count) }
    let (rowStride, columnStride) = (
      form == .dendritic ? 0 : delaySum?.stride ?? 0, form == .axonal ? 0 : 1
    )
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 16 * (length + 2 * rows)) { memory in
      let trace = memory.baseAddress!
      let (ofWeights, ofDelays) = (trace + 16 * length, trace + 16 * (length + rows))
      for first in stride(from: 0, to: columns, by: 16) {
        let lanes = min(16, columns - first)
        trace.update(repeating: 0, count: lanes * length)
        for n in 0..<steps {
          let (a, b) = (currents + n * width + first, errors + n * width + first)
          for lane in 0..<lanes {
            trace[lane * length + 2 * n] = a[lane]
            trace[lane * length + 2 * n + 1] = b[lane]
          }
        }
        for lane in 0..<lanes {
          var synapses = synapses(of: first + lane)
          ep_delay_gather(
            trace + lane * length, &synapses, starts, times, rows, ofWeights + lane * rows,
            ofDelays + lane * rows)
          if spikeErrors != nil {
            ep_delay_errors(
              trace + lane * length, &synapses, starts, times, rows, sortedErrors)
          }
        }
        for i in 0..<rows {
          let row = sum.base + i * sum.stride + first
          for lane in 0..<lanes { row[lane] += share[first + lane] * ofWeights[lane * rows + i] }
          guard let delaySum else { continue }
          for lane in 0..<lanes {
            let j = first + lane
            delaySum.base[i * rowStride + j * columnStride] +=
              weights[j * rows + i] * ofDelays[lane * rows + i]
          }
        }
      }
    }
    if let spikeErrors {
      for k in 0..<count { spikeErrors[Int(places[k])] += sortedErrors[k] }
    }
  }
}
