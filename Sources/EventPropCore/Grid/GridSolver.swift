// SPDX-License-Identifier: MIT

import Foundation
import Kernels

/// EventProp on a grid of steps dt, in Float (Nowotny, Turner & Knight 2025).
///
/// Step n covers n dt to (n + 1) dt. Input spikes enter at the step they round to; hidden spikes
/// are found at the end of a step and enter at the start of the next. At most one spike per neuron
/// and step. Gradients approach the exact ones as O(dt).
///
/// The integral losses take w constant over a step and integrate V (or sample it, see
/// `ReadoutRule`); their adjoint is driven over each step and integrated exactly: where a
/// post-synaptic potential lies wholly within the trial, moving it changes nothing under w = 1, and
/// the grid's lV - lI is 0 there too. Maxima are sought at ends of steps.
///
/// The forward pass is in `GridSolver+Forward.swift`, its adjoint in `GridSolver+Adjoint.swift`;
/// both of the first layer's blocks in `GridSolver+Blocks.swift`, and of layers whose neurons have
/// constants or delays of their own, or adapt, in `GridSolver+Each.swift`.
public final class GridSolver: Solver {
  /// What it was made for; all constants of the kernels were computed from it then.
  public let problem: Problem
  /// T/dt, rounded.
  public let steps: Int
  let projections: [Projection]
  /// w in the middle of each step, times dt/T: the weights of the read-out integral.
  package let weightOfStep: [Float]
  /// What the loss reads; nil: classes alone.
  let targets: Targets?
  /// Of the first layer: see `BlockBatch`.
  let blocks: [Range<Int>]
  /// What the adjoint of the first layer's blocks does over 0, 1, ... steps.
  let firstGaps: [ep_gap]

  /// Traps where the grid cannot run a layer: a model without kernels.
  public init(_ problem: Problem) {
    self.problem = problem
    precondition(
      GridSolver.runs(problem.network), "the grid runs only models that have kernels")
    let steps = Int((problem.duration / problem.step).rounded())
    self.steps = steps
    projections = problem.network.projections
    blocks = problem.network.blocks
    targets = problem.lossTargets
    firstGaps =
      blocks.isEmpty
      ? [] : problem.network.layers[0].adjointGaps(problem.step, count: steps + 1)
    weightOfStep = (0..<steps).map {
      Float(problem.shaping.weight(at: (Double($0) + 0.5) / Double(steps)) / Double(steps))
    }
  }

  /// Whether the grid can take a network: models that have kernels. Whoever looks at an exact lane
  /// on the grid asks first.
  public static func runs(_ network: Network) -> Bool {
    network.layers.allSatisfy { $0.neuron.isOnGrid }
  }

  /// Grows with the spikes it has to hold; with `.instantaneous` losses it also has `steps x
  /// outputs` scalars.
  public func makeTrial() -> GridTrial {
    let trial = GridTrial(
      network: problem.network, steps: steps, dt: problem.step)
    if problem.loss.readout == .instantaneous {
      trial.drive = allocateZeroed(steps * trial.outputWidth)
    }
    return trial
  }

  /// For one thread at a time, and any trial of this solver.
  public func makeWorkspace() -> GridWorkspace { GridWorkspace(problem: problem, steps: steps) }

  /// A `BlockBatch` where the network's first layer is cut into blocks.
  public func makeBatch(weights: Parameters<Float>, capacity: Int, shards: Int)
    -> Batch<GridSolver>
  {
    blocks.isEmpty
      ? Batch(self, weights: weights, capacity: capacity, shards: shards)
      : BlockBatch(self, weights: weights, capacity: capacity, shards: shards, inBlocks: true)
  }

  /// Copies the spikes, each to the step whose start it rounds to. Without `mergesInput`, several
  /// of a unit in one step all count.
  public func load(_ input: SpikeTrainView, label: Int, into trial: GridTrial) {
    trial.input.load(input, problem, steps: steps)
    trial.label = label
  }
}
