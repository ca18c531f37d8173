// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import Support
import Testing

/// `ReadoutRule.sampled` against the clock-driven rule of GeNN and the paper's code, written down
/// plainly in Double.
@Suite struct SampledReadoutTests {
  /// One recurrent hidden layer and LI outputs, step by step (Nowotny, Turner & Knight 2025): V is
  /// read at the end of every step; the adjoint of the outputs is driven over every step, lV <- A +
  /// (lV - A) alpha with A = -dl/dV.
  struct ClockDriven {
    let fixture: Fixture
    let sample: GradientCheck.Sample
    var loss = 0.0
    /// input-hidden1, hidden1-hidden1, hidden1-output, row-major.
    var gradients: [[Double]] = []

    init(_ fixture: Fixture, _ sample: GradientCheck.Sample) {
      self.fixture = fixture
      self.sample = sample
      let problem = fixture.problem
      let (dt, steps) = (problem.step, Int((problem.duration / problem.step).rounded()))
      let hidden = problem.network.layers[0]
      let output = problem.network.output
      let (tauMem, tauSyn, theta) = (hidden.tauMem[0], hidden.tauSyn[0], hidden.threshold[0])
      let (alpha, beta) = (exp(-dt / tauMem), exp(-dt / tauSyn))
      let rise = tauSyn / (tauMem - tauSyn) * (alpha - beta)
      let adjointRise = tauMem / (tauMem - tauSyn) * (alpha - beta)
      let w = fixture.weights.matrices
      var input = Array(repeating: [Int](), count: steps)
      for (time, unit) in zip(sample.train.times, sample.train.units) {
        input[Int((time / dt).rounded())].append(Int(unit))
      }
      // Forward: spikes of step n arrive in step n + 1.
      var spikes = Array(repeating: [(neuron: Int, slope: Double)](), count: steps + 1)
      var (v, i) = (zeros(hidden.size), zeros(hidden.size))
      var (vOut, iOut) = (zeros(output.size), zeros(output.size))
      var voltages: [[Double]] = []
      for n in 0..<steps {
        for unit in input[n] { for j in 0..<hidden.size { i[j] += w[0][unit, j] } }
        for spike in spikes[n] {
          for j in 0..<hidden.size { i[j] += w[1][spike.neuron, j] }
          for j in 0..<output.size { iOut[j] += w[2][spike.neuron, j] }
        }
        for j in 0..<hidden.size {
          let start = i[j]
          v[j] = alpha * v[j] + rise * i[j]
          i[j] *= beta
          if v[j] >= theta {
            spikes[n + 1].append((j, start - v[j]))
            v[j] = 0
          }
        }
        for j in 0..<output.size {
          vOut[j] = alpha * vOut[j] + rise * iOut[j]
          iOut[j] *= beta
        }
        voltages.append(vOut)
      }
      let weight = (0..<steps).map {
        problem.shaping.weight(at: (Double($0) + 0.5) / Double(steps))
      }
      let drive = drives(voltages, weight, problem)
      // Backward, from the last step to the first.
      var (lv, li) = (zeros(hidden.size), zeros(hidden.size))
      var (lvOut, liOut) = (zeros(output.size), zeros(output.size))
      gradients = w.map { zeros($0.rows * $0.columns) }
      for n in (0...steps).reversed() {
        if n < steps {
          for j in 0..<hidden.size {
            li[j] = beta * li[j] + adjointRise * lv[j]
            lv[j] *= alpha
          }
          for j in 0..<output.size {
            let a = drive[n][j]
            liOut[j] = a + beta * (liOut[j] - a) + adjointRise * (lvOut[j] - a)
            lvOut[j] = a + alpha * (lvOut[j] - a)
          }
          for unit in input[n] {
            for j in 0..<hidden.size { gradients[0][unit * hidden.size + j] -= tauSyn * li[j] }
          }
        }
        var jumps: [(Int, Double)] = []
        for spike in spikes[n] {
          let k = spike.neuron
          var error = theta * lv[k]
          for j in 0..<hidden.size {
            if n < steps { gradients[1][k * hidden.size + j] -= tauSyn * li[j] }
            error += w[1][k, j] * (lv[j] - li[j])
          }
          for j in 0..<output.size {
            if n < steps { gradients[2][k * output.size + j] -= tauSyn * liOut[j] }
            error += w[2][k, j] * (lvOut[j] - liOut[j])
          }
          jumps.append((k, error / spike.slope))
        }
        for (k, jump) in jumps { lv[k] += jump }
      }
    }

    /// -dl/dV per step, and the loss.
    private mutating func drives(
      _ voltages: [[Double]], _ weight: [Double], _ problem: Problem
    ) -> [[Double]] {
      let steps = Double(voltages.count)
      func value(_ values: [Double]) -> (loss: Double, slope: [Double]) {
        var slope = values
        let loss = values.withUnsafeBufferPointer { values in
          slope.withUnsafeMutableBufferPointer {
            problem.loss.value(values, label: sample.label, gradient: $0)
          }
        }
        return (loss, slope)
      }
      if problem.loss.readout == .instantaneous {
        return zip(voltages, weight).map { v, w in
          let (loss, slope) = value(v)
          self.loss += w * loss / steps
          return slope.map { -w * $0 / problem.duration }
        }
      }
      let mean = voltages[0].indices.map { j in
        zip(voltages, weight).reduce(0.0) { $0 + $1.0[j] * $1.1 } / steps
      }
      let (loss, slope) = value(mean)
      self.loss = loss
      return weight.map { w in slope.map { -w * $0 / problem.duration } }
    }
  }

  @Test(arguments: ["sum", "avg_xentropy"], [0.1, 1])
  func agreesWithTheClockDrivenRule(loss: String, step: Double) {
    for shaping in [Shaping.none, .exponential(scale: 1)] {
      agree(loss, shaping, step)
    }
  }

  private func agree(_ loss: String, _ shaping: Shaping, _ step: Double) {
    var fixture = Fixture(
      loss: loss, shaping: shaping, recurrent: true, duration: 60, step: step, samples: 4,
      spikesPerUnit: 2)
    fixture.problem.rule = .sampled
    let solver = GridSolver(fixture.problem)
    let workspace = solver.makeWorkspace()
    for sample in fixture.samples {
      let reference = ClockDriven(fixture, sample)
      let (gradient, _) = GridConvergenceTests.solve(
        solver, sample, fixture.weights.converted(to: Float.self))
      let expected = reference.gradients.flatMap { $0 }
      #expect(expected.norm > 0)
      #expect(gradient.distance(to: expected) < 1e-4 * expected.norm)
      let trial = solver.makeTrial()
      sample.train.withView { solver.load($0, label: sample.label, into: trial) }
      solver.forward(
        trial, weights: fixture.weights.converted(to: Float.self), workspace: workspace)
      #expect(abs(trial.loss - reference.loss) < 1e-5 * reference.loss)
    }
  }

  /// Plain `sum` over a second gives the hidden layer almost nothing, whatever the rule: the
  /// constant drive leaves no lV - lI, neither as a jump nor as a rest of rounding.
  @Test(arguments: [ReadoutRule.sampled, .integrated]) func plainSumStarvesLongTrials(
    rule: ReadoutRule
  ) {
    func norms(_ shaping: Shaping) -> [Double] {
      var fixture = Fixture(
        loss: "sum", shaping: shaping, hidden: [16], recurrent: true, duration: 1000, step: 1,
        samples: 1, spikesPerUnit: 8)
      fixture.problem.rule = rule
      // Input in the first half alone.
      fixture.samples[0].train.times = fixture.samples[0].train.times.map { $0 / 1.4 }
      let solver = GridSolver(fixture.problem)
      let gradient = Parameters<Float>(solver.problem.network)
      let (trial, workspace) = (solver.makeTrial(), solver.makeWorkspace())
      let weights = fixture.weights.converted(to: Float.self)
      fixture.samples[0].train.withView { solver.load($0, label: 0, into: trial) }
      solver.forward(trial, weights: weights, workspace: workspace)
      solver.backward(trial, weights: weights, push: [], gradient: gradient, workspace: workspace)
      return gradient.norms
    }
    let (plain, shaped) = (norms(.none), norms(.exponential(scale: 1)))
    #expect(plain[2] > 0.1 * shaped[2])
    for hidden in 0..<2 {
      #expect(shaped[hidden] > 1e-6)
      #expect(plain[hidden] < 1e-8 * shaped[hidden])
    }
  }
}

private func zeros(_ count: Int) -> [Double] { Array(repeating: 0, count: count) }
