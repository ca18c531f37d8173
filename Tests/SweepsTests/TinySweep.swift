// SPDX-License-Identifier: MIT

import Foundation
import Support
import Testing

@testable import Sweeps

/// Small sweeps for the tests: a sweep file and the tiny preset in a folder of their own.
struct TinySweep {
  let scratch = ScratchDirectory()

  /// - Parameters:
  ///   - head: keys before the axes.
  ///   - preset: as TOML.
  @discardableResult
  func write(
    _ axes: String = rates, head: String = "", preset: String = tinyPreset(training: quick)
  ) -> String {
    _ = scratch.write(preset, to: "tiny.toml")
    return scratch.write(
      "name = \"small\"\npreset = \"./tiny.toml\"\n\(head)\n\(axes)\n", to: "s.toml")
  }

  func read(
    _ axes: String = rates, head: String = "", preset: String = tinyPreset(training: quick)
  ) throws -> Sweep {
    try Sweep(contentsOf: write(axes, head: head, preset: preset))
  }

  /// The message of what is wrong with a sweep file.
  func message(
    _ axes: String = rates, head: String = "", preset: String = tinyPreset()
  ) -> String {
    do {
      _ = try Sweep(contentsOf: write(axes, head: head, preset: preset))
      return "no error"
    } catch { return "\(error)".replacingOccurrences(of: scratch.path + "/", with: "") }
  }

  static let quick = "checkpoint = { every = 1, keep = 2 }"
  static let rates = """
    [[axis]]
    key = "training.optimiser.rate"
    name = "rate"
    values = [1e-3, 1e-2]
    """
}
