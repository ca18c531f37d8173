// SPDX-License-Identifier: MIT

import EventPropCore

/// V(t) of one neuron in one trial, and what made it: V is linear in the spikes that have arrived
/// since the trial began, but for the resets.
public struct Trace: Sendable, Equatable {
  /// A point of V(t).
  public struct Point: Sendable, Equatable {
    /// ms.
    public var time: Double
    /// In the unit of the threshold.
    public var v: Double
  }

  /// What one arriving spike adds to V at the reference time.
  public struct Share: Sendable, Equatable {
    /// Population of the sender: 0 is the input, 1 hidden1.
    public var source: Int
    /// Index in it.
    public var neuron: Int
    /// When it arrived, ms.
    public var time: Double
    /// How long it was on its way, ms.
    public var delay = 0.0
    /// Of the synapse.
    public var weight: Double
    /// In the unit of V. The values of all spikes add up to V.
    public var value: Double
  }

  /// What happens without the spike.
  public struct Downstream: Sendable, Equatable {
    /// Of this trial.
    public var lossChange = 0.0
    /// Spikes of other neurons, and later ones of its own, that are gone with it, per layer.
    public var deleted: [Int] = []
    /// Spikes that come instead, per layer.
    public var created: [Int] = []
    /// Spikes whose time changes, per layer.
    public var moved: [Int] = []

    /// Nothing happens.
    public init() {}
  }

  /// `0` is hidden1.
  public var layer: Int
  /// Index in its layer.
  public var neuron: Int
  /// The neuron's own, at rest.
  public var threshold: Double
  /// The threshold at the times of `points`, where the neuron's spikes raise it; else empty.
  public var thresholds: [Point] = []
  /// In order of time; two at a reset.
  public var points: [Point] = []
  /// The neuron's own spikes, ms.
  public var spikes: [Double] = []
  /// Where the shares are of: the chosen spike, or where V comes closest to threshold from below.
  public var reference: Point
  /// How far the reference is below threshold; 0 for a spike.
  public var distance = 0.0
  /// The reference is this spike, by its place in `spikes`; nil: none.
  public var spike: Int?
  /// The spike that was asked for, whether or not there is such a one.
  public var asked: Int?
  /// By size of the value, the largest first; at most 200.
  public var shares: [Share] = []
  /// Spikes that arrived before the reference.
  public var arrivals = 0
  /// Sums of the values by population of the sender: 0 is the input.
  public var sums: [Double] = []
  /// The neuron's time constants, ms, and whether those of its layer differ.
  public var tauMem = 0.0
  public var tauSyn = 0.0
  public var isOwn = false
  /// What is to be added to all incoming weights for V to reach threshold; nil: it spikes, or
  /// nothing helps.
  public var lift: Double?
  /// V(t) with that, up to threshold; empty without.
  public var ghost: [Point] = []
  /// Where the reference is a spike.
  public var downstream: Downstream?

  /// - Parameters:
  ///   - input: spikes of the input as the solver used them.
  ///   - spikes: of all layers.
  ///   - weights: in the order of `Network.projections`.
  ///   - delays: as the solver takes them.
  ///   - spike: which of the neuron's spikes the shares are of; nil: where it comes closest.
  public init(
    _ network: Network, duration: Double, input: [LayerSpike], spikes: TrialSpikes,
    weights: [WeightRows], delays: SpikeDelays = SpikeDelays(), layer: Int, neuron: Int,
    spike: Int? = nil
  ) {
    self.layer = layer
    self.neuron = neuron
    let own = network.layers[layer]
    threshold = own.threshold[neuron]
    (tauMem, tauSyn) = (own.tauMem[neuron], own.tauSyn[neuron])
    isOwn = !own.isUniform
    self.spikes = spikes[layer].filter { $0.neuron == neuron }.map(\.time)
    reference = Point(time: 0, v: 0)
    asked = spike
    let walk = VoltageWalk(
      network, layer: layer, duration: duration, input: input, spikes: spikes, weights: weights,
      delays: delays, only: neuron)
    let adapts = walk.adaptation(of: neuron) > 0
    var best = Point(time: 0, v: -.infinity)
    var (nearest, raisedThere) = (-Double.infinity, 0.0)
    let resolution = duration / 600
    walk.forEachStretch(of: neuron, resets: self.spikes) { stretch in
      let parts = max(1, Int(stretch.length / resolution))
      for k in 0...parts {
        let s = stretch.length * Double(k) / Double(parts)
        points.append(Point(time: stretch.start + s, v: stretch.voltage(after: s)))
        if adapts {
          let raised = threshold + stretch.raised(after: s)
          thresholds.append(Point(time: stretch.start + s, v: raised))
        }
      }
      let top = stretch.highest
      if top.v > nearest {
        nearest = top.v
        best = Point(time: stretch.start + top.after, v: stretch.voltage(after: top.after))
        raisedThere = stretch.raised(after: top.after)
      }
    }
    if let spike, self.spikes.indices.contains(spike) {
      self.spike = spike
      let time = self.spikes[spike]
      reference = Point(time: time, v: 0)
    } else if best.v > -.infinity {
      reference = best
      distance = threshold + raisedThere - best.v
    }
    let since = self.spikes.last { $0 < reference.time } ?? -.infinity
    findShares(
      network, input: input, spikes: spikes, weights: weights, delays: delays, since: since)
    if self.spike != nil { reference.v = sums.reduce(0, +) }
    if self.spikes.isEmpty {
      lift = SilenceReport.explain(neuron, layer: layer, [walk]).lift
      if let lift { findGhost(walk, lift) }
    }
  }

  private mutating func findShares(
    _ network: Network, input: [LayerSpike], spikes: TrialSpikes, weights: [WeightRows],
    delays: SpikeDelays, since: Double
  ) {
    let own = network.layers[layer]
    let (tauMem, tauSyn) = (own.tauMem[neuron], own.tauSyn[neuron])
    sums = Array(repeating: 0, count: network.layers.count + 1)
    var all: [Share] = []
    for (index, projection) in network.projections.enumerated()
    where projection.target == layer + 1 {
      let source = projection.source
      let arriving = source == 0 ? input : spikes[source - 1]
      for spike in arriving {
        let delay = delays.delay(index, spike.neuron, neuron)
        let time = spike.time + delay
        guard time < reference.time else { continue }
        let weight = weights[index][spike.neuron, neuron]
        // At the reset V of before is lost; the current that is left goes on.
        let begin = max(time, since)
        let left = Decay(over: begin - time, tauMem: tauMem, tauSyn: tauSyn).b
        let rise = Decay(over: reference.time - begin, tauMem: tauMem, tauSyn: tauSyn).rise
        let value = weight * left * rise
        sums[source] += value
        arrivals += 1
        all.append(
          Share(
            source: source, neuron: spike.neuron, time: time, delay: delay, weight: weight,
            value: value))
      }
    }
    all.sort {
      (-abs($0.value), $0.time, $0.source, $0.neuron)
        < (-abs($1.value), $1.time, $1.source, $1.neuron)
    }
    shares = Array(all.prefix(200))
  }

  /// V with c added to every arriving weight, until it reaches threshold.
  private mutating func findGhost(_ walk: VoltageWalk, _ lift: Double) {
    let tau = (walk.layer.tauMem[neuron], walk.layer.tauSyn[neuron])
    var stretch = VoltageWalk.Stretch(
      start: 0, length: 0, v: 0, i: 0, tauMem: tau.0, tauSyn: tau.1)
    let resolution = walk.duration / 600
    for event in 0...walk.times.count {
      let time = event < walk.times.count ? walk.times[event] : walk.duration
      stretch.length = max(0, time - stretch.start)
      let parts = max(1, Int(stretch.length / resolution))
      for k in 0...parts {
        let s = stretch.length * Double(k) / Double(parts)
        let v = stretch.voltage(after: s)
        ghost.append(Point(time: stretch.start + s, v: v))
        if v >= threshold * (1 - 1e-9) { return }
      }
      let decay = Decay(over: stretch.length, tauMem: tau.0, tauSyn: tau.1)
      stretch.v = decay.a * stretch.v + decay.rise * stretch.i
      stretch.i *= decay.b
      stretch.start = time
      guard event < walk.times.count else { return }
      stretch.i += walk.jump(event, neuron) + lift * Double(walk.arrivals[event])
    }
  }
}

extension Trace.Downstream {
  /// - Parameters:
  ///   - before: with the spike; `after` without it.
  ///   - removed: the spike itself, which does not count.
  public init(
    _ network: Network, before: TrialSpikes, after: TrialSpikes, lossChange: Double,
    removed: (layer: Int, neuron: Int, time: Double), reach: Double
  ) {
    self.init()
    self.lossChange = lossChange
    var rest = before
    rest[removed.layer].removeAll { $0.neuron == removed.neuron && $0.time == removed.time }
    for index in network.layers.indices {
      var counts = (deleted: 0, created: 0, moved: 0)
      network.forEachMatching(ofLayer: index, before: rest, after: after, reach: reach) {
        _, was, now, matching in
        counts.deleted += matching.deleted.count
        counts.created += matching.created.count
        counts.moved += matching.moved.count { was[$0.before] != now[$0.after] }
      }
      deleted.append(counts.deleted)
      created.append(counts.created)
      moved.append(counts.moved)
    }
  }
}
