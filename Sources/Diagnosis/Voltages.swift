// SPDX-License-Identifier: MIT

import EventPropCore

extension Network {
  /// Whether the voltages of a layer can be walked through (`VoltageWalk`): those of neurons that
  /// adapt, and of such that spikes reach with delays, are not so far.
  public func isWalked(layer: Int) -> Bool {
    let layer = layers[layer]
    return layer.neuron != .alif && layer.delays == nil && layer.loopDelays == nil
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
  /// Per event: what it adds to I, `events x size`.
  let jumps: [Double]
  /// Per event: how many spikes it is made of.
  let arrivals: [Int]
  let layer: Layer
  let duration: Double
  /// Decay up to each event, and from the last one to T.
  let gaps: GapDecays

  /// - Parameters:
  ///   - arriving: spikes and the weights (row of the spike's neuron) that they arrive with.
  init(_ layer: Layer, duration: Double, _ arriving: [(spikes: [LayerSpike], weights: WeightRows)])
  {
    self.layer = layer
    self.duration = duration
    var all: [(time: Double, source: Int, neuron: Int)] = []
    for (source, part) in arriving.enumerated() {
      all += part.spikes.map { ($0.time, source, $0.neuron) }
    }
    all.sort { ($0.time, $0.source, $0.neuron) < ($1.time, $1.source, $1.neuron) }
    var times: [Double] = []
    for spike in all where times.last != spike.time { times.append(spike.time) }
    var jumps = Array(repeating: 0.0, count: times.count * layer.size)
    var arrivals = Array(repeating: 0, count: times.count)
    var event = -1
    jumps.withUnsafeMutableBufferPointer { jumps in
      for spike in all {
        if event < 0 || times[event] != spike.time { event += 1 }
        arrivals[event] += 1
        let rows = arriving[spike.source].weights
        for j in 0..<layer.size { jumps[event * layer.size + j] += rows[spike.neuron, j] }
      }
    }
    self.times = times
    self.jumps = jumps
    self.arrivals = arrivals
    gaps = GapDecays(
      layer, gaps: zip([0] + times, times + [duration]).map { max(0, $1 - $0) })
  }

  /// One stretch without events of one neuron: V and I at its start, and how long it lasts.
  struct Stretch {
    var start: Double
    var length: Double
    var v: Double
    var i: Double
    var tauMem: Double
    var tauSyn: Double

    func voltage(after s: Double) -> Double {
      let decay = Decay(over: s, tauMem: tauMem, tauSyn: tauSyn)
      return decay.a * v + decay.rise * i
    }

    /// The highest V in the stretch and when, ms after its start.
    var highest: (v: Double, after: Double) {
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
  }

  /// Walks one neuron through the trial; it is reset at its own spikes.
  /// - Parameter body: called for every stretch, in order.
  func forEachStretch(of neuron: Int, resets: [Double], _ body: (Stretch) -> Void) {
    var stretch = Stretch(
      start: 0, length: 0, v: 0, i: 0, tauMem: layer.tauMem[neuron],
      tauSyn: layer.tauSyn[neuron])
    var next = 0
    func go(to time: Double) {
      stretch.length = time - stretch.start
      if stretch.length > 0 {
        body(stretch)
        let decay = Decay(
          over: stretch.length, tauMem: stretch.tauMem, tauSyn: stretch.tauSyn)
        stretch.v = decay.a * stretch.v + decay.rise * stretch.i
        stretch.i *= decay.b
      }
      stretch.start = time
    }
    func reset() {
      go(to: resets[next])
      stretch.v =
        layer.lateness.map { layer.afterSpike(stretch.v, neuron: neuron, lateness: $0) } ?? 0
      next += 1
    }
    for (event, time) in times.enumerated() {
      while next < resets.count, resets[next] <= time { reset() }
      go(to: time)
      stretch.i += jumps[event * layer.size + neuron]
    }
    while next < resets.count { reset() }
    go(to: duration)
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
