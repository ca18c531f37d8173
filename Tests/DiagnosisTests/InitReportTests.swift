// SPDX-License-Identifier: MIT

@testable import Training
import EventPropCore
import Foundation
import Support
import Testing

@testable import Diagnosis

/// Reports on initial weights. The neurons are those of `HandCalculationTests`: tau_m = 20, tau_s =
/// 10, theta = 1, so that a spike at 0 by a weight w makes one of its own when w >= 4.
@Suite struct InitReportTests {
  /// Two hidden neurons, one with a weight of 5 and one with 3.9: the first spikes once, at 6.47
  /// ms, the second not. Recurrent weights -0.2 and 0.05 from the first; nothing from the second.
  ///
  /// Rates 1 and 0: mean 1/2, sd 1/2, half silent. From below (5 + 3.9)/2 = 4.45; from itself (0.2
  /// + 0.05)/2 = 0.125; ratio 0.0281. In a trial of 100 ms a constant current would settle at 10 x
  /// (5 - 0.2)/100 and 10 x (3.9 + 0.05)/100: mean 0.4375.
  @Test func twoNeurons() {
    let network = Network(
      inputs: 1,
      layers: [
        Layer(size: 2, tauMem: 20, tauSyn: 10, isRecurrent: true),
        Layer(size: 1, neuron: .li, tauMem: 20, tauSyn: 10),
      ])
    let problem = Problem(
      network: network, duration: 100, step: 0.1,
      loss: LossTable.entry("sum")!.make(LossParameters(duration: 100)))
    check(GridSolver(problem), steps: 1000)
    check(ExactSolver(problem), steps: nil)
  }

  private func check<S: Solver>(_ solver: S, steps: Int?) {
    let network = solver.problem.network
    let weights = Parameters<S.Scalar>(network)
    weights.matrices[0].values = [5, 3.9]
    weights.matrices[1].values = [-0.2, 0.05, 7, 7]
    weights.matrices[2].values = [2, -3]
    let sample = (train: SpikeTrain(times: [0], units: [0]), label: 0)
    let probe = InitProbe(
      solver, [sample, sample], weights: weights, pool: WorkerPool(threads: 1))
    probe.run()
    let counts = [probe.inputCounts()] + (0..<2).map { probe.counts(ofLayer: $0) }
    #expect(counts == [[2], [2, 0], [0]])
    let layers = (0..<2).map {
      LayerStart(
        network, layer: $0, duration: 100, steps: steps, trials: 2, counts: counts,
        weights: weights.matrices.map { WeightRows($0) })
    }
    #expect(layers[0].rates == SpikeRates(counts: [2, 0], trials: 2, steps: steps))
    #expect(layers[0].rates?.mean == 0.5 && layers[0].rates?.sd == 0.5)
    #expect(layers[0].rates?.silent == 0.5 && layers[0].rates?.saturated == 0)
    #expect(abs(layers[0].drive.below - 4.45) < 1e-6)
    #expect(abs(layers[0].drive.own! - 0.125) < 1e-6)
    #expect(abs(layers[0].drive.ratio! - 0.125 / 4.45) < 1e-6)
    #expect(abs(layers[0].drive.level! - 0.4375) < 1e-6)
    #expect(layers[1].rates == nil && layers[1].drive.level == nil && layers[1].drive.own == nil)
    #expect(layers[1].drive.below == 2)
    #expect(probe.lateSpikes(ofLayer: 0) == 0)
  }

  @Test func saturationIsOfTheGrid() {
    #expect(SpikeRates(counts: [90, 89], trials: 10, steps: 10).saturated == 0.5)
    #expect(SpikeRates(counts: [90, 89], trials: 10, steps: nil).saturated == 0)
  }

  /// The advised factors, given as commands to the trainer, lead to the target; so do the advised
  /// keys. Nothing is left to complain of then.
  @Test(arguments: ["grid", "exact"], [0.6, 6]) func advisedFactorsReachTheTarget(
    solver: String, mean: Double
  ) throws {
    let settings = [
      "hidden.0.weights={ mean = \(mean), sd = \(mean / 4) }", "hidden.0.size=60",
      "data.train=200",
    ]
    let text = tinyPreset(
      solver: solver,
      hidden: "[[hidden]]\nsize = 30\nweights = { mean = \(mean / 10), sd = 0.05 }")
    let trainer = try makeTrainer(text, settings: settings)
    let before = trainer.state
    let report = try #require(trainer.initReports(samples: 32, target: nil).first).report
    #expect(trainer.state == before)
    #expect(report.target == 1 && report.remedies.count == 2 && report.advice.count >= 2)
    var advised = settings
    for remedy in report.remedies {
      guard case .scale(let factor) = remedy.change else {
        Issue.record("\(remedy)")
        return
      }
      try trainer.apply(ScaleWeights(lane: 0, by: factor, layer: remedy.layer))
      let old = trainer.preset.lanes[0].initial[remedy.layer]
      advised.append(
        "hidden.\(remedy.layer).weights={ mean = \(old.mean * factor), sd = \(old.sd * factor) }")
      let sentence = try #require(report.advice.first { $0.hasPrefix("hidden\(remedy.layer + 1)") })
      #expect(sentence.contains("by \(String(format: "%.4g", factor)) (hidden.\(remedy.layer)"))
    }
    for trainer in [trainer, try makeTrainer(text, settings: advised)] {
      let after = trainer.initReports(samples: 32, target: nil)[0].report
      for (layer, remedy) in report.remedies.enumerated() {
        let mean = try #require(after.layers[layer].rates?.mean)
        #expect(abs(mean - 1) < 0.1, "\(solver), hidden\(layer + 1): \(mean)")
        #expect(abs(mean - remedy.after!.mean) < 1e-2)
      }
      #expect(after.remedies.isEmpty, "\(after.advice)")
    }
  }

  /// What is not the network's alone is told apart; lanes that are alike share a report.
  @Test func lanesShareWhatIsAlike() throws {
    let lanes = twoLanes + "\n[[lane]]\nname = \"slow\"\ntraining.optimiser.rate = 1e-4\n"
    let trainer = try makeTrainer(
      tinyPreset(extra: lanes), settings: ["hidden.0.weights={ mean = 0.3, sd = 0.1 }"])
    let reports = trainer.initReports(samples: 8, target: 2)
    #expect(reports.map(\.lanes) == [["shaped"], ["plain", "slow"]])
    #expect(reports[0].report.remedies == reports[1].report.remedies)
    #expect(!reports[0].report.remedies.isEmpty)
    let alone = trainer.lanes[1].initReport(
      trainer.data.train.probeSet(8, options: trainer.preset.data, duration: 30), target: 2,
      known: nil, pool: trainer.pool)
    #expect(alone == reports[1].report)
    #expect(alone.samples == 8 && alone.target == 2)
  }

  /// The gradient per weight is that of a batch of the same samples.
  @Test func gradientsAreThoseOfTraining() throws {
    let trainer = try makeTrainer(tinyPreset(), settings: ["data.validate=0", "data.train=32"])
    let report = trainer.initReports(samples: 32, target: nil)[0].report
    try trainer.trainBatch()
    let squares = trainer.lanes[0].lastSquares
    for (layer, square) in squares.enumerated() {
      let network = trainer.network
      let count = network.size(ofPopulation: layer) * network.size(ofPopulation: layer + 1)
      let expected = (square / Double(count)).squareRoot()
      #expect(abs(report.layers[layer].gradient! - expected) < 1e-5 * expected)
    }
    #expect(report.advice == [])
  }

  @Test(arguments: ["first_spike", "max"]) func muteOutputsAreCured(loss: String) throws {
    let weights = loss == "max" ? "{ mean = -0.3, sd = 0.1 }" : "{ mean = 0.01, sd = 0.01 }"
    let trainer = try makeTrainer(
      tinyPreset(solver: "exact", loss: loss), settings: ["output.weights=\(weights)"])
    let report = trainer.initReports(samples: 32, target: nil)[0].report
    #expect(report.muteShare > 0.5)
    let remedy = try #require(report.remedies.first { $0.mute != nil })
    #expect(remedy.mute! <= 0.05)
    let lane = try #require(trainer.lanes[0] as? SolverLane<ExactSolver>)
    switch remedy.change {
    case .scale(let factor):
      #expect(loss == "first_spike")
      try trainer.apply(ScaleWeights(lane: 0, by: factor, layer: nil))
    case .shift(let by):
      #expect(loss == "max")
      let matrix = lane.weights.forward(intoLayer: 1)
      matrix.values = matrix.values.map { $0 + by }
    default: Issue.record("\(remedy)")
    }
    #expect(trainer.initReports(samples: 32, target: nil)[0].report.muteShare == remedy.mute)
  }

  /// Layers that explode are told to take less.
  @Test func explodedLayersAreScaledDown() throws {
    let trainer = try makeTrainer(
      tinyPreset(solver: "exact"), settings: ["hidden.0.weights={ mean = 2e4, sd = 1 }"])
    let report = trainer.initReports(samples: 4, target: 400)[0].report
    #expect(report.failure != nil && report.layers[0].rates == .exploded)
    guard case .scale(let factor)? = report.remedies.first?.change else {
      Issue.record("\(report.remedies)")
      return
    }
    #expect(factor < 1 && abs(report.remedies[0].after!.mean - 400) < 40)
    #expect(report.advice.count >= 2)
  }

  @Test func sentencesHaveNumbersAndKeys() {
    var report = InitReport(
      samples: 32, duration: 1000, target: 10, layers: [],
      terms: LossTerms(
        loss: "sum", readsSpikes: false, liftsOutputs: false, epsilon: 1e-8,
        initial: [
          InitialWeights(mean: 2, sd: 1), InitialWeights(mean: 0, sd: 0.1),
          InitialWeights(mean: 0, sd: 1),
        ]))
    let network = Network(
      inputs: 1, layers: [Layer(size: 4, isRecurrent: true), Layer(size: 2, neuron: .li)])
    let weights = Parameters<Double>(network)
    weights.matrices[0].fill(with: 1)
    weights.matrices[1].fill(with: 1)
    report.layers = (0..<2).map {
      LayerStart(
        network, layer: $0, duration: 1000, steps: 1000, trials: 1,
        counts: [[1], [1, 2, 1, 0], [0, 0]], weights: weights.matrices.map { WeightRows($0) })
    }
    let rates = report.layers[0].rates
    report.layers[0].gradient = 1e-6
    report.layers[1].gradient = 1
    report.layers[0].timing = GradientTiming(
      late: 0.95, lateSpikes: 0.2, shaped: .init(scale: 1, late: 0.17, gain: 10.14))
    report.remedies = [
      Remedy(layer: 0, before: rates, complaint: .quiet, change: .scale(1.8), after: rates)
    ]
    #expect(
      report.advice == [
        "hidden1: 1 spike per neuron and trial, 25 % of the neurons silent; scale its incoming "
          + "weights by 1.8 "
          + "(hidden.0.weights = { mean = 3.6, sd = 1.8 }) for 1 spike per neuron and trial, "
          + "25 % silent.",
        "hidden1: it drives itself 4 times as strongly as the layer below does; scale its "
          + "recurrent weights by 0.25 (hidden.0.recurrent_weights = { mean = 0, sd = 0.025 }) "
          + "for as much from both at these spikes.",
        "hidden1: 95 % of its gradient comes from the last 300 ms, 20 % of its spikes do; "
          + "loss.shaping = \"exponential\" makes that 17 % and the gradient 10.1 times as large.",
      ])
    report.layers[0].timing = nil
    report.remedies = []
    report.terms.initial = nil
    #expect(report.advice.last?.contains("per weight is 1e-06 of that of output") == true)
    report.layers[0].gradient = 1e-8
    #expect(report.advice.last?.contains("training.optimiser.epsilon = 1e-08") == true)
    // An optimiser whose steps go with the gradient does not even it out.
    report.terms.epsilon = nil
    #expect(report.advice.last?.contains("training.optimiser.kind = \"adam\"") == true)
    report.mute = 8
    #expect(report.advice.last?.contains("training.silent.lift_outputs") == true)
    report.terms.liftsOutputs = true
    #expect(report.advice.count == 2)
  }
}
