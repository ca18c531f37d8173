// SPDX-License-Identifier: MIT

/// What a loss reads from the output layer, one value per output neuron.
public enum Readout: Sendable {
  /// `1/T int w(t) V dt`, once per trial.
  case weightedMean
  /// `V(t)`; the loss is `1/T int w(t) value(V(t)) dt`.
  case instantaneous
  /// `max_t V(t)`, once per trial.
  case maximum
  /// The time of the first spike in ms; `T` for a silent neuron. Outputs are LIF.
  case firstSpike
}

/// A loss of one trial. The solvers turn `gradient` into what enters the adjoint.
///
/// To add one: a file like `Sum.swift`, and its line in `LossTable`.
public protocol Loss: Sendable {
  static var entry: LossEntry { get }
  var readout: Readout { get }

  /// The loss of one trial (for `.instantaneous`: at one time); writes its derivative by every
  /// value.
  func value(
    _ values: UnsafeBufferPointer<Double>, label: Int,
    gradient: UnsafeMutableBufferPointer<Double>
  ) -> Double

  /// Added to lV of the label's neuron at T when that neuron was silent ("phantom spike" of Nowotny
  /// et al.): a pseudo-gradient that pushes it back into activity. 0 for losses without one.
  var phantomPush: Double { get }
}

extension Loss {
  /// No phantom spike: right for losses that read voltages.
  public var phantomPush: Double { 0 }
}

/// How a loss is called in presets, and how it is made.
public struct LossEntry: Sendable {
  /// `loss.kind`.
  public var kind: String
  /// One line for lists and help.
  public var title: String
  /// That of every loss `make` returns, known without one.
  public var readout: Readout
  /// Names of the parameters that `make` reads.
  public var parameters: [String]
  /// Reads `duration` too, which is not among `parameters`: it is no key of the loss.
  public var make: @Sendable (LossParameters) -> any Loss

  /// Whether the shaping weight w(t) enters this loss.
  public var isShaped: Bool { readout == .weightedMean || readout == .instantaneous }
}

/// The numbers a loss may depend on. Times in ms.
public struct LossParameters: Sendable, Equatable {
  /// Scale of the spike times in the softmax.
  public var tau0: Double
  /// Scale of the exponential time penalty.
  public var tau1: Double
  /// Strength of the time penalty.
  public var alpha: Double
  /// Trial length T.
  public var duration: Double

  /// The standard values are those of presets.
  public init(tau0: Double = 0.5, tau1: Double = 6.4, alpha: Double = 3e-3, duration: Double) {
    self.tau0 = tau0
    self.tau1 = tau1
    self.alpha = alpha
    self.duration = duration
  }
}

/// Every loss of the product, in the order in which lists show them.
public enum LossTable {
  /// Kinds are unique; the first is the standard of presets.
  public static let all: [LossEntry] = [
    SumLoss.entry,
    AverageCrossEntropyLoss.entry,
    MaximumLoss.entry,
    FirstSpikeLoss.entry,
    FirstSpikeExponentialLoss.entry,
  ]

  /// By `loss.kind`; nil where there is none of that kind.
  public static func entry(_ kind: String) -> LossEntry? { all.first { $0.kind == kind } }
}
