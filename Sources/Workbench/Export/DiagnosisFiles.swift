// SPDX-License-Identifier: MIT

import Live
import Diagnosis
import Foundation

/// What diagnosis finds, as CSV.
public enum DiagnosisFiles {
  /// The sums of each lane's last observed update.
  static func updates(_ snapshot: Snapshot) -> String {
    table(updatesHeader, snapshot) { lane in
      lane.ledger.map { updates($0, lane: lane.fields) } ?? []
    }
  }

  /// Its events.
  static func events(_ snapshot: Snapshot) -> String {
    table(eventsHeader, snapshot) { lane in lane.ledger.map { events($0, lane: lane.fields) } ?? []
    }
  }

  private static func table(
    _ header: String, _ snapshot: Snapshot, _ rows: (LaneSnapshot) -> [String]
  ) -> String {
    ([header] + snapshot.lanes.flatMap(rows)).joined(separator: "\n") + "\n"
  }

  /// First line of updates.csv, without the line end.
  public static let updatesHeader =
    "lane,letter,trained_on,epoch,batch,layer,unchanged,moved,created,deleted,mean_shift_ms,predicted,actual,"
    + "by_creation_and_deletion,by_creation_and_deletion_error,events,events_priced"

  /// One line per layer.
  public static func updates(_ ledger: Ledger, lane: String) -> [String] {
    ledger.layers.map { layer in
      "\(lane),\(ledger.epoch + 1),\(ledger.batch + 1),\(layer.layer),\(layer.unchanged),"
        + "\(layer.moved),\(layer.created),\(layer.deleted),\(layer.meanShift),"
        + "\(ledger.predicted),\(ledger.actual),\(effect(ledger)),"
        + "\(ledger.created + ledger.deleted),\(ledger.priced)"
    }
  }

  /// The change by creation and deletion, and its standard error; empty where too few events were
  /// priced.
  private static func effect(_ ledger: Ledger) -> String {
    guard let error = ledger.creationAndDeletionError else { return "," }
    return "\(ledger.byCreationAndDeletion),\(error)"
  }

  /// Counts per bin of every lane and layer.
  public static func margins(_ snapshot: Snapshot) -> String {
    table("lane,letter,trained_on,layer,margin_from,margin_to,count", snapshot, margins)
  }

  /// First line of events.csv, without the line end.
  public static let eventsHeader =
    "lane,letter,trained_on,epoch,batch,event,layer,neuron,trial,time_ms,change_of_loss"

  /// One line per event; `lane` is `LaneSnapshot.fields`, three columns. Epochs and batches count
  /// from 1; the change of the loss is empty where the event has no price.
  public static func events(_ ledger: Ledger, lane: String) -> [String] {
    ledger.events.map { event in
      let layer =
        ledger.layers.indices.contains(event.layer) ? ledger.layers[event.layer].layer : "output"
      let change = event.lossChange.map { "\($0)" } ?? ""
      return
        "\(lane),\(ledger.epoch + 1),\(ledger.batch + 1),\(event.kind.rawValue),\(layer),\(event.neuron),\(event.trial),\(event.time),\(change)"
    }
  }

  private static func margins(_ lane: LaneSnapshot) -> [String] {
    lane.margins.flatMap { histogram in
      let width = 2 * histogram.range / Double(histogram.counts.count)
      return histogram.counts.enumerated().map { bin, count in
        let low = -histogram.range + Double(bin) * width
        return "\(lane.fields),\(histogram.layer),\(low),\(low + width),\(count)"
      }
    }
  }

  /// Every silent neuron of every lane.
  public static func silence(_ snapshot: Snapshot) -> String {
    var lines = ["lane,letter,trained_on,layer,neuron,dead_since_epoch,why,below_threshold,lift"]
    for lane in snapshot.lanes {
      for neuron in lane.silence?.neurons ?? [] {
        let since = SilenceScreen.deadSince(neuron, lane).map(String.init) ?? ""
        let distance = neuron.reason.distance.map { "\($0)" } ?? ""
        let lift = neuron.lift.map { "\($0)" } ?? ""
        lines.append(
          "\(lane.fields),hidden\(neuron.layer + 1),\(neuron.neuron),\(since),\(neuron.reason.words),\(distance),\(lift)"
        )
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Norms of the gradient per layer and tenth of the trial: over all samples, then per class.
  public static func flow(_ snapshot: Snapshot) -> String {
    var lines = ["lane,letter,trained_on,shaping,class,layer,tenth,norm"]
    for lane in snapshot.lanes {
      let kind = lane.isShaped ? lane.shaping.kind : "unshaped"
      for (shaping, flow) in [(kind, lane.gradientFlow), ("w = 1", lane.plainFlow)] {
        guard let flow else { continue }
        func add(_ name: String, _ norms: [[Double]]) {
          for (layer, values) in norms.enumerated() {
            for (tenth, norm) in values.enumerated() {
              lines.append(
                "\(lane.fields),\(shaping),\(name),\(flow.layers[layer]),\(tenth + 1),\(norm)")
            }
          }
        }
        add("all", flow.norms)
        for (label, norms) in flow.byClass.enumerated() {
          add(Wording.className(label, snapshot), norms)
        }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
