// SPDX-License-Identifier: MIT

import Experiments
import SpikeData
import Training
import Diagnosis
import EventPropCore
import Foundation

/// Checkpoints of a run: `checkpoints/<epoch>/<lane>/*.npy` and `state.toml`. Written aside, synced
/// and renamed: a crash at any instant leaves the last one whole.
public enum Checkpoint {
  /// A whole checkpoint on disk.
  public struct Place: Sendable, Comparable {
    /// Its folder.
    public var path: String
    /// Finished epochs.
    public var epoch: Int
    /// Finished batches of the epoch after `epoch`.
    public var batch: Int

    /// By place in the training; paths do not count.
    public static func < (a: Place, b: Place) -> Bool { (a.epoch, a.batch) < (b.epoch, b.batch) }

    /// `12`, or `12+40` between two epochs: the name of its folder.
    public var name: String { Checkpoint.name(epoch: epoch, batch: batch) }
    /// `epoch 12`, or `epoch 12 and 40 batches`.
    public var words: String {
      "epoch \(epoch)" + (batch > 0 ? " and \(batch) \(batch == 1 ? "batch" : "batches")" : "")
    }
  }

  private static func name(epoch: Int, batch: Int) -> String {
    batch == 0 ? String(epoch) : "\(epoch)+\(batch)"
  }

  /// Checkpoints of a run, oldest first; half-written ones are not among them. A folder that is not
  /// there holds none.
  /// - Throws: `FileError` when it cannot be read.
  public static func all(in run: String) throws -> [Place] {
    let folder = (run as NSString).appendingPathComponent("checkpoints")
    guard let list = opendir(folder) else {
      if errno == ENOENT { return [] }
      throw FileError(folder, "cannot be read: \(String(cString: strerror(errno)))")
    }
    closedir(list)
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw FileError(folder, "cannot be read: \(error.localizedDescription)")
    }
    let places = names.compactMap { entry -> Place? in
      let name = AsideFolder.name(of: entry, among: names) ?? ""
      let parts = name.split(separator: "+", omittingEmptySubsequences: false)
      guard (1...2).contains(parts.count), let epoch = Int(parts[0]), epoch >= 0 else { return nil }
      guard let batch = parts.count == 2 ? Int(parts[1]) : 0, batch >= 0 else { return nil }
      return Place(
        path: (folder as NSString).appendingPathComponent(entry), epoch: epoch, batch: batch)
    }
    return places.sorted()
  }

  /// The last checkpoint of a run, or the one named: `12`, or `12+40` for one between two epochs.
  /// - Throws: `FileError` that lists those there are.
  public static func find(in run: String, named name: String?) throws -> Place {
    let places = try all(in: run)
    if let place = places.last(where: { name == nil || $0.name == name }) { return place }
    let names = places.map(\.name).joined(separator: ", ")
    throw FileError(
      run,
      "has no checkpoint\(name.map { " \($0)" } ?? ""); there are: \(names.isEmpty ? "none" : names)"
    )
  }

  /// Writes the trainer's state and removes what `keep` makes superfluous.
  public static func write(_ trainer: Trainer, to run: RunDirectory, keep: Int) throws {
    try run.check()
    do {
      try writeWhole(trainer, to: run, keep: keep)
    } catch {
      // Where the run's folder has gone meanwhile, that is what is said.
      try run.check()
      throw error
    }
  }

  private static func writeWhole(_ trainer: Trainer, to run: RunDirectory, keep: Int) throws {
    let folder = run.file("checkpoints") as NSString
    try AtomicFile.makeInnerFolder(folder as String)
    // It counts commands: they are on disk before it is.
    try run.syncLogs()
    let final = try put(trainer, in: folder)
    try run.best.follow(trainer)
    let old = try all(in: run.path).filter { $0.path != final }
    let whole = old.filter { $0.batch == 0 }
    let surplus = keep > 0 ? whole.prefix(max(0, whole.count - keep + 1)) : []
    for place in old.filter({ $0.batch > 0 }) + surplus { AtomicFile.remove(place.path) }
  }

  /// Writes the trainer's state into a folder of checkpoints.
  /// - Returns: its own folder there.
  @discardableResult
  static func put(_ trainer: Trainer, in folder: NSString) throws -> String {
    let name = name(epoch: trainer.epoch, batch: trainer.batchInEpoch)
    return try AsideFolder(folder as String).put(name) { aside in
      for lane in trainer.lanes {
        let best = lane.progress.best.map { best in
          zip(lane.network.parameterNames, best.weights).map { (name: "best/" + $0, array: $1) }
        }
        try write(lane.arrays() + (best ?? []), to: aside.appendingPathComponent(lane.name))
      }
      try AtomicFile.writeSynced(
        Array(state(trainer).text.utf8), to: aside.appendingPathComponent("state.toml"))
    }
  }

  /// Writes arrays into a new folder, and one in it for each part that their names begin with, as
  /// an optimiser's state has.
  static func write(_ arrays: [(name: String, array: NPYArray)], to folder: String) throws {
    let folder = folder as NSString
    try AtomicFile.makeInnerFolder(folder as String)
    for part in Set(arrays.map { ($0.name as NSString).deletingLastPathComponent }).sorted()
    where !part.isEmpty {
      try AtomicFile.makeInnerFolder(folder.appendingPathComponent(part))
    }
    for (file, array) in arrays {
      let path = folder.appendingPathComponent(file + ".npy")
      // What a resume would refuse is not written.
      _ = try array.finite(path)
      try AtomicFile.writeSynced(array.fileBytes, to: path)
    }
  }

  private static func state(_ trainer: Trainer) -> ConfigTable {
    var root = ConfigTable()
    root["format"] = .integer(Version.checkpointFormat)
    root["epoch"] = .integer(trainer.epoch)
    root["batch"] = .integer(trainer.batchInEpoch)
    root["commands"] = .integer(trainer.commandCount)
    if trainer.stopReason != nil { root["stopped"] = .boolean(true) }
    root["lane"] = .list(
      trainer.lanes.map { lane in
        var table = ConfigTable()
        table["name"] = .string(lane.name)
        table["updates"] = .integer(lane.updates)
        let schedule = lane.schedule
        table["factor"] = .real(schedule.factor)
        table["ease"] = .real(schedule.ease)
        table["fast"] = .real(schedule.fast)
        table["slow"] = .real(schedule.slow)
        table["epochs_since_halving"] = .integer(schedule.epochsSinceHalving)
        let tally = lane.epochTally
        table["trials"] = .integer(tally.trials)
        table["loss"] = .real(tally.loss)
        table["loss_trials"] = .integer(tally.lossTrials)
        table["correct"] = .integer(tally.correct)
        if let fit = tally.fit { table["fit"] = .list([.real(fit.error), .real(fit.spread)]) }
        table["phantoms"] = .integer(tally.phantoms)
        table["trials_of_class"] = .list(tally.ofClass.map { .integer($0) })
        table["mute"] = .list(tally.mute.map { .integer($0) })
        table["silent"] = .list(tally.silent.map { .integer($0) })
        table["spikes"] = .list(tally.spikes.map { .list($0.map { .integer($0) }) })
        table["gradient_squares"] = .list(lane.epochSquares.map { .real($0) })
        table["batches"] = .integer(lane.epochBatches)
        if let keeping = lane.keeping {
          table["keeping"] = .list(keeping.numbers.map { .real($0) })
        }
        table["ledger"] = .list(lane.diagnosis.totals.numbers.map { .real($0) })
        table["alarm_signs"] = .list(lane.diagnosis.watch.numbers.map { .real($0) })
        // 0: not dead.
        table["dead_since"] = .list(
          lane.diagnosis.deadSince.map { .list($0.map { .integer($0 ?? 0) }) })
        lane.progress.write(to: &table)
        table["epoch_ledger"] = .list(lane.diagnosis.epoch.numbers.map { .real($0) })
        return .table(table)
      })
    return root
  }

  /// How many logged commands the checkpoint's lanes had taken.
  package static func commandCount(_ place: Place) throws -> Int {
    try open(place).reader.integer("commands", default: 0, FileLimits.counts)
  }

  /// Whether the training had ended there before its last epoch.
  package static func hasStopped(_ place: Place) throws -> Bool {
    try open(place).reader.boolean("stopped", default: false)
  }

  private static func open(_ place: Place) throws -> (file: String, reader: ConfigReader) {
    let file = (place.path as NSString).appendingPathComponent("state.toml")
    guard let text = try? FileText.read(file) else {
      throw FileError(file, "cannot be read: the checkpoint is incomplete")
    }
    let lines = ConfigLines(text)
    return (
      file, ConfigReader(try ConfigTable(parsing: text, file: file)) { (file, lines.line(of: $0)) }
    )
  }

  /// Puts a trainer made from the same preset, with the commands of its log, where the checkpoint
  /// was written.
  /// - Throws: `FileError` when files are missing, damaged, or of another network.
  public static func restore(_ place: Place, into trainer: Trainer) throws {
    let folder = place.path as NSString
    let (file, reader) = try open(place)
    let count = FileLimits.counts
    let format = try reader.integer("format", default: 1, 1...1_000_000)
    guard format <= Version.checkpointFormat else {
      throw reader.error(
        "format",
        "is \(format), of a later eventprop than this (\(Version.text)), which reads up to \(Version.checkpointFormat)"
      )
    }
    trainer.commandCount = try reader.integer("commands", default: 0, count)
    _ = try reader.boolean("stopped", default: false)
    let epoch = try reader.integer("epoch", default: nil, count)
    let batch = try reader.integer("batch", default: nil, 0...trainer.batchesPerEpoch)
    var index = 0
    _ = try reader.sections("lane") { section in
      let name = try section.string("name", default: nil)
      guard index < trainer.lanes.count, trainer.lanes[index].name == name else {
        throw section.error("name", "the preset's lanes are \(trainer.laneNames)")
      }
      let lane = trainer.lanes[index]
      index += 1
      lane.schedule.factor = try section.number("factor", default: nil, .any)
      lane.schedule.ease = try section.number("ease", default: nil, .any)
      lane.schedule.fast = try section.number("fast", default: nil, .any)
      lane.schedule.slow = try section.number("slow", default: nil, .any)
      lane.schedule.epochsSinceHalving = try section.integer(
        "epochs_since_halving", default: nil, count)
      try readTally(section, lane)
      let laneFolder = folder.appendingPathComponent(name) as NSString
      try lane.restore(updates: try section.integer("updates", default: nil, count)) {
        try NPYArray(contentsOf: laneFolder.appendingPathComponent($0 + ".npy"))
      }
      lane.progress = try LaneProgress(section, lane, laneFolder)
    }
    try reader.finish()
    guard index == trainer.lanes.count else {
      throw FileError(file, "has \(index) lanes, the preset has \(trainer.lanes.count)")
    }
    trainer.seek(epoch: epoch, batch: batch)
  }

  private static func readTally(_ section: ConfigReader, _ lane: any Lane) throws {
    let count = FileLimits.counts
    func integer(_ value: ConfigValue) -> Int? {
      if case .integer(let number) = value, count.contains(number) { return number }
      return nil
    }
    func integers(_ value: ConfigValue) -> [Int]? {
      guard case .list(let items) = value else { return nil }
      let numbers = items.compactMap(integer)
      return numbers.count == items.count ? numbers : nil
    }
    var tally = Tally(lane.network)
    tally.trials = try section.integer("trials", default: nil, count)
    tally.loss = try section.number("loss", default: nil, .any)
    tally.lossTrials = try section.integer("loss_trials", default: tally.trials, count)
    tally.correct = try section.integer("correct", default: nil, count)
    tally.phantoms = try section.integer("phantoms", default: nil, count)
    if let fit = try section.list("fit", "a number", { $0.number }) {
      guard fit.count == 2, fit.allSatisfy(\.isFinite) else {
        throw section.error("fit", "allowed is [error, spread]")
      }
      tally.fit = Fit(error: fit[0], spread: fit[1])
    }
    let silent = try section.list("silent", "a count", integer) ?? []
    let spikes = try section.list("spikes", "an array of counts", integers)
    let squares = try section.list("gradient_squares", "a number") { $0.number } ?? []
    guard silent.count == tally.silent.count, spikes?.map(\.count) == tally.spikes.map(\.count),
      squares.count == lane.epochSquares.count
    else { throw section.error("spikes", "does not fit the preset's network") }
    for (key, path) in [("trials_of_class", \Tally.ofClass), ("mute", \Tally.mute)] {
      guard let counts = try section.list(key, "a count", integer) else { continue }
      guard counts.count == tally.mute.count else {
        throw section.error(key, "allowed is one number per class")
      }
      tally[keyPath: path] = counts
    }
    tally.silent = silent
    tally.spikes = spikes ?? []
    lane.epochTally = tally
    lane.epochSquares = squares
    lane.epochBatches = try section.integer("batches", default: nil, count)
    if lane.keeping != nil, let numbers = try section.list("keeping", "a number", { $0.number }) {
      guard let keeping = KeepingTally(numbers: numbers) else {
        throw section.error("keeping", "allowed are four numbers from 0 on")
      }
      lane.keeping = keeping
    }
    let since = try section.list("dead_since", "an array of counts", integers)
    if let since {
      // Empty before the first epoch has ended.
      guard since.isEmpty || since.map(\.count) == tally.spikes.map(\.count) else {
        throw section.error("dead_since", "does not fit the preset's network")
      }
      lane.diagnosis.deadSince = since.map { $0.map { $0 > 0 ? $0 : nil } }
    }
    // Of checkpoints before `alarm_signs`: other signs, from which nothing follows. The watch
    // begins anew.
    _ = try section.list("alarm_watch", "a number", { $0.number })
    if let numbers = try section.list("alarm_signs", "a number", { $0.number }) {
      guard let watch = AlarmWatch(numbers: numbers) else {
        throw section.error("alarm_signs", "allowed are at least ten numbers from 0 on")
      }
      lane.diagnosis.watch = watch
    }
    for (key, path) in [
      ("ledger", \LaneDiagnosis.totals), ("epoch_ledger", \LaneDiagnosis.epoch),
    ] {
      guard let numbers = try section.list(key, "a number", { $0.number }) else { continue }
      guard let totals = LedgerTotals(numbers: numbers) else {
        throw section.error(key, "allowed are ten numbers, the first five at least 0")
      }
      lane.diagnosis[keyPath: path] = totals
    }
  }
}
