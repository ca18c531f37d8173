// SPDX-License-Identifier: MIT

/// Multiplies all feed-forward incoming weights of a layer: more drive, or less. The optimiser's
/// state stays.
package struct ScaleWeights: TrainingCommand {
  package static let forms = [
    CommandForm(
      name: "scale", title: "multiply all feed-forward weights into a layer",
      usage: "a number from 0.01 to 100 and a layer, as 1.8 hidden1 or 2 output")
  ]
  package static let effect = LaneEffect.changes
  /// What a factor may be.
  package static let factors = 0.01...100
  package let lane: Int?
  /// One of `factors`.
  package let factor: Double
  /// 0 is hidden1; nil: the output.
  package let layer: Int?

  /// - Parameters:
  ///   - factor: one of `factors`.
  ///   - layer: 0 is hidden1; nil: the output.
  package init(lane: Int, by factor: Double, layer: Int?) {
    (self.lane, self.factor, self.layer) = (lane, factor, layer)
  }

  package init?(_ name: String, _ values: [String], lane: Int) {
    guard values.count == 2, let factor = Double(values[0]), Self.factors.contains(factor) else {
      return nil
    }
    var layer: Int?
    if values[1] != "output" {
      guard values[1].hasPrefix("hidden"), let number = Int(values[1].dropFirst(6)), number > 0
      else { return nil }
      layer = number - 1
    }
    self.init(lane: lane, by: factor, layer: layer)
  }

  package var text: String {
    "scale \(factor) " + (layer.map { "hidden\($0 + 1)" } ?? "output")
  }

  package func apply(to trainer: Trainer) throws {
    let hidden = trainer.network.hiddenCount
    if let layer, !(0..<hidden).contains(layer) {
      throw CommandError(
        "scale", hidden == 0 ? "there is only output" : "there are hidden1 to hidden\(hidden)")
    }
    trainer.lanes[lane!].scale(by: factor, layer: layer ?? hidden)
  }
}
