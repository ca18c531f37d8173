// SPDX-License-Identifier: MIT

import EventPropCore
import Experiments
import Foundation
import Training

/// activity.csv: a row per epoch, lane and hidden layer, with who spiked how much. The one place
/// that knows its columns, for writing and for reading.
package enum ActivityTable {
  package static let file = "activity.csv"
  static let header = "epoch,lane,layer,rates,gradient_by_tenth,spikes_by_tenth"

  /// One epoch of one lane.
  static func rows(_ metrics: EpochMetrics) -> [String] {
    func list(_ numbers: [Double]) -> String {
      numbers.map { String(format: "%.4g", $0) }.joined(separator: " ")
    }
    return metrics.activity.enumerated().map { index, layer in
      [
        String(metrics.epoch), CSV.quoted(metrics.lane), "hidden\(index + 1)",
        list(layer.rates.map(Double.init)), list(layer.gradientByTenth),
        list(layer.spikesByTenth),
      ].joined(separator: ",")
    }
  }

  /// By lane and epoch: all hidden layers. Rows that are not whole, or of another network, are left
  /// out.
  package static func read(_ path: String, _ network: Network) -> [String: [Int: [LayerEpoch]]] {
    guard let text = try? FileText.read(path) else { return [:] }
    var found: [String: [Int: [LayerEpoch]]] = [:]
    func numbers(_ field: String, _ count: Int) -> [Double]? {
      let words = field.split(separator: " ")
      guard words.count == count || words.isEmpty else { return nil }
      let numbers = words.compactMap { Double($0) }
      return numbers.count == words.count && numbers.allSatisfy { $0 >= 0 && $0 <= 1e12 }
        ? numbers : nil
    }
    for line in text.split(whereSeparator: \.isNewline).dropFirst() {
      let fields = CSV.fields(String(line))
      guard fields.count == 6, let epoch = Int(fields[0]), FileLimits.counts.contains(epoch),
        fields[2].hasPrefix("hidden"), let number = Int(fields[2].dropFirst(6)),
        (1...max(network.hiddenCount, 1)).contains(number), number <= network.hiddenCount,
        let rates = numbers(fields[3], network.layers[number - 1].size), !rates.isEmpty,
        let gradient = numbers(fields[4], 10), let spikes = numbers(fields[5], 10)
      else { continue }
      var layers = found[fields[1]]?[epoch] ?? []
      // Layers come in order, once each.
      guard layers.count == number - 1 else { continue }
      layers.append(
        LayerEpoch(
          rates: rates.map { Float($0) }, gradientByTenth: gradient, spikesByTenth: spikes))
      found[fields[1], default: [:]][epoch] = layers
    }
    return found.mapValues { $0.filter { $0.value.count == network.hiddenCount } }
  }
}
