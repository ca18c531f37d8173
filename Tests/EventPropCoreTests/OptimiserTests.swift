// SPDX-License-Identifier: MIT

import Support
import Testing

@testable import EventPropCore

@Suite struct OptimiserTests {
  /// An optimiser on one weight that starts at 1, with these gradients.
  private func steps<Scalar: NetworkScalar>(
    _ optimiser: any Optimiser, gradients: [Double] = [0.5, -0.25, 1.5, 0.125], gain: Double = 1,
    limit: Double = 0, array: Int = 0, as: Scalar.Type
  ) -> [Double] {
    var layer = Layer(size: 1)
    layer.train(.threshold, rate: 0.003)
    let network = Network(inputs: 1, layers: [layer, Layer(size: 1, neuron: .li)])
    let (weights, gradient) = (Parameters<Scalar>(network), Parameters<Scalar>(network))
    let state = OptimiserState<Scalar>(optimiser, network)
    weights.arrays[array][0, 0] = 1
    let part = GradientPart(array: array, scalars: 0..<16)
    return gradients.enumerated().map { index, value in
      gradient.arrays[array][0, 0] = Scalar(value)
      OptimiserUpdate(
        weights: weights, gradient: gradient, state
      ) { _ in optimiser.step(rate: optimiser.rate, count: index + 1) }.apply(
        to: part, gain: Scalar(gain), limit: Scalar(limit))
      #expect((1..<16).allSatisfy { weights.arrays[array].base[$0] == 0 }, "padding stays 0")
      return Double(weights.arrays[array][0, 0])
    }
  }

  /// By the formulas in the documentation of torch.optim.AdamW and torch.optim.SGD, in Python's
  /// double precision; the first of SGD by hand.
  static let references: [(optimiser: any Optimiser, weights: [Double])] = [
    (Adam(rate: 0.1), [0.900000002, 0.8733662987078463, 0.8063162429161115, 0.7470329852227714]),
    (
      AdamW(Adam(rate: 0.1), weightDecay: 0.1),
      [0.890000002, 0.8544662986878463, 0.778871579909233, 0.7117996064168005]
    ),
    (SGD(rate: 0.1), [0.95, 0.975, 0.825, 0.8125]),
    (SGD(rate: 0.1, momentum: 0.9), [0.95, 0.93, 0.762, 0.5983]),
    (SGD(rate: 0.1, momentum: 0.9, nesterov: true), [0.905, 0.912, 0.6108, 0.45097]),
    (SGD(rate: 0.1, weightDecay: 0.1), [0.94, 0.9556, 0.796044, 0.77558356]),
    (
      SGD(rate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.1),
      [0.886, 0.868066, 0.535906146, 0.345842654626]
    ),
  ]

  @Test(arguments: references.indices) func followsTheReference(index: Int) {
    let (optimiser, expected) = Self.references[index]
    for (found, wanted) in zip(steps(optimiser, as: Double.self), expected) {
      #expect(abs(found - wanted) < 1e-12)
    }
    for (found, wanted) in zip(steps(optimiser, as: Float.self), expected) {
      // 1 - 0.999 in Float is off by 5e-5 of itself.
      #expect(abs(found - wanted) < 1e-5)
    }
  }

  /// Thresholds and the like are moved by gradients, and not drawn towards 0.
  @Test func vectorsOfNeuronsDoNotDecay() {
    let kinds: [any Optimiser] = [
      AdamW(Adam(rate: 0.1), weightDecay: 0.5), SGD(rate: 0.1, weightDecay: 0.5),
    ]
    for kind in kinds {
      #expect(steps(kind, gradients: [0], array: 2, as: Float.self) == [1])
      #expect(steps(kind, gradients: [0], array: 2, as: Double.self) == [1])
      #expect(steps(kind, gradients: [0], array: 0, as: Double.self) == [0.95])
    }
  }

  /// First the gain of clipping by norm, then the limit of every element.
  @Test func clippingByNormComesBeforeThatByValue() {
    let sgd = SGD(rate: 1)
    #expect(
      steps(sgd, gradients: [4, -4, 1], gain: 0.5, limit: 1, as: Double.self) == [0, 1, 0.5])
    #expect(steps(sgd, gradients: [4, -4, 1], gain: 0.5, limit: 1, as: Float.self) == [0, 1, 0.5])
    #expect(steps(sgd, gradients: [4, -4], gain: 0.125, limit: 1, as: Float.self) == [0.5, 1])
  }

  @Test func tableIsConsistent() {
    #expect(OptimiserTable.all.map(\.kind) == ["adam", "adamw", "sgd"])
    for entry in OptimiserTable.all {
      #expect(Set(entry.keys.map(\.name)).count == entry.keys.count)
      #expect(entry.keys.allSatisfy { $0.bounds.contains($0.standard) })
      let standard = entry.make(OptimiserParameters())
      #expect(standard.rate == 1e-3 && type(of: standard).entry.kind == entry.kind)
      #expect(entry.fault(OptimiserParameters()) == nil)
    }
    // Names of folders in checkpoints: they are promised.
    #expect(Adam(rate: 1).state == ["adam-mean", "adam-square"])
    #expect(AdamW(Adam(rate: 1)).state == ["adam-mean", "adam-square"])
    #expect(SGD(rate: 1).state == [] && SGD(rate: 1, momentum: 0.5).state == ["sgd-momentum"])
    #expect(SGD(rate: 1).epsilon == nil && AdamW(Adam(rate: 1)).epsilon == 1e-8)
    #expect(!Adam(rate: 1).equals(AdamW(Adam(rate: 1))) && Adam(rate: 1).equals(Adam(rate: 1)))
  }
}

@Suite struct ScheduleTests {
  /// With the standard constants the bits are those of the formulas with 0.2, 0.05 and 1/2.
  @Test func standardConstantsKeepTheirBits() {
    var random = Random(seed: 5, "schedule")
    var schedule = Schedule(ScheduleOptions(easeIn: 1.05, halveAfter: 3, decay: 0.97))
    #expect(schedule.ease == 1e-3)
    var (fast, slow, factor, since) = (0.0, 0.0, 1.0, 0)
    for _ in 0..<500 {
      let accuracy = random.uniform()
      schedule.finishEpoch(accuracy: accuracy)
      factor *= 0.97
      fast = 0.8 * fast + 0.2 * accuracy
      slow = 0.95 * slow + 0.05 * accuracy
      since += 1
      if since >= 3, fast <= slow {
        factor /= 2
        since = 0
      }
      #expect(schedule.fast == fast && schedule.slow == slow && schedule.factor == factor)
    }
    #expect(factor < 1e-9)
  }

  @Test(arguments: [(0.8, 0.2), (0.95, 0.05), (0.85, 0.15), (0.999, 0.001), (0, 1)])
  func whatAnAverageTakesIsADecimal(keeps: Double, takes: Double) {
    #expect(Schedule.rest(keeps) == takes)
  }

  /// The paper's code for SHD has 0.8 and 0.85; a factor of 1/4 and another start of the ease-in.
  @Test func constantsMayBeOthers() {
    var schedule = Schedule(
      ScheduleOptions(
        easeIn: 2, easeFrom: 0.25, halveAfter: 1, halving: 0.25, fast: 0.8, slow: 0.85))
    #expect(schedule.rate(1) == 0.25)
    schedule.finishBatch()
    #expect(schedule.rate(1) == 0.5)
    schedule.finishEpoch(accuracy: 1)
    #expect(abs(schedule.fast - 0.2) < 1e-15 && abs(schedule.slow - 0.15) < 1e-15)
    #expect(schedule.factor == 1)
    schedule.finishEpoch(accuracy: 0)
    schedule.finishEpoch(accuracy: 0)
    // 0.128 and 0.108375: still above; then below.
    #expect(schedule.factor == 1)
    while schedule.fast > schedule.slow { schedule.finishEpoch(accuracy: 0) }
    #expect(schedule.factor == 0.25)
  }
}
