// SPDX-License-Identifier: MIT

import EventPropCore

/// Who gets gradient, and when in the trial: per layer and tenth of the trial, the norm of what the
/// spikes arriving in that tenth add to the gradient of the layer's feed-forward weights. Root mean
/// squares over samples.
public struct GradientFlow: Sendable, Equatable {
  /// Tenths of a trial, equally long.
  public static let parts = 10
  /// `hidden1`, ..., `output`.
  public var layers: [String] = []
  /// Per layer, `parts` norms, over all samples.
  public var norms: [[Double]] = []
  /// Per class and layer; empty where a class has no sample.
  public var byClass: [[[Double]]] = []

  /// No layers: nothing looked at.
  public init() {}

  /// A layer's norms as shares of their sum; 0 where there is no gradient.
  public func shares(layer: Int) -> [Double] {
    let total = norms[layer].reduce(0, +)
    return norms[layer].map { total > 0 ? $0 / total : 0 }
  }

  /// On the grid, with the adjoint's own traces of lI; of networks that the grid runs.
  public init(
    _ problem: Problem, samples: [(train: SpikeTrain, label: Int)], weights: Parameters<Float>
  ) {
    let network = problem.network
    let solver = GridSolver(problem)
    let workspace = solver.makeWorkspace()
    let trial = solver.makeTrial()
    let tape = solver.makeTape()
    // Of delayed layers the tape keeps no rows for spikes that are sent.
    if !network.delayed.isEmpty { workspace.keepErrors(currents: true) }
    let (present, delays) = (weights.layers, SpikeDelays(weights, step: problem.step))
    layers = network.layers.indices.map { network.name(ofPopulation: $0 + 1) }
    let zero = Array(repeating: Array(repeating: 0.0, count: Self.parts), count: layers.count)
    var squares = zero
    // Target series are not classes.
    let isByClass = problem.targets == nil
    let classes = isByClass ? (samples.map(\.label).max() ?? -1) + 1 : 0
    var classSquares = Array(repeating: zero, count: classes)
    var counts = Array(repeating: 0, count: classes)
    for sample in samples {
      sample.train.withView { solver.load($0, label: sample.label, into: trial) }
      solver.forward(trial, weights: weights, workspace: workspace)
      solver.rewind(tape)
      solver.backward(trial, weights: weights, push: [], tape: tape, workspace: workspace)
      if isByClass { counts[sample.label] += 1 }
      for layer in layers.indices {
        let arriving = layer == 0 ? trial.inputSpikes : trial.spikes(ofLayer: layer - 1)
        let sources = network.size(ofPopulation: layer)
        let own =
          network.layers[layer].delays == nil
          ? Self.squares(solver, tape, layer: layer, arriving, sources: sources)
          : Self.squares(
            solver, workspace, present[layer], layer, arriving, sources: sources, delays)
        for part in 0..<Self.parts {
          squares[layer][part] += own[part]
          if isByClass { classSquares[sample.label][layer][part] += own[part] }
        }
      }
    }
    func mean(_ squares: [[Double]], _ count: Int) -> [[Double]] {
      squares.map { $0.map { ($0 / Double(max(count, 1))).squareRoot() } }
    }
    norms = mean(squares, samples.count)
    byClass = (0..<classes).map { counts[$0] > 0 ? mean(classSquares[$0], counts[$0]) : [] }
  }

  /// The same where each synapse has its spikes at times of its own.
  private static func squares(
    _ solver: GridSolver, _ workspace: GridWorkspace, _ target: Layer, _ layer: Int,
    _ sent: [LayerSpike], sources: Int, _ delays: SpikeDelays
  ) -> [Double] {
    let (step, steps) = (solver.problem.step, solver.steps)
    let projection = solver.problem.network.projections.firstIndex { $0.target == layer + 1 }!
    let synapses = sources * target.size
    var sums = Array(repeating: 0.0, count: parts * synapses)
    for spike in sent {
      let first = Int((spike.time / step).rounded())
      for j in 0..<target.size {
        let delay = delays.delay(projection, spike.neuron, j)
        let n = first + Int((delay / step).rounded())
        guard n < steps else { continue }
        let part = min(Int(Double(n) * step / solver.problem.duration * Double(parts)), parts - 1)
        sums[part * synapses + spike.neuron * target.size + j] +=
          target.tauSyn[j] * Double(workspace.currents(ofLayer: layer, at: n)[j])
      }
    }
    return (0..<parts).map { part in
      sums[(part * synapses)..<((part + 1) * synapses)].reduce(0) { $0 + $1 * $1 }
    }
  }

  /// Per tenth: the squared norm of tau_s times the sum of lI over each source's spikes in it.
  private static func squares(
    _ solver: GridSolver, _ tape: GridTape, layer: Int, _ arriving: [LayerSpike],
    sources: Int
  ) -> [Double] {
    let target = solver.problem.network.layers[layer]
    var sums = Array(repeating: 0.0, count: sources * target.size)
    var touched: Set<Int> = []
    var result = Array(repeating: 0.0, count: parts)
    var next = 0
    for part in 0..<parts {
      let end = solver.problem.duration * Double(part + 1) / Double(parts)
      while next < arriving.count, arriving[next].time < end || part == parts - 1 {
        let spike = arriving[next]
        next += 1
        let index = Int((spike.time / solver.problem.step).rounded())
        guard index < solver.steps else { continue }
        touched.insert(spike.neuron)
        let trace = tape.adjointCurrent(ofLayer: layer, at: index)
        for j in 0..<target.size { sums[spike.neuron * target.size + j] += Double(trace[j]) }
      }
      for source in touched.sorted() {
        for j in 0..<target.size {
          let value = target.gradientUnit * sums[source * target.size + j]
          result[part] += value * value
          sums[source * target.size + j] = 0
        }
      }
      touched.removeAll()
    }
    return result
  }
}
