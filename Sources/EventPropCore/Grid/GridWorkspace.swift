// SPDX-License-Identifier: MIT

import Kernels

/// One population of neurons on the grid: its constants and its state of the moment.
struct GridLayer {
  let size: Int
  let width: Int
  let isSpiking: Bool
  let isRecurrent: Bool
  let decay: (a: Float, b: Float, rise: Float)
  /// What the adjoint does over a gap of 0, 1, 2, ... steps; `steps + 1` entries.
  let gaps: UnsafeMutablePointer<ep_gap>
  /// What the read-out takes of a step, the mean of V over it or V at its end: `mean.p V + mean.q
  /// I`, V and I at its start.
  let mean: (p: Float, q: Float)
  let tauMem: Float
  let threshold: Float
  let reset: ep_reset
  /// What a layer has whose neurons are not all alike; nil elsewhere.
  let each: GridEach?
  /// Delays of each neuron that sends: of those below, and of the layer's own.
  let axons: GridAxons?
  let loopAxons: GridAxons?
  /// Forward: V and I. Backward: lV and lI. `width` each.
  let v: UnsafeMutablePointer<Float>
  let i: UnsafeMutablePointer<Float>
}

extension Layer {
  /// What the adjoint does over 0, 1, ... `count - 1` steps.
  func adjointGaps(_ step: Double, count: Int) -> [ep_gap] {
    (0..<count).map {
      let decay = decay(over: Double($0) * step)
      return ep_gap(a: Float(decay.a), b: Float(decay.b), c: Float(decay.adjointRise))
    }
  }

  /// What the read-out takes of a step, by its rule: p V + q I, V and I at its start after what
  /// arrives there. Under `integrated` it is int V dt over the step, divided by the step: tau_m
  /// dV/dt = -V + I gives int V = int I - tau_m (V_end - V_start) and int I = tau_s (1 - b)
  /// I_start. Under `sampled` it is V at the end.
  package func stepReading(_ step: Double, rule: ReadoutRule, neuron: Int = 0) -> (
    p: Double, q: Double
  ) {
    let decay = decay(over: step, neuron: neuron)
    if rule == .sampled { return (decay.a, decay.rise) }
    let (tauMem, tauSyn) = (tauMem[neuron], tauSyn[neuron])
    return (
      tauMem * (1 - decay.a) / step,
      (tauSyn * (1 - decay.b) - tauMem * decay.rise) / step
    )
  }
}

/// One projection during a pass. Plain memory: counting references that threads share would make
/// them wait.
struct GridProjection {
  let source: Int
  let target: Int
  let weights: UnsafeMutablePointer<Float>
  /// Rows: neurons of the source.
  let rows: Int
  /// As `stride`; 0 where the matrix has several panels.
  let rowStride: Int

  /// Scalars from one row to the next, of a matrix of one panel.
  @inline(__always)
  var stride: Int {
    precondition(rowStride > 0)
    return rowStride
  }

  /// The weights of the spikes with a time index into some panel of the target.
  @inline(__always)
  func rows(of spikes: GridSpikes, at n: Int, _ panel: Range<Int>) -> ep_rows {
    let range = spikes.range(at: n)
    return ep_rows(
      rows: weights + rows * panel.lowerBound, stride: panel.count,
      index: spikes.neurons + range.lowerBound, count: range.count)
  }
}

/// Scratch memory of the grid solver for one thread: the steps of a trial allocate nothing.
public final class GridWorkspace {
  let layers: UnsafeMutableBufferPointer<GridLayer>
  private let projections: UnsafeMutableBufferPointer<GridProjection>
  private var weights: Parameters<Float>?
  /// Weighted mean of the output voltages.
  let mean: UnsafeMutablePointer<Float>
  /// Read-out gradient in Float, `width` of the output.
  let drive: UnsafeMutablePointer<Float>
  /// Per output: the rising peaks in ascending order of time, for `.maximum`.
  var peaks: [Int] = []
  /// Per layer: lV - lI at every time index, `(steps + 1) x width`, when `keepErrors` was called.
  private(set) var errorTraces: [UnsafeMutablePointer<Float>] = []
  /// Kept when asked for: lI, alike.
  private var currentTraces: [UnsafeMutablePointer<Float>] = []
  /// Spikes of one layer, in pieces of at most `EP_BLOCK` neurons.
  let pieces: UnsafeMutableBufferPointer<BlockSpikes>
  /// `.maximum`: V and I of the outputs at the end of each step, `steps x width`.
  let outputs: (v: UnsafeMutablePointer<Float>, i: UnsafeMutablePointer<Float>)?
  private let steps: Int
  let readout: Readout

  init(problem: Problem, steps: Int) {
    self.steps = steps
    readout = problem.loss.readout
    let network = problem.network
    layers = .allocate(capacity: network.layers.count)
    projections = .allocate(capacity: network.projections.count)
    var widest = 16
    for (index, layer) in network.layers.enumerated() {
      let width = paddedWidth(layer.size)
      widest = max(widest, width)
      let decay = layer.decay(over: problem.step)
      let reading = layer.stepReading(problem.step, rule: problem.rule)
      let (projection, sources) = (
        network.projections.firstIndex { $0.target == index + 1 }!,
        network.size(ofPopulation: index)
      )
      func axons(_ delays: Delays?, _ projection: Int, _ rows: Int) -> GridAxons? {
        guard let delays, delays.form == .axonal else { return nil }
        return GridAxons(
          delays, projection: projection, rows: rows, problem.step, steps: steps)
      }
      layers.initializeElement(
        at: index,
        to: GridLayer(
          size: layer.size, width: width, isSpiking: layer.neuron.isSpiking,
          isRecurrent: layer.isRecurrent,
          decay: (Float(decay.a), Float(decay.b), Float(decay.rise)),
          gaps: .allocate(copying: layer.adjointGaps(problem.step, count: steps + 1)),
          mean: (Float(reading.p), Float(reading.q)),
          tauMem: Float(layer.tauMem[0]),
          threshold: Float(layer.threshold[0]), reset: layer.reset(step: problem.step),
          each: layer.isEach
            ? GridEach(
              layer, projection: projection, sources: sources, problem: problem, steps: steps)
            : nil,
          axons: axons(layer.delays, projection, sources),
          loopAxons: axons(layer.loopDelays, projection + 1, layer.size),
          v: allocateZeroed(width), i: allocateZeroed(width)))
    }
    let piece = Int(EP_BLOCK)
    pieces = .allocate(capacity: (widest + piece - 1) / piece)
    for index in pieces.indices {
      pieces.initializeElement(at: index, to: BlockSpikes(first: index * piece))
    }
    mean = allocateZeroed(widest)
    drive = allocateZeroed(widest)
    let width = paddedWidth(network.output.size)
    outputs =
      readout == .maximum ? (allocateZeroed(steps * width), allocateZeroed(steps * width)) : nil
  }

  deinit {
    for trace in errorTraces + currentTraces { trace.deallocate() }
    for layer in layers {
      layer.v.deallocate()
      layer.i.deallocate()
      layer.gaps.deallocate()
    }
    layers.deallocate()
    projections.deallocate()
    for piece in pieces { piece.deallocate() }
    pieces.deallocate()
    outputs?.v.deallocate()
    outputs?.i.deallocate()
    mean.deallocate()
    drive.deallocate()
  }

  /// From now on `backward` keeps what a spike at each instant would transport: lV - lI.
  /// - Parameter currents: and lI.
  public func keepErrors(currents: Bool = false) {
    guard errorTraces.isEmpty else { return }
    errorTraces = layers.map { allocateZeroed((steps + 1) * $0.width) }
    if currents { currentTraces = layers.map { allocateZeroed((steps + 1) * $0.width) } }
  }

  /// lV and lI of a layer's neurons just after each step's start, after the last `backward`: steps
  /// x neurons; empty unless currents are kept.
  public func adjoints(ofLayer index: Int) -> (v: [Float], i: [Float]) {
    guard currentTraces.indices.contains(index) else { return ([], []) }
    let layer = layers[index]
    let places = (0..<steps).flatMap { n in (0..<layer.size).map { n * layer.width + $0 } }
    let i = places.map { currentTraces[index][$0] }
    return (zip(places, i).map { errorTraces[index][$0] + $1 }, i)
  }

  /// lV - lI of a layer's neurons at time index n, after the last `backward`; empty unless kept.
  public func errors(ofLayer layer: Int, at n: Int) -> UnsafeBufferPointer<Float> {
    guard errorTraces.indices.contains(layer) else {
      return UnsafeBufferPointer(start: nil, count: 0)
    }
    return UnsafeBufferPointer(
      start: errorTraces[layer] + n * layers[layer].width, count: layers[layer].size)
  }

  /// lI of a layer's neurons just after the start of step n, after the last `backward`; empty
  /// unless kept.
  public func currents(ofLayer layer: Int, at n: Int) -> UnsafeBufferPointer<Float> {
    guard currentTraces.indices.contains(layer) else {
      return UnsafeBufferPointer(start: nil, count: 0)
    }
    return UnsafeBufferPointer(
      start: currentTraces[layer] + n * layers[layer].width, count: layers[layer].size)
  }

  /// Keeps lV - lI, and lI, of a layer at time index n.
  /// - Parameter drive: what `lv` and `li` are short of; nil: nothing.
  func recordErrors(
    of index: Int, at n: Int, _ lv: UnsafePointer<Float>, _ li: UnsafePointer<Float>,
    drive: (Int) -> Float = { _ in 0 }
  ) {
    let (layer, trace) = (layers[index], errorTraces[index])
    for j in 0..<layer.width { trace[n * layer.width + j] = lv[j] - li[j] }
    guard currentTraces.indices.contains(index) else { return }
    for j in 0..<layer.width { currentTraces[index][n * layer.width + j] = li[j] + drive(j) }
  }

  /// The projection that reaches a layer from below.
  func forward(to layer: Int) -> GridProjection {
    projections.first { $0.target == layer + 1 }!
  }

  /// The projection of a layer to itself.
  func loop(of layer: Int) -> GridProjection? {
    projections.first { $0.source == layer + 1 && $0.target == layer + 1 }
  }

  /// The passes to come use these weights.
  func point(at weights: Parameters<Float>) {
    if weights === self.weights { return }
    self.weights = weights
    for (index, projection) in weights.network.projections.enumerated() {
      let matrix = weights.matrices[index]
      projections.initializeElement(
        at: index,
        to: GridProjection(
          source: projection.source, target: projection.target, weights: matrix.base,
          rows: matrix.rows, rowStride: matrix.panels.count == 1 ? matrix.stride : 0))
    }
  }
}

extension GridLayer {
  /// Takes delays and constants of the moment.
  func take(_ weights: Parameters<Float>, layer index: Int) {
    axons?.take(weights)
    loopAxons?.take(weights)
    each?.take(weights, layer: index)
  }

  /// Sets V and I (or lV and lI) to 0.
  func clearState() {
    v.update(repeating: 0, count: width)
    i.update(repeating: 0, count: width)
  }
}

extension UnsafeMutablePointer {
  /// Memory with the numbers of an array.
  static func allocate(copying values: [Pointee]) -> Self {
    let memory = Self.allocate(capacity: values.count)
    memory.initialize(from: values, count: values.count)
    return memory
  }
}
