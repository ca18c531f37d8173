// SPDX-License-Identifier: MIT

import Kernels

/// Stochastic gradient descent, with momentum and L2 decay as in PyTorch. For the gradient g of a
/// weight w, with b = 0 before the first update:
///
///     g <- g + weight_decay w
///     b <- momentum b + g
///     w <- w - rate b,  or with Nesterov's momentum  w <- w - rate (g + momentum b)
///
/// Without momentum b is g, and nothing is kept. The rate, which the schedule may change, is no
/// part of b.
public struct SGD: Optimiser {
  static let momentum = OptimiserKey("momentum", standard: 0, 0...0.999_999)
  static let nesterov = OptimiserKey(flag: "nesterov")
  static let weightDecay = OptimiserKey("weight_decay", standard: 0, 0...1e3)

  /// `training.optimiser.kind = "sgd"`.
  public static let entry = OptimiserEntry(
    kind: "sgd", title: "stochastic gradient descent, with momentum",
    keys: [momentum, nesterov, weightDecay],
    make: {
      SGD(
        rate: $0[.rate], momentum: $0[momentum], nesterov: $0[nesterov] != 0,
        weightDecay: $0[weightDecay])
    },
    fault: {
      $0[nesterov] != 0 && $0[momentum] == 0
        ? (nesterov, "is true without momentum; allowed is true with a momentum above 0") : nil
    })

  /// Base learning rate: `Schedule` multiplies it.
  public var rate: Double
  /// What is left of b per update, below 1.
  public var momentum: Double
  /// Whether a step looks ahead by the momentum.
  public var nesterov: Bool
  /// Times the weight is added to the gradient.
  public var weightDecay: Double

  /// Nothing is checked.
  public init(
    rate: Double, momentum: Double = 0, nesterov: Bool = false, weightDecay: Double = 0
  ) {
    (self.rate, self.momentum) = (rate, momentum)
    (self.nesterov, self.weightDecay) = (nesterov, weightDecay)
  }

  /// b; nothing without momentum.
  public var state: [String] { momentum > 0 ? ["sgd-momentum"] : [] }

  /// The same for every count.
  public func step(rate: Double, count: Int) -> any OptimiserStep { SGDStep(sgd: self, rate: rate) }
}

private struct SGDStep: OptimiserStep {
  let sgd: SGD
  let rate: Double

  func update(_ part: UpdatePart<Float>) {
    ep_sgd(
      part.weights, sgd.momentum > 0 ? part.state(0) : nil, part.gradient, part.gain, Float(rate),
      Float(sgd.momentum), part.decays ? Float(sgd.weightDecay) : 0, sgd.nesterov ? 1 : 0,
      part.width)
  }

  func update(_ part: UpdatePart<Double>) {
    let decay = part.decays ? sgd.weightDecay : 0
    let buffer = sgd.momentum > 0 ? part.state(0) : nil
    for k in 0..<part.width {
      let g = part.gain * part.gradient[k] + decay * part.weights[k]
      var step = g
      if let buffer {
        let b = sgd.momentum * buffer[k] + g
        buffer[k] = b
        step = sgd.nesterov ? g + sgd.momentum * b : b
      }
      part.weights[k] -= rate * step
    }
  }
}
