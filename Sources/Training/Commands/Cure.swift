// SPDX-License-Identifier: MIT

import EventPropCore

/// Wakes neurons of a hidden layer by hand: adds to all their incoming weights, or draws these
/// anew.
package struct Cure: TrainingCommand {
  package static let forms = [
    CommandForm(
      name: "lift", title: "add to all incoming weights of some neurons",
      usage: "a number, a layer and neurons, as 0.02 hidden1 3,7"),
    CommandForm(
      name: "redraw", title: "draw incoming weights of some neurons anew",
      usage: "a layer and neurons, as hidden1 3,7"),
  ]
  package static let effect = LaneEffect.changes
  package static let isOfOneNetwork = true
  package let lane: Int?
  /// What is done to the weights.
  package let policy: SilentPolicy
  /// 0 is hidden1.
  package let layer: Int
  /// Indices in the layer.
  package let neurons: [Int]

  /// - Parameters:
  ///   - layer: 0 is hidden1.
  ///   - neurons: of that layer.
  package init(lane: Int, _ policy: SilentPolicy, layer: Int, neurons: [Int]) {
    (self.lane, self.policy, self.layer, self.neurons) = (lane, policy, layer, neurons)
  }

  package init?(_ name: String, _ values: [String], lane: Int) {
    var values = values[...]
    var policy = SilentPolicy.redraw
    if name == "lift" {
      guard let by = values.popFirst().flatMap(Double.init), abs(by) <= 1e6 else { return nil }
      policy = .lift(by: by)
    }
    guard values.count == 2, values.first!.hasPrefix("hidden"),
      let number = Int(values.first!.dropFirst(6)), number > 0
    else { return nil }
    let list = values.last!.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard !list.contains(nil) else { return nil }
    self.init(lane: lane, policy, layer: number - 1, neurons: list.compactMap { $0 })
  }

  package var text: String {
    let place = " hidden\(layer + 1) " + neurons.map(String.init).joined(separator: ",")
    switch policy {
    case .lift(let by): return "lift \(by)" + place
    case .redraw: return "redraw" + place
    }
  }

  package func apply(to trainer: Trainer) throws {
    let network = trainer.network
    guard (0..<network.hiddenCount).contains(layer) else {
      throw CommandError("cure", "there are hidden1 to hidden\(network.hiddenCount)")
    }
    let size = network.layers[layer].size
    if let wrong = neurons.first(where: { !(0..<size).contains($0) }) {
      throw CommandError("cure", "hidden\(layer + 1) has no neuron \(wrong): 0 to \(size - 1)")
    }
    var random = Random(seed: trainer.preset.seed, "cure", trainer.commandCount, layer)
    trainer.lanes[lane!].cure(policy, layer: layer, neurons: neurons, random: &random)
  }
}
