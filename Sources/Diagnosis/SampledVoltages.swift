// SPDX-License-Identifier: MIT

import EventPropCore

extension Network {
  /// V of all neurons of a spiking layer at the ends of equal parts of a trial whose spikes are
  /// known: neurons x points. Just after a spike it is what the reset has left.
  /// - Parameters:
  ///   - input: spikes of the input as the solver used them.
  ///   - spikes: of all layers.
  ///   - weights: in the order of `projections`.
  ///   - delays: as the solver takes them.
  public func voltages(
    ofLayer layer: Int, duration: Double, input: [LayerSpike], spikes: TrialSpikes,
    weights: [WeightRows], delays: SpikeDelays = SpikeDelays(), points: Int
  ) -> [[Double]] {
    func walk(only: Int?) -> VoltageWalk {
      VoltageWalk(
        self, layer: layer, duration: duration, input: input, spikes: spikes, weights: weights,
        delays: delays, only: only)
    }
    let common = isDelayed(layer: layer) ? nil : walk(only: nil)
    var resets = Array(repeating: [Double](), count: layers[layer].size)
    for spike in spikes[layer] { resets[spike.neuron].append(spike.time) }
    let part = duration / Double(points)
    // Times of spikes on the grid are whole steps but for rounding.
    let slack = 1e-9 * part
    return resets.indices.map { neuron in
      var values = Array(repeating: 0.0, count: points)
      var (next, end) = (0, 0.0)
      (common ?? walk(only: neuron)).forEachStretch(of: neuron, resets: resets[neuron]) { stretch in
        let last = stretch.start + stretch.length
        while next < points, Double(next + 1) * part < last - slack {
          values[next] = stretch.voltage(after: max(0, Double(next + 1) * part - stretch.start))
          next += 1
        }
        end = stretch.voltage(after: stretch.length)
      }
      // A spike at T leaves nothing to walk after it.
      let spikesLast = resets[neuron].last.map { $0 > duration - slack } ?? false
      if next < points {
        values[next] = spikesLast ? layers[layer].afterSpike(end, neuron: neuron) : end
      }
      return values
    }
  }
}
