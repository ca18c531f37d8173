// SPDX-License-Identifier: MIT

import SpikeData

/// Generated signals that outputs are to follow: regression.
struct SignalsSource: DataSource {
  static let kind = "signals"
  static let standardCounts: (train: Int, test: Int)? = (1000, 200)
  static let mergesPerStep = false
  static let hasTargets = true
  static let isGenerated = true

  let generator: Signals

  init(_ section: ConfigReader, _ request: DataRequest) throws {
    generator = Signals(
      duration: request.duration,
      units: try section.integer("units", default: 20, 2...10_000),
      peak: try section.number("peak", default: 200, .within(1, 1e4)),
      lag: try section.number("lag", default: 20, .within(0, request.duration)),
      highest: try section.number("highest", default: 8, .within(0.1, 1000)))
  }

  func load(_ request: DataRequest, progress: (String) -> Void) -> LoadedData {
    LoadedData(
      train: generator.generate(request.train ?? 0, seed: request.seed, purpose: "signals train"),
      test: generator.generate(request.test ?? 0, seed: request.seed, purpose: "signals test"))
  }
}
