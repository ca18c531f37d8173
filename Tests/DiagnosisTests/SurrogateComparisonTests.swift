// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import Support
import Testing

@testable import Diagnosis

@Suite struct SurrogateComparisonTests {
  static let networks: [(loss: String, hidden: [Int], recurrent: Bool)] = [
    ("sum", [7], true), ("sum", [6, 5], true), ("avg_xentropy", [7], false),
    ("avg_xentropy", [5, 6], true), ("max", [6, 5], true),
  ]

  /// A fixture on a coarse grid, and what the grid's forward pass finds of one of its samples.
  struct Setting {
    let fixture: Fixture
    let surrogate: SurrogateGradient
    let weights: [[Double]]
    let input: [LayerSpike]
    let label: Int
    let spikes: [[Double]]
    let trial: GridTrial

    init(
      _ loss: String, _ hidden: [Int], recurrent: Bool, steepness: Double = 10,
      detachesReset: Bool = true, step: Double = 0.5, rule: ReadoutRule = .integrated
    ) {
      var fixture = Fixture(
        loss: loss, shaping: .exponential(scale: 1), hidden: hidden, recurrent: recurrent,
        step: step, samples: 1, spikesPerUnit: 3)
      fixture.problem.rule = rule
      // Outputs that never rise are at their maximum, 0, at many steps.
      let last = fixture.weights.matrices[fixture.weights.matrices.count - 1]
      if loss == "max" { last.values = last.values.map { $0 + 2 } }
      self.fixture = fixture
      let pass = GradientComparison.Pass(
        GridSolver(fixture.problem), fixture.weights.matrices.map(\.values))
      pass.trial.keepVoltages()
      let found = pass.run(fixture.samples[0].train, 0)!
      weights = pass.weights.matrices.map { $0.values.map { Double($0) } }
      surrogate = SurrogateGradient(
        pass.solver, weights: weights, steepness: steepness, detachesReset: detachesReset)
      trial = pass.trial
      (input, label) = (trial.inputSpikes, 0)
      let surrogate = surrogate
      spikes = hidden.indices.map { surrogate.amounts(found[$0], size: hidden[$0]) }
    }

    func with(_ weights: [[Double]]) -> SurrogateGradient {
      SurrogateGradient(
        GridSolver(fixture.problem), weights: weights, steepness: surrogate.steepness,
        detachesReset: surrogate.detachesReset)
    }
  }

  /// (V - theta)/(1 + k |V - theta|), whose derivative the surrogate is.
  static func integral(_ x: Double, _ steepness: Double) -> Double { x / (1 + steepness * abs(x)) }

  /// The backward pass is the derivative of a network whose spikes are smooth: around the spikes of
  /// the grid (amounts S + f(U) - f(U at first): the pass that is used), and with f alone. The
  /// detached reset is that of the grid, whatever the weights.
  @Test(arguments: networks, [true, false])
  func isTheDerivativeOfASmoothNetwork(
    _ network: (loss: String, hidden: [Int], recurrent: Bool), detaches: Bool
  ) {
    let k = 10.0
    let setting = Setting(
      network.loss, network.hidden, recurrent: network.recurrent, steepness: k,
      detachesReset: detaches)
    let first = setting.surrogate.run(setting.input, label: setting.label, spikes: setting.spikes)
    #expect(setting.spikes.allSatisfy { $0.contains(1) })
    let around: SurrogateGradient.Smooth = { layer, place, u in
      let size = network.hidden[layer]
      let u0 = first.voltages[layer][place - size]
      return setting.spikes[layer][place] + (Self.integral(u - 1, k) - Self.integral(u0 - 1, k))
    }
    let alone: SurrogateGradient.Smooth = { _, _, u in 1 / k + Self.integral(u - 1, k) }
    for smooth in [around, alone] {
      func trial(_ surrogate: SurrogateGradient) -> SurrogateGradient.Trial {
        surrogate.run(
          setting.input, label: setting.label, spikes: setting.spikes, smooth: smooth)
      }
      var gradient = setting.weights.map { $0.map { _ in 0.0 } }
      setting.surrogate.addGradient(of: trial(setting.surrogate), to: &gradient)
      for index in gradient.indices {
        var (squares, errors) = (0.0, 0.0)
        for place in stride(from: 0, to: gradient[index].count, by: 3) {
          func loss(_ by: Double) -> Double {
            var weights = setting.weights
            weights[index][place] += by
            return trial(setting.with(weights)).loss
          }
          let h = 1e-5
          let difference =
            (8 * (loss(h) - loss(-h)) - (loss(2 * h) - loss(-2 * h))) / (12 * h)
          squares += gradient[index][place] * gradient[index][place]
          errors += pow(difference - gradient[index][place], 2)
        }
        #expect(squares > 0)
        let error = (errors / squares).squareRoot()
        #expect(error < 1e-5)
      }
    }
    // Around the grid's spikes it is the gradient that is reported.
    var (used, smoothed) = (setting.weights.map { $0.map { _ in 0.0 } }, [[Double]]())
    smoothed = used
    setting.surrogate.addGradient(of: first, to: &used)
    setting.surrogate.addGradient(
      of: setting.surrogate.run(
        setting.input, label: setting.label, spikes: setting.spikes, smooth: around),
      to: &smoothed)
    let isSame = used == smoothed
    #expect(isSame)
  }

  /// One input, one hidden neuron, two outputs with weights 1 and -1, three steps of 20 ln 2 ms,
  /// tau_m = 20, tau_s = 10, V read at the ends of steps: a = 1/2, b = rise = 1/4. k = 4.
  ///
  /// An input spike at 0 with weight w: U = w/4, then w/8 + w/16. A hidden spike with time index 1
  /// is worth (1/4 + 3/16)/3 = 7/48 of mean voltage at each output, one with index 2 1/12.
  private func handGradient(_ w: Double, detachesReset: Bool = true) -> (
    gradient: [[Double]], trial: SurrogateGradient.Trial
  ) {
    let network = Network(
      inputs: 1,
      layers: [
        Layer(size: 1, tauMem: 20, tauSyn: 10),
        Layer(size: 2, neuron: .li, tauMem: 20, tauSyn: 10),
      ])
    let step = 20 * log(2.0)
    let problem = Problem(
      network: network, duration: 3 * step, step: step,
      loss: LossTable.entry("sum")!.make(LossParameters(duration: 3 * step)), rule: .sampled)
    let pass = GradientComparison.Pass(GridSolver(problem), [[w], [1, -1]])
    let spikes = pass.run(SpikeTrain(times: [0], units: [0]), 0)!
    let surrogate = SurrogateGradient(
      pass.solver, weights: [[w], [1, -1]], steepness: 4, detachesReset: detachesReset)
    let trial = surrogate.run(
      pass.trial.inputSpikes, label: 0, spikes: [surrogate.amounts(spikes[0], size: 1)])
    var gradient = [[0.0], [0.0, 0.0]]
    surrogate.addGradient(of: trial, to: &gradient)
    return (gradient, trial)
  }

  /// w = 3: U = 3/4 and 9/16, no spike. s(3/4) = 1/4, s(9/16) = 1/(11/4)^2 = 16/121. Both outputs
  /// stay at 0, so that z = 1/2 and each unit of mean voltage difference is worth -1.
  @Test func silentNeuronByHand() {
    let (gradient, trial) = handGradient(3)
    #expect(trial.spikes[0].allSatisfy { $0 == 0 })
    #expect(abs(trial.loss - log(2)) < 1e-12)
    let expected = -(7.0 / 48 * (1.0 / 4) * (1.0 / 4) + 1.0 / 12 * (16.0 / 121) * (3.0 / 16))
    #expect(abs(gradient[0][0] - expected) < 1e-8)
    #expect(gradient[1] == [0, 0])
  }

  /// w = 5: U = 5/4, a spike with index 1 and the reset, then 5/16. s(5/4) = 1/4, s(5/16) =
  /// 1/(15/4)^2 = 16/225. With the reset detached dU(1)/dw = 1/16; with it attached V = U (1 - S)
  /// adds a (-5/4) (1/4) (1/4).
  @Test func spikingNeuronByHand() {
    let miss = 1 - 1 / (1 + exp(-2 * 7.0 / 48))
    for detaches in [true, false] {
      let (gradient, trial) = handGradient(5, detachesReset: detaches)
      #expect(trial.spikes[0] == [0, 1, 0, 0])
      #expect(abs(trial.loss + log(1 - miss)) < 1e-7)
      let second = 1.0 / 16 - (detaches ? 0 : 1.0 / 2 * (5.0 / 4) * (1.0 / 4) * (1.0 / 4))
      let expected =
        -2 * miss
        * (7.0 / 48 * (1.0 / 4) * (1.0 / 4) + 1.0 / 12 * (16.0 / 225) * second)
      #expect(abs(gradient[0][0] - expected) < 1e-7)
      #expect(abs(gradient[1][0] + miss * 7 / 48) < 1e-7)
      #expect(abs(gradient[1][1] - miss * 7 / 48) < 1e-7)
    }
  }

  /// Nothing is replaced where nothing spikes between weights and loss: without a hidden layer, and
  /// in the last matrix always.
  @Test(arguments: ["sum", "avg_xentropy", "max"], [[], [12]])
  func isTheExactGradientBehindTheLastSpikes(loss: String, hidden: [Int]) throws {
    let fixture = Fixture(
      loss: loss, shaping: .exponential(scale: 1), hidden: hidden, recurrent: true, samples: 4,
      spikesPerUnit: 2)
    let comparison = try #require(
      SurrogateComparison(
        fixture.problem, samples: fixture.samples,
        weights: fixture.weights.matrices.map(\.values)))
    let row = comparison.rows[comparison.rows.count - 1]
    #expect(row.projection == (hidden.isEmpty ? "input-output" : "hidden1-output"))
    #expect(try #require(row.cosine) > 1 - 1e-5)
    #expect(abs(row.surrogateNorm - row.gridNorm) < 1e-4 * row.gridNorm)
    #expect(comparison.samples == 4 && comparison.failed == 0)
    #expect(comparison.layers.count == hidden.count)
  }

  /// V peaks 0.1 % below theta: no spike, no exact gradient. The surrogate one raises it, because
  /// it speaks for the right class; it lowers one that speaks for the other, 5 % below, and leaves
  /// one that no output hears alone.
  @Test func movesASilentNeuron() throws {
    let network = Network(
      inputs: 2,
      layers: [Layer(size: 4, tauMem: 20, tauSyn: 10), Layer(size: 2, neuron: .li)])
    let problem = Problem(
      network: network, duration: 60, step: 0.1,
      loss: LossTable.entry("sum")!.make(LossParameters(duration: 60)))
    // V after a weight w is at most w/4. The last neuron spikes.
    let weights: [[Double]] = [
      [3.996, 3.8, 0, 6, 0, 0, 0, 0],
      [1, 0, 0, 1, 0, 0, 1, 0],
    ]
    let comparison = try #require(
      SurrogateComparison(
        problem, samples: [(SpikeTrain(times: [1], units: [0]), 0)], weights: weights))
    let layer = comparison.layers[0]
    #expect(layer.name == "hidden1")
    #expect(layer.silent == 3)
    #expect(layer.moved.map(\.neuron) == [0, 1])
    #expect(layer.moved.map(\.isRaised) == [true, false])
    #expect(layer.moved.allSatisfy { $0.gridNorm == 0 })
    // One spike arrives, by one weight: the step adds the norm or takes it away.
    #expect(layer.moved[0].drive == layer.moved[0].norm)
    #expect(layer.moved[1].drive == -layer.moved[1].norm)
    #expect(layer.spikingNorm ?? 0 > 0)
    #expect(comparison.rows[0].gridNorm > 0)
  }

  /// V as it is carried here crosses theta where the grid found its spikes, in Float, and the
  /// outputs read the same voltages; the loss is the same.
  @Test(arguments: networks, [ReadoutRule.integrated, .sampled])
  func spikesAreThoseOfTheGrid(
    _ network: (loss: String, hidden: [Int], recurrent: Bool), rule: ReadoutRule
  ) {
    let setting = Setting(
      network.loss, network.hidden, recurrent: network.recurrent, step: 0.2, rule: rule)
    let found = setting.surrogate.run(setting.input, label: setting.label, spikes: setting.spikes)
    for (layer, size) in network.hidden.enumerated() {
      var count = 0
      for (place, u) in found.voltages[layer].enumerated() {
        let isSpike = setting.spikes[layer][place + size] == 1
        #expect(isSpike == (u >= 1) || abs(u - 1) < 1e-5)
        count += isSpike ? 1 : 0
      }
      #expect(count == setting.trial.spikes(ofLayer: layer).count && count > 0)
    }
    #expect(abs(found.loss - setting.trial.loss) < 1e-5 * setting.trial.loss)
    if rule == .sampled || network.loss == "max" {
      for (row, expected) in setting.trial.outputVoltages.enumerated() {
        for (j, v) in expected.enumerated() {
          #expect(abs(found.readings[row * expected.count + j] - Double(v)) < 1e-5)
        }
      }
    }
  }

  /// Means over samples: the same ones twice say the same. Neurons silenced by weights without a
  /// sign are moved by what arrives, along recurrent weights too, the largest norm first; EventProp
  /// has nothing for them.
  @Test func silentNeuronsOfRecurrentLayers() throws {
    let fixture = Fixture(
      loss: "avg_xentropy", hidden: [10, 8], recurrent: true, step: 0.5, spikesPerUnit: 2)
    var weights = fixture.weights.matrices.map(\.values)
    for neuron in 0..<4 {
      for source in 0..<10 { weights[2][source * 8 + neuron] *= 0.02 * Double(neuron) }
      for source in 0..<8 { weights[3][source * 8 + neuron] = 0 }
    }
    let comparison = try #require(
      SurrogateComparison(fixture.problem, samples: fixture.samples, weights: weights))
    #expect(
      comparison.rows.map(\.projection) == [
        "input-hidden1", "hidden1-hidden1", "hidden1-hidden2", "hidden2-hidden2",
        "hidden2-output",
      ])
    let layer = comparison.layers[1]
    #expect(layer.name == "hidden2" && layer.silent >= 4 && layer.spikingNorm != nil)
    #expect(Set(layer.moved.map(\.neuron)).isSuperset(of: [0, 1, 2, 3]))
    #expect(layer.moved.count == layer.silent)
    #expect(layer.moved.map(\.norm) == layer.moved.map(\.norm).sorted(by: >))
    #expect(layer.moved.allSatisfy { $0.gridNorm == 0 && $0.norm > 0 && $0.drive != 0 })
    let twice = try #require(
      SurrogateComparison(
        fixture.problem, samples: fixture.samples + fixture.samples, weights: weights))
    #expect(twice.samples == 6)
    for (a, b) in zip(comparison.rows, twice.rows) {
      #expect(abs(a.surrogateNorm - b.surrogateNorm) < 1e-9 * a.surrogateNorm)
      #expect(abs(a.gridNorm - b.gridNorm) < 1e-5 * a.gridNorm)
    }
    for (a, b) in zip(layer.moved, twice.layers[1].moved) {
      #expect(a.neuron == b.neuron && abs(a.drive - b.drive) < 1e-9 * abs(a.drive))
    }
  }

  @Test(arguments: ["first_spike", "first_spike_exp"]) func saysWhyThereIsNone(loss: String) {
    let fixture = Fixture(loss: loss)
    #expect(SurrogateComparison.obstacle(fixture.problem)?.contains("whether it does") == true)
    #expect(
      SurrogateComparison(
        fixture.problem, samples: fixture.samples,
        weights: fixture.weights.matrices.map(\.values)) == nil)
    #expect(SurrogateComparison.obstacle(Fixture(loss: "sum").problem) == nil)
  }
}
