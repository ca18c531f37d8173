// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import SpikeData

/// Trains the points of a sweep one after another in this process.
public final class SweepRunner {
  /// What came of the points.
  public struct Summary: Sendable {
    /// Points that have failed, with their messages.
    public var failed: [(point: Int, message: String)] = []
    /// Points that other processes train, with their names.
    public var busy: [(point: Int, holder: String)] = []
  }

  /// What is told while it runs.
  public enum Event: Sendable {
    /// Of the whole sweep, with seconds left; nil while nothing is known of the pace.
    case progress(point: Int, share: Double, left: Double?)
    /// A point is trained now.
    case done(point: Int)
    /// A point has failed now.
    case failed(point: Int, message: String)
  }

  private let folder: SweepFolder
  private let work: SweepWork
  private var results: SweepResults

  /// - Parameter folder: of the sweep.
  public init(_ folder: SweepFolder) {
    self.folder = folder
    work = SweepWork(folder)
    results = SweepResults(folder)
  }

  /// Trains all points that are not done and have not failed; those that another process has are
  /// looked after again at the end. results.csv is written after every point.
  /// - Parameter isStopped: asked before every point, and while others are waited for.
  /// - Throws: `FileError`; what stops `training`.
  public func run(
    _ training: PointTraining, isStopped: () -> Bool = { false },
    tell: @escaping (Event) -> Void
  ) throws -> Summary {
    let marks = PointMarks(folder: folder)
    let all = marks.all()
    var waiting = folder.sweep.points.indices.filter {
      !(all[$0]?.contains(.done) ?? false) && !(all[$0]?.contains(.failed) ?? false)
    }
    work.begin(done: Set(folder.sweep.points.indices).subtracting(waiting))
    try results.write()
    // A process that was killed lets go at once, one that was told to stop after a batch.
    var deadline: Date?
    var busy: [(point: Int, holder: String)] = []
    while !waiting.isEmpty, !isStopped() {
      busy = []
      for point in waiting where !isStopped() {
        let outcome = try training.train(point) { [work] share in
          tell(.progress(point: point, share: work.share(point, share), left: work.left))
        }
        switch outcome {
        case .busy(let holder): busy.append((point, holder))
        case .done, .failed:
          work.end(point)
          try results.write(isLast: false)
          if case .failed(let message) = outcome {
            tell(.failed(point: point, message: message))
          } else {
            tell(.done(point: point))
          }
          deadline = nil
        }
      }
      waiting = busy.map(\.point)
      if waiting.isEmpty { break }
      deadline = deadline ?? Date(timeIntervalSinceNow: SweepRunner.patience)
      guard Date() < deadline! else { break }
      usleep(200_000)
    }
    try results.write()
    return Summary(failed: folder.failures(), busy: busy)
  }

  /// Seconds that points of other processes are waited for once nothing else is left.
  public static let patience = RunningMark.patience + 15
}

/// How much of a sweep is done, and how fast it goes.
final class SweepWork {
  private let weights: [Double]
  private var finished: Set<Int> = []
  private var shares: [Int: Double] = [:]
  /// Where a point was when this process came to it.
  private var firsts: [Int: Double] = [:]
  private let start = Date()

  init(_ folder: SweepFolder) { weights = folder.sweep.epochs.map { Double(max($0, 1)) } }

  func begin(done: Set<Int>) { finished = done }

  /// - Parameter share: of the point.
  /// - Returns: that of the sweep.
  func share(_ point: Int, _ share: Double) -> Double {
    if firsts[point] == nil { firsts[point] = share }
    shares[point] = share
    return done / max(weights.reduce(0, +), 1)
  }

  func end(_ point: Int) {
    firsts[point] = firsts[point] ?? 1
    shares[point] = nil
    finished.insert(point)
  }

  private var done: Double {
    finished.reduce(0) { $0 + weights[$1] }
      + shares.reduce(0) { $0 + weights[$1.key] * $1.value }
  }

  /// Seconds; nil before anything was trained.
  var left: Double? {
    let own = firsts.reduce(0.0) {
      $0 + weights[$1.key] * ((shares[$1.key] ?? 1) - $1.value)
    }
    guard own > 0 else { return nil }
    return -start.timeIntervalSinceNow / own * (weights.reduce(0, +) - done)
  }
}

extension SweepFolder {
  /// Points that have failed, with their messages.
  public func failures() -> [(point: Int, message: String)] {
    let marks = PointMarks(folder: self)
    return marks.all().keys.sorted().compactMap { point in
      guard sweep.points.indices.contains(point), let message = marks.failure(point),
        !marks.has(.done, point)
      else { return nil }
      return (point, message)
    }
  }

  /// Takes the marks of failed points away, so that they are trained again.
  /// - Parameter among: of these alone; nil: of all.
  /// - Returns: those points, with their messages.
  @discardableResult
  public func clearFailures(among: [Int]? = nil) -> [(point: Int, message: String)] {
    let cleared = failures().filter { among?.contains($0.point) ?? true }
    for (point, _) in cleared { PointMarks(folder: self).clearFailed(point) }
    return cleared
  }

  /// Puts marks back that were taken away.
  public func markFailed(_ points: [(point: Int, message: String)]) throws {
    for (point, message) in points { try PointMarks(folder: self).setFailed(point, message) }
  }
}
