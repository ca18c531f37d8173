/// Holds the exact solver's gradient against central finite differences, weight by weight.
///
/// The differences are extrapolated to h = 0, weight by weight (Ridders): near-grazing spikes of long recurrent trials
/// move like a square root of a weight's change, and with h = 1e-6 alone leave errors up to 1e-2 that are not the
/// adjoint's.
///
/// The true gradient exists as long as no spike appears or disappears: weights whose perturbation
/// changes a spike count are left out and counted. So are samples whose label neuron is silent
/// (first-spike losses): the phantom push is a pseudo-gradient.
public struct GradientCheck {
  /// A sample to check on.
  public typealias Sample = (train: SpikeTrain, label: Int)

  /// The result for one weight matrix.
  public struct Row: Sendable {
    /// `input-hidden1`, ...
    public var projection: String
    public var compared: Int
    /// Left out because a spike was created or deleted.
    public var excluded: Int
    /// Left out because rounding keeps the finite difference itself from settling (`settling`).
    public var unsettled = 0
    /// |finite difference - gradient| / |gradient|, L2 over the compared weights.
    public var relativeError: Double
    /// L2 norm of the gradient over the compared weights.
    public var norm: Double
  }

  let solver: ExactSolver
  let trials: [ExactTrial]
  let workspace: ExactWorkspace
  /// Samples left out because their label's output was silent.
  public let excludedSamples: Int

  /// - Parameters:
  ///   - samples: the mean loss over these is differentiated.
  public init(_ problem: Problem, samples: [Sample], weights: Parameters<Double>) {
    let solver = ExactSolver(problem)
    let workspace = solver.makeWorkspace()
    var kept: [ExactTrial] = []
    for sample in samples {
      let trial = solver.makeTrial()
      sample.train.withView { solver.load($0, label: sample.label, into: trial) }
      solver.forward(trial, weights: weights, workspace: workspace)
      if !trial.needsPhantom && trial.failure == nil { kept.append(trial) }
    }
    self.solver = solver
    self.workspace = workspace
    trials = kept
    excludedSamples = samples.count - kept.count
  }

  /// The mean gradient over the samples, by the adjoint.
  public func gradient(_ weights: Parameters<Double>) -> Parameters<Double> {
    let gradient = Parameters<Double>(solver.problem.network)
    for trial in trials {
      solver.forward(trial, weights: weights, workspace: workspace)
      solver.backward(trial, weights: weights, push: [], gradient: gradient, workspace: workspace)
    }
    let scales = solver.gradientScales(trials: max(trials.count, 1))
    for (matrix, scale) in zip(gradient.matrices, scales) {
      matrix.values = matrix.values.map { $0 * scale }
    }
    return gradient
  }

  /// - Parameters:
  ///   - perMatrix: how many weights of each matrix to compare: half those of the largest gradient,
  ///     half drawn at random.
  ///   - step: of the finite difference.
  ///   - settling: differences whose extrapolations still differ by more than this part of the differences' root mean
  ///     square are left out: they cannot tell. Judged by the differences alone, without the gradient.
  public func run(
    weights: Parameters<Double>, perMatrix: Int = .max, step: Double = 1e-6, seed: Int = 1,
    settling: Double = .infinity
  ) -> [Row] {
    let gradient = gradient(weights)
    let base = evaluate(weights)
    let projections = solver.problem.network.projections
    return projections.indices.map { p in
      let matrix = weights.matrices[p]
      var random = Random(seed: seed, "gradient check", p)
      var row = Row(
        projection: solver.problem.network.name(of: projections[p]), compared: 0, excluded: 0,
        relativeError: 0, norm: 0)
      var found: [(difference: Double, gap: Double, exact: Double)] = []
      for entry in choose(perMatrix, gradient.matrices[p], &random) {
        let (i, j) = (entry / matrix.columns, entry % matrix.columns)
        if let (estimate, gap) = derivative(weights, p, i, j, step: step, base.counts) {
          found.append((estimate, gap, gradient.matrices[p][i, j]))
        } else {
          row.excluded += 1
        }
      }
      let squares = found.reduce(0) { $0 + $1.difference * $1.difference }
      let size = (squares / Double(max(found.count, 1))).squareRoot()
      var squaredError = 0.0
      var squaredNorm = 0.0
      for (difference, gap, exact) in found {
        if gap > settling * size {
          row.unsettled += 1
          continue
        }
        squaredError += (difference - exact) * (difference - exact)
        squaredNorm += exact * exact
        row.compared += 1
      }
      row.norm = squaredNorm.squareRoot()
      row.relativeError =
        squaredError == 0 ? 0 : squaredError.squareRoot() / max(row.norm, .leastNormalMagnitude)
      return row
    }
  }

  /// Ridders' method: central differences at h, h/2, h/4, ... extrapolated to h = 0 (Neville's scheme in h^2); the entry
  /// whose neighbours differ least from it is taken: chosen by the differences alone. nil when a spike count
  /// changes within h. `gap`: how far its neighbours are. Source: Ridders, Adv. Eng. Software 4 (1982) 75.
  private func derivative(
    _ weights: Parameters<Double>, _ p: Int, _ i: Int, _ j: Int, step: Double, _ counts: [[Int]]
  ) -> (estimate: Double, gap: Double)? {
    guard let first = centralDifference(weights, p, i, j, step: step, counts) else { return nil }
    var previous = [first]
    var best = (estimate: first, gap: Double.infinity)
    for level in 1...10 {
      let narrower = step / Double(1 << level)
      guard let next = centralDifference(weights, p, i, j, step: narrower, counts) else {
        return nil
      }
      var row = [next]
      var power = 4.0
      for order in 0..<previous.count {
        let estimate = row[order] + (row[order] - previous[order]) / (power - 1)
        let gap = max(abs(estimate - row[order]), abs(estimate - previous[order]))
        if gap < best.gap { best = (estimate, gap) }
        row.append(estimate)
        power *= 4
      }
      if best.gap <= 3e-7 * abs(best.estimate) + 5e-10 { break }
      previous = row
    }
    return best
  }

  /// (L(w + h) - L(w - h))/2h; nil when a spike count changes on the way.
  private func centralDifference(
    _ weights: Parameters<Double>, _ p: Int, _ i: Int, _ j: Int, step: Double, _ counts: [[Int]]
  ) -> Double? {
    let matrix = weights.matrices[p]
    let value = matrix[i, j]
    defer { matrix[i, j] = value }
    matrix[i, j] = value + step
    let above = evaluate(weights)
    matrix[i, j] = value - step
    let below = evaluate(weights)
    guard above.counts == counts, below.counts == counts else { return nil }
    return (above.loss - below.loss) / (2 * step)
  }

  private func choose(_ limit: Int, _ gradient: Matrix<Double>, _ random: inout Random) -> [Int] {
    let values = gradient.values
    if values.count <= limit { return Array(values.indices) }
    let ranked = values.indices.sorted { abs(values[$0]) > abs(values[$1]) }
    let top = ranked.prefix((limit + 1) / 2)
    let rest = ranked.dropFirst(top.count).shuffled(using: &random).prefix(limit / 2)
    return Array(top) + Array(rest)
  }

  /// Mean loss, and the spike counts of every neuron in every sample.
  private func evaluate(_ weights: Parameters<Double>) -> (loss: Double, counts: [[Int]]) {
    var loss = 0.0
    var counts: [[Int]] = []
    for trial in trials {
      solver.forward(trial, weights: weights, workspace: workspace)
      loss += trial.loss
      for (index, layer) in solver.problem.network.layers.enumerated() where layer.neuron == .lif {
        var layerCounts = Array(repeating: 0, count: layer.size)
        trial.addSpikeCounts(ofLayer: index, to: &layerCounts)
        counts.append(layerCounts)
      }
    }
    return (loss / Double(max(trials.count, 1)), counts)
  }
}
