import Kernels

/// One population of neurons on the grid: its constants and its state of the moment.
struct GridLayer {
  let size: Int
  let width: Int
  let isSpiking: Bool
  let isRecurrent: Bool
  let decay: (a: Float, b: Float, rise: Float)
  /// What the adjoint does over a gap of 0, 1, 2, ... steps; `steps + 1` entries.
  let gaps: UnsafeMutablePointer<(a: Float, b: Float, adjointRise: Float)>
  /// The mean of V over a step is `mean.p V + mean.q I`, V and I at its start.
  let mean: (p: Float, q: Float)
  let tauMem: Float
  let threshold: Float
  /// Forward: V and I. Backward: lV and lI. `width` each.
  let v: UnsafeMutablePointer<Float>
  let i: UnsafeMutablePointer<Float>
}

extension Layer {
  fileprivate func adjointGaps(_ step: Double, count: Int)
    -> UnsafeMutablePointer<(a: Float, b: Float, adjointRise: Float)>
  {
    let gaps = UnsafeMutablePointer<(a: Float, b: Float, adjointRise: Float)>.allocate(
      capacity: count)
    for length in 0..<count {
      let decay = decay(over: Double(length) * step)
      gaps[length] = (Float(decay.a), Float(decay.b), Float(decay.adjointRise))
    }
    return gaps
  }

  /// int V dt over a step, divided by the step: tau_m dV/dt = -V + I gives
  /// int V = int I - tau_m (V_end - V_start) and int I = tau_s (1 - b) I_start.
  fileprivate func stepMean(_ step: Double) -> (p: Float, q: Float) {
    let decay = decay(over: step)
    return (
      Float(tauMem * (1 - decay.a) / step),
      Float((tauSyn * (1 - decay.b) - tauMem * decay.rise) / step)
    )
  }
}

/// One projection during a pass.
struct GridProjection {
  let source: Int
  let target: Int
  let stride: Int
  let weights: UnsafeMutablePointer<Float>

  /// The weights of the spikes with a time index.
  @inline(__always)
  func rows(of spikes: GridSpikes, at n: Int) -> ep_rows {
    let range = spikes.range(at: n)
    return ep_rows(
      rows: weights, stride: stride, index: spikes.neurons + range.lowerBound, count: range.count)
  }
}

/// Scratch memory of the grid solver for one thread: nothing is allocated while a trial runs.
public final class GridWorkspace {
  let layers: UnsafeMutableBufferPointer<GridLayer>
  let projections: UnsafeMutableBufferPointer<GridProjection>
  /// Per layer and spike: what its jump takes from the layers that it reaches.
  let errors: UnsafeMutableBufferPointer<UnsafeMutablePointer<Float>>
  private let errorCapacity: UnsafeMutablePointer<Int>
  /// Weighted mean of the output voltages.
  let mean: UnsafeMutablePointer<Float>
  /// Read-out gradient in Float, `width` of the output.
  let drive: UnsafeMutablePointer<Float>
  /// Per output: the rising peaks in descending order of time, for `.maximum`.
  var peaks: [Int] = []
  /// Per layer: lV - lI at every time index, `(steps + 1) x width`, when `keepErrors` was called.
  private(set) var errorTraces: [UnsafeMutablePointer<Float>] = []
  /// Spikes of one layer in the order in which blocks of neurons find them; without offsets.
  var found = GridSpikes(steps: 0)
  /// `.maximum`: V and I of the outputs at the end of each step, `steps x width`.
  let outputs: (v: UnsafeMutablePointer<Float>, i: UnsafeMutablePointer<Float>)?
  private let steps: Int
  let readout: Readout

  init(problem: Problem, steps: Int) {
    self.steps = steps
    readout = problem.loss.readout
    let network = problem.network
    layers = .allocate(capacity: network.layers.count)
    var widest = 16
    for (index, layer) in network.layers.enumerated() {
      let width = paddedWidth(layer.size)
      widest = max(widest, width)
      let decay = layer.decay(over: problem.step)
      layers.initializeElement(
        at: index,
        to: GridLayer(
          size: layer.size, width: width, isSpiking: layer.neuron == .lif,
          isRecurrent: layer.isRecurrent,
          decay: (Float(decay.a), Float(decay.b), Float(decay.rise)),
          gaps: layer.adjointGaps(problem.step, count: steps + 1),
          mean: problem.rule == .sampled ? (1, 0) : layer.stepMean(problem.step),
          tauMem: Float(layer.tauMem),
          threshold: Float(layer.threshold),
          v: allocateZeroed(width), i: allocateZeroed(width)))
    }
    projections = .allocate(capacity: network.projections.count)
    errors = .allocate(capacity: network.layers.count)
    errorCapacity = .allocate(capacity: network.layers.count)
    for index in network.layers.indices {
      errors.initializeElement(at: index, to: .allocate(capacity: 256))
      errorCapacity[index] = 256
    }
    mean = allocateZeroed(widest)
    drive = allocateZeroed(widest)
    let width = paddedWidth(network.output.size)
    outputs =
      readout == .maximum ? (allocateZeroed(steps * width), allocateZeroed(steps * width)) : nil
  }

  deinit {
    for trace in errorTraces { trace.deallocate() }
    for layer in layers {
      layer.v.deallocate()
      layer.i.deallocate()
      layer.gaps.deallocate()
    }
    layers.deallocate()
    projections.deallocate()
    for list in errors { list.deallocate() }
    errors.deallocate()
    errorCapacity.deallocate()
    found.deallocate()
    outputs?.v.deallocate()
    outputs?.i.deallocate()
    mean.deallocate()
    drive.deallocate()
  }

  /// From now on `backward` keeps what a spike at each instant would transport: lV - lI.
  public func keepErrors() {
    guard errorTraces.isEmpty else { return }
    errorTraces = layers.map { allocateZeroed((steps + 1) * $0.width) }
  }

  /// lV - lI of a layer's neurons at time index n, after the last `backward`; empty unless kept.
  public func errors(ofLayer layer: Int, at n: Int) -> UnsafeBufferPointer<Float> {
    guard errorTraces.indices.contains(layer) else {
      return UnsafeBufferPointer(start: nil, count: 0)
    }
    return UnsafeBufferPointer(
      start: errorTraces[layer] + n * layers[layer].width, count: layers[layer].size)
  }

  /// Keeps lV - lI of a layer at time index n.
  func recordErrors(
    of index: Int, at n: Int, _ lv: UnsafePointer<Float>, _ li: UnsafePointer<Float>
  ) {
    let (layer, trace) = (layers[index], errorTraces[index])
    for j in 0..<layer.width { trace[n * layer.width + j] = lv[j] - li[j] }
  }

  /// Makes the errors of a layer's `count` spikes 0.
  func clearErrors(of index: Int, count: Int) {
    if count > errorCapacity[index] {
      errors[index].deallocate()
      errorCapacity[index] = 2 * count
      errors[index] = .allocate(capacity: 2 * count)
    }
    errors[index].update(repeating: 0, count: count)
  }

  /// The projection that reaches a layer from below.
  func forward(to layer: Int) -> GridProjection {
    projections.first { $0.target == layer + 1 }!
  }

  /// The projection of a layer to itself.
  func loop(of layer: Int) -> GridProjection? {
    projections.first { $0.source == layer + 1 && $0.target == layer + 1 }
  }

  func point(at weights: Parameters<Float>) {
    for (index, projection) in weights.network.projections.enumerated() {
      let matrix = weights.matrices[index]
      projections.initializeElement(
        at: index,
        to: GridProjection(
          source: projection.source, target: projection.target, stride: matrix.stride,
          weights: matrix.base))
    }
  }
}

extension GridLayer {
  /// Sets V and I (or lV and lI) to 0.
  func clearState() {
    v.update(repeating: 0, count: width)
    i.update(repeating: 0, count: width)
  }
}
