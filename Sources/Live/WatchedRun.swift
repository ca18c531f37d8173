// SPDX-License-Identifier: MIT

import Experiments
import Runs
import EventPropCore
import Foundation
import SpikeData

/// A run that another process trains: its last checkpoint and its curves, looked at again whenever
/// they change. Reads only.
public final class WatchedRun: SnapshotSource, Sendable {
  private struct Shared {
    var commands: [EngineCommand] = []
    var snapshot: Snapshot?
    var failure: String?
    var isStopping = false
  }

  private let shared = Guarded(Shared())
  private let wake = DispatchSemaphore(value: 0)
  private let folder: String
  /// Between looks at the files.
  private static let period = DispatchTimeInterval.milliseconds(500)

  /// Starts the thread that reads, and returns at once; what goes wrong is in `startFailure`.
  /// - Parameter settings: `key=value` overrides of the run's preset.
  public init(_ folder: String, settings: [String] = []) {
    self.folder = folder
    let thread = Thread { [self] in
      blockAllSignals()
      do {
        try look(settings)
      } catch {
        shared.withLock { $0.failure = "\(error)" }
      }
    }
    thread.name = "eventprop watch"
    thread.stackSize = 16 << 20
    thread.start()
  }

  /// Whether a process of this machine trains a run, under whichever seed.
  public static func isTrained(_ run: String) -> Bool {
    ([run] + others(run)).contains(where: RunDirectory.isInUse)
  }

  /// The folders of its other seeds.
  private static func others(_ run: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: run)) ?? [])
      .filter { $0.hasPrefix("seed-") }.sorted()
      .map { (run as NSString).appendingPathComponent($0) }
  }

  private func look(_ settings: [String]) throws {
    var preset = try Preset(ofRun: folder, settings: settings)
    let data = try preset.loadData()
    var (serial, seen, probe, seed) = (0, "", 0, 0)
    var detail: Detail?
    var still: FinishedRuns?
    var isTrained: Bool?
    while true {
      let (commands, isStopping) = shared.withLock { shared in
        defer { shared.commands.removeAll() }
        return (shared.commands, shared.isStopping)
      }
      if isStopping { return }
      for command in commands {
        if case .detail(let wanted) = command { detail = wanted }
        if case .probe(let wanted) = command { probe = wanted }
        if case .show(let wanted) = command { seed = wanted }
        still?.send(command)
      }
      let state = self.state
      let wasTrained = isTrained
      isTrained = Self.isTrained(folder)
      var isNew = !commands.isEmpty || isTrained != wasTrained
      if state != seen || still == nil {
        // A checkpoint may be pruned while it is read: then the next look finds a newer one.
        do {
          // It may have been told to train longer.
          preset = try Preset(ofRun: folder, settings: settings)
          let place = try Checkpoint.find(in: folder, named: nil)
          var item = FinishedRuns.Item(preset: preset, folder: folder, place: place, data: data)
          item.isWatched = true
          still = try FinishedRuns([item], probe: probe, detail: detail)
          if seed > 0 { still?.send(.show(seed: seed)) }
          (seen, isNew) = (state, true)
        } catch {
          if still == nil && state == seen { throw error }
          seen = state
        }
      }
      if isNew, var snapshot = still?.snapshot(after: 0) {
        serial += 1
        snapshot.serial = serial
        snapshot.isWatched = true
        snapshot.isLeft = isTrained == false
        if snapshot.isLeft, snapshot.notice.isEmpty {
          snapshot.notice =
            wasTrained == true
            ? "the training has ended: no process of this machine trains this run now"
            : "no process of this machine trains this run now; eventprop open goes on with it"
        }
        // Curves go on beyond the checkpoint whose network is shown.
        let last = snapshot.lanes.compactMap(\.curves.loss.xs.last).max() ?? 0
        if last > snapshot.position { snapshot.livePosition = last }
        shared.withLock { $0.snapshot = snapshot }
      }
      _ = wake.wait(timeout: .now() + Self.period)
    }
  }

  /// What changes when the run goes on.
  private var state: String {
    ([folder] + Self.others(folder)).map { run in
      let names = (try? Checkpoint.all(in: run).map(\.name)) ?? []
      let sizes = ["metrics.csv", "preset.toml"].map { name in
        let file = (run as NSString).appendingPathComponent(name)
        return (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? 0
      }
      return "\(names.joined(separator: " ")) \(sizes)"
    }.joined(separator: "; ")
  }

  /// Its `livePosition` is set where metrics.csv goes on beyond the checkpoint.
  public func snapshot(after serial: Int) -> Snapshot? {
    shared.withLock { $0.snapshot }.flatMap { $0.serial > serial ? $0 : nil }
  }
  /// Queued for the reading thread, which takes `.probe` and `.detail` and ignores all others.
  public func send(_ command: EngineCommand) {
    shared.withLock { $0.commands.append(command) }
    wake.signal()
  }
  /// Why the reading thread gave up; nil while all is well.
  public var startFailure: String? { shared.withLock { $0.failure } }
  /// Does nothing: the run is another process's.
  public func leave() {}
  /// Always `.done`.
  public var leaving: Leaving { .done }
  /// Ends the reading thread without waiting for it; always nil.
  public func stop() -> String? {
    shared.withLock { $0.isStopping = true }
    wake.signal()
    return nil
  }
}
