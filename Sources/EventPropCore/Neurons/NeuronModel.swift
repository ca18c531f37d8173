// SPDX-License-Identifier: MIT

/// A spiking neuron: how its state runs between events, when it spikes, what a spike does to it;
/// and the adjoint of each, its neighbour here. A value holds the constants of one neuron. Written
/// for the exact solver, in Double; the grid has kernels of its own for a model
/// (`NeuronKind.isOnGrid`).
///
/// To add one: a file like `LIF.swift`, and its line in `NeuronTable`.
public protocol NeuronModel: Sendable {
  /// What runs forward between events: voltage, current, ...
  associatedtype State: Sendable
  /// What runs backward: lV, lI, ...
  associatedtype Adjoint: Sendable
  /// What the dynamics do over a gap.
  associatedtype Flow: Sendable

  init(_ layer: Layer, neuron: Int)

  /// State and adjoint where nothing has happened yet.
  static var rest: State { get }
  static var restAdjoint: Adjoint { get }

  /// The dynamics over a gap of so many ms.
  func flow(over gap: Double) -> Flow
  /// The same for many gaps at once.
  func flows(over gaps: [Double]) -> [Flow]
  /// What is left of a gap's flow after a crossing: `rest` ms long.
  func flow(_ whole: Flow, after hit: Hit, rest: Double) -> Flow
  /// The same, in front of a spike that was found with `Hit`'s exponentials.
  func flow(_ whole: Flow, after spike: ExactSpike, rest: Double) -> Flow
  /// Until a crossing.
  func flow(to hit: Hit) -> Flow
  /// From the last event to a spike, `gap` ms later.
  func flow(to spike: ExactSpike, gap: Double) -> Flow

  /// The state after a gap.
  func run(_ state: inout State, over flow: Flow)
  /// Its adjoint, from the end of the gap to its start.
  func runBack(_ adjoint: inout Adjoint, over flow: Flow)

  /// A spike arrives by a synapse of some weight.
  func receive(_ state: inout State, weight: Double)
  /// What an arriving spike passes on to its sender for each unit of weight (lV - lI), and what the
  /// weight's gradient takes, up to the factor -tau_s (lI). Both after the arrival, in forward
  /// time.
  func transported(_ adjoint: Adjoint) -> Double
  func collected(_ adjoint: Adjoint) -> Double

  /// The first crossing of the threshold within a gap from a state; nil when there is none.
  func crossing(_ state: State, gap: Double, flow: Flow) -> Hit?
  /// A crossing at a given time.
  func hit(after gap: Double) -> Hit
  /// Whether the neuron is below its threshold.
  func isBelow(_ state: State) -> Bool
  /// The state at a crossing that `crossing` found, up to what `spike` sets anew.
  func run(_ state: inout State, to hit: Hit)
  /// The neuron spikes: the state after it; returns tau_m dV/dt (less that of the threshold) just
  /// before, and what of the state the adjoint needs.
  func spike(_ state: inout State) -> (slope: Double, memory: Double)
  /// The adjoint's jump at a spike.
  /// - Parameters:
  ///   - loop: sum of w (lV - lI) over the spike's receivers in its own layer.
  ///   - error: that over those in the layer above, and dl/dt.
  func jump(_ adjoint: inout Adjoint, at spike: ExactSpike, loop: Double, error: Double)
  /// Adds to lV, as rate regularisation and phantom spikes do.
  func push(_ adjoint: inout Adjoint, by amount: Double)

  /// What a spike adds to the gradient of the threshold: tau_m lV just before it, after `jump`.
  func thresholdGradient(_ adjoint: Adjoint) -> Double

  /// Adds what a gap has of the gradients of the neuron's constants, in the order of
  /// `NeuronKind.parameters`.
  /// - Parameters:
  ///   - state: at the start of the gap.
  ///   - adjoint: at its end.
  ///   - gap: its length, ms.
  func collect(
    _ sums: UnsafeMutablePointer<Double>, from state: State, to adjoint: Adjoint, gap: Double,
    flow: Flow)
  /// The same for a spike: the adjoint is that just before it, after `jump`.
  func collect(
    _ sums: UnsafeMutablePointer<Double>, at spike: ExactSpike, adjoint: Adjoint)
}

extension NeuronModel {
  /// One after the other.
  public func flows(over gaps: [Double]) -> [Flow] { gaps.map { flow(over: $0) } }
}

/// A crossing of the threshold: when, counted from where the state holds, and the exponentials
/// until then.
public struct Hit: Sendable {
  /// ms.
  public var after: Double
  /// exp(-after/tau_m) and exp(-after/tau_s).
  public var a: Double
  /// exp(-after/tau_s).
  public var b: Double

  /// At once.
  static let now = Hit(after: 0, a: 1, b: 1)

  /// The exponentials are taken as they come: they must be those of `after`.
  public init(after: Double, a: Double, b: Double) {
    self.after = after
    self.a = a
    self.b = b
  }
}

/// One of the models a layer may have: an entry of `NeuronTable`.
public struct NeuronKind: Sendable {
  /// `neuron` in presets.
  public let name: String
  /// Whether it has a threshold; outputs that do not are read by their voltage.
  public let isSpiking: Bool
  /// The vectors that a layer of it has.
  public let parameters: [NeuronParameter]
  /// Whether it has kernels for the grid.
  public let isOnGrid: Bool
  let exact: ExactLayerPasses

  init(
    _ name: String, parameters: [NeuronParameter], isOnGrid: Bool = false,
    exact: ExactLayerPasses
  ) {
    self.name = name
    self.parameters = parameters
    isSpiking = exact.isSpiking
    self.isOnGrid = isOnGrid
    self.exact = exact
  }

  /// Whether its own spikes raise its threshold for a while.
  public var adapts: Bool { parameters.contains(.adaptation) }
}

extension NeuronKind: Equatable {
  /// By name alone, which is unique in `NeuronTable`.
  public static func == (a: NeuronKind, b: NeuronKind) -> Bool { a.name == b.name }
}

/// Every neuron model of the product, in the order in which lists show them.
public enum NeuronTable {
  /// The first that spikes is the standard of hidden layers in presets.
  public static let all: [NeuronKind] = [
    .lif,
    .li,
    .alif,
  ]

  /// By its name in presets; nil where none is called that.
  public static func kind(_ name: String) -> NeuronKind? { all.first { $0.name == name } }
}
