// SPDX-License-Identifier: MIT

@testable import Experiments
@testable import Training
@testable import EventPropCore
import Foundation
import SpikeData
import Testing

@testable import Diagnosis

@Suite struct LedgerTests {
  /// Two inputs, two hidden, two outputs; hidden 1 just above threshold at its peak.
  let network = Network(
    inputs: 2,
    layers: [
      Layer(size: 2, tauMem: 20, tauSyn: 10), Layer(size: 2, neuron: .li, tauMem: 20, tauSyn: 10),
    ])

  func observer(_ options: DiagnosisOptions? = nil) -> UpdateObserver<ExactSolver> {
    let problem = Problem(
      network: network, duration: 60, step: 0.1,
      loss: LossTable.entry("sum")!.make(LossParameters(duration: 60)),
      shaping: .exponential(scale: 1))
    return UpdateObserver(
      ExactSolver(problem), samples: [(SpikeTrain(times: [0, 3], units: [0, 1]), 1)],
      options: options ?? DiagnosisOptions(every: 1, samples: 1, costs: 10, reach: 10))
  }

  func weights(grazing: Double) -> Parameters<Double> {
    let weights = Parameters<Double>(network)
    weights.matrices[0].values = [6, 4 * (1 + grazing), 0.5, 0]
    weights.matrices[1].values = [0.5, -0.4, 0.9, -0.7]
    return weights
  }

  /// Without creation or deletion the ratio of actual to predicted change tends to 1, linearly in
  /// the step.
  @Test func predictionsComeTrueAsStepsShrink() {
    let pool = WorkerPool(threads: 1)
    var errors: [Double] = []
    for step in [1e-2, 1e-3, 1e-4, 1e-5] {
      let observer = observer()
      let weights = weights(grazing: 0.5)
      observer.begin(weights, withMargins: false, pool: pool)
      weights.matrices[0][0, 0] += step
      weights.matrices[0][0, 1] -= 2 * step
      weights.matrices[1][1, 0] += step
      let ledger = observer.end(weights, update: 1, pool: pool).0
      #expect(ledger.created + ledger.deleted == 0 && ledger.moved > 0)
      errors.append(abs(ledger.actual / ledger.predicted - 1))
    }
    for (wide, narrow) in zip(errors, errors.dropFirst()) {
      #expect(narrow < 0.2 * wide, "\(errors)")
    }
    #expect(errors.last! < 1e-4)
  }

  /// Where one spike goes, the prediction misses a finite change; the deletion's counterfactual
  /// accounts for it, the better the smaller the step is (the spike's own last movement, like
  /// sqrt(step), is in the prediction).
  @Test(arguments: [true, false]) func singleEventsAccountForTheGap(isDeletion: Bool) {
    let pool = WorkerPool(threads: 1)
    var rests: [Double] = []
    for step in [1e-4, 1e-6, 1e-8] {
      let observer = observer()
      let sign = isDeletion ? 1.0 : -1
      let weights = weights(grazing: sign * step)
      observer.begin(weights, withMargins: false, pool: pool)
      weights.matrices[0][0, 0] += step
      weights.matrices[0][0, 1] -= sign * 8 * step
      let ledger = observer.end(weights, update: 1, pool: pool).0
      #expect(ledger.events.map(\.kind) == [isDeletion ? .deleted : .created])
      let change = ledger.events[0].lossChange ?? .nan
      #expect(abs(change) > 1e-3)
      rests.append(abs(ledger.gap - change) / abs(change))
      if step == 1e-8 { #expect(abs(ledger.predicted) < 0.01 * abs(ledger.actual)) }
    }
    #expect(rests.last! < 0.01, "\(rests)")
    #expect(rests[2] < rests[0])
  }

  /// Why neurons are silent, one of each kind; and what the gradient does not reach.
  @Test func reasonsOfSilence() {
    let network = Network(
      inputs: 3, layers: [Layer(size: 4), Layer(size: 2, neuron: .li)])
    let problem = Problem(
      network: network, duration: 50, step: 0.1,
      loss: LossTable.entry("sum")!.make(LossParameters(duration: 50)))
    let observer = UpdateObserver(
      ExactSolver(problem), samples: [(SpikeTrain(times: [1, 1.5], units: [0, 1]), 0)],
      options: DiagnosisOptions(every: 1, samples: 1, costs: 1, reach: 10))
    let weights = Parameters<Double>(network)
    // Neuron 0 spikes, but feeds no output; 1 is too weak; 2 is inhibited; 3 listens to unit 2
    // only, which is silent.
    weights.matrices[0].values = [
      8, 0.5, 8, 0,
      0, 0.5, -9, 0,
      0, 0, 0, 9,
    ]
    let report = observer.silence(weights, pool: WorkerPool(threads: 1))
    let words = Dictionary(
      uniqueKeysWithValues: report.neurons.map { ($0.neuron, $0.reason.words) })
    #expect(words == [0: "no gradient", 1: "below threshold", 2: "inhibited", 3: "no input"])
    for neuron in report.neurons {
      guard let lift = neuron.lift else { continue }
      // Lifted by this much it spikes, by a hair less it does not.
      for (share, spikes) in [(1 + 1e-6, true), (1 - 1e-3, false)] {
        let copy = weights.copy()
        for row in 0..<3 { copy.matrices[0][row, neuron.neuron] += lift * share }
        let count = observer.probeSpikes(copy, pool: WorkerPool(threads: 1))[0][0]
          .count { $0.neuron == neuron.neuron }
        #expect((count > 0) == spikes, "\(neuron) \(share)")
      }
    }
  }

  /// A spike at the very end of a trial has a margin, and is no silent stretch.
  @Test func spikesAtTheEndHaveMargins() {
    let network = Network(
      inputs: 1,
      layers: [
        Layer(size: 1, tauMem: 20, tauSyn: 10), Layer(size: 1, neuron: .li, tauMem: 20, tauSyn: 10),
      ])
    let weights = Parameters<Double>(network)
    weights.matrices[0][0, 0] = 5
    // V = 5 (x - x^2) at T = 8 ms: above threshold, as at the end of a grid step.
    let x = exp(-8.0 / 20)
    let margins = Margins(
      network, duration: 8, inputs: [[LayerSpike(neuron: 0, time: 0, slope: 0)]],
      trials: [[[LayerSpike(neuron: 0, time: 8, slope: 1)], []]],
      weights: weights.matrices.map { WeightRows($0) })
    #expect(margins.layers[0].silent.isEmpty)
    #expect(abs(margins.layers[0].spikes[0].margin - (5 * (x - x * x) - 1)) < 1e-12)
    // Huge margins and those that are no numbers do not break the histogram.
    var odd = margins.layers[0]
    odd.silent = [.infinity, 1e300, .nan]
    #expect(odd.histogram(bins: 4, range: 1).reduce(0, +) == 3)
  }

  /// Four of six events priced at 1, 2, 3, 6: scaled up 6 x 3 = 18; s = sqrt(14/3), so that the
  /// error is 6 sqrt(14/3 / 4 (1 - 4/6)) = 6 sqrt(7/18).
  @Test func pricesAreScaledUpWithAnError() throws {
    var ledger = Ledger()
    ledger.events = (0..<6).map {
      SpikeEvent(kind: .deleted, trial: 0, layer: 0, neuron: $0, time: 1)
    }
    // Of six, the events 0, 1, 3 and 4 are priced.
    let prices = [1.0, 2, 0, 3, 6, 0]
    var few = ledger
    ledger.price(limit: 4, trials: 1, lossesAfter: [10]) { 10 - prices[$1.neuron] }
    #expect(ledger.priced == 4 && ledger.byCreationAndDeletion == 18)
    let error = try #require(ledger.creationAndDeletionError)
    #expect(abs(error - 6 * (7.0 / 18).squareRoot()) < 1e-12)
    // Of what is shown of the events it does not depend.
    ledger.events.removeLast(3)
    #expect(ledger.creationAndDeletionError == error)
    var totals = LedgerTotals()
    totals.add(ledger)
    totals.add(ledger)
    #expect(totals.priced == 8)
    #expect(abs(try #require(totals.byCreationAndDeletionError) - error * 2.0.squareRoot()) < 1e-12)
    // One price of many says nothing, and then neither does the sum.
    few.price(limit: 1, trials: 1, lossesAfter: [10]) { 10 - prices[$1.neuron] }
    #expect(few.creationAndDeletionError == nil)
    totals.add(few)
    #expect(totals.byCreationAndDeletionError == nil)
    few.price(limit: 6, trials: 1, lossesAfter: [10]) { 10 - prices[$1.neuron] }
    #expect(few.creationAndDeletionError == 0)
  }
}
