// SPDX-License-Identifier: MIT

/// Dropout of hidden neurons (Srivastava et al. 2014), inverted: in a trial of training every
/// neuron of a layer is left out with probability p, and the weights that lead out of the others
/// count 1/(1 - p) times. Where nobody is left out, weights count once.
///
/// That none of a neuron's targets sees its spikes is the same as that it has none: what happens in
/// it is then without effect on the loss, and no gradient reaches it. So a trial that drops a
/// neuron takes its spikes out of the list where they are found, and the adjoint does the rest.
final class Dropout<Scalar: NetworkScalar> {
  /// The weights as trials with dropped neurons use them; shares the arrays that are as they are.
  let scaled: Parameters<Scalar>
  /// Per array: how many times its weights count, and with them its gradient.
  let factors: [Double]
  private let layers: [Layer]

  /// nil where no layer of the network drops any.
  init?(_ weights: Parameters<Scalar>) {
    let network = weights.network
    layers = Array(network.layers.dropLast())
    guard layers.contains(where: { $0.dropout > 0 }) else { return nil }
    let layers = layers
    factors =
      network.projections.map { projection in
        projection.source == 0 ? 1 : 1 / (1 - layers[projection.source - 1].dropout)
      } + weights.arrays.dropFirst(network.projections.count).map { _ in 1 }
    scaled = weights.sharing(copyingAt: factors.map { $0 != 1 })
  }

  /// Takes over the weights of the moment.
  func take(_ weights: Parameters<Scalar>) {
    for (index, factor) in factors.enumerated() where factor != 1 {
      let (from, to) = (weights.arrays[index], scaled.arrays[index])
      to.base.update(from: from.base, count: from.count)
      _ = Scalar.scale(to.base, by: Scalar(factor), width: to.count)
    }
  }

  /// Per hidden layer: whether each neuron is dropped; nothing for layers that drop none.
  /// - Returns: nil where `chance` gives none: nobody is dropped then.
  func draw(_ chance: (_ layer: Int) -> Random?) -> [[Bool]]? {
    var masks: [[Bool]] = []
    for (index, layer) in layers.enumerated() {
      guard var random = chance(index) else { return nil }
      masks.append(
        layer.dropout > 0 ? (0..<layer.size).map { _ in random.uniform() < layer.dropout } : [])
    }
    return masks
  }
}

extension SolvedTrial {
  /// Whether each neuron of a layer is dropped; empty where none is.
  func dropped(inLayer layer: Int) -> [Bool] {
    layer < dropped.count ? dropped[layer] : []
  }
}

extension Array where Element == Bool {
  /// Takes the spikes of dropped neurons out of a list; the others keep their order.
  /// - Parameter neuron: of a spike as the list has it.
  /// - Returns: how many are left.
  @inline(__always)
  func removeDropped(
    from spikes: UnsafeMutablePointer<UInt32>, _ slopes: UnsafeMutablePointer<Float>, count: Int,
    neuron: (UInt32) -> Int
  ) -> Int {
    if isEmpty { return count }
    return withUnsafeBufferPointer { isDropped in
      var kept = 0
      for k in 0..<count where !isDropped[neuron(spikes[k])] {
        spikes[kept] = spikes[k]
        slopes[kept] = slopes[k]
        kept += 1
      }
      return kept
    }
  }
}
