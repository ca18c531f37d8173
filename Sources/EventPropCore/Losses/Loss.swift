// SPDX-License-Identifier: MIT

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

  /// Whether `value` is given V - Y, what voltages are off their targets, in place of V. Only with
  /// `.instantaneous`.
  var readsTargets: Bool { get }
}

extension Loss {
  /// No phantom spike: right for losses that read voltages.
  public var phantomPush: Double { 0 }
  /// Right for losses that know classes alone.
  public var readsTargets: Bool { false }
}

/// How a loss is called in presets, and how it is made.
public struct LossEntry: Sendable {
  /// `loss.kind`.
  public var kind: String
  /// One line for lists and help.
  public var title: String
  /// That of every loss `make` returns, known without one.
  public var readout: Readout
  /// That of every loss `make` returns.
  public var readsTargets = false
  /// The preset's keys that `make` reads.
  public var keys: [LossKey] = []
  public var make: @Sendable (LossParameters) -> any Loss

  /// Whether the shaping weight w(t) enters this loss.
  public var isShaped: Bool { readout == .weightedMean || readout == .instantaneous }
}

/// A number that some loss reads from the preset.
public struct LossKey: Sendable, Hashable {
  /// As in presets.
  public let name: String
  /// What a preset that does not say gets.
  public let standard: Double
  /// Whether 0 is allowed; below it nothing is.
  public let allowsZero: Bool

  public init(_ name: String, standard: Double, allowsZero: Bool = false) {
    self.name = name
    self.standard = standard
    self.allowsZero = allowsZero
  }

  /// Scale of the spike times in the softmax, ms.
  public static let tau0 = LossKey("tau0", standard: 0.5)
  /// Scale of the exponential time penalty, ms.
  public static let tau1 = LossKey("tau1", standard: 6.4)
  /// Strength of the time penalty.
  public static let alpha = LossKey("alpha", standard: 3e-3, allowsZero: true)
}

/// The numbers a loss may depend on.
public struct LossParameters: Sendable, Equatable {
  /// Those that differ from the standard.
  private var values: [LossKey: Double]
  /// Trial length T, ms.
  public var duration: Double

  public init(_ values: [LossKey: Double] = [:], duration: Double) {
    self.values = values
    self.duration = duration
  }

  public subscript(key: LossKey) -> Double { values[key] ?? key.standard }
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
    MeanSquaredTimeLoss.entry,
    MeanSquaredErrorLoss.entry,
  ]

  /// The keys of all losses, each once: all are read, so that a change of loss keeps them.
  public static var keys: [LossKey] {
    all.flatMap(\.keys).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// By `loss.kind`; nil where there is none of that kind.
  public static func entry(_ kind: String) -> LossEntry? { all.first { $0.kind == kind } }
}
