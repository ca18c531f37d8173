// SPDX-License-Identifier: MIT

import EventPropCore
import Experiments
import Foundation
import Runs
import SpikeData
import Training

/// What a training tells TensorBoard: a folder of event files for each lane, a step an epoch.
public final class TensorBoardLog {
  private let folders: [(lane: String, events: EventFolder)]

  /// Opens the folders `<folder>/<lane>` or, of several seeds, `<folder>/<lane>/seed-<n>`. Of a run
  /// that goes on, events beyond its place go, and epochs that it has behind it without an event
  /// are taken from metrics.csv.
  /// - Parameters:
  ///   - trainer: of one seed, at its beginning or where it goes on.
  ///   - run: its folder.
  ///   - isFirst: whether it is the run's own seed.
  ///   - hasSeeds: whether there are several seeds.
  /// - Throws: `FileError` where the folders hold the events of another training, or cannot be
  ///   written.
  public init(
    _ folder: String, _ trainer: Trainer, run: RunDirectory, isFirst: Bool, hasSeeds: Bool
  ) throws {
    folders = try trainer.laneNames.map { lane in
      let own = (folder as NSString).appendingPathComponent(lane)
      let ofSeed = (own as NSString).appendingPathComponent("seed-\(trainer.preset.seed)")
      // Where other seeds joined or left since, the first one stays where it was.
      let isWithoutSeed =
        hasSeeds ? isFirst && EventFolder.isUsed(own) : !EventFolder.isUsed(ofSeed)
      return (lane, try EventFolder(isWithoutSeed ? own : ofSeed))
    }
    let rows = MetricsTable.read(run.file("metrics.csv"), trainer.network)
    let activity = ActivityTable.read(run.file(ActivityTable.file), trainer.network)
    // All are looked at before any is changed: another run's are left as they are.
    for (lane, events) in folders {
      guard events.last != nil else { continue }
      let common = try events.find(through: trainer.epoch)
      let row = rows.first { $0.lane == lane && $0.epoch == common?.step }
      let isNew = trainer.epoch == 0 && events.last?.step ?? 0 <= 0
      let loss = common?.scalars[Tag.trainLoss]
      guard isNew || (loss != nil && row.map { Float($0.trainLoss) } == loss) else {
        let found = loss.map { "loss/train of epoch \(common?.step ?? 0) is \($0) there" }
        throw FileError(
          folder,
          "\(lane): its event files are not of \(run.path): \(found ?? "they have no epoch in common"); "
            + "--tensorboard needs another folder")
      }
    }
    for (index, (lane, events)) in folders.enumerated() {
      try events.cut(after: trainer.epoch)
      let own = rows.filter { $0.lane == lane && $0.epoch <= trainer.epoch }
      let known = events.last?.step ?? -1
      if trainer.epoch == 0, trainer.batchInEpoch == 0, known < 0 {
        try events.append(Self.arrays(trainer.lanes[index]), step: 0)
      }
      for var row in own where row.epoch > known {
        row.activity = activity[lane]?[row.epoch] ?? []
        try events.append(Self.values(row, trainer.score), step: row.epoch)
      }
    }
  }

  /// Makes the folder for a new run, before there is a run.
  /// - Throws: `FileError` where it cannot be made, or has event files already.
  public static func makeFolder(_ folder: String, for preset: Preset) throws {
    try AtomicFile.makeFolder(folder)
    for lane in preset.lanes {
      let own = (folder as NSString).appendingPathComponent(lane.name)
      let inside = (try? FileManager.default.contentsOfDirectory(atPath: own)) ?? []
      let places = [own] + inside.map { (own as NSString).appendingPathComponent($0) }
      if let used = places.first(where: EventFolder.isUsed) {
        throw FileError(
          used, "has event files of another run; --tensorboard of a new run needs another folder")
      }
    }
  }

  /// Adds an epoch that has just ended.
  /// - Parameter rows: one for each lane, in their order.
  public func append(_ rows: [EpochMetrics], of trainer: Trainer) throws {
    for (index, row) in rows.enumerated() {
      guard let events = folders.first(where: { $0.lane == row.lane })?.events else { continue }
      try events.append(
        Self.values(row, trainer.score) + Self.arrays(trainer.lanes[index]), step: row.epoch)
    }
  }

  private enum Tag {
    static let trainLoss = "loss/train"
  }

  /// What a row says, under the tags of the documentation.
  static func values(_ row: EpochMetrics, _ score: ScoreName) -> [EventValue] {
    var values: [EventValue] = []
    func add(_ tag: String, _ number: Double?) {
      if let number, number.isFinite { values.append(.scalar(tag, number)) }
    }
    add(Tag.trainLoss, row.trainLoss)
    add("loss/validation", row.validationLoss)
    add("loss/test", row.testLoss)
    add("\(score.rawValue)/train", row.trainAccuracy)
    add("\(score.rawValue)/validation", row.validationAccuracy)
    add("\(score.rawValue)/test", row.testAccuracy)
    add("rate", row.rate)
    for (layer, spikes) in row.spikes.enumerated() {
      add("spikes/hidden\(layer + 1)", spikes)
      add("silent/hidden\(layer + 1)", row.silent[layer])
      add("dead/hidden\(layer + 1)", Double(row.dead[layer]))
    }
    for (name, norm) in row.gradientNorms.sorted(by: { $0.key < $1.key }) {
      add("gradient/\(name)", norm)
    }
    if row.ledger.updates > 0 {
      add("ledger/created", Double(row.ledger.created))
      add("ledger/deleted", Double(row.ledger.deleted))
      add("ledger/predicted", row.ledger.predicted)
      add("ledger/actual", row.ledger.actual)
    }
    for (layer, activity) in row.activity.enumerated() {
      if let histogram = EventHistogram(activity.rates.map(Double.init)) {
        values.append(.histogram("rates/hidden\(layer + 1)", histogram))
      }
    }
    return values
  }

  /// All weights, and what is trained beside them.
  private static func arrays(_ lane: any Lane) -> [EventValue] {
    zip(lane.network.arrays, lane.keep().weights).compactMap { array, values in
      guard array.isTrained,
        let histogram = EventHistogram(values.doubles)
      else { return nil }
      return .histogram(array.learning == nil ? "weights/\(array.name)" : array.name, histogram)
    }
  }
}
