// SPDX-License-Identifier: MIT

import EventPropCore

/// The gradient that trains, by the lane's own solver, step and read-out rule, against the exact
/// one of the same loss on the same samples and weights. Pseudo-gradients (rate regularisation,
/// phantom spikes) are in neither.
public struct GradientComparison: Sendable, Equatable {
  /// One weight matrix.
  public struct Row: Sendable, Equatable {
    /// `input-hidden1`, ...
    public var projection: String
    /// |dL/dW|, L2, by the exact solver and by the one that trains.
    public var exactNorm: Double
    /// By the solver that trains; a mean over the same samples as `exactNorm`.
    public var trainingNorm: Double
    /// Cosine of the angle between the two; nil where one of them is 0.
    public var cosine: Double?

    /// `cosine` is -1...1, nil where one of the norms is 0.
    public init(projection: String, exactNorm: Double, trainingNorm: Double, cosine: Double?) {
      self.projection = projection
      self.exactNorm = exactNorm
      self.trainingNorm = trainingNorm
      self.cosine = cosine
    }

    /// Norm of the training gradient over that of the exact one; nil where that is 0.
    public var normRatio: Double? { exactNorm > 0 ? trainingNorm / exactNorm : nil }
  }

  /// One per weight matrix, in the order of `Network.projections`; empty: nothing compared.
  public var rows: [Row] = []
  /// Hidden and output spikes of all samples, and those without a partner in the other solver:
  /// another number of spikes, or one moved by more than `reach`.
  public var exactSpikes = 0
  /// By the solver that trains, with its own step.
  public var trainingSpikes = 0
  /// Spikes of the exact solver without a partner.
  public var onlyExact = 0
  /// Spikes of the solver that trains without a partner.
  public var onlyTraining = 0
  /// How many samples both gradients are the mean of.
  public var samples = 0
  /// Samples left out because a forward pass was given up.
  public var failed = 0

  /// Nothing compared: no rows, all counts 0.
  public init() {}

  /// - Parameters:
  ///   - samples: the mean loss over these.
  ///   - weights: in the order of `Network.projections`, row-major `pre x post`.
  ///   - step: of the grid, ms; nil: that of the problem.
  ///   - reach: how far apart two spikes may be and still be the same, ms.
  public init(
    _ problem: Problem, samples: [GradientCheck.Sample], weights: [[Double]], step: Double? = nil,
    reach: Double
  ) {
    let network = problem.network
    // Both solvers get the same input, merged on the problem's own grid.
    var exactProblem = problem
    exactProblem.mergesInput = false
    var gridProblem = exactProblem
    if let step { gridProblem.step = step }
    let trains = samples.map { ($0.train.merged(for: problem), $0.label) }
    let exact = Pass(ExactSolver(exactProblem), weights)
    let grid = Pass(GridSolver(gridProblem), weights)
    for (train, label) in trains {
      guard let a = exact.run(train, label), let b = grid.run(train, label) else {
        failed += 1
        continue
      }
      self.samples += 1
      exact.addGradient()
      grid.addGradient()
      count(a, b, network, reach)
    }
    let scale = 1 / Double(max(self.samples, 1))
    for (index, array) in network.arrays.enumerated() {
      let factor = abs(array.gradientFactor)
      let angle = Angle(
        exact.gradient.arrays[index].values, grid.gradient.arrays[index].values)
      rows.append(
        Row(
          projection: array.name, exactNorm: factor * scale * angle.norms.0,
          trainingNorm: factor * scale * angle.norms.1, cosine: angle.cosine))
    }
  }

  private mutating func count(
    _ exact: TrialSpikes, _ training: TrialSpikes, _ network: Network, _ reach: Double
  ) {
    for (index, layer) in network.layers.enumerated() where layer.neuron.isSpiking {
      exactSpikes += exact[index].count
      trainingSpikes += training[index].count
      network.forEachMatching(ofLayer: index, before: exact, after: training, reach: reach) {
        _, _, _, matching in
        onlyExact += matching.deleted.count
        onlyTraining += matching.created.count
      }
    }
  }

  /// A solver with what one pass after another needs.
  struct Pass<S: Solver> {
    let solver: S
    let weights: Parameters<S.Scalar>
    let gradient: Parameters<S.Scalar>
    let trial: S.Trial
    let tape: S.Tape
    let workspace: S.Workspace

    init(_ solver: S, _ values: [[Double]]) {
      self.solver = solver
      weights = Parameters(solver.problem.network)
      for (matrix, values) in zip(weights.arrays, values) {
        matrix.values = values.map { S.Scalar($0) }
      }
      gradient = Parameters(solver.problem.network)
      trial = solver.makeTrial()
      tape = solver.makeTape()
      workspace = solver.makeWorkspace()
    }

    /// Forward; nil when the solver gives up.
    func run(_ train: SpikeTrain, _ label: Int) -> TrialSpikes? {
      train.withView { solver.load($0, label: label, into: trial) }
      solver.forward(trial, weights: weights, workspace: workspace)
      guard trial.failure == nil, trial.loss.isFinite else { return nil }
      return solver.problem.network.layers.indices.map { trial.spikes(ofLayer: $0) }
    }

    /// Backward, without a phantom spike.
    func addGradient() {
      trial.withholdPhantom()
      solver.backward(
        trial, weights: weights, push: [], gradient: gradient, tape: tape, workspace: workspace)
    }
  }
}

/// Two gradients of the same weights, held against each other.
struct Angle {
  /// L2, of either.
  let norms: (Double, Double)
  /// -1...1; nil where a norm is 0 or not a finite number.
  let cosine: Double?

  /// Of as many weights both, in the same order.
  init<Scalar: NetworkScalar>(_ x: [Double], _ y: [Scalar]) {
    var (xx, yy, xy) = (0.0, 0.0, 0.0)
    for (x, y) in zip(x, y) {
      let y = Double(y)
      xx += x * x
      yy += y * y
      xy += x * y
    }
    norms = (xx.squareRoot(), yy.squareRoot())
    let product = norms.0 * norms.1
    cosine = product > 0 && product.isFinite ? min(max(xy / product, -1), 1) : nil
  }
}

extension SpikeTrain {
  /// The spikes as a problem takes them: within the trial, and merged where it merges.
  fileprivate func merged(for problem: Problem) -> SpikeTrain {
    let solver = ExactSolver(problem)
    let trial = solver.makeTrial()
    withView { solver.load($0, label: 0, into: trial) }
    let spikes = trial.inputSpikes
    return SpikeTrain(times: spikes.map(\.time), units: spikes.map { UInt16($0.neuron) })
  }
}
