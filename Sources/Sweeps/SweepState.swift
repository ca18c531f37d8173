// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import Runs
import SpikeData

/// How far a sweep is, and what came of it so far. Read from files alone, without a lock: while it
/// runs, from any machine that sees its folder.
public struct SweepState: Sendable {
  /// Of a point, or of one of its seeds.
  public enum Status: String, Sendable, CaseIterable { case waiting, running, done, failed }

  /// A lane of one network.
  public struct Lane: Sendable {
    /// As in files.
    public var name: String
    /// Rising; without those before the last where only last epochs were read.
    public var epochs: [Int]
    /// By column of metrics.csv: losses, accuracies, spikes, silent and dead neurons. As many as
    /// `epochs`; nil where there was no evaluation.
    public var values: [String: [Double?]]

    /// Of the last epoch that has a value; nil: none has.
    public func last(_ column: String) -> Double? { values[column]?.last { $0 != nil } ?? nil }
  }

  /// One network of a point.
  public struct Seed: Sendable {
    /// The number.
    public var seed: Int
    /// As the point's; done too when only its training is at its end.
    public var status: Status
    /// Finished epochs.
    public var epochs: Int
    /// In the order of the preset; empty before the first epoch is done.
    public var lanes: [Lane]
  }

  /// A point and its seeds.
  public struct Point: Sendable {
    /// From 0 on.
    public var index: Int
    /// Of the axes, in their order.
    public var values: [ConfigValue]
    /// As files tell.
    public var status: Status
    /// Why it failed; empty otherwise.
    public var message: String
    /// Share of its batches that are done, 0...1: from its process, or from its epochs.
    public var share: Double
    /// Epochs that it is trained for.
    public var epochs: Int
    /// All that it is trained with.
    public var seeds: [Seed]
    /// The folder of its run, which may not be there yet.
    public var run: String
  }

  /// The folder.
  public let folder: SweepFolder
  /// In order.
  public private(set) var points: [Point] = []
  /// Whether all epochs were read.
  public let hasCurves: Bool

  /// Its axes, metric and seeds.
  public var sweep: Sweep { folder.sweep }

  /// How many points have a status.
  public func count(_ status: Status) -> Int { points.count { $0.status == status } }

  /// Nothing is left to train.
  public var isSettled: Bool { points.allSatisfy { $0.status == .done || $0.status == .failed } }

  /// Share of all work that is done, 0...1; failed points count as done.
  public var share: Double {
    let all = points.reduce(0.0) { $0 + Double($1.epochs) }
    let done = points.reduce(0.0) {
      $0 + Double($1.epochs) * ($1.status == .failed ? 1 : $1.share)
    }
    return all > 0 ? done / all : 1
  }

  /// Different values of an axis, in the order of the sweep; numbers of random sweeps by size.
  public func values(ofAxis axis: Int) -> [ConfigValue] {
    var found: [ConfigValue] = []
    for point in points where !found.contains(point.values[axis]) {
      found.append(point.values[axis])
    }
    guard sweep.mode == .random, found.allSatisfy({ $0.number != nil }) else { return found }
    return found.sorted { $0.number! < $1.number! }
  }

  /// - Parameters:
  ///   - path: folder of the sweep.
  ///   - curves: all epochs; otherwise the last of each lane.
  ///   - previous: an earlier state of the folder: points that were done then are not read again.
  /// - Throws: `FileError` when the folder is no sweep.
  public init(_ path: String, curves: Bool = true, after previous: SweepState? = nil) throws {
    let known = previous?.folder.path == path ? previous : nil
    self.init(try known?.folder ?? SweepFolder(opening: path), curves: curves, after: known)
  }

  /// The same of a folder that is open.
  public init(_ folder: SweepFolder, curves: Bool = true, after previous: SweepState? = nil) {
    self.folder = folder
    hasCurves = curves
    let marks = PointMarks(folder: folder)
    let all = marks.all()
    let epochs = folder.sweep.epochs
    // Most points of a large sweep have not begun: there is nothing to look for.
    let begun = Set(
      (try? FileManager.default.contentsOfDirectory(atPath: folder.file("runs"))) ?? [])
    points = folder.sweep.points.indices.map { index in
      if let previous, previous.hasCurves == curves, previous.points[index].status == .done,
        all[index]?.contains(.done) ?? false
      {
        return previous.points[index]
      }
      return SweepState.point(
        index, folder, marks, all[index] ?? [], epochs: epochs[index], curves: curves,
        isBegun: begun.contains(folder.name(index)))
    }
  }

  private static func point(
    _ index: Int, _ folder: SweepFolder, _ marks: PointMarks, _ kinds: Set<PointMarks.Kind>,
    epochs: Int, curves: Bool, isBegun: Bool
  ) -> Point {
    let sweep = folder.sweep
    var running = kinds.contains(.running) ? marks.running(index) : nil
    if let mark = running, !mark.isAlive { running = nil }
    let status: Status =
      kinds.contains(.done)
      ? .done : running != nil ? .running : kinds.contains(.failed) ? .failed : .waiting
    let run = folder.run(index)
    let seeds = (0..<sweep.seeds).map { offset -> Seed in
      let number = sweep.firstSeed + offset
      let own = offset == 0 ? run : SeedFolder.path(run, seed: number)
      let rows =
        isBegun
        ? MetricsTable.rows((own as NSString).appendingPathComponent("metrics.csv")) : []
      let lanes = lanes(rows, curves: curves)
      let done = lanes.map { $0.epochs.last ?? 0 }.min() ?? 0
      let isAtEnd = done >= epochs && epochs > 0
      return Seed(
        seed: number, status: isAtEnd && status != .failed ? .done : status, epochs: done,
        lanes: lanes)
    }
    let trained = seeds.reduce(0) { $0 + min($1.epochs, epochs) }
    return Point(
      index: index, values: sweep.points[index], status: status,
      message: status == .failed ? marks.failure(index) ?? "" : "",
      share: status == .done
        ? 1
        : max(running?.share ?? 0, Double(trained) / Double(max(1, epochs * seeds.count))),
      epochs: epochs, seeds: seeds, run: run)
  }

  private static func lanes(_ rows: [[String: String]], curves: Bool) -> [Lane] {
    var names: [String] = []
    var own: [String: [[String: String]]] = [:]
    for row in rows {
      guard let lane = row["lane"], row["epoch"].flatMap({ Int($0) }) != nil else { continue }
      if own[lane] == nil { names.append(lane) }
      own[lane, default: []].append(row)
    }
    return names.map { name in
      let all = own[name]!
      let kept = curves ? all[...] : all.suffix(1)
      var lane = Lane(name: name, epochs: kept.map { Int($0["epoch"]!)! }, values: [:])
      for column in all[0].keys where SweepResults.isKept(column) {
        lane.values[column] = kept.map { row in row[column].flatMap { Double($0) } }
        // Evaluations may be rarer than epochs: the last one counts.
        if !curves, lane.values[column]! == [nil],
          let last = all.last(where: { !($0[column] ?? "").isEmpty })
        {
          lane.values[column] = [last[column].flatMap { Double($0) }]
        }
      }
      return lane
    }
  }
}

extension Sweep {
  /// Epochs of every point, without reading each one's preset.
  var epochs: [Int] {
    let key = "training.epochs"
    if let axis = axes.firstIndex(where: { $0.key == key }) {
      return points.map { if case .integer(let number) = $0[axis] { number } else { 0 } }
    }
    let own = (try? preset(ofPoint: 0))?.training.epochs ?? 0
    return points.map { _ in own }
  }
}
