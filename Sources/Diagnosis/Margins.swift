// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation

/// How far spikes are from being deleted, and silent stretches from a spike, in units of V.
public struct Margins: Sendable, Equatable {
  /// Per LIF layer.
  public var layers: [LayerMargins] = []

  /// No layers: nothing looked at.
  public init() {}
}

/// One LIF layer, over all probe trials.
public struct LayerMargins: Sendable, Equatable {
  /// `hidden1`, ...
  public var layer: String
  /// Every spike, in order of trial, neuron and time.
  public var spikes: [SpikeMargin] = []
  /// Per silent stretch, threshold - max V: above 0. A stretch is the time between two spikes of a
  /// neuron, before the first or after the last one. Where it ends with a spike, only maxima that V
  /// fell from count, and a stretch that rises all the way has none.
  public var silent: [Double] = []

  /// Counts per bin over -range...range: spikes by their margin on the right of 0, silent stretches
  /// on the left; what lies beyond is in the outermost bins.
  public func histogram(bins: Int, range: Double) -> [Int] {
    var counts = Array(repeating: 0, count: bins)
    func add(_ x: Double) {
      guard !x.isNaN else { return }
      let share = min(max((x + range) / (2 * range), 0), 1)
      counts[min(Int(share * Double(bins)), bins - 1)] += 1
    }
    for spike in spikes { add(max(spike.margin, 0)) }
    for distance in silent { add(-max(distance, range * 1e-9)) }
    return counts
  }
}

/// How far V would have risen above threshold had the neuron not been reset: the maximum until that
/// V falls below threshold, the neuron's next spike, or T.
public struct SpikeMargin: Sendable, Equatable {
  /// Number of the probe trial.
  public var trial: Int
  /// Index in its layer.
  public var neuron: Int
  /// ms.
  public var time: Double
  /// In units of V; 0: V just reaches threshold.
  public var margin: Double
}

extension Margins {
  /// - Parameters:
  ///   - inputs: per trial, the input spikes as the solver used them.
  ///   - trials: per trial and layer, the spikes of the forward pass.
  ///   - weights: per projection of the network; delays as the solver takes them.
  public init(
    _ network: Network, duration: Double, inputs: [[LayerSpike]], trials: [TrialSpikes],
    weights: [WeightRows], delays: SpikeDelays = SpikeDelays()
  ) {
    for (index, layer) in network.layers.enumerated() where layer.neuron.isSpiking {
      var found = LayerMargins(layer: network.name(ofPopulation: index + 1))
      for trial in trials.indices {
        func walk(_ only: Int?) -> VoltageWalk {
          VoltageWalk(
            network, layer: index, duration: duration, input: inputs[trial],
            spikes: trials[trial], weights: weights, delays: delays, only: only)
        }
        let common = network.isDelayed(layer: index) ? nil : walk(nil)
        let times = timesByNeuron(trials[trial][index], size: layer.size)
        for neuron in 0..<layer.size {
          let (spikes, silent) = margins(
            of: neuron, common ?? walk(neuron), times[neuron])
          found.spikes += zip(times[neuron], spikes).map {
            SpikeMargin(trial: trial, neuron: neuron, time: $0, margin: $1)
          }
          found.silent += silent
        }
      }
      layers.append(found)
    }

    func margins(of neuron: Int, _ walk: VoltageWalk, _ times: [Double]) -> ([Double], [Double]) {
      let theta = walk.layer.threshold[neuron]
      var spikes = Array(repeating: 0.0, count: times.count)
      var silent: [Double] = []
      let adaptation = walk.adaptation(of: neuron)
      // The spike whose V without reset is still above threshold, that V's excess over V at the
      // stretch's start, and by how much lower the threshold were without the spike.
      var open: (spike: Int, excess: Double, lower: Double)?
      var next = 0
      var fallen: Double?
      var wasRising = false
      var highest = -Double.infinity
      var before = 0.0
      var beforeRaised = 0.0
      walk.forEachStretch(of: neuron, resets: times) { stretch in
        if next < times.count, stretch.start >= times[next] {
          // The stretch begins with a reset: V without it goes on from `before`.
          if let fallen { silent.append(theta - fallen) }
          open = (next, before + beforeRaised - stretch.v, adaptation)
          spikes[next] = before - theta
          next += 1
          fallen = nil
          wasRising = false
          highest = -Double.infinity
        }
        let end = stretch.excess(after: stretch.length)
        if let (spike, excess, lower) = open {
          var free = stretch
          free.v += excess
          free.raised -= lower
          spikes[spike] = max(spikes[spike], free.highest.v - theta)
          let decay = Decay(
            over: stretch.length, tauMem: stretch.tauMem, tauSyn: stretch.tauSyn)
          let left = lower == 0 ? 0 : lower * exp(-stretch.length / stretch.tauAdapt)
          open =
            end + excess * decay.a + left < theta ? nil : (spike, excess * decay.a, left)
        }
        let start = stretch.v - stretch.raised
        let isRising = stretch.slope(after: 0) > 0
        if wasRising && !isRising { fallen = max(fallen ?? start, start) }
        let top = stretch.highest
        highest = max(highest, top.v)
        if top.after > 0 && top.after < stretch.length { fallen = max(fallen ?? top.v, top.v) }
        wasRising = stretch.slope(after: stretch.length) > 0
        before = end
        beforeRaised = stretch.raised(after: stretch.length)
      }
      if next < times.count {
        // A spike at T itself: no stretch follows.
        if let fallen { silent.append(theta - fallen) }
        spikes[next] = before - theta
        return (spikes, silent)
      }
      if highest > -.infinity { silent.append(theta - highest) }
      return (spikes, silent)
    }
  }
}

extension VoltageWalk {
  /// A layer of a network in a trial whose spikes are known.
  init(
    _ network: Network, layer index: Int, duration: Double, input: [LayerSpike],
    spikes: TrialSpikes, weights: [WeightRows], delays: SpikeDelays, only: Int? = nil
  ) {
    let population = index + 1
    let arriving = network.projections.enumerated().filter { $0.element.target == population }.map {
      (p, projection) -> (spikes: [LayerSpike], weights: WeightRows, projection: Int) in
      (projection.source == 0 ? input : spikes[projection.source - 1], weights[p], p)
    }
    self.init(
      network.layers[index], duration: duration, arriving, delays: delays, only: only)
  }
}
