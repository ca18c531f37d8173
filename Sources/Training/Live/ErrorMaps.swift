import EventPropCore
import SpikeData

extension SolverLane {
  /// Runs a sample forward and backward on the grid (in steps of the lane), twice: as the lane shapes its loss, and
  /// with w = 1. Without any effect on training.
  func errorMaps(_ data: SpikeDataSet, sample: Int, options: DataOptions?) -> [ErrorMap] {
    var train = data[sample]
    options?.delayLine.apply(
      to: &train, units: data.unitCount, duration: solver.problem.duration)
    let weights = weights.converted(to: Float.self)
    var plain = solver.problem
    plain.shaping = .none
    let label = data.labels[sample]
    let shaped = ErrorRun(solver.problem, train, label, weights)
    let unshaped = ErrorRun(plain, train, label, weights)
    return network.layers.dropLast().indices.map { layer in
      let (rows, columns) = (min(network.layers[layer].size, 64), min(shaped.steps, 120))
      let a = shaped.map(layer, rows: rows, columns: columns)
      let b = unshaped.map(layer, rows: rows, columns: columns)
      return ErrorMap(
        layer: network.name(ofPopulation: layer + 1), rows: rows, columns: columns,
        shaped: a.values, plain: b.values, shapedNorm: a.norms, plainNorm: b.norms)
    }
  }
}

/// One forward and backward pass with lV - lI kept.
private struct ErrorRun {
  let steps: Int
  private let workspace: GridWorkspace
  private let sizes: [Int]

  init(_ problem: Problem, _ train: SpikeTrain, _ label: Int, _ weights: Parameters<Float>) {
    let solver = GridSolver(problem)
    steps = solver.steps
    sizes = problem.network.layers.map(\.size)
    workspace = solver.makeWorkspace()
    workspace.keepErrors()
    let trial = solver.makeTrial()
    train.withView { solver.load($0, label: label, into: trial) }
    solver.forward(trial, weights: weights, workspace: workspace)
    solver.backward(
      trial, weights: weights, push: [], tape: solver.makeTape(), workspace: workspace)
  }

  /// The map of a layer, squeezed: the largest value of merged cells, and the norm of each column.
  func map(_ layer: Int, rows: Int, columns: Int) -> (values: [Float], norms: [Float]) {
    var values = Array(repeating: Float(0), count: rows * columns)
    var squares = Array(repeating: Float(0), count: columns)
    for n in 0..<steps {
      let column = n * columns / steps
      for (neuron, error) in workspace.errors(ofLayer: layer, at: n).enumerated() {
        let cell = neuron * rows / sizes[layer] * columns + column
        if abs(error) > abs(values[cell]) { values[cell] = error }
        squares[column] += error * error
      }
    }
    return (values, squares.map { $0.squareRoot() })
  }
}
