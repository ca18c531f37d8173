// SPDX-License-Identifier: MIT

import Experiments
import Training
import EventPropCore
import SpikeData

/// A small yin-yang preset as TOML, for tests; `extra` is appended.
package func tinyPreset(
  solver: String = "grid", loss: String = "sum", hidden: String = "", training: String = "",
  extra: String = ""
) -> String {
  """
  name = "tiny"
  seed = 3
  [data]
  kind = "yin-yang"
  train = 130
  validate = 20
  test = 40
  [simulation]
  solver = "\(solver)"
  duration = 30.0
  step = 0.5
  [[hidden]]
  size = 20
  weights = { mean = 2.0, sd = 1.0 }
  \(hidden)
  [output]
  weights = { mean = \(loss.hasPrefix("first") ? "0.9" : "0.0"), sd = 0.3 }
  [loss]
  kind = "\(loss)"
  [training]
  epochs = 3
  batch = 32
  optimiser = { rate = 5e-3 }
  \(training)
  \(extra)
  """
}

/// For `extra`: two lanes that differ in their shaping.
package let twoLanes = """
  [[lane]]
  name = "shaped"
  loss.shaping = "exponential"
  [[lane]]
  name = "plain"
  """

package func makeTrainer(_ text: String, threads: Int = 1, settings: [String] = []) throws
  -> Trainer
{
  let preset = try Preset(text: text, file: "test.toml", settings: settings)
  return try Trainer(preset, data: preset.loadData(), threads: threads)
}

extension Trainer {
  /// Trains to the end without files.
  package func runAll() throws -> [EpochMetrics] {
    var rows: [EpochMetrics] = []
    while !isFinished {
      try trainBatch()
      if isEpochComplete { rows += finishEpoch() }
    }
    return rows
  }

  /// All weights and optimiser states, bit by bit.
  package var state: [[UInt8]] { lanes.flatMap { $0.arrays().map(\.array.bytes) } }
}

/// Uses a run, or a training with one, and lets go of it, as a process does that ends.
package func withRun<Run>(_ make: () throws -> Run, _ use: (Run) throws -> Void) rethrows {
  let run = try make()
  try use(run)
}
