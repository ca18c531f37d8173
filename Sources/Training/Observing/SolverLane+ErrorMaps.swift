// SPDX-License-Identifier: MIT

import EventPropCore
import SpikeData

extension SolverLane {
  /// Runs the probe set forward and backward on the grid (in steps of the lane), twice: as the lane
  /// shapes its loss, and with w = 1. Without any effect on training.
  func errorMaps() -> [ErrorMap] {
    guard let samples = observer?.samples, GridSolver.runs(network) else { return [] }
    let weights = weights.converted(to: Float.self)
    var plain = solver.problem
    plain.shaping = .none
    var shaped = ErrorRun(solver.problem)
    var unshaped = ErrorRun(plain)
    for sample in samples {
      shaped.add(sample.train, sample.label, weights)
      unshaped.add(sample.train, sample.label, weights)
    }
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

/// Forward and backward passes with lV - lI kept.
private struct ErrorRun {
  let steps: Int
  private let solver: GridSolver
  private let workspace: GridWorkspace
  private let trial: GridTrial
  private let tape: GridTape
  private let sizes: [Int]
  /// Per layer, `steps x size`: the largest of all trials.
  private var errors: [[Float]]

  init(_ problem: Problem) {
    solver = GridSolver(problem)
    steps = solver.steps
    let steps = steps
    sizes = problem.network.layers.map(\.size)
    errors = sizes.map { Array(repeating: 0, count: steps * $0) }
    workspace = solver.makeWorkspace()
    workspace.keepErrors()
    trial = solver.makeTrial()
    tape = solver.makeTape()
  }

  mutating func add(_ train: SpikeTrain, _ label: Int, _ weights: Parameters<Float>) {
    train.withView { solver.load($0, label: label, into: trial) }
    solver.forward(trial, weights: weights, workspace: workspace)
    solver.rewind(tape)
    solver.backward(trial, weights: weights, push: [], tape: tape, workspace: workspace)
    for layer in sizes.indices.dropLast() {
      let size = sizes[layer]
      errors[layer].withUnsafeMutableBufferPointer { errors in
        for n in 0..<steps {
          let found = workspace.errors(ofLayer: layer, at: n)
          for j in 0..<size where abs(found[j]) > abs(errors[n * size + j]) {
            errors[n * size + j] = found[j]
          }
        }
      }
    }
  }

  /// The map of a layer, squeezed: the largest value of merged cells, and the norm of each column.
  func map(_ layer: Int, rows: Int, columns: Int) -> (values: [Float], norms: [Float]) {
    var values = Array(repeating: Float(0), count: rows * columns)
    var squares = Array(repeating: Float(0), count: columns)
    let size = sizes[layer]
    for n in 0..<steps {
      let column = n * columns / steps
      for neuron in 0..<size {
        let error = errors[layer][n * size + neuron]
        let cell = neuron * rows / size * columns + column
        if abs(error) > abs(values[cell]) { values[cell] = error }
        squares[column] += error * error
      }
    }
    return (values, squares.map { $0.squareRoot() })
  }
}

/// What error a spike would transport, lV - lI, over neurons and time: of all samples of the probe
/// set the largest.
public struct ErrorMap: Sendable, Equatable {
  /// `hidden1`, ...
  public var layer: String
  /// Rows of neurons (neighbours are merged: the largest counts) by columns of time.
  public var rows: Int
  /// Of equal width over the trial; never more than steps.
  public var columns: Int
  /// Under the lane's shaping, and under w = 1 with the same weights; row-major.
  public var shaped: [Float]
  /// `rows x columns`, as `shaped`.
  public var plain: [Float]
  /// L2 norm of lV - lI over neurons and time, per column.
  public var shapedNorm: [Float]
  /// As many as `columns`.
  public var plainNorm: [Float]
}
