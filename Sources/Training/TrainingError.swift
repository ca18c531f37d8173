// SPDX-License-Identifier: MIT

/// Training cannot go on.
public struct TrainingError: Error, CustomStringConvertible {
  /// One line; from `Trainer.trainBatch` it begins with lane, epoch and batch.
  public var description: String

  /// - Parameter description: one line.
  package init(description: String) { self.description = description }
}
