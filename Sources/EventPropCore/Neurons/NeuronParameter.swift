// SPDX-License-Identifier: MIT

/// A constant that each neuron of a layer has: a vector per layer. Fixed, or trained as weights are
/// (`Layer.learning`).
public struct NeuronParameter: Sendable, Hashable {
  /// As in presets and file names.
  public let name: String
  /// What a preset that does not say gets.
  public let standard: Double
  /// What it is measured in; empty: no unit.
  public let unit: String
  /// Values must lie above it.
  public let above: Double
  /// Whether 0 itself is allowed too.
  public let allowsZero: Bool

  /// Values above 0 and without unit, unless it says otherwise.
  public init(
    _ name: String, standard: Double, unit: String = "", above: Double = 0,
    allowsZero: Bool = false
  ) {
    self.name = name
    self.standard = standard
    self.unit = unit
    self.above = above
    self.allowsZero = allowsZero
  }

  /// Where it is held while it is trained, unless something else is said: from a little above its
  /// bound, for time constants from 1 ms.
  public var range: ClosedRange<Double> {
    let least = unit == "ms" ? 1 : 0.01
    return (allowsZero ? 0 : max(above, least))...1e6
  }

  /// Membrane time constant tau_m.
  public static let tauMem = NeuronParameter("tau_mem", standard: 20, unit: "ms")
  /// Synaptic time constant tau_s of the currents into the neuron.
  public static let tauSyn = NeuronParameter("tau_syn", standard: 5, unit: "ms")
  /// The voltage theta at which the neuron spikes; without unit, as V.
  public static let threshold = NeuronParameter("threshold", standard: 1)
}
