// SPDX-License-Identifier: MIT

import Foundation

/// Holds the exact solver's gradient against central finite differences, weight by weight.
///
/// The differences are extrapolated to h = 0, weight by weight (Ridders): near-grazing spikes of
/// long recurrent trials move like a square root of a weight's change, and with h = 1e-6 alone
/// leave errors up to 1e-2 that are not the adjoint's.
///
/// The true gradient exists as long as no spike appears or disappears: weights whose perturbation
/// changes a spike count are left out and counted. So are samples whose label neuron is silent
/// (first-spike losses): the phantom push is a pseudo-gradient.
public struct GradientCheck {
  /// A sample to check on.
  public typealias Sample = (train: SpikeTrain, label: Int)

  /// The result for one weight matrix, or one trained vector of a layer.
  public struct Row: Sendable {
    /// `input-hidden1`, ..., `hidden1-threshold`, ...
    public var projection: String
    /// Weights that `relativeError` and `norm` are taken over.
    public var compared: Int
    /// Left out because a spike was created or deleted, or a delay would be below 0.
    public var excluded: Int
    /// Left out because rounding keeps the finite difference itself from settling (`settling`).
    public var unsettled = 0
    /// Over the unsettled weights, relative to the norm of their gradient: how far difference and
    /// gradient are apart, and how far the differences themselves settle. 0 without any.
    public var unsettledError = 0.0
    /// How far the differences settle themselves: L2 norm of their gaps over that of the gradient.
    public var unsettledGap = 0.0
    /// Left out because both gradient and difference are below what rounding of the loss lets a
    /// difference see.
    public var unseen = 0
    /// Chosen, but not reached in the time there was.
    public var skipped = 0
    /// |finite difference - gradient| / |gradient|, L2 over the compared weights.
    public var relativeError: Double
    /// L2 norm of the gradient over the compared weights.
    public var norm: Double
    /// The same over all weights, compared or not.
    public var wholeNorm = 0.0
  }

  let solver: ExactSolver
  let trials: [ExactTrial]
  let workspace: ExactWorkspace
  /// Per array: what values may not be below.
  private let bounds: [Double?]
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
    bounds = problem.network.arrays.map { $0.learning.map { min($0.range.lowerBound, 1e-3) } }
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
    solver.finish(gradient, trials: trials.count)
    return gradient
  }

  /// - Parameters:
  ///   - perMatrix: how many weights of each matrix to compare: half those of the largest gradient,
  ///     half drawn at random.
  ///   - step: h: differences are taken over 128h and halves of it, down to h/1024.
  ///   - projections: which matrices; nil: all.
  ///   - isTimeUp: asked before each weight but the first two of a matrix; the others are then
  ///     skipped.
  ///   - progress: called after each weight.
  ///   - settling: differences whose extrapolations still differ by more than this part of the
  ///     median difference (of those that are not 0), and of their own, are left out: they cannot
  ///     tell. Judged by the differences alone, without the gradient.
  public func run(
    weights: Parameters<Double>, perMatrix: Int = .max, step: Double = 1e-6, seed: Int = 1,
    settling: Double = .infinity, projections chosen: [Int]? = nil,
    isTimeUp: () -> Bool = { false }, progress: () -> Void = {}
  ) -> [Row] {
    let gradient = gradient(weights)
    let base = evaluate(weights)
    let baseCounts = base.map(\.counts)
    let rounding = self.rounding(base)
    let names = solver.problem.network.parameterNames
    return (chosen ?? Array(names.indices)).map { p in
      let matrix = weights.arrays[p]
      var random = Random(seed: seed, "gradient check", p)
      var row = Row(
        projection: names[p], compared: 0, excluded: 0,
        relativeError: 0, norm: 0, wholeNorm: gradient.arrays[p].norm)
      var found: [(difference: Double, gap: Double, exact: Double)] = []
      for (count, entry) in choose(perMatrix, gradient.arrays[p], &random).enumerated() {
        if count >= 2 && isTimeUp() {
          row.skipped += 1
          continue
        }
        defer { progress() }
        let (i, j) = (entry / matrix.columns, entry % matrix.columns)
        if let (estimate, gap) = derivative(
          weights, p, i, j, step: step, rounding: rounding, counts: baseCounts)
        {
          found.append((estimate, gap, gradient.arrays[p][i, j]))
        } else {
          row.excluded += 1
        }
      }
      let sizes = found.map { abs($0.difference) }.filter { $0 > 0 }.sorted()
      let median = sizes.isEmpty ? 0 : sizes[sizes.count / 2]
      var unsettled = (error: 0.0, gap: 0.0, norm: 0.0)
      var squaredError = 0.0
      var squaredNorm = 0.0
      let scale = GradientCheck.scale(found.map { ($0.difference, $0.gap) }, median, settling)
      for (difference, gap, exact) in found {
        if gap > settling * max(scale, abs(difference)) {
          let isUnseen = abs(difference) <= gap && abs(exact) <= gap
          row.unseen += isUnseen ? 1 : 0
          if !isUnseen {
            row.unsettled += 1
            unsettled.error += (difference - exact) * (difference - exact)
            unsettled.gap += gap * gap
            unsettled.norm += exact * exact
          }
          continue
        }
        squaredError += (difference - exact) * (difference - exact)
        squaredNorm += exact * exact
        row.compared += 1
      }
      if unsettled.norm > 0 {
        row.unsettledError = (unsettled.error / unsettled.norm).squareRoot()
        row.unsettledGap = (unsettled.gap / unsettled.norm).squareRoot()
      }
      row.norm = squaredNorm.squareRoot()
      row.relativeError =
        squaredError == 0 ? 0 : squaredError.squareRoot() / max(row.norm, .leastNormalMagnitude)
      return row
    }
  }

  /// The size that differences must settle against: the median, or where the large ones do not
  /// settle the root mean square of those that do, for it is their norm that the error is held
  /// against.
  private static func scale(
    _ found: [(difference: Double, gap: Double)], _ median: Double, _ settling: Double
  ) -> Double {
    var scale = median
    while true {
      let settled = found.filter { $0.gap <= settling * max(scale, abs($0.difference)) }
      let squares = settled.reduce(0) { $0 + $1.difference * $1.difference }
      let size = (squares / Double(max(settled.count, 1))).squareRoot()
      if size >= scale { return scale }
      scale = size
    }
  }

  /// Ridders' method: central differences at 128h, 64h, 32h, ... extrapolated to h = 0 (Neville's
  /// scheme in h^2); the entry whose neighbours differ least from it is taken: chosen by the
  /// differences alone. nil when a spike count changes within h; wider steps that change one are
  /// passed over. Source: Ridders, Adv. Eng. Software 4 (1982) 75.
  ///
  /// `gap`: how far its neighbours are, those of three steps, and at least what rounding of the
  /// loss makes of it: two differences near a grazing spike, or over short steps, may be equal by
  /// chance.
  private func derivative(
    _ weights: Parameters<Double>, _ p: Int, _ i: Int, _ j: Int, step: Double, rounding: Double,
    counts: [[[Int]]]
  ) -> (estimate: Double, gap: Double)? {
    var previous: [Double] = []
    var best = (estimate: 0.0, gap: Double.infinity)
    var bestStep = step
    // By step: the differences themselves.
    var column: [(step: Double, difference: Double)] = []
    for level in -7...10 {
      let narrower = step * exp2(-Double(level))
      guard let next = centralDifference(weights, p, i, j, step: narrower, counts) else {
        if level >= 0 { return nil }
        (previous, best.gap, column) = ([], .infinity, [])
        continue
      }
      let rounding = rounding / narrower
      column.append((narrower, next))
      var row = [next]
      var power = 4.0
      for order in 0..<previous.count {
        let estimate = row[order] + (row[order] - previous[order]) / (power - 1)
        row.append(estimate)
        guard order + 1 < previous.count else { continue }
        let neighbours = [row[order], previous[order], previous[order + 1]]
        // Nothing rounds where nothing changes: the weight has no part in the loss.
        let isNothing = estimate == 0 && neighbours.allSatisfy { $0 == 0 }
        let gap = isNothing ? 0 : neighbours.reduce(rounding) { max($0, abs(estimate - $1)) }
        if gap < best.gap { (best, bestStep) = ((estimate, gap), narrower) }
        power *= 4
      }
      if best.gap <= 3e-7 * abs(best.estimate) { return best }
      // Shorter steps can only round more.
      if best.gap <= 2 * rounding { break }
      previous = row
    }
    // None settled well, and the one that did best may have done so by chance: what rounding of all
    // spike times makes of the loss shows in the differences over the shortest steps, and grows as
    // 1/h.
    let changes = zip(column, column.dropFirst()).suffix(5)
      .map { abs($0.difference - $1.difference) * $1.step }.sorted()
    if !changes.isEmpty { best.gap = max(best.gap, changes[changes.count / 2] / bestStep) }
    return best
  }

  /// (L(w + h) - L(w - h))/2h; nil when a spike count changes on the way.
  private func centralDifference(
    _ weights: Parameters<Double>, _ p: Int, _ i: Int, _ j: Int, step: Double, _ counts: [[[Int]]]
  ) -> Double? {
    let matrix = weights.arrays[p]
    let value = matrix[i, j]
    // Delays, and constants of neurons, end somewhere.
    if bounds[p].map({ value - step < $0 }) == true { return nil }
    defer { matrix[i, j] = value }
    matrix[i, j] = value + step
    let above = evaluate(weights)
    matrix[i, j] = value - step
    let below = evaluate(weights)
    guard above.map(\.counts) == counts, below.map(\.counts) == counts else { return nil }
    let total = zip(zip(above, below), trials).reduce(0) {
      $0 + difference($1.0.0, $1.0.1, label: $1.1.label)
    }
    return total / Double(max(trials.count, 1)) / (2 * step)
  }

  /// The loss of a trial at one weight less that at another. Where it is a function of read-out
  /// values, these differences are far finer than the last digit of a loss: then it is their sum,
  /// each times the derivative of the loss on the way. As long as both ways agree to rounding: a
  /// wrong derivative must not check itself.
  private func difference(_ above: Outcome, _ below: Outcome, label: Int) -> Double {
    let direct = (above.loss - below.loss) - (above.lossRest - below.lossRest)
    let loss = solver.problem.loss
    if loss.readout == .instantaneous { return direct }
    var fine = 0.0
    GaussLegendre.forEachNode(from: 0, to: 1, longest: 1, kinks: []) { share, weight in
      let values = zip(above.readout, below.readout).map { share * $0 + (1 - share) * $1 }
      var slopes = values
      values.withUnsafeBufferPointer { values in
        slopes.withUnsafeMutableBufferPointer {
          _ = loss.value(values, label: label, gradient: $0)
        }
      }
      for j in slopes.indices { fine += weight * slopes[j] * (above.readout[j] - below.readout[j]) }
    }
    return abs(fine - direct) <= 8 * max(above.loss.ulp, below.loss.ulp) ? fine : direct
  }

  /// What rounding makes of half a difference of two losses: the last digits of the read-out
  /// values, as they come of thousands of sums. Where the loss is no function of them it is a sum
  /// of parts, kept with its rest, whose own last digits are as many accidents.
  private func rounding(_ base: [Outcome]) -> Double {
    let isFine = solver.problem.loss.readout != .instantaneous
    let squares = base.reduce(0.0) { sum, outcome in
      let digit =
        isFine
        ? outcome.readout.map { abs($0).ulp }.max() ?? 0
        : outcome.loss.ulp / Double(max(outcome.parts, 1)).squareRoot()
      return sum + 4 * digit * digit
    }
    return squares.squareRoot() / Double(max(base.count, 1))
  }

  private func choose(_ limit: Int, _ gradient: Matrix<Double>, _ random: inout Random) -> [Int] {
    let values = gradient.values
    if values.count <= limit { return Array(values.indices) }
    let ranked = values.indices.sorted { abs(values[$0]) > abs(values[$1]) }
    let top = Array(ranked.prefix((limit + 1) / 2))
    let rest = Array(ranked.dropFirst(top.count).shuffled(using: &random).prefix(limit / 2))
    // One of each in turn, so that a part of them is a fair one.
    return (0..<limit).map { $0 % 2 == 0 ? top[$0 / 2] : rest[$0 / 2] }
  }

  /// What one sample's forward pass came to.
  private struct Outcome {
    var loss: Double
    var lossRest: Double
    /// How many integrals the loss is a sum of.
    var parts: Int
    var readout: [Double]
    /// Per spiking layer and neuron.
    var counts: [[Int]]
  }

  private func evaluate(_ weights: Parameters<Double>) -> [Outcome] {
    let layers = solver.problem.network.layers
    return trials.map { trial in
      solver.forward(trial, weights: weights, workspace: workspace)
      let counts = layers.indices.filter { layers[$0].neuron.isSpiking }.map { index in
        var counts = Array(repeating: 0, count: layers[index].size)
        trial.addSpikeCounts(ofLayer: index, to: &counts)
        return counts
      }
      return Outcome(
        loss: trial.loss, lossRest: trial.lossRest, parts: trial.integrals.count,
        readout: trial.readout, counts: counts)
    }
  }
}
