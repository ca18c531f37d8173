// SPDX-License-Identifier: MIT

import Foundation

/// How the learning rate changes. The parts multiply.
public struct ScheduleOptions: Sendable, Equatable {
  /// Ease-in: starts at `easeFrom` of the rate and grows by this factor per batch up to it; 1 turns
  /// it off.
  public var easeIn: Double
  /// What the ease-in starts from, as a share of the rate, above 0.
  public var easeFrom: Double
  /// Halving: at least this many epochs between halvings; 0 turns it off.
  public var halveAfter: Int
  /// What a halving multiplies the rate by: 0.5 is a half.
  public var halving: Double
  /// What the fast moving average of the accuracy keeps of itself per epoch, below 1.
  public var fast: Double
  /// What the slow one keeps, not below `fast`.
  public var slow: Double
  /// Factor per epoch; 1 turns it off.
  public var decay: Double

  /// Without arguments the rate never changes. The standard constants are those of the code of
  /// Nowotny, Turner & Knight.
  public init(
    easeIn: Double = 1, easeFrom: Double = 1e-3, halveAfter: Int = 0, halving: Double = 0.5,
    fast: Double = 0.8, slow: Double = 0.95, decay: Double = 1
  ) {
    (self.easeIn, self.easeFrom, self.decay) = (easeIn, easeFrom, decay)
    (self.halveAfter, self.halving, self.fast, self.slow) = (halveAfter, halving, fast, slow)
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
  /// Moving averages of the accuracy, fast and slow.
  public var fast = 0.0
  /// The rate is lowered only while `fast` is not above it.
  public var slow = 0.0
  /// Since the start, before the first halving.
  public var epochsSinceHalving = 0

  /// Before the first batch: at `easeFrom` of the rate with ease-in, else at the rate itself.
  public init(_ options: ScheduleOptions) {
    self.options = options
    ease = options.easeIn > 1 ? options.easeFrom : 1
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
    fast = options.fast * fast + Schedule.rest(options.fast) * accuracy
    slow = options.slow * slow + Schedule.rest(options.slow) * accuracy
    epochsSinceHalving += 1
    if options.halveAfter > 0, epochsSinceHalving >= options.halveAfter, fast <= slow {
      factor *= options.halving
      epochsSinceHalving = 0
    }
  }

  /// 1 - share, as a decimal of at most 15 places: 0.2 of 0.8, where 1 - 0.8 in binary is
  /// 0.19999999999999996.
  static func rest(_ share: Double) -> Double { ((1 - share) * 1e15).rounded() / 1e15 }
}
