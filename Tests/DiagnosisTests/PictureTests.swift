// SPDX-License-Identifier: MIT

@testable import EventPropCore
import Foundation
import Support
import Testing

@testable import Diagnosis

/// Slice, trace and picture of an update, on the network of `HandCalculationTests`: one input, one
/// hidden, one output neuron, tau_m = 20, tau_s = 10, theta = 1, an input spike at 0. The hidden
/// neuron spikes for w1 >= 4, at x = (1 + sqrt(1 - 4/w))/2 with t = -20 ln x.
@Suite struct PictureTests {
  let hand = HandCalculationTests()

  func time(_ w: Double) -> Double { -20 * log((1 + (1 - 4 / w).squareRoot()) / 2) }
  func loss(_ w: Double) -> Double {
    w < 4 ? hand.lossSilent : hand.alpha / (1.01 * hand.duration - time(w) - hand.outputDelay)
  }
  let samples = [(train: SpikeTrain(times: [0], units: [0]), label: 0)]

  /// w1 from 5 to 4.5: the spike goes where w1 = 4, at a = 2. Up to there L is smooth.
  @Test func sliceOfADeletion() throws {
    let slice = Slice(
      hand.problem, samples: samples, before: [[5], [6]], after: [[4.5], [6]], reach: 10)
    #expect(slice.failure.isEmpty && slice.progress == 1)
    for point in slice.points where abs(point.a - 2) > 0.01 {
      #expect(abs(point.loss - loss(5 - 0.5 * point.a)) < 1e-9, "\(point)")
    }
    #expect(abs(try #require(slice.radius) - 2) < 3e-6)
    let events = slice.events.filter { $0.kind == .deleted }
    #expect(slice.events.count == 2 && events.map(\.layer).sorted() == [0, 1])
    #expect(events.contains { $0.precision <= 1e-6 })
    // g . dw by a difference.
    let h = 1e-5
    let slope = (loss(5 - 0.5 * h) - loss(5 + 0.5 * h)) / (2 * h)
    #expect(abs(slice.slope - slope) < 1e-6 * abs(slope))
    #expect(abs(slice.promised(at: 2) - (hand.lossSpiking + 2 * slope)) < 1e-8)
    // The output's weight does not move: alone it changes nothing.
    #expect(slice.matrices.map(\.name) == ["input-hidden1", "hidden1-output"])
    #expect(slice.matrices[1].points.allSatisfy { abs($0.loss - hand.lossSpiking) < 1e-12 })
    #expect(slice.matrices[0].points.last?.loss == slice.points.last?.loss)
  }

  @Test func sliceOfACreationAndOfNothing() throws {
    let slice = Slice(
      hand.problem, samples: samples, before: [[3.9], [6]], after: [[4.1], [6]], reach: 10)
    #expect(abs(try #require(slice.radius) - 0.5) < 3e-6)
    #expect(slice.events.allSatisfy { $0.kind == .created })
    #expect(slice.slope == 0, "of a silent neuron the gradient knows nothing")
    let calm = Slice(
      hand.problem, samples: samples, before: [[5], [6]], after: [[5.1], [6]], reach: 10)
    #expect(calm.radius == nil && calm.events.isEmpty)
  }

  /// Of two neurons that fall silent in the same interval, the first has the exact place.
  @Test func theFirstEventIsThatNeurons() throws {
    let network = Network(
      inputs: 1,
      layers: [
        Layer(size: 2, tauMem: 20, tauSyn: 10), Layer(size: 1, tauMem: 20, tauSyn: 10),
      ])
    let problem = Problem(
      network: network, duration: 100, step: 0.01,
      loss: LossTable.entry("first_spike")!.make(
        LossParameters([.tau0: 1, .alpha: 1], duration: 100)))
    let slice = Slice(
      problem, samples: samples, before: [[4.035, 4.01], [3, 3]],
      after: [[3.535, 3.51], [3, 3]], reach: 10)
    let hidden = slice.events.filter { $0.layer == 0 }
    #expect(hidden.map(\.neuron) == [1, 0] && hidden.allSatisfy { $0.kind == .deleted })
    #expect(abs(hidden[0].a - 0.02) < 3e-6 && hidden[0].precision <= 1e-6)
    #expect(abs(try #require(slice.radius) - 0.02) < 3e-6)
    #expect(hidden[1].precision > 0.01)
    #expect(slice.events.map(\.a) == slice.events.map(\.a).sorted())
  }

  /// A delay of the input of 7 ms is input that comes 7 ms later: for traces with their shares, for
  /// margins, and for why a neuron is silent, each neuron at its own times.
  @Test func walksFollowDelays() throws {
    var network = hand.problem.network
    network.layers[0].size = 2
    var delayed = network
    delayed.layers[0].delays = Delays(longest: 20, rate: 0.1)
    let parameters = Parameters<Double>(delayed)
    parameters.delays(ofProjection: 0)!.values = [7, 3]
    let delays = SpikeDelays(parameters, step: nil)
    let input = [LayerSpike(neuron: 0, time: 0, slope: 0)]
    let matrix = Matrix<Double>(rows: 1, columns: 2)
    matrix.values = [5, 3.9]
    let outputs = Matrix<Double>(rows: 2, columns: 1)
    let weights = [WeightRows(matrix), WeightRows(outputs)]
    let spikes: TrialSpikes = [[LayerSpike(neuron: 0, time: time(5) + 7, slope: 0)], []]
    func trace(_ network: Network, _ input: [LayerSpike], _ delays: SpikeDelays, _ neuron: Int)
      -> Trace
    {
      Trace(
        network, duration: 100, input: input, spikes: spikes, weights: weights, delays: delays,
        layer: 0, neuron: neuron, spike: neuron == 0 ? 0 : nil)
    }
    for (neuron, shift) in [(0, 7.0), (1, 3.0)] {
      let late = [LayerSpike(neuron: 0, time: shift, slope: 0)]
      let (a, b) = (
        trace(delayed, input, delays, neuron), trace(network, late, SpikeDelays(), neuron)
      )
      #expect(a.points.map(\.v) == b.points.map(\.v))
      #expect(a.shares.map(\.value) == b.shares.map(\.value) && a.shares[0].delay == shift)
      #expect(a.shares.map(\.time) == [shift] && a.lift == b.lift)
      #expect((a.lift != nil) == (neuron == 1))
    }
    // Where V would have risen to: w (x - x^2) at x = 1/2, which is w/4.
    let margins = Margins(
      delayed, duration: 100, inputs: [input], trials: [spikes], weights: weights, delays: delays)
    #expect(abs(try #require(margins.layers[0].spikes.first).margin - (5.0 / 4 - 1)) < 1e-9)
    let report = SilenceReport(
      delayed, duration: 100, inputs: [input], trials: [spikes], weights: weights,
      columnNorms: [[1, 1]], delays: delays)
    guard case .belowThreshold(let by) = try #require(report.neurons.first).reason else {
      Issue.record("\(report.neurons)")
      return
    }
    #expect(abs(by - (1 - 3.9 / 4)) < 1e-9)
  }

  /// Neurons that adapt: V meets the raised threshold at every spike, and the highest V less what
  /// the threshold is raised by is that of a dense walk.
  @Test(arguments: 0..<8) func walksFollowAdaptation(seed: Int) throws {
    var layer = Layer(size: 1, neuron: .alif)
    layer[.adaptation] = PerNeuron(0.35)
    layer[.tauAdapt] = PerNeuron(seed % 2 == 0 ? 30 : 8)
    let network = Network(inputs: 3, layers: [layer, Layer(size: 1, neuron: .li)])
    let problem = Problem(
      network: network, duration: 100, step: 0.1,
      loss: LossTable.entry("sum")!.make(LossParameters(duration: 100)))
    var random = Random(seed: seed, "adapting walks")
    var train = SpikeTrain(times: [], units: [])
    for _ in 0..<24 {
      train.times.append(random.uniform(0, 80))
      train.units.append(UInt16(random.index(below: 3)))
    }
    train.sort()
    let parameters = Parameters<Double>(network)
    parameters.matrices[0].values = [4.4, 3, -0.8]
    parameters.matrices[1].values = [1]
    let solver = ExactSolver(problem)
    let trial = solver.makeTrial()
    train.withView { solver.load($0, label: 0, into: trial) }
    solver.forward(trial, weights: parameters, workspace: solver.makeWorkspace())
    let spikes: TrialSpikes = [trial.spikes(ofLayer: 0), []]
    let weights = parameters.matrices.map { WeightRows($0) }
    #expect(spikes[0].count >= 3)
    var raised = 0.0
    var last = 0.0
    for (index, spike) in spikes[0].enumerated() {
      let trace = Trace(
        network, duration: 100, input: trial.inputSpikes, spikes: spikes, weights: weights,
        layer: 0, neuron: 0, spike: index)
      raised *= exp(-(spike.time - last) / layer[.tauAdapt][0])
      #expect(abs(trace.reference.v - (1 + raised)) < 1e-9, "spike \(index)")
      let before = try #require(trace.thresholds.last { $0.time <= spike.time })
      #expect(abs(before.v - (1 + raised + 0.35)) < 1e-9 || abs(before.v - (1 + raised)) < 1e-9)
      raised += 0.35
      last = spike.time
    }
    let closest = Trace(
      network, duration: 100, input: trial.inputSpikes, spikes: spikes, weights: weights,
      layer: 0, neuron: 0)
    let margins = Margins(
      network, duration: 100, inputs: [trial.inputSpikes], trials: [spikes], weights: weights)
    #expect(margins.layers[0].spikes.count == spikes[0].count)
    #expect(margins.layers[0].spikes.allSatisfy { $0.margin >= -1e-9 })
    #expect(margins.layers[0].silent.allSatisfy { $0 > -1e-9 })
    // After the last spike, point by point.
    let tail = zip(closest.points, closest.thresholds).filter { $0.0.time > last + 1e-9 }
    let nearest = try #require(tail.map { $0.1.v - $0.0.v }.min())
    let silent = try #require(margins.layers[0].silent.last)
    #expect(silent <= nearest + 1e-12 && silent > nearest - 0.01)
    #expect(closest.distance > -1e-9 && closest.distance <= nearest + 1e-12)
  }

  @Test func slicesStopWhenNobodyWantsThem() {
    var calls = 0
    let slice = Slice(
      hand.problem, samples: samples, before: [[5], [6]], after: [[4.5], [6]], reach: 10
    ) { _ in
      calls += 1
      return calls < 3
    }
    #expect(calls == 3 && slice.points.count == 4 && slice.progress < 1)
  }

  func trace(_ w: (Double, Double), layer: Int, spike: Int?) -> Trace {
    let solver = ExactSolver(hand.problem)
    let weights = Parameters<Double>(hand.problem.network)
    weights.matrices[0][0, 0] = w.0
    weights.matrices[1][0, 0] = w.1
    let trial = solver.makeTrial()
    samples[0].train.withView { solver.load($0, label: 0, into: trial) }
    solver.forward(trial, weights: weights, workspace: solver.makeWorkspace())
    return Trace(
      hand.problem.network, duration: hand.duration, input: trial.inputSpikes,
      spikes: (0..<2).map { trial.spikes(ofLayer: $0) },
      weights: weights.matrices.map { WeightRows($0) }, layer: layer, neuron: 0, spike: spike)
  }

  /// w1 = 3.9: V comes to 0.975 at 20 ln 2 ms, all of it from the one input spike; 0.1 more wakes
  /// it.
  @Test func traceOfASilentNeuron() throws {
    let silent = trace((3.9, 6), layer: 0, spike: nil)
    #expect(abs(silent.reference.v - 0.975) < 1e-9)
    #expect(abs(silent.reference.time - 20 * log(2)) < 1e-6)
    #expect(silent.spikes.isEmpty && silent.arrivals == 1)
    #expect(abs(silent.shares[0].value - 0.975) < 1e-9 && silent.shares[0].source == 0)
    #expect(abs(try #require(silent.lift) - 0.1) < 1e-6)
    let top = try #require(silent.ghost.map(\.v).max())
    #expect(top > 0.999 && top < 1.0001)
    for point in silent.points {
      let x = exp(-point.time / 20)
      #expect(abs(point.v - 3.9 * (x - x * x)) < 1e-9)
    }
  }

  @Test func traceOfASpike() {
    let spiking = trace((5, 6), layer: 0, spike: 0)
    #expect(abs(spiking.reference.time - hand.hiddenTime) < 1e-9)
    #expect(abs(spiking.reference.v - 1) < 1e-9 && abs(spiking.sums[0] - 1) < 1e-9)
    let output = trace((5, 6), layer: 1, spike: 0)
    #expect(abs(output.sums[1] - 1) < 1e-9 && output.sums[0] == 0)
    #expect(output.shares[0].source == 1 && output.lift == nil && output.ghost.isEmpty)
  }

  /// On a random recurrent network: the shares of every spike add up to the threshold, resets and
  /// all, and V at its highest to what the walk says.
  @Test func sharesAddUp() {
    let network = Network(
      inputs: 5,
      layers: [
        Layer(size: 6, tauMem: 20, tauSyn: 5, isRecurrent: true),
        Layer(size: 2, neuron: .li, tauMem: 20, tauSyn: 5),
      ])
    var random = Random(seed: 4, "shares")
    let problem = Problem(
      network: network, duration: 60, step: 0.1,
      loss: LossTable.entry("sum")!.make(LossParameters([:], duration: 60)))
    let solver = ExactSolver(problem)
    let weights = Parameters<Double>(network)
    for (matrix, mean) in zip(weights.matrices, [2.5, -0.5, 0]) {
      matrix.values = matrix.values.map { _ in mean + random.normal() }
    }
    var train = SpikeTrain(
      times: (0..<110).map { Double($0) * 0.5 }, units: (0..<110).map { UInt16($0 * 7 % 5) })
    train.sort()
    let trial = solver.makeTrial()
    train.withView { solver.load($0, label: 0, into: trial) }
    solver.forward(trial, weights: weights, workspace: solver.makeWorkspace())
    let spikes = (0..<2).map { trial.spikes(ofLayer: $0) }
    #expect(trial.failure == nil && trial.inputSpikes.count == 110, "\(trial.failure ?? "")")
    var (traced, several) = (0, 0)
    for neuron in 0..<6 {
      func trace(_ spike: Int?) -> Trace {
        Trace(
          network, duration: 60, input: trial.inputSpikes, spikes: spikes,
          weights: weights.matrices.map { WeightRows($0) }, layer: 0, neuron: neuron, spike: spike)
      }
      let free = trace(nil)
      #expect(abs(free.sums.reduce(0, +) - free.reference.v) < 1e-9, "\(neuron)")
      for spike in free.spikes.indices {
        let own = trace(spike)
        #expect(abs(own.reference.v - 1) < 1e-8, "neuron \(neuron), spike \(spike)")
        traced += 1
        several += spike > 0 ? 1 : 0
      }
    }
    #expect(traced > 20 && several > 10, "\(traced) spikes, \(several) after a reset")
  }

  /// Without the hidden spike the output's goes too.
  @Test func whatGoesOnDownstream() {
    func spikes(_ times: [[Double]]) -> TrialSpikes {
      times.map { $0.map { LayerSpike(neuron: 0, time: $0, slope: 1) } }
    }
    let down = Trace.Downstream(
      hand.problem.network, before: spikes([[6.5, 20], [11]]), after: spikes([[21], []]),
      lossChange: 0.5, removed: (0, 0, 6.5), reach: 10)
    #expect(down.deleted == [0, 1] && down.created == [0, 0] && down.moved == [1, 0])
  }

  @Test func fatesOfSpikes() {
    func spikes(_ list: [(Int, Double)]) -> TrialSpikes {
      [list.map { LayerSpike(neuron: $0.0, time: $0.1, slope: 1) }, []]
    }
    let network = Network(
      inputs: 1,
      layers: [Layer(size: 3), Layer(size: 1, neuron: .li)])
    var event = SpikeEvent(kind: .created, trial: 4, layer: 0, neuron: 2, time: 30)
    event.lossChange = 0.25
    let picture = StepPicture(
      network, trial: 4, before: spikes([(0, 5), (1, 10), (1, 40)]),
      after: spikes([(0, 5), (1, 11), (2, 30)]), events: [event],
      atRisk: [SpikeAtRisk(trial: 4, layer: 0, neuron: 0, time: 5, margin: 0.1, change: -0.01)],
      margins: nil, reach: 10)
    #expect(picture.layers[0].map(\.fate) == [.kept, .moved(from: 10), .created, .deleted])
    #expect(picture.layers[0].map(\.time) == [5, 11, 30, 40])
    #expect(picture.layers[0].map(\.price) == [nil, nil, 0.25, nil])
    #expect(picture.layers[0].map(\.isAtRisk) == [true, false, false, false])
    #expect(picture.counts(layer: 0) == (1, 1, 1, 1))
  }

  // MARK: - One sentence

  func signs(_ rates: [Double], dead: Int = 0) -> VerdictSigns {
    var signs = VerdictSigns()
    signs.layers = [.init(name: "hidden1", size: 100, dead: dead, rates: rates)]
    signs.epochs = Array(1...max(rates.count, 1))
    (signs.duration, signs.rate) = (1000, 0.02)
    return signs
  }

  @Test func sentencesNameWhatIsWrong() throws {
    var starved = signs([15, 14, 3, 0.5, 0.02], dead: 64)
    (starved.lossKind, starved.isPlainIntegral, starved.inputEnd) = ("avg_xentropy", true, 550)
    let text = try #require(LaneVerdict.sentence(starved))
    #expect(
      text.hasPrefix("hidden1 starves: 0.02 spikes per neuron and trial after 15, 64 of 100"))
    #expect(text.contains("since epoch 4") && text.contains("450 ms after the last input"))
    #expect(text.contains("shorten the trial, or weight early (s)"))
    // Without a silent tail it is another matter.
    starved.inputEnd = 950
    #expect(LaneVerdict.sentence(starved)?.contains("a lower rate than 0.02") ?? false)

    var moved = signs([0.4], dead: 97)
    (moved.lossKind, moved.readsFirstSpikes) = ("first_spike", true)
    (moved.totals.deleted, moved.totals.created) = (40, 3)
    let late = try #require(LaneVerdict.sentence(moved))
    #expect(late.contains("97 of 100 dead") && late.contains("late until they are gone"))
    #expect(late.contains("40 deleted, 3 created"))

    var gradient = signs([15, 16])
    gradient.isPlainIntegral = true
    gradient.lossKind = "sum"
    gradient.layers[0].gradientByTenth = [0, 0, 0, 0, 0, 0, 0.25, 0.64, 0.09, 0.02]
    gradient.layers[0].spikesByTenth = [0, 0, 0.2, 0.2, 0.2, 0.14, 0.13, 0.13, 0, 0]
    let words = try #require(LaneVerdict.sentence(gradient))
    #expect(words.hasPrefix("75 % of hidden1's gradient comes from the last 300 ms, 13 % of its"))
    #expect(words.contains("weight early (s)"))
    gradient.layers[0].gradientByTenth[6] = 0.5
    #expect(LaneVerdict.sentence(gradient)?.contains("100 % of hidden1's") ?? false)
    gradient.isPlainIntegral = false
    #expect(LaneVerdict.sentence(gradient)?.contains("w(t)") ?? false)
  }

  @Test func sentencesAreSilentOnWhatLearns() {
    #expect(LaneVerdict.sentence(signs([1.5, 1.2, 0.9], dead: 61)) == nil)
    #expect(LaneVerdict.sentence(signs([15, 30, 40])) == nil)
    #expect(LaneVerdict.sentence(signs([])) == nil)
    // Damaged files may hold any number.
    var damaged = signs([1e30, 0], dead: .max)
    damaged.rate = .infinity
    #expect(LaneVerdict.sentence(damaged) != nil)
    var noisy = signs([1, 1])
    noisy.alarms = [Alarm(.deleting, lane: "a", "x"), Alarm(.opposed, lane: "a", "y")]
    #expect(LaneVerdict.sentence(noisy) == nil)
  }
}
