// SPDX-License-Identifier: MIT

/// A spike that a forward pass is made to have, or not to have: what would the loss be then?
///
/// A forced spike resets its neuron and is sent on as any other. A suppressed crossing is not sent
/// and does not reset; the neuron stays mute until V has fallen below threshold again.
public struct Intervention: Sendable, Equatable {
  /// A spike where there was none, or none where V crosses the threshold.
  public enum Kind: Sendable, Equatable { case force, suppress }
  /// Whether the spike is made or prevented.
  public var kind: Kind
  /// `0` is hidden1.
  public var layer: Int
  /// Index within the layer.
  public var neuron: Int
  /// ms; for the grid, of the step's end.
  public var time: Double

  /// To suppress a crossing, `time` must be the one that a pass of the same solver found, but for
  /// rounding.
  public init(_ kind: Kind, layer: Int, neuron: Int, time: Double) {
    self.kind = kind
    self.layer = layer
    self.neuron = neuron
    self.time = time
  }

  /// Times are copied from passes of the same solver: they agree but for rounding.
  static let tolerance = 1e-9

  func isAt(_ other: Double) -> Bool { abs(time - other) <= Self.tolerance * max(1, abs(time)) }
}
