// SPDX-License-Identifier: MIT

import SpikeData
import EventPropCore
import Foundation

/// How much memory a preset's trials take, before any is taken: an allocation that fails ends the
/// program without a word.
package struct MemoryNeed {
  /// Bytes, rounded down: what is certainly needed.
  var trials: Double
  var tapes: Double
  var weights: Double
  var all: Double { trials + tapes + weights }

  /// - Parameter lanes: problems of all lanes, and how many numbers their optimisers keep of a
  ///   weight.
  package init(
    _ lanes: [(problem: Problem, solver: LaneOptions.SolverKind, kept: Int)], batch: Int,
    shards: Int
  ) {
    (trials, tapes, weights) = (0, 0, 0)
    for (problem, solver, kept) in lanes {
      let network = problem.network
      let count = network.projections.reduce(0.0) {
        $0 + Double(network.size(ofPopulation: $1.source))
          * Double(network.size(ofPopulation: $1.target))
      }
      let bytes = solver == .grid ? 4.0 : 8.0
      // Weights, the optimiser's state, gradient; and a sum for each shard.
      weights += count * bytes * Double(2 + kept + shards)
      guard solver == .grid else { continue }
      let steps = (problem.duration / problem.step).rounded()
      let isDriven = problem.loss.readout == .instantaneous
      let perTrial =
        4 * steps * Double(1 + network.layers.count)
        + (isDriven ? 4 * steps * Double((network.output.size + 15) / 16 * 16) : 0)
      trials += perTrial * Double(batch)
      tapes += Double(shards) * 4 * steps * network.layers.reduce(0.0) { $0 + Double($1.size) }
    }
  }

  /// What this process may have, bytes.
  static var available: Double {
    var limit = rlimit()
    let physical = Double(ProcessInfo.processInfo.physicalMemory)
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
      limit.rlim_cur != rlim_t.max
    else { return physical }
    return min(physical, Double(limit.rlim_cur))
  }

  private static func words(_ bytes: Double) -> String {
    bytes < 1e9 ? String(format: "%.0f MB", bytes / 1e6) : String(format: "%.0f GB", bytes / 1e9)
  }

  /// - Throws: `FileError` when it is more than there can be.
  package func check(_ preset: Preset, batch: Int) throws {
    let available = MemoryNeed.available
    // Traces are touched only where spikes are: what is asked for of them may well be more than
    // there is.
    guard trials + weights > available || all > 4 * available else { return }
    let most = max(trials, tapes, weights)
    let (what, cure) =
      most == trials
      ? (
        "the trials of a batch of \(batch) with steps of \(preset.lanes[0].step) ms",
        "lower training.batch, or raise simulation.step"
      )
      : most == tapes
        ? (
          "the \(preset.training.shards) shards' traces",
          "lower training.shards, or raise simulation.step"
        )
        : ("the weights", "make the layers smaller")
    throw FileError(
      preset.name,
      "needs \(MemoryNeed.words(all)) of memory, most of it for \(what); there are \(MemoryNeed.words(available)): \(cure)"
    )
  }
}
