// SPDX-License-Identifier: MIT

@testable import Experiments
@testable import Training
import EventPropCore
import Foundation
import Testing

@testable import Diagnosis

/// One input, one hidden and one output neuron, worked out by hand.
///
/// tau_m = 20, tau_s = 10 (so k = 1), theta = 1: after a weight w, V = w (x - x^2) with x =
/// exp(-s/20), at most w/4 (at x = 1/2); it reaches 1 at x = (1 + sqrt(1 - 4/w))/2 when w >= 4.
///
/// One input spike at 0. w1 = 5: x = 0.7236068, hidden spike at t_h = -20 ln x = 6.4701 ms. w2 = 6:
/// x = 0.7886751, output spike at t_o = t_h + 4.7480 = 11.2182 ms. After its spike the hidden
/// neuron has I = 5 x^2 = 2.6180, V = 0: it reaches 0.6545 and no second spike; the output has I =
/// 6 x^2 = 3.7321 and reaches 0.9330. Loss `first_spike` with one class: L = alpha/(1.01 T - t_o);
/// silent: t_o = T, L = alpha/(0.01 T).
@Suite struct HandCalculationTests {
  let duration = 100.0
  let alpha = 1.0
  let hiddenTime = -20 * log((1 + (1 - 4.0 / 5).squareRoot()) / 2)
  let outputDelay = -20 * log((1 + (1 - 4.0 / 6).squareRoot()) / 2)
  var outputTime: Double { hiddenTime + outputDelay }
  var lossSpiking: Double { alpha / (1.01 * duration - outputTime) }
  var lossSilent: Double { alpha / (0.01 * duration) }

  var problem: Problem {
    let network = Network(
      inputs: 1,
      layers: [
        Layer(size: 1, tauMem: 20, tauSyn: 10), Layer(size: 1, tauMem: 20, tauSyn: 10),
      ])
    return Problem(
      network: network, duration: duration, step: 0.01,
      loss: LossTable.entry("first_spike")!.make(
        LossParameters([.tau0: 1, .alpha: alpha], duration: duration)))
  }

  /// Observes the update from one pair of weights to another.
  func observe<S: Solver>(
    _ solver: S, from: (Double, Double), to: (Double, Double), close: Bool = true
  ) -> (ledger: Ledger, observer: UpdateObserver<S>, weights: Parameters<S.Scalar>) {
    let observer = UpdateObserver(
      solver, samples: [(SpikeTrain(times: [0], units: [0]), 0)],
      options: DiagnosisOptions(every: 1, samples: 1, costs: 10, reach: 10))
    let weights = Parameters<S.Scalar>(solver.problem.network)
    let pool = WorkerPool(threads: 1)
    weights.matrices[0][0, 0] = S.Scalar(from.0)
    weights.matrices[1][0, 0] = S.Scalar(from.1)
    observer.begin(weights, withMargins: close, pool: pool)
    weights.matrices[0][0, 0] = S.Scalar(to.0)
    weights.matrices[1][0, 0] = S.Scalar(to.1)
    return (observer.end(weights, update: 1, pool: pool).0, observer, weights)
  }

  @Test func numbersOfTheComment() {
    #expect(abs(hiddenTime - 6.4701) < 1e-4)
    #expect(abs(outputTime - 11.2182) < 1e-4)
  }

  /// w1 from 5 to 3.9: the hidden spike goes, and the output's with it. Either one, forced back at
  /// its old time, would bring the old loss back: each cost lossSilent - lossSpiking.
  @Test func deletion() {
    let ledger = observe(ExactSolver(problem), from: (5, 6), to: (3.9, 6)).ledger
    check(ledger, kind: .deleted, change: lossSilent - lossSpiking, tolerance: 1e-9)
    #expect(abs(ledger.lossBefore - lossSpiking) < 1e-12)
    #expect(abs(ledger.lossAfter - lossSilent) < 1e-12)
    // On the grid times are up to a step late per layer: dL/dt = alpha/(1.01 T - t)^2 = 1.2e-4.
    let grid = observe(GridSolver(problem), from: (5, 6), to: (3.9, 6)).ledger
    check(grid, kind: .deleted, change: lossSilent - lossSpiking, tolerance: 5e-6)
  }

  /// The other way: suppressing either crossing would give the silent loss.
  @Test func creation() {
    let ledger = observe(ExactSolver(problem), from: (3.9, 6), to: (5, 6)).ledger
    check(ledger, kind: .created, change: lossSpiking - lossSilent, tolerance: 1e-9)
    let grid = observe(GridSolver(problem), from: (3.9, 6), to: (5, 6)).ledger
    check(grid, kind: .created, change: lossSpiking - lossSilent, tolerance: 5e-6)
  }

  private func check(
    _ ledger: Ledger, kind: SpikeEvent.Kind, change: Double, tolerance: Double
  ) {
    #expect(ledger.layers.map(\.layer) == ["hidden1", "output"])
    #expect(ledger.layers.map(\.created) == (kind == .created ? [1, 1] : [0, 0]))
    #expect(ledger.layers.map(\.deleted) == (kind == .deleted ? [1, 1] : [0, 0]))
    #expect(ledger.moved == 0)
    #expect(ledger.priced == 2)
    let events = ledger.events.sorted { $0.layer < $1.layer }
    for (event, time) in zip(events, [hiddenTime, outputTime]) {
      #expect(event.kind == kind)
      #expect(abs(event.time - time) < 0.03)
      #expect(abs((event.lossChange ?? .nan) - change) < tolerance)
    }
  }

  /// w1 from 5 to 5 + h: with V = w (x - x^2) = 1, dx/dw = -(x - x^2)/(w (1 - 2x)), dt = -20 dx/x,
  /// and dL/dw1 = alpha/(1.01 T - t_o)^2 dt/dw1. The hidden spike moves, and the output's as far.
  @Test func movement() {
    let x = exp(-hiddenTime / 20)
    let timePerWeight = 20 * (x - x * x) / (5 * (1 - 2 * x)) / x
    let slope = alpha / pow(1.01 * duration - outputTime, 2) * timePerWeight
    for h in [1e-3, 1e-4] {
      let ledger = observe(ExactSolver(problem), from: (5, 6), to: (5 + h, 6)).ledger
      #expect(ledger.moved == 2 && ledger.created == 0 && ledger.deleted == 0)
      #expect(abs(ledger.predicted - slope * h) < 1e-9 * h)
      #expect(abs(ledger.actual - slope * h) < 2 * h * h)
      #expect(abs(ledger.layers[0].meanShift - timePerWeight * h) < 20 * h * h)
    }
  }

  /// Margins: without reset V reaches w/4: 0.25 and 0.5 above threshold. After the spikes: 1 -
  /// 0.6545 and 1 - 0.9330 below. With w1 = 3.9: 1 - 3.9/4 below, and a lift of 0.1 wakes it.
  @Test func marginsAndSilence() {
    let pool = WorkerPool(threads: 1)
    let spiking = observe(ExactSolver(problem), from: (5, 6), to: (5, 6))
    let layers = spiking.observer.margins(spiking.weights, pool: pool).layers
    #expect(layers[0].spikes.count == 1 && layers[1].spikes.count == 1)
    #expect(abs(layers[0].spikes[0].margin - 0.25) < 1e-9)
    #expect(abs(layers[1].spikes[0].margin - 0.5) < 1e-9)
    #expect(layers[0].silent.count == 1 && abs(layers[0].silent[0] - (1 - 0.65451)) < 1e-4)
    // The output's first stretch is all rise; the one after its spike: 3.7321/4.
    #expect(layers[1].silent.count == 1 && abs(layers[1].silent[0] - (1 - 0.93301)) < 1e-4)
    #expect(layers[0].histogram(bins: 4, range: 1) == [0, 1, 1, 0])

    let silent = observe(ExactSolver(problem), from: (3.9, 6), to: (3.9, 6))
    let report = silent.observer.silence(silent.weights, pool: pool)
    #expect(report.neurons.count == 1)
    #expect(report.flowStopsAt == 0)
    guard case .belowThreshold(let by)? = report.neurons.first?.reason else {
      Issue.record("\(report)")
      return
    }
    #expect(abs(by - 0.025) < 1e-9)
    #expect(abs((report.neurons[0].lift ?? 0) - 0.1) < 1e-6)
    let woken = observe(ExactSolver(problem), from: (3.9, 6), to: (3.9 + 0.1000001, 6)).ledger
    #expect(woken.layers[0].created == 1)
  }

  /// Margin 0.25 shrinking by h/4 per update of -h: gone after 1/h updates; it comes true.
  @Test func atRisk() {
    let result = observe(ExactSolver(problem), from: (5, 6), to: (4.9, 6))
    let pool = WorkerPool(threads: 1)
    let before = observe(ExactSolver(problem), from: (5, 6), to: (5, 6))
    let list = SpikeAtRisk.list(
      problem.network, before: before.observer.margins(before.weights, pool: pool),
      after: result.observer.margins(result.weights, pool: pool), reach: 10, horizon: 50)
    #expect(list.count == 1)  // the output's margin does not depend on w1
    #expect(list[0].layer == 0)
    #expect(abs(list[0].margin - 0.225) < 1e-9)
    #expect(abs(list[0].updates - 9) < 1e-6)
    var record = RiskRecord()
    func trials(_ w1: Double) -> [TrialSpikes] {
      let now = observe(ExactSolver(problem), from: (w1, 6), to: (w1, 6))
      return now.observer.probeSpikes(now.weights, pool: pool)
    }
    record.check(update: 1, trials: trials(4.9), reach: 10, adding: list)
    #expect(record.watched == 1)
    record.check(update: 5, trials: trials(4.5), reach: 10, adding: [])
    #expect(record.watched == 1 && record.cameTrue == 0)
    record.check(update: 11, trials: trials(3.9), reach: 10, adding: [])
    #expect(record.watched == 0 && record.cameTrue == 1 && record.didNot == 0)
  }
}
