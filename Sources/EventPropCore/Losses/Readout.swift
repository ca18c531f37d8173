// SPDX-License-Identifier: MIT

/// What a loss reads from the output layer, one value per output neuron.
public enum Readout: Sendable {
  /// `1/T int w(t) V dt`, once per trial.
  case weightedMean
  /// `V(t)`; the loss is `1/T int w(t) value(V(t)) dt`.
  case instantaneous
  /// `max_t V(t)`, once per trial.
  case maximum
  /// The time of the first spike in ms; `T` for a silent neuron. Outputs are LIF.
  case firstSpike
}

/// How the integral losses read output voltages on the grid.
public enum ReadoutRule: String, Sendable, CaseIterable {
  /// Exactly over each step, w being constant in it.
  case integrated
  /// At the end of each step, as GeNN and the paper's code do; their adjoint is driven over the
  /// whole step, as under `integrated`. So the two rules differ in the value of the loss, and in
  /// the gradient by O(dt).
  case sampled
}

extension Loss {
  /// The class that read-out values speak for; silent outputs (`.firstSpike`) are infinite. -1 when
  /// all are silent.
  func prediction(_ values: UnsafeBufferPointer<Double>) -> Int {
    var best = 0
    if readout == .firstSpike {
      for j in values.indices where values[j] < values[best] { best = j }
      return values[best] < .infinity ? best : -1
    }
    for j in values.indices where values[j] > values[best] { best = j }
    return best
  }

  /// From read-out values to prediction, loss and derivative; silent outputs then count as T.
  func conclude(
    _ values: inout [Double], label: Int, duration: Double, gradient: inout [Double]
  ) -> (prediction: Int, loss: Double, needsPhantom: Bool, isLabelMute: Bool) {
    values.withUnsafeMutableBufferPointer { values in
      let prediction = prediction(UnsafeBufferPointer(values))
      let needsPhantom = readout == .firstSpike && values[label] == .infinity
      let isLabelMute = needsPhantom || (readout == .maximum && values[label] <= 0)
      for j in values.indices where values[j] == .infinity { values[j] = duration }
      let loss = gradient.withUnsafeMutableBufferPointer {
        value(UnsafeBufferPointer(values), label: label, gradient: $0)
      }
      return (prediction, loss, needsPhantom, isLabelMute)
    }
  }
}
