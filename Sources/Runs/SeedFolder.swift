// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import SpikeData

/// The runs of a preset's other seeds: `seed-<n>/` in the run of the first one, each a whole run.
public enum SeedFolder {
  /// - Parameter run: folder of the first seed's run.
  public static func path(_ run: String, seed: Int) -> String {
    (run as NSString).appendingPathComponent(name(seed))
  }

  static func name(_ seed: Int) -> String { "seed-\(seed)" }

  /// The folders of a run's seeds that are there, the first one's own first.
  /// - Parameter preset: of the run.
  public static func all(of run: String, _ preset: Preset) -> [(seed: Int, folder: String)] {
    let others = (0..<preset.seeds).dropFirst().map { preset.seed + $0 }
    return [(preset.seed, run)]
      + others.map { ($0, path(run, seed: $0)) }.filter { RunDirectory.isRun($0.1) }
  }
}
