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

  /// Loss along the last observed update, all lanes: the probe's, the promised, and with one matrix
  /// moving alone.
  public static func slice(_ snapshot: Snapshot) -> String {
    table("lane,letter,trained_on,moving,a,probe_loss,promised", snapshot) { lane in
      guard let slice = lane.slice else { return [] }
      return ([("all", slice.points)] + slice.matrices).flatMap { name, points in
        points.map { "\(lane.fields),\(name),\($0.a),\($0.loss),\(slice.promised(at: $0.a))" }
      }
    }
  }

  /// Spikes that come and go along it.
  public static func sliceEvents(_ snapshot: Snapshot) -> String {
    table("lane,letter,trained_on,a,precision,kind,sample,layer,neuron,time_ms", snapshot) { lane in
      (lane.slice?.events ?? []).map {
        "\(lane.fields),\($0.a),\($0.precision),\($0.kind.rawValue),"
          + "\(snapshot.sample(ofTrial: $0.trial)),\(lane.layerName($0.layer)),\($0.neuron),\($0.time)"
      }
    }
  }

  /// Spikes per trial by epoch and neuron.
  public static func rates(_ snapshot: Snapshot) -> String {
    table("lane,letter,trained_on,epoch,layer,neuron,spikes_per_trial", snapshot) { lane in
      lane.activity.flatMap { epoch in
        epoch.layers.enumerated().flatMap { layer, own in
          own.rates.enumerated().map {
            "\(lane.fields),\(epoch.epoch),\(lane.layerName(layer)),\($0.offset),\($0.element)"
          }
        }
      }
    }
  }

  /// Histograms of weights, now and at the start.
  public static func weights(_ snapshot: Snapshot) -> String {
    table("lane,letter,trained_on,matrix,from,to,now,start", snapshot) { lane in
      lane.weights.flatMap { matrix in
        let low = matrix.range.lowerBound
        let width = (matrix.range.upperBound - low) / Double(matrix.counts.count)
        return matrix.counts.indices.map {
          "\(lane.fields),\(matrix.name),\(low + Double($0) * width),"
            + "\(low + Double($0 + 1) * width),\(matrix.counts[$0]),\(matrix.initialCounts[$0])"
        }
      }
    }
  }

  /// V(t) of the traced neuron.
  public static func trace(_ snapshot: Snapshot) -> String {
    table("lane,letter,trained_on,layer,neuron,curve,time_ms,v", snapshot) { lane in
      guard let trace = lane.trace else { return [] }
      let neuron = "\(lane.fields),\(lane.layerName(trace.layer)),\(trace.neuron)"
      return [("v", trace.points), ("lifted", trace.ghost)].flatMap { name, points in
        points.map { "\(neuron),\(name),\($0.time),\($0.v)" }
      }
    }
  }

  /// What arriving spikes add to V at the reference time.
  public static func shares(_ snapshot: Snapshot) -> String {
    table(
      "lane,letter,trained_on,layer,neuron,reference_ms,source,sender,time_ms,delay_ms,weight,share",
      snapshot
    ) { lane in
      guard let trace = lane.trace else { return [] }
      let neuron =
        "\(lane.fields),\(lane.layerName(trace.layer)),\(trace.neuron),\(trace.reference.time)"
      return trace.shares.map {
        let source = $0.source == 0 ? "input" : lane.layerName($0.source - 1)
        return "\(neuron),\(source),\($0.neuron),\($0.time),\($0.delay),\($0.weight),\($0.value)"
      }
    }
  }

  /// What the last observed update did to the spikes of the shown probe trial.
  public static func step(_ snapshot: Snapshot) -> String {
    table(
      "lane,letter,trained_on,sample,layer,neuron,fate,time_ms,before_ms,margin,price,at_risk",
      snapshot
    ) { lane in
      guard let step = lane.step else { return [] }
      let sample = snapshot.sample(ofTrial: step.trial)
      return step.layers.enumerated().flatMap { layer, spikes in
        spikes.map { spike in
          let (fate, before): (String, String) =
            switch spike.fate {
            case .kept: ("kept", "\(spike.time)")
            case .moved(let from): ("moved", "\(from)")
            case .created: ("created", "")
            case .deleted: ("deleted", "\(spike.time)")
            }
          let margin = spike.margin.map { "\($0)" } ?? ""
          let price = spike.price.map { "\($0)" } ?? ""
          return "\(lane.fields),\(sample),\(lane.layerName(layer)),\(spike.neuron),\(fate),"
            + "\(spike.time),\(before),\(margin),\(price),\(spike.isAtRisk)"
        }
      }
    }
  }
}
