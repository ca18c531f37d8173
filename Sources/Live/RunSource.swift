// SPDX-License-Identifier: MIT

import Runs

/// A run that a snapshot shows, and where in it: what a figure needs to be made again.
public struct RunSource: Sendable, Equatable {
  /// The run's folder; empty when there is none.
  public var folder = ""
  /// `name` of its preset.
  public var preset = ""
  /// Of initial weights and the order of batches; `data.seed` may differ.
  public var seed = 0
  /// Of generated samples; nil where the preset has no data.
  public var dataSeed: Int?
  /// Finished epochs.
  public var epoch = 0
  /// Finished batches of the epoch after `epoch`.
  public var batch = 0
  /// Commands that were given, as far as they are known; they are in commands.jsonl.
  public var commands = 0

  /// Of nothing.
  public init() {}

  /// The program that reads it.
  public static var program: String { "eventprop \(Version.text)" }
}
