// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation

/// Backpropagation through the steps of the grid with a surrogate for the derivative of the
/// threshold (SuperSpike; Zenke & Ganguli 2018). Per step n, with S_i(n) = 1 where a spike of i has
/// time index n:
///
///     forward, as the grid does it:
///         I += sum of w_ij S_i(n)
///         U = a V + rise I
///         S_j(n + 1) = H(U_j - theta),  V = U (1 - S(n + 1)),  I <- b I
///         (V = U - taken S(n + 1) where a grid carries over what is left)
///     backward; gX is dL/dX, from the end of the step to its start:
///         gS_i(n + 1) = sum_j w_ij gI_j(n + 1)          gI of the layers reached, at their arrival
///         gU = gV (1 - S(n + 1)) + gS(n + 1) s(U),  s(U) = 1/(1 + k |U - theta|)^2
///         gI <- rise gU + b gI,  gV <- a gU
///         dL/dw_ij += S_i(n) gI_j
///
/// Outputs are LI; the loss reads p V + q I of every step, and adds to gV and gI what follows. With
/// an attached reset gU takes gV (1 - S(n + 1) - U s(U)): V = U (1 - S) is then differentiated by
/// its S too.
///
/// In Double, one trial at a time. Which neurons spike is not found here: the spikes are given.
struct SurrogateGradient {
  /// Spikes of a layer as amounts: `(steps + 1) x size`, row n those with time index n.
  typealias Amounts = [Double]
  /// The amount of a spike as a function of U, in place of what was given: layer, place in its
  /// amounts, U.
  typealias Smooth = (_ layer: Int, _ place: Int, _ u: Double) -> Double

  /// What a pass forward leaves.
  struct Trial {
    let label: Int
    /// Per step: units with a spike, as often as they have one.
    var input: [[Int]]
    /// Per hidden layer.
    var spikes: [Amounts]
    /// Per hidden layer: where V was reset, 1 or 0.
    var resets: [Amounts]
    /// Per hidden layer U, `steps x size`.
    var voltages: [[Double]]
    /// What the loss reads of every step, `steps x outputs`; then its derivative by that.
    var readings: [Double]
    var readingGradient: [Double]
    var loss: Double
  }

  /// A layer over one step.
  private struct StepLayer {
    let size: Int
    let a, b, rise, threshold: Double
    /// What a spike takes from V; nil: all of it.
    let taken: Double?
    /// p and q of the outputs.
    let reading: (p: Double, q: Double)
  }

  /// A projection; `weights` are `pre x post`, `transposed` the other way round, so that both ways
  /// sums run along rows.
  private struct Synapses {
    let index: Int
    let source, target: Int
    let rows, columns: Int
    let weights, transposed: [Double]
  }

  /// k, by the unit of V.
  let steepness: Double
  let detachesReset: Bool
  let steps: Int
  private let problem: Problem
  private let weightOfStep: [Float]
  private let layers: [StepLayer]
  private let synapses: [Synapses]

  /// - Parameter weights: in the order of `Network.projections`, row-major `pre x post`.
  init(_ solver: GridSolver, weights: [[Double]], steepness: Double, detachesReset: Bool) {
    (self.steepness, self.detachesReset) = (steepness, detachesReset)
    let problem = solver.problem
    (self.problem, steps, weightOfStep) = (problem, solver.steps, solver.weightOfStep)
    let rule = problem.loss.readout == .maximum ? .sampled : problem.rule
    layers = problem.network.layers.map {
      let decay = Decay(over: problem.step, tauMem: $0.tauMem[0], tauSyn: $0.tauSyn[0])
      let taken = $0.threshold[0] * exp(-problem.step / (2 * $0.tauMem[0]))
      return StepLayer(
        size: $0.size, a: decay.a, b: decay.b, rise: decay.rise, threshold: $0.threshold[0],
        taken: $0.lateness.map { _ in taken },
        reading: $0.stepReading(problem.step, rule: rule))
    }
    synapses = problem.network.projections.enumerated().map { index, projection in
      let rows = problem.network.size(ofPopulation: projection.source)
      let columns = problem.network.size(ofPopulation: projection.target)
      let weights = weights[index]
      precondition(weights.count == rows * columns)
      return Synapses(
        index: index, source: projection.source, target: projection.target, rows: rows,
        columns: columns, weights: weights,
        transposed: (0..<columns).flatMap { j in (0..<rows).map { weights[$0 * columns + j] } })
    }
  }

  /// The spikes of a layer, found elsewhere.
  func amounts(_ spikes: [LayerSpike], size: Int) -> Amounts {
    var amounts = Array(repeating: 0.0, count: (steps + 1) * size)
    for spike in spikes { amounts[timeIndex(spike) * size + spike.neuron] = 1 }
    return amounts
  }

  private func timeIndex(_ spike: LayerSpike) -> Int { Int((spike.time / problem.step).rounded()) }

  /// Carries V and I through a trial whose spikes are known.
  /// - Parameters:
  ///   - spikes: per hidden layer; they reset V too.
  ///   - smooth: puts other amounts in their place, but for a detached reset.
  func run(_ input: [LayerSpike], label: Int, spikes: [Amounts], smooth: Smooth? = nil) -> Trial {
    let outputs = layers[layers.count - 1].size
    var trial = Trial(
      label: label, input: Array(repeating: [], count: steps), spikes: spikes, resets: spikes,
      voltages: layers.dropLast().map { Array(repeating: 0, count: steps * $0.size) },
      readings: Array(repeating: 0, count: steps * outputs),
      readingGradient: Array(repeating: 0, count: steps * outputs), loss: 0)
    for spike in input { trial.input[timeIndex(spike)].append(spike.neuron) }
    for (index, layer) in layers.enumerated() {
      let isOutput = index == layers.count - 1
      let incoming = synapses.filter { $0.target == index + 1 }
      var v = Array(repeating: 0.0, count: layer.size)
      var i = v
      for n in 0..<steps {
        for part in incoming {
          forEachArrival(in: trial, from: part.source, at: n) { neuron, amount in
            add(amount, part.weights, row: neuron, to: &i, row: 0, width: layer.size)
          }
        }
        for j in 0..<layer.size {
          let u = layer.a * v[j] + layer.rise * i[j]
          if isOutput {
            trial.readings[n * layer.size + j] = layer.reading.p * v[j] + layer.reading.q * i[j]
            v[j] = u
          } else {
            trial.voltages[index][n * layer.size + j] = u
            let place = (n + 1) * layer.size + j
            if let smooth { trial.spikes[index][place] = smooth(index, place, u) }
            let amount = (detachesReset ? trial.resets : trial.spikes)[index][place]
            v[j] = u - amount * (layer.taken.map { max($0, u - layer.threshold) } ?? u)
          }
          i[j] *= layer.b
        }
      }
    }
    readOut(&trial)
    return trial
  }

  /// The loss as the grid has it, and its derivative by what it reads of every step.
  private func readOut(_ trial: inout Trial) {
    let outputs = layers[layers.count - 1].size
    func loss(_ values: [Double]) -> (value: Double, gradient: [Double]) {
      var gradient = values
      let value = values.withUnsafeBufferPointer { values in
        gradient.withUnsafeMutableBufferPointer {
          problem.loss.value(values, label: trial.label, gradient: $0)
        }
      }
      return (value, gradient)
    }
    switch problem.loss.readout {
    case .weightedMean:
      var means = Array(repeating: 0.0, count: outputs)
      for n in 0..<steps {
        for j in 0..<outputs {
          means[j] += Double(weightOfStep[n]) * trial.readings[n * outputs + j]
        }
      }
      let (value, gradient) = loss(means)
      trial.loss = value
      for n in 0..<steps {
        for j in 0..<outputs {
          trial.readingGradient[n * outputs + j] = Double(weightOfStep[n]) * gradient[j]
        }
      }
    case .instantaneous:
      let targets = problem.lossTargets
      for n in 0..<steps {
        let row = (n * outputs)..<((n + 1) * outputs)
        var readings = Array(trial.readings[row])
        readings.withUnsafeMutableBufferPointer {
          targets?.subtract(
            label: trial.label, at: (Double(n) + 0.5) / Double(steps), from: $0)
        }
        let (value, gradient) = loss(readings)
        trial.loss += Double(weightOfStep[n]) * value
        for j in 0..<outputs {
          trial.readingGradient[row.lowerBound + j] = Double(weightOfStep[n]) * gradient[j]
        }
      }
    case .maximum:
      let places = (0..<outputs).map { j in
        stride(from: j, to: steps * outputs, by: outputs).reduce(j) {
          trial.readings[$1] > trial.readings[$0] ? $1 : $0
        }
      }
      let (value, gradient) = loss(places.map { trial.readings[$0] })
      trial.loss = value
      for (place, gradient) in zip(places, gradient) { trial.readingGradient[place] = gradient }
    case .firstSpike:
      preconditionFailure("a first spike has no surrogate gradient")
    }
  }

  /// Adds the gradient of a trial's loss, in the shape of the weights.
  func addGradient(of trial: Trial, to gradient: inout [[Double]]) {
    // Per layer gI at the start of every step, after what arrives there: `steps x size`.
    var currents = layers.map { Array(repeating: 0.0, count: steps * $0.size) }
    for (index, layer) in layers.enumerated().reversed() {
      let isOutput = index == layers.count - 1
      let outgoing = synapses.filter { $0.source == index + 1 }
      let incoming = synapses.filter { $0.target == index + 1 }
      var gv = Array(repeating: 0.0, count: layer.size)
      var gi = gv
      var gs = gv
      for n in (0..<steps).reversed() {
        for j in 0..<layer.size { gs[j] = 0 }
        if n + 1 < steps {
          for part in outgoing {
            for j in 0..<part.columns {
              add(
                currents[part.target - 1][(n + 1) * part.columns + j], part.transposed, row: j,
                to: &gs, row: 0, width: layer.size)
            }
          }
        }
        for j in 0..<layer.size {
          let place = n * layer.size + j
          if isOutput {
            let reading = trial.readingGradient[place]
            gi[j] = layer.rise * gv[j] + layer.b * gi[j] + layer.reading.q * reading
            gv[j] = layer.a * gv[j] + layer.reading.p * reading
          } else {
            let u = trial.voltages[index][place]
            let slope = slope(of: u - layer.threshold)
            // d/dU of U - S taken, or of U - S U.
            let own = layer.taken == nil ? 1.0 : 0
            let kept =
              detachesReset
              ? 1 - own * trial.resets[index][place + layer.size]
              : 1 - own * trial.spikes[index][place + layer.size] - (layer.taken ?? u) * slope
            let gu = gv[j] * kept + gs[j] * slope
            gi[j] = layer.rise * gu + layer.b * gi[j]
            gv[j] = layer.a * gu
          }
          currents[index][place] = gi[j]
        }
        for part in incoming {
          forEachArrival(in: trial, from: part.source, at: n) { neuron, amount in
            add(amount, gi, row: 0, to: &gradient[part.index], row: neuron, width: layer.size)
          }
        }
      }
    }
  }

  /// What stands for the derivative of the Heaviside function, x being V - theta.
  func slope(of x: Double) -> Double {
    let root = 1 / (1 + steepness * abs(x))
    return root * root
  }

  /// The spikes of a population with time index n, and their amounts.
  @inline(__always)
  private func forEachArrival(
    in trial: Trial, from population: Int, at n: Int, _ body: (Int, Double) -> Void
  ) {
    if population == 0 {
      for unit in trial.input[n] { body(unit, 1) }
      return
    }
    let size = layers[population - 1].size
    for j in 0..<size {
      let amount = trial.spikes[population - 1][n * size + j]
      if amount != 0 { body(j, amount) }
    }
  }
}

/// Adds a multiple of a row of one matrix to a row of another, both `width` wide.
@inline(__always)
private func add(
  _ factor: Double, _ source: [Double], row: Int, to target: inout [Double], row targetRow: Int,
  width: Int
) {
  precondition((row + 1) * width <= source.count && (targetRow + 1) * width <= target.count)
  source.withUnsafeBufferPointer { source in
    target.withUnsafeMutableBufferPointer { target in
      let (from, into) = (row * width, targetRow * width)
      for j in 0..<width { target[into + j] += factor * source[from + j] }
    }
  }
}
