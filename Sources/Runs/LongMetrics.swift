// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import SpikeData

/// Rows of metrics.csv in long form: a line for every number.
public enum LongMetrics {
  /// First line, without the line end.
  public static let header = "run,seed,lane,epoch,metric,layer,value"

  /// The lines of all seeds of a run, in the order of seeds, then of metrics.csv. Numbers stay as
  /// they are written there; fields without one have no line, nor have those that are words.
  /// - Throws: `FileError` for a folder that is no run, and a file that cannot be read.
  public static func lines(ofRun run: String) throws -> [String] {
    let preset = try Preset(ofRun: run)
    return try SeedFolder.all(of: run, preset).flatMap { seed, folder in
      let file = (folder as NSString).appendingPathComponent("metrics.csv")
      _ = try FileText.read(file)
      let (columns, rows) = MetricsTable.table(file)
      let measured = columns.compactMap { column in measure(column).map { (column, $0) } }
      return rows.flatMap { row -> [String] in
        guard let epoch = row["epoch"].flatMap(Int.init), let lane = row["lane"] else { return [] }
        let place = "\(CSV.quoted(run)),\(seed),\(CSV.quoted(lane)),\(epoch)"
        return measured.compactMap { column, measure in
          guard let value = row[column], Double(value) != nil else { return nil }
          return "\(place),\(measure.metric),\(measure.layer),\(value)"
        }
      }
    }
  }

  /// What a column is of: `spikes_hidden1` are the spikes of hidden1, `gradient_input-hidden1` is
  /// the gradient of that array; layers are empty in those of the whole network. nil: it says
  /// where, or in words.
  static func measure(_ column: String) -> (metric: String, layer: String)? {
    if ["epoch", "lane", "loss", "shaping", "alarms"].contains(column) { return nil }
    for metric in ["spikes", "spread", "silent", "dead"] where column.hasPrefix(metric + "_hidden")
    {
      return (metric, String(column.dropFirst(metric.count + 1)))
    }
    let gradient = "gradient_"
    if column.hasPrefix(gradient) { return ("gradient", String(column.dropFirst(gradient.count))) }
    return (column, "")
  }
}
