// SPDX-License-Identifier: MIT

import Foundation

/// How the learning rate changes. The parts multiply.
public struct ScheduleOptions: Sendable, Equatable {
  /// Ease-in: starts at 1e-3 of the rate and grows by this factor per batch up to it; 1 turns it
  /// off.
  public var easeIn: Double
  /// Halving: at least this many epochs between halvings; 0 turns it off.
  public var halveAfter: Int
  /// Factor per epoch; 1 turns it off.
  public var decay: Double

  /// Without arguments the rate never changes.
  public init(easeIn: Double = 1, halveAfter: Int = 0, decay: Double = 1) {
    self.easeIn = easeIn
    self.halveAfter = halveAfter
    self.decay = decay
  }
}

/// The state of a schedule. Fully described by its stored properties (checkpoints keep them).
public struct Schedule: Sendable, Equatable {
  /// Come from the preset, not from checkpoints.
  public let options: ScheduleOptions
  /// Product of halvings and decay.
  public var factor = 1.0
  /// Current ease-in factor.
  public var ease: Double
  /// Moving averages of the accuracy: fast (0.8) and slow (0.95).
  public var fast = 0.0
  /// The rate is halved only while `fast` is not above it.
  public var slow = 0.0
  /// Since the start, before the first halving.
  public var epochsSinceHalving = 0

  /// Before the first batch: at 1e-3 of the rate with ease-in, else at the rate itself.
  public init(_ options: ScheduleOptions) {
    self.options = options
    ease = options.easeIn > 1 ? 1e-3 : 1
  }

  /// The rate of the next batch for a base rate.
  public func rate(_ base: Double) -> Double { base * ease * factor }

  /// After each update: the next step of the ease-in, up to 1.
  public mutating func finishBatch() {
    if ease < 1 { ease = min(1, ease * options.easeIn) }
  }

  /// - Parameter accuracy: of the validation set where there is one, else of training, 0...1.
  public mutating func finishEpoch(accuracy: Double) {
    factor *= options.decay
    fast = 0.8 * fast + 0.2 * accuracy
    slow = 0.95 * slow + 0.05 * accuracy
    epochsSinceHalving += 1
    if options.halveAfter > 0, epochsSinceHalving >= options.halveAfter, fast <= slow {
      factor /= 2
      epochsSinceHalving = 0
    }
  }
}
