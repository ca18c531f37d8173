// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import SpikeData
import Training

/// The best weights of a run by its validation: `best/<lane>/*.npy` and `best.toml`. Checkpoints
/// hold them too, and what this folder holds follows them: after a kill it is as the last
/// checkpoint has it.
public final class BestWeights {
  private let folder: String
  /// Epoch and numbers of what is there, by lane.
  private var written: [String: [Double]] = [:]

  init(ofRun run: String) {
    folder = BestWeights.folder(run)
    for name in names { written[name] = try? BestWeights.read(path(name)).numbers }
  }

  static func folder(_ run: String) -> String {
    (run as NSString).appendingPathComponent("best")
  }

  private func path(_ lane: String) -> String {
    (folder as NSString).appendingPathComponent(lane)
  }

  private var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter { !$0.hasPrefix(".") }
  }

  /// What is there has been set aside.
  func forget() { written = [:] }

  /// Makes the folder hold what the lanes have: called at the ends of epochs, and with checkpoints.
  public func follow(_ trainer: Trainer) throws {
    let known = trainer.lanes.filter { $0.progress.best != nil }
    if known.isEmpty && written.isEmpty { return }
    try AtomicFile.makeInnerFolder(folder)
    for lane in known {
      guard let best = lane.progress.best, written[lane.name] != best.numbers else { continue }
      try AsideFolder(folder).put(lane.name) { aside in
        try Checkpoint.write(
          Array(zip(lane.network.parameterNames, best.weights)).map { (name: $0, array: $1) },
          to: aside as String)
        try AtomicFile.writeSynced(
          Array(best.text.utf8), to: aside.appendingPathComponent(BestWeights.file))
      }
      written[lane.name] = best.numbers
    }
    for name in names where !known.contains(where: { $0.name == name }) {
      AtomicFile.remove(path(name))
      written[name] = nil
    }
  }

  static let file = "best.toml"

  /// What a lane's folder says of its weights.
  private static func read(_ folder: String) throws -> LaneProgress.Best {
    let file = (folder as NSString).appendingPathComponent(file)
    let text = try FileText.read(file)
    let lines = ConfigLines(text)
    let reader = ConfigReader(try ConfigTable(parsing: text, file: file)) {
      (file, lines.line(of: $0))
    }
    let best = LaneProgress.Best(
      epoch: try reader.integer("epoch", default: nil, FileLimits.counts),
      accuracy: try reader.number("validation_accuracy", default: nil, .within(-1e300, 1)),
      loss: try reader.number("validation_loss", default: nil, .any), weights: [])
    try reader.finish()
    return best
  }

  /// Gives the lanes of a trainer the best weights of a run; all else about them stays.
  /// - Returns: per lane the epoch that they are of.
  /// - Throws: `FileError` when a lane has none, or they are of another network.
  public static func load(_ run: String, into trainer: Trainer) throws -> [Int] {
    let folder = folder(run)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return try trainer.lanes.map { lane in
      guard let entry = names.first(where: { AsideFolder.name(of: $0, among: names) == lane.name })
      else {
        throw FileError(
          folder,
          "has no weights of lane \(lane.name): they are kept with training.keep_best = true, from "
            + "the first epoch with an evaluation on")
      }
      let path = (folder as NSString).appendingPathComponent(entry) as NSString
      var best = try read(path as String)
      best.weights = try lane.network.parameterNames.map {
        try NPYArray(contentsOf: path.appendingPathComponent($0 + ".npy"))
      }
      try lane.check(best.weights)
      try lane.take(best.weights)
      return best.epoch
    }
  }
}

extension LaneProgress.Best {
  fileprivate var numbers: [Double] { [Double(epoch), accuracy, loss] }

  fileprivate var text: String {
    var table = ConfigTable()
    table["epoch"] = .integer(epoch)
    table["validation_accuracy"] = .real(accuracy)
    table["validation_loss"] = .real(loss)
    return table.text
  }
}
