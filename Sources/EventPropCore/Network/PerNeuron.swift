// SPDX-License-Identifier: MIT

/// A number for each neuron of a layer, stored once where all have the same.
public struct PerNeuron: Sendable, Equatable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral
{
  /// That of all neurons, or of the first.
  private var first: Double
  /// That of each neuron; empty where all have the same.
  private var each: [Double] = []

  /// The same for all neurons.
  public init(_ value: Double) { first = value }

  /// One for each neuron; not empty.
  public init(_ values: [Double]) {
    precondition(!values.isEmpty)
    first = values[0]
    if values.contains(where: { $0 != values[0] }) { each = values }
  }

  /// The same for all neurons, as in `layer.tauMem = 20.0`.
  public init(floatLiteral value: Double) { self.init(value) }
  /// The same for all neurons, as in `layer.tauMem = 20`.
  public init(integerLiteral value: Int) { self.init(Double(value)) }

  /// Whether all neurons have the same.
  public var isUniform: Bool { each.isEmpty }

  /// Any index will do where all have the same; else one beyond the last traps.
  public subscript(neuron: Int) -> Double { each.isEmpty ? first : each[neuron] }

  /// How many numbers it was made of; nil where one serves a layer of any size.
  public var count: Int? { each.isEmpty ? nil : each.count }

  /// The numbers of a layer of so many neurons.
  public func values(_ count: Int) -> [Double] { (0..<count).map { self[$0] } }
}
