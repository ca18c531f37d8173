// SPDX-License-Identifier: MIT

import Experiments
import EventPropCore
import SpikeData

extension SolverLane {
  /// Runs one sample forward, for the eye: without any effect on training.
  func probe(_ data: SpikeDataSet, sample: Int, options: DataOptions?, points: Int) -> ProbeTrial {
    let (trial, train) = run(data, sample: sample, options: options)
    var picture = ProbeTrial()
    picture.label = data.labels[sample]
    picture.prediction = trial.prediction
    picture.fit = trial.fit
    picture.loss = trial.loss
    picture.inputTotal = train.count
    let every = max(1, train.count / 6000)
    picture.input = stride(from: 0, to: train.count, by: every).map {
      (Double(train.times[$0]), Int(train.units[$0]))
    }
    for (index, layer) in network.layers.enumerated() where layer.neuron.isSpiking {
      picture.layers.append(trial.spikes(ofLayer: index))
    }
    picture.voltages = outputVoltages(trial, train, points: points)
    if let targets = solver.problem.targets {
      picture.targets = (0..<targets.outputs).map { j in
        (0..<points).map {
          targets.value(
            label: picture.label, output: j, at: (Double($0) + 1) / Double(points))
        }
      }
    }
    let shaping = solver.problem.shaping
    picture.weight = (0..<points).map {
      shaping.weight(at: (Double($0) + 1) / Double(points))
    }
    return picture
  }

  /// Runs one sample forward on the lane's own trial for probes.
  func run(_ data: SpikeDataSet, sample: Int, options: DataOptions?) -> (
    trial: S.Trial, train: SpikeTrain
  ) {
    var train = data[sample]
    options?.delayLine.apply(
      to: &train, units: data.unitCount, duration: solver.problem.duration)
    train.withView { solver.load($0, label: data.labels[sample], into: probeTrial) }
    solver.forward(probeTrial, weights: weights, workspace: probeWorkspace)
    return (probeTrial, train)
  }

  /// V of the outputs at evenly spaced times, from the spikes that reach them.
  private func outputVoltages(_ trial: S.Trial, _ train: SpikeTrain, points: Int) -> [[Double]] {
    let last = network.layers.count - 1
    let output = network.with(weights).layers[last]
    let sent: [(time: Double, source: Int)] =
      last == 0
      ? zip(train.times, train.units).map { (Double($0), Int($1)) }
      : trial.spikes(ofLayer: last - 1).map { ($0.time, $0.neuron) }
    let arriving = arrivals(of: sent, delays: output.delays?.form)
    let own = output.neuron.isSpiking ? trial.spikes(ofLayer: last) : []
    let matrix = weights.matrices[weights.matrices.count - 1].doubles
    var v = Array(repeating: 0.0, count: output.size)
    var i = v
    var now = 0.0
    var (next, nextOwn) = (0, 0)
    var curves = Array(repeating: [Double](), count: output.size)
    func advance(to time: Double) {
      guard time > now else { return }
      let (gap, isUniform) = (time - now, output.isUniform)
      var decay = Decay(over: gap, tauMem: output.tauMem[0], tauSyn: output.tauSyn[0])
      for j in v.indices {
        if !isUniform {
          decay = Decay(over: gap, tauMem: output.tauMem[j], tauSyn: output.tauSyn[j])
        }
        v[j] = decay.a * v[j] + decay.rise * i[j]
        i[j] *= decay.b
      }
      now = time
    }
    for point in 0..<points {
      let time = (Double(point) + 1) / Double(points) * solver.problem.duration
      while true {
        let arrival = next < arriving.count ? arriving[next].time : .infinity
        let reset = nextOwn < own.count ? own[nextOwn].time : .infinity
        if min(arrival, reset) > time { break }
        if reset <= arrival {
          advance(to: reset)
          let j = own[nextOwn].neuron
          v[j] = output.afterSpike(v[j], neuron: j)
          nextOwn += 1
        } else {
          advance(to: arrival)
          let row = arriving[next].source * output.size
          if let only = arriving[next].output {
            i[only] += matrix[row + only]
          } else {
            for j in i.indices { i[j] += matrix[row + j] }
          }
          next += 1
        }
      }
      advance(to: time)
      for j in v.indices { curves[j].append(v[j]) }
    }
    return curves
  }

  /// Spikes as they arrive at the outputs, in order of time: at all of them, or with delays at one
  /// after the other.
  private func arrivals(
    of sent: [(time: Double, source: Int)], delays form: Delays.Form?
  ) -> [(time: Double, source: Int, output: Int?)] {
    let last = network.projections.count - 1
    guard let form, let delays = weights.delays(ofProjection: last) else {
      return sent.map { ($0.time, $0.source, nil) }
    }
    let values = delays.doubles
    var all: [(time: Double, source: Int, output: Int?)] = []
    for (time, source) in sent {
      for j in 0..<network.output.size {
        let place =
          switch form {
          case .synaptic: source * delays.columns + j
          case .axonal: source
          case .dendritic: j
          }
        // On the grid delays are whole steps.
        let step = solver.problem.step
        let delay =
          options.solver == .grid ? (values[place] / step).rounded() * step : values[place]
        all.append((time + delay, source, j))
      }
    }
    return all.sorted { $0.time < $1.time }
  }
}

/// One probe sample run forward through a lane.
public struct ProbeTrial: Sendable {
  /// Class of the sample, or the number of its target series.
  public var label = 0
  /// Predicted class; -1 for none.
  public var prediction = -1
  /// Of this sample alone.
  public var loss = 0.0
  /// Input spikes; of dense trains an even selection (`inputTotal` counts all).
  public var input: [(time: Double, unit: Int)] = []
  /// Input spikes of the sample, copies by the delay line included.
  public var inputTotal = 0
  /// Per LIF layer, the output included when it spikes.
  public var layers: [[LayerSpike]] = []
  /// Per output: V at `voltageTimes` evenly spaced times over the trial.
  public var voltages: [[Double]] = []
  /// Per output: what it is to follow, at the same times; empty where labels are classes.
  public var targets: [[Double]] = []
  /// How well it does; nil where labels are classes.
  public var fit: Fit?
  /// w(t) at the same times.
  public var weight: [Double] = []

  /// Of no sample.
  public init() {}
}
