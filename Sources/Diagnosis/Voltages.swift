// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation

extension Network {
  /// Whether spikes reach the neurons of a layer at times of their own.
  func isDelayed(layer: Int) -> Bool {
    layers[layer].delays != nil || layers[layer].loopDelays != nil
  }
}

/// The delays of a network at one moment, as a solver takes them.
public struct SpikeDelays: Sendable {
  private struct Table: Sendable {
    var form: Delays.Form
    var columns: Int
    var values: [Double]
  }

  /// By projection.
  private var tables: [Int: Table] = [:]

  /// None at all.
  public init() {}

  /// A copy.
  /// - Parameter step: that of the grid, to whole ones of which it rounds; nil: none.
  public init<Scalar: NetworkScalar>(_ parameters: Parameters<Scalar>, step: Double?) {
    for (index, projection) in parameters.network.projections.enumerated() {
      guard let delays = parameters.network.delays(of: projection),
        let matrix = parameters.delays(ofProjection: index)
      else { continue }
      let values = matrix.doubles.map { value in step.map { (value / $0).rounded() * $0 } ?? value }
      tables[index] = Table(form: delays.form, columns: matrix.columns, values: values)
    }
  }

  /// From source i to target j of a projection, ms.
  func delay(_ projection: Int, _ i: Int, _ j: Int) -> Double {
    guard let table = tables[projection] else { return 0 }
    switch table.form {
    case .synaptic: return table.values[i * table.columns + j]
    case .axonal: return table.values[i]
    case .dendritic: return table.values[j]
    }
  }
}

/// Carries the membrane of one layer through a trial whose spikes are known, from event to event,
/// without thresholds.
///
/// Spikes that arrive at the same instant are one event. Between events the dynamics are exact, so
/// that maxima are found wherever they lie.
struct VoltageWalk {
  /// Time of each event, ms, ascending; after the last one the walk goes on to T.
  let times: [Double]
  /// Per event: what it adds to I, `events x size`; of a walk of one neuron `events`.
  private let jumps: [Double]
  /// The only neuron that it is of; nil: it is of all.
  private let only: Int?
  /// Per event: how many spikes it is made of.
  let arrivals: [Int]
  let layer: Layer
  let duration: Double
  /// Decay up to each event, and from the last one to T.
  private let gaps: GapDecays

  /// - Parameters:
  ///   - arriving: spikes, the weights (row of the spike's neuron) that they arrive with, and the
  ///     projection by which they do.
  ///   - only: the one neuron that it is of, where spikes reach each at its own times; nil: all.
  init(
    _ layer: Layer, duration: Double,
    _ arriving: [(spikes: [LayerSpike], weights: WeightRows, projection: Int)],
    delays: SpikeDelays, only: Int? = nil
  ) {
    self.layer = layer
    self.duration = duration
    self.only = only
    var all: [(time: Double, source: Int, neuron: Int)] = []
    for (source, part) in arriving.enumerated() {
      for spike in part.spikes {
        let delay = only.map { delays.delay(part.projection, spike.neuron, $0) } ?? 0
        if delay > 0 && spike.time + delay >= duration { continue }
        all.append((spike.time + delay, source, spike.neuron))
      }
    }
    all.sort { ($0.time, $0.source, $0.neuron) < ($1.time, $1.source, $1.neuron) }
    var times: [Double] = []
    for spike in all where times.last != spike.time { times.append(spike.time) }
    let columns = only == nil ? 0..<layer.size : only!..<(only! + 1)
    var jumps = Array(repeating: 0.0, count: times.count * columns.count)
    var arrivals = Array(repeating: 0, count: times.count)
    var event = -1
    jumps.withUnsafeMutableBufferPointer { jumps in
      for spike in all {
        if event < 0 || times[event] != spike.time { event += 1 }
        arrivals[event] += 1
        let rows = arriving[spike.source].weights
        for (place, j) in columns.enumerated() {
          jumps[event * columns.count + place] += rows[spike.neuron, j]
        }
      }
    }
    self.times = times
    self.jumps = jumps
    self.arrivals = arrivals
    gaps = GapDecays(
      only.map { layer.neuron(alone: $0) } ?? layer,
      gaps: zip([0] + times, times + [duration]).map { max(0, $1 - $0) })
  }

  /// What an event adds to I of a neuron.
  func jump(_ event: Int, _ neuron: Int) -> Double {
    only == nil ? jumps[event * layer.size + neuron] : jumps[event]
  }

  /// The dynamics up to an event, of a neuron.
  func decay(_ event: Int, _ neuron: Int) -> Decay {
    gaps.decay(event, only == nil ? neuron : 0)
  }

  /// One stretch without events of one neuron: V and I at its start, and how long it lasts.
  struct Stretch {
    var start: Double
    var length: Double
    var v: Double
    var i: Double
    var tauMem: Double
    var tauSyn: Double
    /// beta a at its start, by which the threshold is raised, and the time constant with which that
    /// falls; 0 where neurons do not adapt.
    var raised = 0.0
    var tauAdapt = 1.0

    func voltage(after s: Double) -> Double {
      let decay = Decay(over: s, tauMem: tauMem, tauSyn: tauSyn)
      return decay.a * v + decay.rise * i
    }

    /// What the threshold is raised by then.
    func raised(after s: Double) -> Double { raised == 0 ? 0 : raised * exp(-s / tauAdapt) }

    /// V less what the threshold is raised by: what is held against the threshold at rest.
    func excess(after s: Double) -> Double { voltage(after: s) - raised(after: s) }

    /// Its derivative, 1/ms.
    func slope(after s: Double) -> Double {
      let decay = Decay(over: s, tauMem: tauMem, tauSyn: tauSyn)
      let (v, i) = (decay.a * v + decay.rise * i, decay.b * i)
      return (i - v) / tauMem + raised(after: s) / tauAdapt
    }

    /// The highest `excess` in the stretch and when, ms after its start.
    var highest: (v: Double, after: Double) {
      if raised != 0 { return highestOfThree }
      let end = voltage(after: length)
      var best = v >= end ? (v: v, after: 0.0) : (v: end, after: length)
      if i > v && i > 0 {
        let top = Decay.peakTime(v: v, i: i, tauMem: tauMem, tauSyn: tauSyn)
        if top > 0 && top < length {
          let value = voltage(after: top)
          if value > best.v { best = (value, top) }
        }
      }
      return best
    }

    /// The same where three exponentials make it up: times exp(s/tau_a), the slope has a derivative
    /// of two, with one zero at most; between such places the slope has one zero at most.
    private var highestOfThree: (v: Double, after: Double) {
      func bend(_ s: Double) -> Double {
        let decay = Decay(over: s, tauMem: tauMem, tauSyn: tauSyn)
        let (v, i) = (decay.a * v + decay.rise * i, decay.b * i)
        return (-i / tauSyn - (i - v) / tauMem) / tauMem + (i - v) / (tauMem * tauAdapt)
      }
      func zero(_ f: (Double) -> Double, _ from: Double, _ to: Double) -> Double? {
        let sign = f(from) > 0
        guard sign != (f(to) > 0) else { return nil }
        var (low, high) = (from, to)
        for _ in 0..<60 {
          let middle = (low + high) / 2
          if (f(middle) > 0) == sign { low = middle } else { high = middle }
        }
        return low
      }
      let places = [0, zero(bend, 0, length), length].compactMap { $0 }
      var tops = [0, length]
      for (from, to) in zip(places, places.dropFirst()) {
        if let top = zero(slope, from, to) { tops.append(top) }
      }
      return tops.map { (v: excess(after: $0), after: $0) }.max { $0.v < $1.v } ?? (v, 0)
    }
  }

  /// At the start of a neuron's trial.
  func rest(of neuron: Int) -> Stretch {
    var stretch = Stretch(
      start: 0, length: 0, v: 0, i: 0, tauMem: layer.tauMem[neuron],
      tauSyn: layer.tauSyn[neuron])
    if layer.neuron.adapts { stretch.tauAdapt = layer[.tauAdapt][neuron] }
    return stretch
  }

  /// What a spike raises the threshold of a neuron by.
  func adaptation(of neuron: Int) -> Double {
    layer.neuron.adapts ? layer[.adaptation][neuron] : 0
  }

  /// Walks one neuron through the trial; it is reset at its own spikes.
  /// - Parameter body: called for every stretch, in order.
  func forEachStretch(of neuron: Int, resets: [Double], _ body: (Stretch) -> Void) {
    var stretch = rest(of: neuron)
    let adaptation = adaptation(of: neuron)
    var next = 0
    func go(to time: Double) {
      stretch.length = time - stretch.start
      if stretch.length > 0 {
        body(stretch)
        let decay = Decay(
          over: stretch.length, tauMem: stretch.tauMem, tauSyn: stretch.tauSyn)
        stretch.v = decay.a * stretch.v + decay.rise * stretch.i
        stretch.i *= decay.b
        stretch.raised = stretch.raised(after: stretch.length)
      }
      stretch.start = time
    }
    func reset() {
      go(to: resets[next])
      stretch.v = layer.afterSpike(stretch.v, neuron: neuron)
      stretch.raised += adaptation
      next += 1
    }
    for (event, time) in times.enumerated() {
      while next < resets.count, resets[next] <= time { reset() }
      go(to: time)
      stretch.i += jump(event, neuron)
    }
    while next < resets.count { reset() }
    go(to: duration)
  }
}

extension Layer {
  /// A layer of one of its neurons.
  fileprivate func neuron(alone index: Int) -> Layer {
    Layer(size: 1, neuron: neuron, tauMem: tauMem[index], tauSyn: tauSyn[index])
  }
}

/// Read access to a weight matrix in Double, whatever its own precision.
public struct WeightRows {
  private let values: [Double]
  private let columns: Int

  /// A copy, as the matrix is at the moment.
  public init<Scalar: NetworkScalar>(_ matrix: Matrix<Scalar>) {
    (values, columns) = (matrix.doubles, matrix.columns)
  }

  subscript(row: Int, column: Int) -> Double { values[row * columns + column] }
}
