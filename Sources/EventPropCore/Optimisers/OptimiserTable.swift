// SPDX-License-Identifier: MIT

/// How an optimiser is called in presets, and how it is made.
public struct OptimiserEntry: Sendable {
  /// `training.optimiser.kind`.
  public var kind: String
  /// One line for lists and help.
  public var title: String
  /// The preset's keys that `make` reads, beside `rate`.
  public var keys: [OptimiserKey] = []
  /// From parameters that are within their bounds and that `fault` has nothing against.
  public var make: @Sendable (OptimiserParameters) -> any Optimiser
  /// What is wrong with parameters that are each within their bounds: the key, and what is allowed.
  public var fault: @Sendable (OptimiserParameters) -> (key: OptimiserKey, allowed: String)? = {
    _ in nil
  }
}

/// A number, or a yes or no, that some optimiser reads from the preset.
public struct OptimiserKey: Sendable, Hashable {
  /// As in presets. Keys of one name mean the same in all kinds; what is standard may differ.
  public let name: String
  /// What a preset that does not say gets; of a yes or no, 1 is yes.
  public let standard: Double
  /// Both ends are allowed.
  public let bounds: ClosedRange<Double>
  /// Whether it is a yes or no.
  public let isFlag: Bool

  /// A number within bounds.
  public init(_ name: String, standard: Double, _ bounds: ClosedRange<Double>) {
    (self.name, self.standard, self.bounds, isFlag) = (name, standard, bounds, false)
  }

  /// A yes or no, which is no where the preset does not say.
  public init(flag name: String) {
    (self.name, standard, bounds, isFlag) = (name, 0, 0...1, true)
  }

  /// Base learning rate: a key of all kinds.
  public static let rate = OptimiserKey("rate", standard: 1e-3, 0...1e3)
}

/// The numbers an optimiser may depend on.
public struct OptimiserParameters: Sendable, Equatable {
  private var values: [OptimiserKey: Double]

  /// What is not there is standard; bounds are not checked.
  public init(_ values: [OptimiserKey: Double] = [:]) { self.values = values }

  /// Of a yes or no, 0 is no.
  public subscript(key: OptimiserKey) -> Double { values[key] ?? key.standard }
}

/// Every optimiser of the product, in the order in which lists show them.
public enum OptimiserTable {
  /// Kinds are unique; the first is the standard of presets.
  public static let all: [OptimiserEntry] = [
    Adam.entry,
    AdamW.entry,
    SGD.entry,
  ]

  /// By `training.optimiser.kind`; nil where there is none of that kind.
  public static func entry(_ kind: String) -> OptimiserEntry? { all.first { $0.kind == kind } }
}
