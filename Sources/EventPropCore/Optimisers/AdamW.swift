// SPDX-License-Identifier: MIT

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019): each update first takes the share
/// rate · weight_decay of a weight away, at the rate after the schedule and without bias
/// correction, then does what Adam does. The gradient, hence the moments, know nothing of it.
public struct AdamW: Optimiser {
  static let weightDecay = OptimiserKey("weight_decay", standard: 0.01, 0...1e3)

  /// `training.optimiser.kind = "adamw"`.
  public static let entry = OptimiserEntry(
    kind: "adamw", title: "Adam with decoupled weight decay (Loshchilov & Hutter 2019)",
    keys: Adam.entry.keys + [weightDecay],
    make: { AdamW(Adam($0), weightDecay: $0[weightDecay]) })

  /// All but the decay.
  public var adam: Adam
  /// Share of a weight that an update at a rate of 1 would take; 0 is Adam.
  public var weightDecay: Double

  /// 0.01 is the standard value of PyTorch; not checked.
  public init(_ adam: Adam, weightDecay: Double = 0.01) {
    (self.adam, self.weightDecay) = (adam, weightDecay)
  }

  /// Of both parts.
  public var rate: Double {
    get { adam.rate }
    set { adam.rate = newValue }
  }
  /// As Adam's: the same files.
  public var state: [String] { adam.state }
  /// That of Adam.
  public var epsilon: Double? { adam.epsilon }

  /// The decay, then Adam's step.
  public func step(rate: Double, count: Int) -> any OptimiserStep {
    AdamWStep(
      adam: AdamStep(adam, rate: rate, count: count), kept: 1 - rate * weightDecay)
  }
}

private struct AdamWStep: OptimiserStep {
  let adam: AdamStep
  /// What decay leaves of a weight, as a share.
  let kept: Double

  func update(_ part: UpdatePart<Float>) {
    decay(part)
    adam.update(part)
  }

  func update(_ part: UpdatePart<Double>) {
    decay(part)
    adam.update(part)
  }

  /// A pass of its own over weights that Adam then finds in the cache.
  private func decay<Scalar>(_ part: UpdatePart<Scalar>) {
    if part.decays && kept != 1 {
      _ = Scalar.scale(part.weights, by: Scalar(kept), width: part.width)
    }
  }
}
