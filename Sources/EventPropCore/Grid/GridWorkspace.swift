/// One population of neurons on the grid: its constants and its state of the moment.
struct GridLayer {
  let size: Int
  let width: Int
  let isSpiking: Bool
  let decay: (a: Float, b: Float, rise: Float, adjointRise: Float)
  /// The mean of V over a step is `mean.p V + mean.q I`, V and I at its start.
  let mean: (p: Float, q: Float)
  let tauMem: Float
  let threshold: Float
  /// Forward: V and I. Backward: lV and lI. `width` each.
  let v: UnsafeMutablePointer<Float>
  let i: UnsafeMutablePointer<Float>
  /// Backward: lI at every time index, `(steps + 1) x width`; row n is lI(n dt), after any jump of I.
  let trace: UnsafeMutablePointer<Float>
}

extension Layer {
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
}

/// Scratch memory of the grid solver for one thread: nothing is allocated while a trial runs.
public final class GridWorkspace {
  let layers: UnsafeMutableBufferPointer<GridLayer>
  let projections: UnsafeMutableBufferPointer<GridProjection>
  /// Per spike of one step: what the adjoint jump gathers.
  let errors: UnsafeMutablePointer<Float>
  /// Weighted mean of the output voltages.
  let mean: UnsafeMutablePointer<Float>
  /// Read-out gradient in Float, `width` of the output.
  let drive: UnsafeMutablePointer<Float>
  /// Spikes sorted by neuron: `starts[neuron] ..< starts[neuron + 1]` of `indices`.
  var starts: UnsafeMutablePointer<UInt32>
  var indices: UnsafeMutablePointer<UInt32>
  var indexCapacity = 1024
  /// Per output: the rising peaks in descending order of time, for `.maximum`.
  var peaks: [Int] = []
  /// Per layer: lV - lI at every time index, `(steps + 1) x width`, when `keepErrors` was called.
  var errorTraces: [UnsafeMutablePointer<Float>] = []
  /// Per input unit: the last step with a spike (merging).
  let last: UnsafeMutablePointer<Int32>
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
          decay: (Float(decay.a), Float(decay.b), Float(decay.rise), Float(decay.adjointRise)),
          mean: problem.rule == .sampled ? (1, 0) : layer.stepMean(problem.step),
          tauMem: Float(layer.tauMem),
          threshold: Float(layer.threshold),
          v: allocateZeroed(width), i: allocateZeroed(width),
          trace: allocateZeroed((steps + 1) * width)))
    }
    projections = .allocate(capacity: network.projections.count)
    errors = allocateZeroed(widest)
    mean = allocateZeroed(widest)
    drive = allocateZeroed(widest)
    let largest = (0...network.layers.count).map { network.size(ofPopulation: $0) }.max() ?? 0
    starts = .allocate(capacity: largest + 2)
    indices = .allocate(capacity: indexCapacity)
    last = .allocate(capacity: max(network.inputs, 1))
  }

  deinit {
    for trace in errorTraces { trace.deallocate() }
    for layer in layers {
      layer.v.deallocate()
      layer.i.deallocate()
      layer.trace.deallocate()
    }
    layers.deallocate()
    projections.deallocate()
    errors.deallocate()
    mean.deallocate()
    drive.deallocate()
    starts.deallocate()
    indices.deallocate()
    last.deallocate()
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

  /// lI of a layer's neurons at time index n, after any jump of I, as the last `backward` left it.
  public func adjointCurrent(ofLayer layer: Int, at n: Int) -> UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(
      start: layers[layer].trace + n * layers[layer].width, count: layers[layer].size)
  }

  /// Copies lV - lI of all layers at time index n.
  func recordErrors(at n: Int) {
    for (index, trace) in errorTraces.enumerated() {
      let layer = layers[index]
      for j in 0..<layer.width { trace[n * layer.width + j] = layer.v[j] - layer.i[j] }
    }
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

  /// Sets V and I (or lV and lI) of every layer to 0.
  func clearState() {
    for layer in layers {
      layer.v.update(repeating: 0, count: layer.width)
      layer.i.update(repeating: 0, count: layer.width)
    }
  }

  /// Sorts a population's spikes by neuron (counting sort), leaving out time index `steps`.
  func sortByNeuron(_ spikes: GridSpikes, size: Int) {
    let count = Int(spikes.offsets[steps])
    if count > indexCapacity {
      indices.deallocate()
      indexCapacity = 2 * count
      indices = .allocate(capacity: indexCapacity)
    }
    starts.update(repeating: 0, count: size + 2)
    for k in 0..<count { starts[Int(spikes.neurons[k]) + 2] += 1 }
    for neuron in 0..<size { starts[neuron + 2] += starts[neuron + 1] }
    for index in 0..<steps {
      for k in spikes.range(at: index) {
        let slot = Int(spikes.neurons[k]) + 1
        indices[Int(starts[slot])] = UInt32(index)
        starts[slot] += 1
      }
    }
  }
}
