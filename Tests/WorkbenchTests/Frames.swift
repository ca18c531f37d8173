// SPDX-License-Identifier: MIT

@testable import Experiments
@testable import Live
@testable import Training
@testable import Diagnosis
@testable import EventPropCore
import Foundation

@testable import Workbench

/// A snapshot made by hand, the same on every machine.
func sampleSnapshot(lanes: Int = 2) -> Snapshot {
  var snapshot = Snapshot()
  snapshot.serial = 1
  snapshot.presetName = "sample"
  snapshot.runPath = "runs/sample-1"
  snapshot.epoch = 12
  snapshot.epochs = 50
  snapshot.batch = 3
  snapshot.batches = 10
  snapshot.samplesPerSecond = 38_200
  snapshot.secondsLeft = 41
  snapshot.duration = 30
  snapshot.classNames = ["yin", "yang", "dot"]
  snapshot.inputs = 5
  snapshot.probe = 3
  snapshot.probeSamples = 8
  snapshot.probes = 100
  snapshot.resolvedPreset = "name = \"sample\"\n\n[training]\nepochs = 50"
  snapshot.marks = [
    CommandMark(position: 6, epoch: 6, batch: 0, lane: "lane-0", text: "rate 0.001")
  ]
  snapshot.lanes = (0..<lanes).map { sampleLane($0) }
  return snapshot
}

/// The same with three seeds: lane B is better by 1, 2 and 3 points, and worse at the beginning.
func seededSnapshot() -> Snapshot {
  var snapshot = sampleSnapshot()
  snapshot.seeds = [1, 2, 3]
  for index in snapshot.lanes.indices {
    snapshot.lanes[index].seeds = snapshot.seeds.map { seed in
      var own = SeedCurves(seed: seed)
      let gain = Double(index * seed) / 100
      for batch in 1...120 {
        let x = Double(batch) / 10
        own.curves.loss.append(x: x, 1.1 * exp(-x / 4) + 0.1 * Double(seed) - gain)
        if batch % 10 == 0 {
          own.curves.testAccuracy.append(
            x: x, 0.9 - 0.6 * exp(-x / 3) + 0.01 * Double(seed) + gain * (x - 6) / 6)
        }
      }
      own.tests = Dictionary(
        uniqueKeysWithValues: zip(
          own.curves.testAccuracy.xs.map { Int($0) }, own.curves.testAccuracy.ys))
      return own
    }
  }
  return snapshot
}

private func sampleLane(_ index: Int) -> LaneSnapshot {
  var lane = LaneSnapshot()
  lane.name = "lane-\(index)"
  lane.identity = index
  lane.letter = Trainer.letter(index)
  lane.description = index == 2 ? "max" : index == 0 ? "sum · exponential" : "sum · plain"
  if index == 1 {
    lane.past = [LossPeriod(description: "avg_xentropy · plain", epoch: 4, batch: 5, end: 4.5)]
  }
  lane.lossKind = index == 2 ? "max" : "sum"
  lane.isShaped = index != 2
  lane.shaping = index == 0 ? .exponential(scale: 1) : .none
  lane.rate = 1e-3
  lane.baseRate = 2e-3
  lane.trainLoss = 0.412 + 0.05 * Double(index)
  lane.trainAccuracy = 0.94
  lane.testAccuracy = 0.931 - 0.03 * Double(index)
  lane.layers = [
    LayerActivity(size: 20, mean: 1.84, spread: 0.91, silent: 3, dead: index == 1 ? 9 : 1)
  ]
  lane.flow = [
    ProjectionFlow(name: "input-hidden1", norm: 3.2e-3),
    ProjectionFlow(name: "hidden1-output", norm: 1.1e-2),
  ]
  lane.curves.spikes = [BoundedSeries()]
  lane.curves.norms = [BoundedSeries(), BoundedSeries()]
  for batch in 1...120 {
    let x = Double(batch) / 10
    lane.curves.loss.append(x: x, 1.1 * exp(-x / 4) + 0.1)
    lane.curves.spikes[0].append(x: x, 1 + x / 12)
    lane.curves.norms[0].append(x: x, pow(10, -2 - x / 12))
    lane.curves.norms[1].append(x: x, 1e-2)
    if batch % 10 == 0 { lane.curves.testAccuracy.append(x: x, 1 - 0.6 * exp(-x / 3)) }
  }
  let cells = (0..<800).map { (k: Int) -> Float in
    let wave = sin(Double(k) / 9)
    return Float(wave * Double(k % 40) / 40)
  }
  let norms = (0..<40).map { Float($0) }
  lane.errors = [
    ErrorMap(
      layer: "hidden1", rows: 20, columns: 40, shaped: cells, plain: cells.map { -$0 / 3 },
      shapedNorm: norms.reversed(), plainNorm: norms)
  ]
  lane.labels = (0..<90).map { $0 % 3 }
  lane.predictions = (0..<90).map { $0 % 7 == 0 ? -1 : $0 % 11 == 0 ? 0 : $0 % 3 }
  lane.trial.label = 1
  lane.trial.prediction = index == 1 ? 2 : 1
  lane.trial.input = (0..<5).map { (time: Double($0) * 5, unit: $0) }
  lane.trial.inputTotal = 5
  let spikes = (0..<12).map { k in
    LayerSpike(neuron: k * 7 % 20, time: 4 + 1.5 * Double(k), slope: 1)
  }
  lane.trial.layers = [spikes]
  for j in 0..<3 {
    lane.trial.voltages.append((0..<60).map { Double(j - 1) * sin(Double($0) / 20) })
  }
  lane.addDiagnosis(index)
  let shaping = lane.shaping
  lane.trial.weight = (0..<60).map { shaping.weight(at: Double($0) / 60) }
  return lane
}

extension LaneSnapshot {
  fileprivate mutating func addDiagnosis(_ index: Int) {
    var ledger = Ledger()
    (ledger.epoch, ledger.batch) = (11, 2)
    (ledger.lossBefore, ledger.lossAfter, ledger.predicted) = (0.5, 0.503, -2e-3)
    var change = LayerChange(layer: "hidden1")
    (change.created, change.deleted, change.moved, change.unchanged) = (1, 2 + index, 140, 1031)
    change.meanShift = 0.021
    ledger.layers = [change]
    ledger.events = (0..<(3 + index)).map { k in
      SpikeEvent(
        kind: k == 1 ? .created : .deleted, trial: k, layer: 0, neuron: 7 * k,
        time: 11.5 + Double(k),
        lossChange: k < 3 ? 1e-3 / Double(k + 1) : nil)
    }
    ledger.priced = 3
    ledger.byCreationAndDeletion = 1.8e-3
    self.ledger = ledger
    for _ in 0..<5 { totals.add(ledger) }
    atRisk = [
      SpikeAtRisk(trial: 1, layer: 0, neuron: 12, time: 14.5, margin: 0.03, change: -0.005)
    ]
    detail.margins = [
      MarginHistogram(layer: "hidden1", counts: (0..<40).map { ($0 * 13) % 29 * 4 }, range: 1)
    ]
    var report = SilenceReport()
    report.neurons = [
      SilentNeuron(layer: 0, neuron: 3, reason: .noInput),
      SilentNeuron(layer: 0, neuron: 9, reason: .belowThreshold(by: 0.21), lift: 0.034),
      SilentNeuron(layer: 0, neuron: 11, reason: .inhibited(by: 1.7), lift: 0.41),
      SilentNeuron(layer: 0, neuron: 17, reason: .noGradient),
    ]
    detail.silence = report
    deadSince = [(0..<20).map { $0 == 9 ? 8 : nil }]
    var flow = GradientFlow()
    flow.layers = ["hidden1", "output"]
    flow.norms = [(1...10).map { 1e-3 / Double($0) }, (1...10).map { Double($0) * 1e-2 }]
    detail.gradientFlow = flow
    flow.norms[0].reverse()
    detail.plainFlow = flow
    var comparison = GradientComparison()
    comparison.rows = [
      GradientComparison.Row(
        projection: "input-hidden1", exactNorm: 2e-3, trainingNorm: 9.2e-4, cosine: 0.88),
      GradientComparison.Row(
        projection: "hidden1-output", exactNorm: 0.1, trainingNorm: 0.099, cosine: 0.02),
    ]
    (comparison.exactSpikes, comparison.trainingSpikes) = (1000, 990)
    (comparison.onlyExact, comparison.onlyTraining) = (20, 10)
    activity = (1...12).map { epoch in
      EpochActivity(
        epoch: epoch,
        layers: [
          LayerEpoch(
            rates: (0..<20).map { $0 == 9 && epoch >= 8 ? 0 : Float($0 % 5 + 1) * 0.4 },
            gradientByTenth: (1...10).map { 1e-3 * Double($0 * epoch) },
            spikesByTenth: (1...10).map { _ in 0.1 })
        ])
    }
    detail.weights = [
      WeightStatistics(
        name: "input-hidden1", now: (0..<200).map { Double($0 % 17) * 0.1 },
        start: (0..<200).map { Double($0 % 11) * 0.1 }, updateRatio: 2e-4),
      WeightStatistics(
        name: "hidden1-output", now: (0..<60).map { Double($0 % 7) * -0.1 },
        start: (0..<60).map { Double($0 % 5) * 0.1 }, updateRatio: nil),
    ]
    var slice = Slice()
    slice.points = (0...30).map { k in
      let a = Double(k) / 10
      return Slice.Point(a: a, loss: 0.4 - 0.01 * a + (a > 1.2 ? 0.02 : 0))
    }
    slice.events = [
      Slice.Event(
        a: 1.214, precision: 1e-6, kind: .deleted, trial: 1, layer: 0, neuron: 5, time: 14.2),
      Slice.Event(
        a: 2.05, precision: 0.05, kind: .created, trial: 2, layer: 0, neuron: 9, time: 3.25),
    ]
    (slice.slope, slice.radius, slice.progress) = (-0.01, 1.214, 1)
    slice.matrices = [
      ("input-hidden1", (0...15).map { Slice.Point(a: Double($0) / 5, loss: 0.4) }),
      (
        "hidden1-output",
        (0...15).map { Slice.Point(a: Double($0) / 5, loss: 0.4 - 0.002 * Double($0)) }
      ),
    ]
    detail.slice = slice
    detail.trace = sampleTrace
    detail.doctor = InitFinding(number: 1, position: 12.3, asked: nil, report: sampleReport())
    detail.step = sampleStep
    if index == 0 { (detail.comparison, detail.comparedAt) = (comparison, 11.4) }
    if index == 1 { alarms = [Alarm(.deleting, lane: name, "3 epochs with more deleted")] }
  }
}

/// Two hidden layers, the first too quiet and heard late, the second driving itself; a number of
/// spikes for each neuron by its index.
func sampleReport(rate: Double = 0.3) -> InitReport {
  let network = Network(
    inputs: 5,
    layers: [Layer(size: 20), Layer(size: 10, isRecurrent: true), Layer(size: 3, neuron: .li)])
  let weights = network.projections.map { projection in
    let sizes = [5] + network.layers.map(\.size)
    let matrix = Matrix<Double>(rows: sizes[projection.source], columns: sizes[projection.target])
    matrix.values = matrix.values.indices.map {
      (projection.source == 2 ? 1 : 0.1) * Double($0 % 7)
    }
    return WeightRows(matrix)
  }
  let counts = [
    Array(repeating: 32, count: 5), (0..<20).map { $0 % 3 == 0 ? 0 : Int(rate * 48) },
    (0..<10).map { 20 + $0 }, [],
  ]
  var report = InitReport(
    samples: 32, duration: 30, target: 1,
    layers: (0..<3).map {
      LayerStart(
        network, layer: $0, duration: 30, steps: 60, trials: 32, counts: counts, weights: weights)
    },
    terms: LossTerms(
      loss: "sum", readsSpikes: false, liftsOutputs: false, epsilon: 1e-8, initial: nil))
  for (index, gradient) in [2e-6, 4e-4, 1.2e-2].enumerated() {
    report.layers[index].gradient = gradient
  }
  report.layers[1].recurrentGradient = 3e-4
  report.layers[0].timing = GradientTiming(
    late: 0.81, lateSpikes: 0.2, shaped: .init(scale: 1, late: 0.2, gain: 12))
  report.layers[1].timing = GradientTiming(late: 0.31, lateSpikes: 0.25)
  report.mute = 2
  let rates = report.layers[0].rates
  if let complaint = rates?.complaint(target: 1) {
    report.remedies = [
      Remedy(
        layer: 0, before: rates, complaint: complaint, change: .scale(1.43),
        after: SpikeRates(
          counts: Array(repeating: 32, count: 20), trials: 32, steps: 60))
    ]
  }
  return report
}

/// The first neuron of hidden1, silent, with one spike arriving.
private let sampleTrace: Trace = {
  var trace = Trace(
    Network(
      inputs: 1,
      layers: [Layer(size: 20), Layer(size: 3, neuron: .li)]), duration: 30,
    input: [LayerSpike(neuron: 0, time: 4, slope: 0)], spikes: [[], []],
    weights: [
      WeightRows(Matrix<Double>(rows: 1, columns: 20)),
      WeightRows(Matrix<Double>(rows: 20, columns: 3)),
    ],
    layer: 0, neuron: 0)
  trace.points = (0...60).map { Trace.Point(time: Double($0) / 2, v: 0.7 * sin(Double($0) / 20)) }
  trace.ghost = (0...40).map { Trace.Point(time: Double($0) / 2, v: sin(Double($0) / 20)) }
  trace.reference = Trace.Point(time: 15.5, v: 0.7)
  trace.distance = 0.3
  trace.lift = 0.034
  trace.arrivals = 3
  trace.sums = [0.9, -0.2, 0]
  trace.shares = [
    Trace.Share(source: 0, neuron: 1, time: 4, weight: 1.4, value: 0.9),
    Trace.Share(source: 1, neuron: 7, time: 9.5, weight: -0.4, value: -0.2),
  ]
  return trace
}()

private let sampleStep: StepPicture = {
  func spikes(_ list: [(Int, Double)]) -> TrialSpikes {
    [list.map { LayerSpike(neuron: $0.0, time: $0.1, slope: 1) }, []]
  }
  return StepPicture(
    Network(inputs: 1, layers: [Layer(size: 20), Layer(size: 3, neuron: .li)]), trial: 0,
    before: spikes([(0, 5), (3, 7), (4, 8), (7, 12), (9, 21)]),
    after: spikes([(0, 5), (3, 7.5), (4, 7.2), (7, 12), (12, 25)]), events: [],
    atRisk: [SpikeAtRisk(trial: 0, layer: 0, neuron: 7, time: 12, margin: 0.03, change: -0.005)],
    margins: nil, reach: 4)
}()
