// SPDX-License-Identifier: MIT

import EventPropCore

/// The loss along an update just made: L(w + a dw) for a in 0...3, with what the gradient promised
/// and every spike that appears or disappears on the way. Between events L is smooth, with slope
/// g . dw at a = 0; at events it may jump. The exact solver on the probe, whatever trains.
public struct Slice: Sendable, Equatable {
  /// A value of the loss.
  public struct Point: Sendable, Equatable {
    /// In updates: 0 before, 1 after.
    public var a: Double
    /// Mean over the probe.
    public var loss: Double
  }

  /// A spike that appears or disappears.
  public struct Event: Sendable, Equatable {
    /// Where, to within `precision`.
    public var a: Double
    /// Half the width of the interval that is known to hold it.
    public var precision: Double
    /// Created or deleted when going away from the old weights.
    public var kind: SpikeEvent.Kind
    /// Number of the probe trial.
    public var trial: Int
    /// `0` is hidden1.
    public var layer: Int
    /// Index in its layer.
    public var neuron: Int
    /// ms, at the near end for a deletion, at the far end for a creation.
    public var time: Double
  }

  /// In order of a.
  public var points: [Point] = []
  /// In order of a. A spike that comes and goes between two points is not seen.
  public var events: [Event] = []
  /// g . dw: what one update was to change the loss by.
  public var slope = 0.0
  /// The largest a without an event: how far the gradient told the truth. nil: none up to `range`.
  public var radius: Double?
  /// The same when one weight matrix alone moves, by its name.
  public var matrices: [(name: String, points: [Point])] = []
  /// Which update of the lane it is of; 0: not known.
  public var update = 0
  /// 0...1.
  public var progress = 0.0
  /// Trials that the loss is the mean of.
  public var trials = 0
  /// Why it could not be made; empty: it could.
  public var failure = ""

  /// Where a ends.
  public static let range = 3.0

  /// Of nothing.
  public init() {}

  /// All but the order of work.
  public static func == (a: Slice, b: Slice) -> Bool {
    a.points == b.points && a.events == b.events && a.slope == b.slope && a.radius == b.radius
      && a.matrices.elementsEqual(b.matrices) { $0.name == $1.name && $0.points == $1.points }
  }

  /// - Parameters:
  ///   - before: weights, in the order of `Network.projections`, row-major pre x post; `after` one
  ///     update later.
  ///   - steps: points from 0 to 1.
  ///   - reach: as for the ledger, ms.
  ///   - goesOn: told what there is after every point; false gives up.
  public init(
    _ problem: Problem, samples: [GradientCheck.Sample], before: [[Double]], after: [[Double]],
    steps: Int = 10, reach: Double, goesOn: (Slice) -> Bool = { _ in true }
  ) {
    let path = SlicePath(problem, samples: samples, before: before, after: after)
    trials = samples.count
    guard let start = path.start(), start.slope.isFinite else {
      failure =
        "no slice: in continuous time the activity of a probe trial explodes under these weights "
        + "(a grid that sets V to 0 loses what it has grown; see simulation.reset)"
      return
    }
    slope = start.slope
    let count = Int(Self.range) * steps
    let work = Double(count + 1 + before.count * (count / 2))
    points = [Point(a: 0, loss: start.loss)]
    var last = start.spikes
    var firstInterval: (low: Double, spikes: [TrialSpikes])?
    for k in 1...count {
      let a = Double(k) / Double(steps)
      guard let now = path.go(to: a) else {
        failure = "beyond \(points.last!.a) updates weights explode"
        break
      }
      let low = points.last!.a
      let found = path.events(from: last, at: low, to: now.spikes, at: a, reach: reach)
      if !found.isEmpty && firstInterval == nil { firstInterval = (low, last) }
      events += found
      points.append(Point(a: a, loss: now.loss))
      last = now.spikes
      progress = Double(k) / work
      if !goesOn(self) { return }
    }
    if let (low, spikes) = firstInterval {
      let high = low + 1 / Double(steps)
      // One that comes and goes within the interval leaves no trace at its end: then its beginning
      // is all that is known.
      radius = low
      if let first = path.firstEvent(from: low, spikes: spikes, to: high, reach: reach) {
        radius = first.a
        if let index = events.firstIndex(where: {
          $0.a < high && $0.trial == first.trial && $0.layer == first.layer
            && $0.neuron == first.neuron && $0.kind == first.kind
        }) {
          events[index] = first
        } else {
          events.append(first)
        }
      }
      events.sort { ($0.a, $0.trial, $0.layer, $0.neuron) < ($1.a, $1.trial, $1.layer, $1.neuron) }
    }
    let names = problem.network.parameterNames
    for p in before.indices {
      var own = [Point(a: 0, loss: start.loss)]
      for k in stride(from: 2, through: count, by: 2) {
        guard let now = path.go(to: Double(k) / Double(steps), matrix: p) else { break }
        own.append(Point(a: Double(k) / Double(steps), loss: now.loss))
        progress = Double(count + p * (count / 2) + k / 2) / work
        if !goesOn(self) { return }
      }
      matrices.append((names[p], own))
    }
    progress = 1
  }

  /// What the gradient promised at a.
  public func promised(at a: Double) -> Double { (points.first?.loss ?? 0) + a * slope }
}

/// A probe and the line of weights through an update.
private final class SlicePath {
  private let solver: ExactSolver
  private let weights: Parameters<Double>
  private let workspace: ExactSolver.Workspace
  private let trials: [ExactSolver.Trial]
  private let before: [[Double]]
  private let change: [[Double]]
  private let ranges: [ClosedRange<Double>?]
  /// How well the first event is found.
  let precision = 1e-6

  init(
    _ problem: Problem, samples: [GradientCheck.Sample], before: [[Double]], after: [[Double]]
  ) {
    let solver = ExactSolver(problem)
    self.solver = solver
    weights = Parameters(problem.network)
    workspace = solver.makeWorkspace()
    trials = samples.map { sample in
      let trial = solver.makeTrial()
      sample.train.withView { solver.load($0, label: sample.label, into: trial) }
      return trial
    }
    self.before = before
    ranges = problem.network.arrays.map { $0.learning?.range }
    change = zip(before, after).map { zip($0, $1).map { $1 - $0 } }
  }

  private var network: Network { solver.problem.network }

  private func set(_ a: Double, matrix: Int? = nil) {
    for (p, array) in weights.arrays.enumerated() {
      let factor = matrix == nil || matrix == p ? a : 0
      array.values = zip(before[p], change[p]).map { $0 + factor * $1 }
      guard let range = ranges[p] else { continue }
      // As an update would have left them.
      array.values = array.values.map { min(max($0, range.lowerBound), range.upperBound) }
    }
  }

  private func run(_ trial: ExactSolver.Trial) -> TrialSpikes? {
    solver.forward(trial, weights: weights, workspace: workspace)
    guard trial.failure == nil, trial.loss.isFinite else { return nil }
    return network.layers.indices.map { trial.spikes(ofLayer: $0) }
  }

  /// All trials; nil when one is given up.
  func go(to a: Double, matrix: Int? = nil) -> (loss: Double, spikes: [TrialSpikes])? {
    set(a, matrix: matrix)
    var (loss, spikes) = (0.0, [TrialSpikes]())
    for trial in trials {
      guard let own = run(trial) else { return nil }
      spikes.append(own)
      loss += trial.loss / Double(trials.count)
    }
    return (loss, spikes)
  }

  /// At a = 0, with g . dw.
  func start() -> (loss: Double, spikes: [TrialSpikes], slope: Double)? {
    set(0)
    let gradient = Parameters<Double>(network)
    let tape = solver.makeTape()
    var (loss, spikes) = (0.0, [TrialSpikes]())
    for trial in trials {
      guard let own = run(trial) else { return nil }
      spikes.append(own)
      loss += trial.loss / Double(trials.count)
      trial.withholdPhantom()
      solver.backward(
        trial, weights: weights, push: [], gradient: gradient, tape: tape, workspace: workspace)
    }
    solver.finish(gradient, trials: trials.count)
    let slope = zip(gradient.arrays, change).reduce(0.0) { total, pair in
      total + zip(pair.0.values, pair.1).reduce(0) { $0 + $1.0 * $1.1 }
    }
    return (loss, spikes, slope)
  }

  /// What appears and disappears from one point to the next.
  func events(
    from old: [TrialSpikes], at low: Double, to new: [TrialSpikes], at high: Double, reach: Double
  ) -> [Slice.Event] {
    var events: [Slice.Event] = []
    for trial in old.indices {
      for (layer, description) in network.layers.enumerated() where description.neuron.isSpiking {
        network.forEachMatching(
          ofLayer: layer, before: old[trial], after: new[trial], reach: reach
        ) { neuron, was, now, matching in
          func event(_ kind: SpikeEvent.Kind, _ time: Double) -> Slice.Event {
            Slice.Event(
              a: (low + high) / 2, precision: (high - low) / 2, kind: kind, trial: trial,
              layer: layer, neuron: neuron, time: time)
          }
          events += matching.deleted.map { event(.deleted, was[$0]) }
          events += matching.created.map { event(.created, now[$0]) }
        }
      }
    }
    return events
  }

  /// The first spike of any trial that comes or goes after `low`, by bisection; nil when at `high`
  /// all are as at `low`.
  func firstEvent(
    from low: Double, spikes: [TrialSpikes], to high: Double, reach: Double
  ) -> Slice.Event? {
    var best: (a: Double, event: Slice.Event)?
    for (trial, own) in spikes.enumerated() {
      func change(_ a: Double) -> Slice.Event? {
        set(a)
        guard let now = run(trials[trial]) else { return nil }
        return events(from: [own], at: low, to: [now], at: a, reach: reach).first
      }
      guard var found = change(best?.a ?? high) else { continue }
      var (a, b) = (low, best?.a ?? high)
      while b - a > precision {
        let middle = (a + b) / 2
        if let earlier = change(middle) { (b, found) = (middle, earlier) } else { a = middle }
      }
      found.trial = trial
      (found.a, found.precision) = (b, precision)
      best = (b, found)
    }
    return best?.event
  }
}
