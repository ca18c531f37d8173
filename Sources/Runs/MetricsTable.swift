// SPDX-License-Identifier: MIT

import Experiments
import Training
import Diagnosis
import EventPropCore
import Foundation

/// metrics.csv: a row per epoch and lane. The one place that knows its columns, for writing and for
/// reading.
package enum MetricsTable {
  /// Columns of a new file.
  /// - Parameter lanes: the networks of all, which may differ in what they train.
  static func columns(_ lanes: [Network], _ score: ScoreName) -> [String] {
    let network = lanes[0]
    let arrays = lanes.dropFirst().reduce(network.parameterNames) { names, lane in
      names + lane.parameterNames.filter { !names.contains($0) }
    }
    let hidden = (0..<network.hiddenCount).map { "hidden\($0 + 1)" }
    return [
      "epoch", "lane", "loss", "shaping", "rate", "train_loss", score.named("train_accuracy"),
      "validation_loss", score.named("validation_accuracy"), "test_loss",
      score.named("test_accuracy"), "phantom_spikes", "mute_trials",
    ] + hidden.flatMap { ["spikes_\($0)", "spread_\($0)", "silent_\($0)", "dead_\($0)"] }
      + arrays.map { "gradient_\($0)" } + [
        "observed_updates", "spikes_created", "spikes_deleted", "spikes_moved", "predicted_change",
        "actual_change", "change_by_creation_and_deletion",
        "change_by_creation_and_deletion_error", "events_priced", "alarms",
        "kept_neurons", "lost_neurons", "step_given_up",
      ]
  }

  /// A row under the columns of a file, which may be an older one with fewer.
  static func row(_ metrics: EpochMetrics, columns: [String]) -> String {
    let values = values(metrics)
    return columns.map { CSV.quoted(values[ScoreName.plain($0)] ?? "") }.joined(separator: ",")
  }

  private static func values(_ metrics: EpochMetrics) -> [String: String] {
    func number(_ x: Double?) -> String { x.map { $0.description } ?? "" }
    let ledger = metrics.ledger
    var values = [
      "epoch": String(metrics.epoch), "lane": metrics.lane, "loss": metrics.loss,
      "shaping": metrics.shaping, "rate": number(metrics.rate),
      "train_loss": number(metrics.trainLoss), "train_accuracy": number(metrics.trainAccuracy),
      "validation_loss": number(metrics.validationLoss),
      "validation_accuracy": number(metrics.validationAccuracy),
      "test_loss": number(metrics.testLoss), "test_accuracy": number(metrics.testAccuracy),
      "phantom_spikes": String(metrics.phantoms), "mute_trials": String(metrics.mute),
      "observed_updates": String(ledger.updates), "spikes_created": String(ledger.created),
      "spikes_deleted": String(ledger.deleted), "spikes_moved": String(ledger.moved),
      "predicted_change": number(ledger.predicted), "actual_change": number(ledger.actual),
      "change_by_creation_and_deletion": number(
        ledger.byCreationAndDeletionError == nil ? nil : ledger.byCreationAndDeletion),
      "change_by_creation_and_deletion_error": number(ledger.byCreationAndDeletionError),
      "events_priced": String(ledger.priced),
      "alarms": metrics.alarms.map(\.kind.rawValue).joined(separator: "; "),
    ]
    values["kept_neurons"] = metrics.kept.map(String.init)
    values["lost_neurons"] = metrics.lost.map(String.init)
    values["step_given_up"] = metrics.stepGivenUp?.description
    for layer in metrics.spikes.indices {
      let name = "hidden\(layer + 1)"
      values["spikes_\(name)"] = number(metrics.spikes[layer])
      values["silent_\(name)"] = number(metrics.silent[layer])
      values["dead_\(name)"] = String(metrics.dead[layer])
      if metrics.spread.indices.contains(layer) {
        values["spread_\(name)"] = number(metrics.spread[layer])
      }
    }
    for (name, norm) in metrics.gradientNorms { values["gradient_\(name)"] = number(norm) }
    return values
  }

  /// The columns of a file.
  static func header(of text: String) -> [String] {
    text.split(whereSeparator: \.isNewline).first.map { CSV.fields(String($0)) } ?? []
  }

  /// The rows of a metrics.csv; those that are not whole are left out.
  package static func read(_ path: String, _ network: Network) -> [EpochMetrics] {
    rows(path).compactMap { EpochMetrics($0, network) }
  }

  /// The same by column, of whatever network; none where there is no file. Whatever the score is,
  /// it is also under `_accuracy`.
  package static func rows(_ path: String) -> [[String: String]] { table(path).rows }

  /// The same with the columns in their order.
  package static func table(_ path: String) -> (columns: [String], rows: [[String: String]]) {
    guard let text = try? FileText.read(path) else { return ([], []) }
    let columns = header(of: text)
    let renamed = columns.enumerated().filter { ScoreName.plain($1) != $1 }
    let rows: [[String: String]] = text.split(whereSeparator: \.isNewline).dropFirst().compactMap {
      line in
      let fields = CSV.fields(String(line))
      guard fields.count == columns.count else { return nil }
      var row = Dictionary(zip(columns, fields)) { a, _ in a }
      for (index, column) in renamed { row[ScoreName.plain(column)] = fields[index] }
      return row
    }
    return (columns, rows)
  }
}

extension EpochMetrics {
  /// From a row by column names; nil where epoch, lane, loss or accuracy of training are missing.
  fileprivate init?(_ values: [String: String], _ network: Network) {
    func number(_ key: String) -> Double? { values[key].flatMap(Double.init) }
    func known(_ key: String) -> Int? { number(key).flatMap { Int(exactly: $0.rounded()) } }
    func count(_ key: String) -> Int { known(key) ?? 0 }
    guard let epoch = values["epoch"].flatMap(Int.init), let lane = values["lane"],
      let trainLoss = number("train_loss"), let trainAccuracy = number("train_accuracy")
    else { return nil }
    self.init(epoch: epoch, lane: lane, trainLoss: trainLoss, trainAccuracy: trainAccuracy)
    loss = values["loss"] ?? ""
    shaping = values["shaping"] ?? ""
    rate = number("rate") ?? .nan
    validationLoss = number("validation_loss")
    validationAccuracy = number("validation_accuracy")
    testLoss = number("test_loss")
    testAccuracy = number("test_accuracy")
    phantoms = count("phantom_spikes")
    mute = count("mute_trials")
    let hidden = (0..<network.hiddenCount).map { "hidden\($0 + 1)" }
    spikes = hidden.map { number("spikes_\($0)") ?? .nan }
    spread = hidden.compactMap { number("spread_\($0)") }
    silent = hidden.map { number("silent_\($0)") ?? .nan }
    dead = hidden.map { count("dead_\($0)") }
    // Lanes may train other arrays than their neighbours: those have nothing in their rows.
    let prefix = "gradient_"
    for (key, value) in values where key.hasPrefix(prefix) {
      gradientNorms[String(key.dropFirst(prefix.count))] = Double(value)
    }
    kept = known("kept_neurons")
    lost = known("lost_neurons")
    stepGivenUp = number("step_given_up")
    alarms = (values["alarms"] ?? "").components(separatedBy: "; ").compactMap { kind in
      Alarm.Kind(rawValue: kind).map { Alarm($0, lane: lane, "in epoch \(epoch)") }
    }
  }
}
