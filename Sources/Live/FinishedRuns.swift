// SPDX-License-Identifier: MIT

import Experiments
import Runs
import Training
import Foundation
import SpikeData

/// Runs at their checkpoints, side by side, without training.
public final class FinishedRuns: SnapshotSource {
  /// A run, and where in it.
  public struct Item {
    /// The run's own, with any settings applied.
    public var preset: Preset
    /// Of the run.
    public var folder: String
    /// The checkpoint that is shown.
    public var place: Checkpoint.Place
    /// Read already; nil reads what the preset says.
    public var data: DataSplits?
    /// Its curves go on beyond the checkpoint: another process trains it.
    var isWatched = false

    /// Reads nothing: `FinishedRuns.init` does.
    public init(
      preset: Preset, folder: String, place: Checkpoint.Place, data: DataSplits? = nil
    ) {
      self.preset = preset
      self.folder = folder
      self.place = place
      self.data = data
    }

    func makeTrainer() throws -> Trainer {
      try Trainer(preset, data: data ?? preset.loadData(), threads: 1)
    }

    /// The same run under another of its seeds, at the same place where that has a checkpoint.
    func ofSeed(_ seed: Int, data: DataSplits) throws -> Item {
      let folder = SeedFolder.path(self.folder, seed: seed)
      let places = try Checkpoint.all(in: folder)
      let same = places.last { $0.name == self.place.name }
      let place = try same ?? Checkpoint.find(in: folder, named: nil)
      let isGenerated = preset.data?.isGenerated ?? false
      var item = Item(
        preset: try preset.ofSeed(seed - preset.seed), folder: folder, place: place,
        data: isGenerated ? nil : data)
      item.isWatched = isWatched
      return item
    }
  }

  private var runs: [TrainingSession] = []
  /// Per run: its seeds, and where they are; and each lane under each seed, by name.
  private var seeds: [[(seed: Int, folder: String)]] = []
  private var curves: [[String: [SeedCurves]]] = []
  /// Whose networks are shown, an index of each run's seeds.
  private var shownSeed = 0
  private let atOnce: Bool
  private var looks = 1
  /// Reports of the doctor that `current` has.
  private var reports = 0
  private let items: [Item]
  private var current = Snapshot()
  private var detail: Detail?
  private var probe: Int
  /// The screen shows an update: the one after the checkpoint.
  private var isOfUpdate: Bool { [.ledger, .step, .slice].contains(detail) }
  /// Per run: its lanes after one more, observed update. Made when first asked for; `runs` stay as
  /// they are.
  private var observed: [TrainingSession] = []

  /// - Parameters:
  ///   - probe: test sample to show; the curves come from each run's metrics.csv.
  ///   - atOnce: false makes the doctor's reports beside; `snapshot(after:)` has them when they
  ///     have come.
  /// - Throws: `FileError` when the runs have different classes or trial lengths, so that no screen
  ///   fits them all.
  public init(
    _ items: [Item], probe: Int = 0, detail: Detail? = .gradients, atOnce: Bool = true
  ) throws {
    self.items = items
    self.detail = detail
    self.probe = probe
    self.atOnce = atOnce
    runs = try items.map { try open($0) }
    seeds = items.map { SeedFolder.all(of: $0.folder, $0.preset) }
    looks =
      zip(items, seeds).map { item, seeds in
        let log = (item.folder as NSString).appendingPathComponent("commands.jsonl")
        let counts = (try? LoggedSession(contentsOf: log).seedCounts) ?? []
        return LoggedSession.looks(counts + [seeds.count])
      }.max() ?? 1
    curves = seeds.indices.map { index in
      guard seeds[index].count > 1 else { return [:] }
      // Seeds that `training.stop` may have ended later than the first are whole, too.
      let until = runs[index].trainer.isOver ? Int.max : items[index].place.epoch
      return runs[index].seedCurves(of: seeds[index], until: until)
    }
    for (run, item) in zip(runs, items).dropFirst() {
      let (first, own) = (runs[0].trainer, run.trainer)
      guard own.preset.duration == first.preset.duration,
        own.data.train.classNames == first.data.train.classNames
      else {
        throw FileError(
          item.folder, "has other classes or another trial length than \(items[0].folder)")
      }
    }
    refresh()
  }

  private func open(_ item: Item) throws -> TrainingSession {
    let training = try TrainingSession(
      { try item.makeTrainer() },
      resume: { try $0.resume(item.folder, at: item.place) }, run: { _ in nil })
    training.comparesAtOnce = true
    training.reportsAtOnce = atOnce
    training.apply(.probe(probe))
    training.apply(.detail(detail))
    training.evaluateNow()
    training.takeHistory(of: item.folder, until: item.isWatched ? .max : item.place.epoch)
    return training
  }

  /// A run under the seed that is shown; its first where it has not so many.
  private func item(_ index: Int) throws -> Item {
    guard shownSeed > 0, seeds[index].indices.contains(shownSeed) else { return items[index] }
    return try items[index].ofSeed(
      seeds[index][shownSeed].seed, data: runs[index].trainer.data)
  }

  private func show(seed: Int) {
    guard seed != shownSeed else { return }
    let before = shownSeed
    shownSeed = seed
    do {
      runs = try items.indices.map { try open(item($0)) }
      observed = []
    } catch {
      shownSeed = before
      current.notice = "\(error)"
    }
  }

  /// A run's snapshot; with details of an update, that is the one of the update after the
  /// checkpoint.
  private func snapshot(of index: Int) -> Snapshot {
    var snapshot = runs[index].snapshot()
    guard isOfUpdate else { return snapshot }
    if observed.isEmpty {
      observed = items.indices.compactMap { index in
        guard let item = try? item(index) else { return nil }
        let training = try? TrainingSession(
          { try item.makeTrainer() },
          resume: { try $0.resume(item.folder, at: item.place) }, run: { _ in nil })
        training?.comparesAtOnce = true
        training?.apply(.probe(probe))
        training?.apply(.detail(detail))
        training?.observeNext()
        _ = training?.trainBatch()
        return training
      }
    }
    guard observed.count == items.count else { return snapshot }
    for (lane, after) in observed[index].snapshot().lanes.enumerated() {
      snapshot.lanes[lane].ledger = after.ledger
      snapshot.lanes[lane].atRisk = after.atRisk
      snapshot.lanes[lane].detail.step = after.step
      snapshot.lanes[lane].detail.slice = after.slice
    }
    return snapshot
  }

  private func refresh() {
    reports = runs.reduce(0) { $0 + $1.doctor.count }
    var merged = snapshot(of: 0)
    for index in runs.indices.dropFirst() {
      let other = snapshot(of: index)
      merged.lanes += other.lanes
      merged.epoch = max(merged.epoch, other.epoch)
      merged.epochs = max(merged.epochs, other.epochs)
      merged.resolvedPreset += "\n# \(items[index].folder)\n" + other.resolvedPreset
      merged.sources += other.sources
    }
    for index in items.indices {
      merged.sources[index].folder = (try? item(index).folder) ?? items[index].folder
    }
    merged.seeds = Set(seeds.flatMap { $0.map(\.seed) }).sorted()
    merged.shownSeed = shownSeed
    merged.looks = looks
    var first = 0
    for (index, run) in runs.enumerated() {
      for (lane, name) in run.trainer.laneNames.enumerated() {
        merged.lanes[first + lane].seeds = curves[index][name] ?? []
      }
      first += run.trainer.lanes.count
    }
    if items.count > 1 {
      merged.presetName = "\(items.count) runs"
      merged.resolvedPreset = "# \(items[0].folder)\n" + merged.resolvedPreset
      var lane = 0
      for (run, item) in zip(runs, items) {
        for _ in run.trainer.lanes {
          let folder = (item.folder as NSString).lastPathComponent
          merged.lanes[lane].name = "\(folder): \(merged.lanes[lane].name)"
          merged.lanes[lane].run = folder
          merged.lanes[lane].identity = lane
          merged.lanes[lane].letter = Trainer.letter(lane)
          lane += 1
        }
      }
    }
    merged.runPath = items[0].folder
    merged.isPaused = true
    merged.isStill = true
    merged.serial = current.serial + 1
    current = merged
  }

  /// The one that the last `send` made, with the doctor's reports that have come since; nothing
  /// else is computed here.
  public func snapshot(after serial: Int) -> Snapshot? {
    if runs.reduce(0, { $0 + $1.doctor.count }) > reports { refresh() }
    return current.serial > serial ? current : nil
  }

  /// Takes `.probe` and `.detail`, and computes on the caller's thread; ignores all others.
  public func send(_ command: EngineCommand) {
    switch command {
    case .probe, .detail:
      if case .probe(let probe) = command { self.probe = probe }
      if case .detail(let detail) = command {
        // What an update is observed for decides what it keeps.
        if detail != self.detail { observed = [] }
        self.detail = detail
      }
      for run in runs + observed { run.apply(command) }
      refresh()
    case .show(let seed):
      show(seed: seed)
      refresh()
    default: break
    }
  }

  /// Always nil: the initialiser throws instead.
  public var startFailure: String? { nil }
  /// Does nothing: there is nothing to keep.
  public func leave() {}
  /// Always `.done`.
  public var leaving: Leaving { .done }
  /// Does nothing; always nil.
  public func stop() -> String? { nil }
}
