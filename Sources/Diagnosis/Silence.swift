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
  public var neuron: Int
  public var reason: SilenceReason
  /// What, added to all its incoming weights, lets V reach threshold in a probe trial; nil when nothing does.
  public var lift: Double?

  public init(layer: Int, neuron: Int, reason: SilenceReason, lift: Double? = nil) {
    self.layer = layer
    self.neuron = neuron
    self.reason = reason
    self.lift = lift
  }
}

/// Every hidden neuron that is silent on the probe set, or spikes without a gradient.
public struct SilenceReport: Sendable, Equatable {
  public var neurons: [SilentNeuron] = []
  /// The highest layer (`0` is hidden1) whose incoming gradient is 0 while the one above has some: where the flow of
  /// gradient stops on its way down. nil when it reaches all layers.
  public var flowStopsAt: Int?

  public init() {}

  /// - Parameters:
  ///   - columnNorms: per hidden layer and neuron, the norm of the gradient of its feed-forward weights on the probe.
  public init(
    _ network: Network, duration: Double, inputs: [[LayerSpike]], trials: [TrialSpikes],
    weights: [WeightRows], columnNorms: [[Double]]
  ) {
    for index in 0..<network.hiddenCount {
      let size = network.layers[index].size
      var counts = Array(repeating: 0, count: size)
      for trial in trials { for spike in trial[index] { counts[spike.neuron] += 1 } }
      let quiet = counts.indices.filter { counts[$0] == 0 }
      if !quiet.isEmpty {
        let walks = trials.indices.map {
          VoltageWalk(
            network, layer: index, duration: duration, input: inputs[$0], spikes: trials[$0],
            weights: weights)
        }
        neurons += quiet.map { SilenceReport.explain($0, layer: index, walks) }
      }
      neurons += counts.indices.filter { counts[$0] > 0 && columnNorms[index][$0] == 0 }.map {
        SilentNeuron(layer: index, neuron: $0, reason: .noGradient)
      }
      if columnNorms[index].allSatisfy({ $0 == 0 }) { flowStopsAt = index }
    }
  }

  static func explain(_ neuron: Int, layer: Int, _ walks: [VoltageWalk]) -> SilentNeuron {
    let theta = walks[0].layer.threshold
    guard walks.contains(where: { $0.reaches(neuron) }) else {
      return SilentNeuron(
        layer: layer, neuron: neuron, reason: .noInput, lift: lift(neuron, walks, theta))
    }
    let highest = walks.map { $0.peak(of: neuron).v }.max()!
    let excited = walks.map { $0.excitation.peak(of: neuron).v }.max()!
    let distance = theta - highest
    return SilentNeuron(
      layer: layer, neuron: neuron,
      reason: excited >= theta ? .inhibited(by: distance) : .belowThreshold(by: distance),
      lift: lift(neuron, walks, theta))
  }

  /// The least c with max_t (V + c U) = theta, U being what unit feed-forward weights give: Dinkelbach's iteration, from
  /// above: the time of the maximum under c gives the next c, which reaches threshold then.
  private static func lift(_ neuron: Int, _ walks: [VoltageWalk], _ theta: Double) -> Double? {
    var best: Double?
    for walk in walks where walk.arrivals.contains(where: { $0 > 0 }) {
      var c = 1.0
      for _ in 0..<60 where walk.peak(of: neuron, lift: c).v < theta { c *= 2 }
      for _ in 0..<40 {
        let top = walk.peak(of: neuron, lift: c)
        let plain = walk.voltage(of: neuron, at: top.time)
        let unit = (top.v - plain) / c
        guard unit > 0 else { break }
        let next = (theta - plain) / unit
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
    times.indices.contains { jumps[$0 * layer.size + neuron] != 0 }
  }

  /// The highest V of a neuron without spikes, and when.
  func peak(of neuron: Int, lift: Double = 0) -> (v: Double, time: Double) {
    var best = (v: 0.0, time: 0.0)
    forEachStretch(of: neuron, resets: [], lift: lift) { stretch in
      let top = stretch.highest
      if top.v > best.v { best = (top.v, stretch.start + top.after) }
    }
    return best
  }

  /// V of a neuron without spikes.
  func voltage(of neuron: Int, at time: Double) -> Double {
    var value = 0.0
    forEachStretch(of: neuron, resets: []) { stretch in
      if stretch.start <= time, time <= stretch.start + stretch.length {
        value = stretch.voltage(after: time - stretch.start)
      }
    }
    return value
  }

  /// The same walk without inhibition: events that lower I do nothing.
  var excitation: VoltageWalk {
    VoltageWalk(
      times: times, jumps: jumps.map { max($0, 0) }, arrivals: arrivals, layer: layer,
      duration: duration)
  }

  private init(
    times: [Double], jumps: [Double], arrivals: [Int], layer: Layer, duration: Double
  ) {
    self.times = times
    self.jumps = jumps
    self.arrivals = arrivals
    self.layer = layer
    self.duration = duration
  }
}
