// SPDX-License-Identifier: MIT

import EventPropCore

/// Why a neuron is silent on the whole probe set, or why it does not learn.
public enum SilenceReason: Sendable, Equatable {
  /// No spike reaches it by a weight other than 0.
  case noInput
  /// V stays `by` below threshold at its highest.
  case belowThreshold(by: Double)
  /// Without its inhibitory inputs V would reach threshold; with them it stays `by` below.
  case inhibited(by: Double)
  /// It spikes, but the gradient of its incoming weights is 0.
  case noGradient

  /// As screens and silence.csv have it: without the distance to threshold.
  public var words: String {
    switch self {
    case .noInput: "no input"
    case .belowThreshold: "below threshold"
    case .inhibited: "inhibited"
    case .noGradient: "no gradient"
    }
  }

  /// How far V stays below threshold; nil where that is not the matter.
  public var distance: Double? {
    switch self {
    case .belowThreshold(let by), .inhibited(let by): by
    case .noInput, .noGradient: nil
    }
  }
}

/// One neuron of the silence report.
public struct SilentNeuron: Sendable, Equatable {
  /// `0` is hidden1.
  public var layer: Int
  /// Index in its layer.
  public var neuron: Int
  /// What is the matter; `noGradient` is the one reason of a neuron that spikes.
  public var reason: SilenceReason
  /// What, added to all its incoming weights, lets V reach threshold in a probe trial; nil when
  /// nothing does.
  public var lift: Double?

  /// `lift` is in the unit of the weights; nil: none known.
  public init(layer: Int, neuron: Int, reason: SilenceReason, lift: Double? = nil) {
    self.layer = layer
    self.neuron = neuron
    self.reason = reason
    self.lift = lift
  }
}

/// Every hidden neuron that is silent on the probe set, or spikes without a gradient.
public struct SilenceReport: Sendable, Equatable {
  /// In order of layer; within one, silent neurons before those without a gradient.
  public var neurons: [SilentNeuron] = []
  /// The highest layer (`0` is hidden1) whose feed-forward gradient is 0: where the flow of
  /// gradient stops on its way down. nil when it reaches all layers.
  public var flowStopsAt: Int?

  /// No neurons, and no layer where the flow stops.
  public init() {}

  /// - Parameters:
  ///   - columnNorms: per hidden layer and neuron, the norm of the gradient of its feed-forward
  ///     weights on the probe.
  public init(
    _ network: Network, duration: Double, inputs: [[LayerSpike]], trials: [TrialSpikes],
    weights: [WeightRows], columnNorms: [[Double]], delays: SpikeDelays = SpikeDelays()
  ) {
    for index in 0..<network.hiddenCount {
      let size = network.layers[index].size
      var counts = Array(repeating: 0, count: size)
      for trial in trials { for spike in trial[index] { counts[spike.neuron] += 1 } }
      let quiet = counts.indices.filter { counts[$0] == 0 }
      // A neuron that has not spiked has not adapted either.
      if !quiet.isEmpty {
        func walks(_ only: Int?) -> [VoltageWalk] {
          trials.indices.map {
            VoltageWalk(
              network, layer: index, duration: duration, input: inputs[$0], spikes: trials[$0],
              weights: weights, delays: delays, only: only)
          }
        }
        let common = network.isDelayed(layer: index) ? nil : walks(nil)
        neurons += quiet.map { SilenceReport.explain($0, layer: index, common ?? walks($0)) }
      }
      neurons += counts.indices.filter { counts[$0] > 0 && columnNorms[index][$0] == 0 }.map {
        SilentNeuron(layer: index, neuron: $0, reason: .noGradient)
      }
      if columnNorms[index].allSatisfy({ $0 == 0 }) { flowStopsAt = index }
    }
  }

  static func explain(_ neuron: Int, layer: Int, _ walks: [VoltageWalk]) -> SilentNeuron {
    let theta = walks[0].layer.threshold[neuron]
    guard walks.contains(where: { $0.reaches(neuron) }) else {
      return SilentNeuron(
        layer: layer, neuron: neuron, reason: .noInput, lift: lift(neuron, walks, theta))
    }
    let highest = walks.map { $0.peak(of: neuron).v }.max()!
    let excited = walks.map { $0.peak(of: neuron, onlyExcitation: true).v }.max()!
    let distance = theta - highest
    return SilentNeuron(
      layer: layer, neuron: neuron,
      reason: excited >= theta ? .inhibited(by: distance) : .belowThreshold(by: distance),
      lift: lift(neuron, walks, theta))
  }

  /// The least c with max_t (V + c U) = theta, U being what arriving spikes of unit weight give:
  /// Dinkelbach's iteration, from above: the time of the maximum under c gives the next c, which
  /// reaches threshold then.
  private static func lift(_ neuron: Int, _ walks: [VoltageWalk], _ theta: Double) -> Double? {
    var best: Double?
    for walk in walks where walk.arrivals.contains(where: { $0 > 0 }) {
      var c = best ?? 1
      // Only a trial in which the best lift so far is more than enough has a smaller one.
      if best != nil, walk.peak(of: neuron, lift: c).v <= theta { continue }
      for _ in 0..<60 where walk.peak(of: neuron, lift: c).v < theta { c *= 2 }
      for _ in 0..<40 {
        let top = walk.peak(of: neuron, lift: c)
        let unit = (top.v - top.plain) / c
        guard unit > 0 else { break }
        let next = (theta - top.plain) / unit
        if abs(next - c) <= 1e-9 * max(abs(c), 1e-12) {
          c = next
          break
        }
        c = next
      }
      let reached = walk.peak(of: neuron, lift: c).v
      if c > 0, reached >= theta * (1 - 1e-6), c < best ?? .infinity { best = c }
    }
    return best
  }
}

extension VoltageWalk {
  /// Whether any spike changes the neuron's I.
  func reaches(_ neuron: Int) -> Bool {
    times.indices.contains { jump($0, neuron) != 0 }
  }

  /// The highest V of a neuron without spikes, and what V is then without the lift.
  /// - Parameters:
  ///   - lift: added to the weight of every arriving spike.
  ///   - onlyExcitation: events that lower I do nothing.
  func peak(of neuron: Int, lift: Double = 0, onlyExcitation: Bool = false) -> (
    v: Double, plain: Double
  ) {
    var best = (v: 0.0, plain: 0.0)
    var lifted = Stretch(
      start: 0, length: 0, v: 0, i: 0, tauMem: layer.tauMem[neuron],
      tauSyn: layer.tauSyn[neuron])
    var plain = lifted
    for event in 0...times.count {
      let decay = decay(event, neuron)
      let time = event < times.count ? times[event] : duration
      lifted.length = time - lifted.start
      // V rises towards I at most, and I decays.
      if lifted.length > 0, max(lifted.v, lifted.i) > best.v {
        let top = lifted.highest
        if top.v > best.v {
          best = (top.v, plain.voltage(after: top.after))
        }
      }
      lifted.v = decay.a * lifted.v + decay.rise * lifted.i
      lifted.i *= decay.b
      plain.v = decay.a * plain.v + decay.rise * plain.i
      plain.i *= decay.b
      lifted.start = time
      guard event < times.count else { break }
      var jump = jump(event, neuron)
      if onlyExcitation { jump = max(jump, 0) }
      plain.i += jump
      lifted.i += jump + lift * Double(arrivals[event])
    }
    return best
  }
}
