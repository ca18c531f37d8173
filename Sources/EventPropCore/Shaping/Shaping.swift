// SPDX-License-Identifier: MIT

import Foundation

/// A kind of w(t), the weight of the integral losses, as a function of x = t/T.
///
/// To add one: a file like `Exponential.swift`, and its line in `ShapingTable`.
public protocol ShapingCurve: Sendable, Equatable {
  /// `loss.shaping` in presets, and what is typed and logged.
  static var kind: String { get }
  /// The preset's keys for it, in the order of `words`.
  static var keys: [ShapingKey] { get }
  /// Whether the key that goes through the kinds comes to it.
  static var isInTurn: Bool { get }
  /// How it is typed.
  static var usage: String { get }
  /// What a wrong value is told.
  static var allowed: String { get }

  /// From what follows the kind where it is typed or logged; nil where that says nothing.
  init?(words: [String])
  /// What follows the kind; reads back to the same bits.
  var words: [String] { get }

  /// w at x in 0...1.
  func weight(at x: Double) -> Double
  /// The ascending x at which w is not smooth; quadrature panels end there.
  var kinks: [Double] { get }
  /// `int w(x) exp(-rate (x - start)) dx` from `start` to `end`; nil where it has no closed form.
  func integral(from start: Double, to end: Double, rate: Double) -> Double?
  /// k where w = exp(-k x), for which the integrals are known; nil for others.
  var decayRate: Double? { get }
  /// Whether it is made of the input, so that `following` is asked before it is used.
  static var followsInput: Bool { get }
  /// The same, made of this input.
  func following(_ input: InputProfile) -> Self
}

extension ShapingCurve {
  /// A kind without parameters has none.
  public static var keys: [ShapingKey] { [] }
  /// `Shaping.next` then needs an `init(words: [])` that does not fail.
  public static var isInTurn: Bool { true }
  /// The kind alone: nothing follows it.
  public static var usage: String { kind }
  /// Empty: without parameters none can be wrong.
  public static var allowed: String { "" }
  /// None: it is integrated by quadrature, unless `integral` is known.
  public var decayRate: Double? { nil }
  /// exp(-k start) (1 - exp(-r d))/r with r = rate + k where w = exp(-k x); else none.
  public func integral(from start: Double, to end: Double, rate: Double) -> Double? {
    decayRate.map { exp(-$0 * start) * -expm1(-(rate + $0) * (end - start)) / (rate + $0) }
  }
  /// A function of x alone.
  public static var followsInput: Bool { false }
  /// A kind without parameters has none.
  public var words: [String] { [] }
  /// Smooth on all of 0...1.
  public var kinks: [Double] { [] }
  /// Unchanged: the input does not enter.
  public func following(_ input: InputProfile) -> Self { self }

  fileprivate func equals(_ other: any ShapingCurve) -> Bool { other as? Self == self }
}

/// A key of the preset that a kind of shaping reads.
public enum ShapingKey: Sendable, Equatable {
  /// A number above 0, and what it is where the preset does not say: one word.
  case number(String, standard: Double)
  /// A list of [x, weight]: a word `x:weight` each.
  case points(String)
}

/// The weight w(t) of the integral losses: one of the kinds of `ShapingTable`.
public struct Shaping: Sendable, Equatable {
  /// The kind and its parameters.
  public let curve: any ShapingCurve
  /// The part of the trial, in x, that the loss is taken over: w is 0 outside; nil: all of it. Not
  /// among `words`: it stays when the kind is changed.
  public private(set) var window: ClosedRange<Double>?

  /// Of any type, also one that `ShapingTable` does not list; words would not read that back.
  public init(_ curve: any ShapingCurve) { self.curve = curve }

  /// The same kind with equal parameters.
  public static func == (a: Shaping, b: Shaping) -> Bool {
    a.curve.equals(b.curve) && a.window == b.window
  }

  /// The same over a part of the trial alone.
  public func within(_ window: ClosedRange<Double>?) -> Shaping {
    var shaping = self
    shaping.window = window
    return shaping
  }

  /// `loss.shaping` in presets.
  public var kind: String { type(of: curve).kind }
  /// w at x = t/T in 0...1.
  public func weight(at x: Double) -> Double {
    if let window, !window.contains(x) { return 0 }
    return curve.weight(at: x)
  }
  var kinks: [Double] {
    guard let window else { return curve.kinks }
    return (curve.kinks + [window.lowerBound, window.upperBound]).sorted()
  }
  var decayRate: Double? { window == nil ? curve.decayRate : nil }
  func integral(from start: Double, to end: Double, rate: Double) -> Double? {
    guard let window else { return curve.integral(from: start, to: end, rate: rate) }
    let (low, high) = (max(start, window.lowerBound), min(end, window.upperBound))
    if low >= high { return 0 }
    return curve.integral(from: low, to: high, rate: rate).map { exp(-rate * (low - start)) * $0 }
  }

  /// Whether w = 1 throughout.
  public var isPlain: Bool { curve is PlainShaping && window == nil }
  /// The corners of a piecewise linear one; nil for other kinds.
  public var corners: [ShapingPoint]? { (curve as? CustomShaping)?.points }

  /// What a reader calls it: `plain`, `exponential`, or with parameters that are not the standard
  /// ones `exponential 0.5`; points are left out.
  public var title: String {
    if let window {
      return within(nil).title + " from \(window.lowerBound) to \(window.upperBound) T"
    }
    if isPlain { return "plain" }
    let isStandard = type(of: curve).init(words: []).map { Shaping($0) == self } ?? true
    return isStandard || corners != nil || type(of: curve).followsInput ? kind : words
  }

  /// Kind and parameters, as `exponential 0.5` or `custom 0:1 1:0.2`; reads back to the same bits.
  public var words: String { ([kind] + curve.words).joined(separator: " ") }

  /// nil where the words name no kind, or what follows is not allowed.
  public init?(words: [String]) {
    guard let kind = words.first, let entry = ShapingTable.entry(kind),
      let curve = entry.init(words: Array(words.dropFirst()))
    else { return nil }
    self.curve = curve
  }

  /// Made of the input where it follows that.
  /// - Parameter input: asked only then.
  public func following(_ input: () -> InputProfile) -> Shaping {
    type(of: curve).followsInput ? Shaping(curve.following(input())).within(window) : self
  }

  /// The next kind in turn, with its standard parameters.
  public var next: Shaping {
    let all = ShapingTable.all.filter { $0.isInTurn }
    let place = all.firstIndex { $0.kind == kind } ?? -1
    let next = all[(place + 1) % all.count].init(words: []).map { Shaping($0) } ?? .none
    return next.within(window)
  }
}

/// Every kind of shaping of the product, in the order in which lists show them.
public enum ShapingTable {
  /// The first is the standard of presets. Kinds are unique.
  public static let all: [any ShapingCurve.Type] = [
    PlainShaping.self,
    LinearShaping.self,
    ExponentialShaping.self,
    SigmoidShaping.self,
    InputShaping.self,
    CustomShaping.self,
  ]

  /// In the order of `all`.
  public static var kinds: [String] { all.map { $0.kind } }

  /// nil where there is none of that kind.
  public static func entry(_ kind: String) -> (any ShapingCurve.Type)? {
    all.first { $0.kind == kind }
  }
}
