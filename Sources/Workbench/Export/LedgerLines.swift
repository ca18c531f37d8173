// SPDX-License-Identifier: MIT

import Diagnosis
import Experiments
import Foundation
import Live

/// The ledger as JSON lines: an object for every update and lane.
public enum LedgerLines {
  /// One object. Epochs and batches count from 1; numbers read back to the same bits; those that
  /// are not known are null.
  /// - Parameters:
  ///   - lane: its name.
  ///   - sample: of a probe trial.
  public static func line(_ ledger: Ledger, lane: String, sample: (Int) -> Int) -> String {
    let events = ledger.events.map { event in
      let layer =
        ledger.layers.indices.contains(event.layer) ? ledger.layers[event.layer].layer : "output"
      return object([
        ("kind", ConfigValue.quoted(event.kind.rawValue)), ("layer", ConfigValue.quoted(layer)),
        ("neuron", "\(event.neuron)"),
        ("sample", "\(sample(event.trial))"), ("time", number(event.time)),
        ("price", number(event.lossChange)),
      ])
    }
    let layers = ledger.layers.map { layer in
      object([
        ("layer", ConfigValue.quoted(layer.layer)), ("unchanged", "\(layer.unchanged)"),
        ("moved", "\(layer.moved)"), ("created", "\(layer.created)"),
        ("deleted", "\(layer.deleted)"), ("mean_shift", number(layer.meanShift)),
      ])
    }
    let error = ledger.creationAndDeletionError
    return object([
      ("epoch", "\(ledger.epoch + 1)"), ("batch", "\(ledger.batch + 1)"),
      ("lane", ConfigValue.quoted(lane)),
      ("loss_before", number(ledger.lossBefore)), ("loss_after", number(ledger.lossAfter)),
      ("predicted", number(ledger.predicted)), ("actual", number(ledger.actual)),
      ("created", "\(ledger.created)"), ("deleted", "\(ledger.deleted)"),
      ("moved", "\(ledger.moved)"),
      ("by_creation_and_deletion", number(error == nil ? nil : ledger.byCreationAndDeletion)),
      ("by_creation_and_deletion_error", number(error)), ("priced", "\(ledger.priced)"),
      ("layers", "[" + layers.joined(separator: ", ") + "]"),
      ("events", "[" + events.joined(separator: ", ") + "]"),
    ])
  }

  private static func object(_ members: [(String, String)]) -> String {
    "{" + members.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
  }

  /// JSON has no infinities.
  private static func number(_ value: Double?) -> String {
    value.flatMap { $0.isFinite ? $0.description : nil } ?? "null"
  }
}
