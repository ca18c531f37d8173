// SPDX-License-Identifier: MIT

/// What an `Intervention` asks of one layer while it is solved; does nothing for all other layers.
struct Intervening {
  private let intervention: Intervention?
  /// The neuron it is about; -1: none.
  let neuron: Int
  /// Whether the neuron's crossings are suppressed at the moment: until V falls below threshold.
  private(set) var isMuted = false
  private var isDone = false

  init(_ trial: ExactTrial, in layer: Int) {
    intervention = trial.intervention.flatMap { $0.layer == layer ? $0 : nil }
    neuron = intervention?.neuron ?? -1
  }

  /// When, from `now`, a spike is to be forced within a gap; nil when none is.
  func forcedTime(now: Double, gap: Double) -> Double? {
    guard let intervention, intervention.kind == .force, !isDone else { return nil }
    let after = intervention.time - now
    return after >= 0 && after <= gap ? after : nil
  }

  mutating func finish() { isDone = true }

  /// Whether a crossing found at a time is to be suppressed; from there on the neuron is mute.
  mutating func suppresses(crossingAt time: Double) -> Bool {
    guard let intervention, intervention.kind == .suppress, !isDone, intervention.isAt(time) else {
      return false
    }
    isDone = true
    isMuted = true
    return true
  }

  mutating func passed(isBelow: Bool) {
    if isMuted && isBelow { isMuted = false }
  }

  /// The first crossing of the neuron it is about: forced spikes come at their time, suppressed
  /// crossings do not. V has at most one maximum in a gap, so that after a suppressed crossing no
  /// other follows before the next event.
  mutating func crossing<N: NeuronModel>(
    _ neuron: N, _ state: N.State, gap: Double, flow: N.Flow, now: Double
  ) -> Hit? {
    let own = isMuted ? nil : neuron.crossing(state, gap: gap, flow: flow)
    if let forced = forcedTime(now: now, gap: gap), forced <= own?.after ?? .infinity {
      finish()
      return neuron.hit(after: forced)
    }
    if let own, suppresses(crossingAt: now + own.after) { return nil }
    return own
  }
}
