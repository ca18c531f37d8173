// SPDX-License-Identifier: MIT

/// One spike found by the exact solver.
public struct ExactSpike: Sendable {
  /// ms.
  public var time: Double
  /// Index within its layer.
  public var neuron: Int32
  /// Incoming feed-forward spikes that came before it.
  var preceding: Int32
  /// tau_m dV/dt just before it, less that of the threshold.
  public var slope: Double
  /// What else of the state its model's adjoint needs.
  public var memory = 0.0
  /// Layers without recurrence: exp(-d/tau_m) and exp(-d/tau_s) over the time d since the last
  /// arriving spike or the neuron's own last one, whichever was later.
  public var a = 1.0
  /// exp(-d/tau_s) over the d of `a`; in recurrent layers both stay 1.
  public var b = 1.0
}

/// Spikes that arrive at a layer, in order of time.
struct IncomingSpikes {
  /// ms, ascending.
  var times: [Double] = []
  /// Who sent each, by its index in the layer below or among the inputs.
  var sources: [UInt32] = []

  var count: Int { times.count }

  /// The lengths of the gaps before each spike and after the last one, ms.
  func gaps(until duration: Double) -> [Double] { Self.gaps(times, until: duration) }

  /// The same for any ascending times.
  static func gaps(_ times: [Double], until duration: Double) -> [Double] {
    let count = times.count
    return [Double](unsafeUninitializedCapacity: count + 1) { gaps, initialized in
      var last = 0.0
      for e in 0..<count {
        gaps.initializeElement(at: e, to: times[e] - last)
        last = times[e]
      }
      gaps.initializeElement(at: count, to: duration - last)
      initialized = count + 1
    }
  }

  /// The times at which spikes arrive, and one after the last spike at each.
  var groups: (times: [Double], ends: [Int]) {
    var found = 0
    var ends: [Int] = []
    let distinct = [Double](unsafeUninitializedCapacity: count) { distinct, written in
      ends = [Int](unsafeUninitializedCapacity: count) { ends, written in
        // Without a branch: where a group ends is hard to foretell.
        for e in 0..<count {
          distinct.initializeElement(at: found, to: times[e])
          ends.initializeElement(at: found, to: e + 1)
          let isLast = e + 1 == count || times[e + 1].bitPattern != times[e].bitPattern
          found += isLast ? 1 : 0
        }
        written = found
      }
      written = found
    }
    return (distinct, ends)
  }
}

/// What the exact solver keeps of one sample.
public final class ExactTrial: SolvedTrial {
  /// Set by `load`; `Batch` sets it again before it runs the trial.
  public var label = 0
  /// Without regularisation; NaN before the first pass, and after one that was given up.
  public internal(set) var loss = Double.nan
  /// -1 also before the first pass, and after one that was given up.
  public internal(set) var prediction = -1
  /// Of the last pass.
  public internal(set) var fit: Fit?
  /// Of the last pass that was not given up, unless `withholdPhantom` was called after it.
  public internal(set) var needsPhantom = false
  /// Of the last pass that was not given up.
  public internal(set) var isLabelMute = false
  /// For the user: the limit and the size of the layer that went beyond it (`spikeLimit`).
  public internal(set) var failure: String?

  /// Of `Batch`, which sets it before each pass; empty in other trials unless set.
  public var dropped: [[Bool]] = []

  var input = IncomingSpikes()
  /// Per layer, in order of time; empty for LI layers.
  var layers: [[ExactSpike]]
  /// Per layer, of one that is gone through all together: what happened in it.
  var events: [[ExactEvent]]
  /// Per output: read-out value and the loss's derivative by it.
  public internal(set) var readout: [Double]
  var readoutGradient: [Double]
  /// Per interval between spikes that arrive at the output: the shaping integrals of
  /// `ReadoutIntegral`.
  var integrals: [ReadoutIntegral] = []
  /// `.instantaneous`: what rounding cut off from `loss`, which without it would be `loss -
  /// lossRest`.
  var lossRest = 0.0
  /// Of losses that read targets: 1/T int 1/2 sum (V - Y)^2 dt.
  var error = 0.0
  /// `.instantaneous`: intervals x outputs, what a whole interval adds to lV and lI at its start.
  var driveV: [Double] = []
  var driveI: [Double] = []
  var peaks: [Peak]
  /// Where time constants of the outputs are trained, per output: the derivative of the read-out
  /// value, or of an `.instantaneous` loss, by tau_m and tau_s.
  var byTimeConstants: [(mem: Double, syn: Double)] = []
  /// Ascending times, ms, at which `backward` leaves the adjoints; empty: none are asked for.
  /// Layers then go through their neurons one by one, in both passes.
  public var adjointTimes: [Double] = []
  /// Per layer: lV and lI just after each of `adjointTimes`, times x neurons.
  public internal(set) var adjoints: [(v: [Double], i: [Double])] = []
  /// A spike forced or suppressed in the pass that runs.
  var intervention: Intervention?

  init(network: Network) {
    layers = Array(repeating: [], count: network.layers.count)
    events = Array(repeating: [], count: network.layers.count)
    readout = Array(repeating: 0, count: network.output.size)
    readoutGradient = readout
    peaks = Array(repeating: Peak(), count: network.output.size)
  }

  /// Takes what a layer left in the pass before, empty: its memory serves again.
  func memory(ofLayer layer: Int) -> (spikes: [ExactSpike], events: [ExactEvent]) {
    var memory: (spikes: [ExactSpike], events: [ExactEvent]) = ([], [])
    swap(&memory.spikes, &layers[layer])
    swap(&memory.events, &events[layer])
    memory.spikes.removeAll(keepingCapacity: true)
    memory.events.removeAll(keepingCapacity: true)
    return memory
  }

  func clearAdjoints(_ network: Network) {
    let times = adjointTimes.count
    adjoints =
      times == 0
      ? []
      : network.layers.map {
        let zero = Array(repeating: 0.0, count: times * $0.size)
        return (zero, zero)
      }
  }

  func keepAdjoint(_ layer: Int, size: Int, time: Int, neuron j: Int, v: Double, i: Double) {
    adjoints[layer].v[time * size + j] = v
    adjoints[layer].i[time * size + j] = i
  }

  /// Until the next `forward`, which decides anew.
  public func withholdPhantom() { needsPhantom = false }

  /// At their exact times; those that `mergesInput` dropped are not among them. A copy.
  public var inputSpikes: [LayerSpike] {
    zip(input.times, input.sources).map { LayerSpike(neuron: Int($1), time: $0, slope: 0) }
  }

  /// A copy; empty for LI layers. Where a model moves its threshold, slopes are relative to it.
  public func spikes(ofLayer layer: Int) -> [LayerSpike] {
    layers[layer].map { LayerSpike(neuron: Int($0.neuron), time: $0.time, slope: $0.slope) }
  }

  /// Nothing is added for LI layers.
  public func addSpikeCounts(
    ofLayer layer: Int, to counts: inout [Int], marks: inout [Int], mark: Int
  ) -> Int {
    var marked = 0
    for spike in layers[layer] {
      let neuron = Int(spike.neuron)
      counts[neuron] += 1
      marked += marks[neuron] == mark ? 0 : 1
      marks[neuron] = mark
    }
    return marked
  }

  /// The spikes that arrive at a layer: the input's, or those of the layer before.
  func incoming(toLayer layer: Int) -> IncomingSpikes {
    if layer == 0 { return input }
    return IncomingSpikes(
      times: layers[layer - 1].map(\.time),
      sources: layers[layer - 1].map { UInt32(truncatingIfNeeded: $0.neuron) })
  }
}

/// The maximum of one output voltage.
struct Peak {
  /// The interval it lies in: interval g ends with incoming spike g (the last one at T); -1: at t =
  /// 0.
  var interval = -1
  var time = 0.0
  /// tau_m dV/dt just before it; above 0 only where a spike or T cuts the rise short.
  var slope = 0.0
}

/// Integrals of the shaping weight over one interval [t0, t1] between spikes that arrive at the
/// output: against exp(-(u - t0)/tau_m) and against the rise of V after a unit current.
struct ReadoutIntegral {
  var decay: Double
  var rise: Double
}

/// The exact solver needs no scratch memory that outlives a call.
public final class ExactWorkspace {}

/// The sum of the gradients of some trials.
public final class ExactTape {
  let gradient: Parameters<Double>

  init(_ network: Network) { gradient = Parameters(network) }
}
