// SPDX-License-Identifier: MIT

import SpikeData

/// Generated spike trains that sound like spoken digits.
struct SpokenDigitsSource: DataSource {
  static let kind = "spoken-digits"
  static let standardCounts: (train: Int, test: Int)? = (1600, 400)
  static let mergesPerStep = true
  static let isGenerated = true

  /// Mean spikes of a digit.
  let spikes: Double

  init(_ section: ConfigReader, _ request: DataRequest) throws {
    spikes = try section.number("spikes", default: 8000, .within(1, 1e6))
  }

  func load(_ request: DataRequest, progress: (String) -> Void) -> LoadedData {
    let (train, test) = (request.train ?? 0, request.test ?? 0)
    progress("generating \(train + test) spoken digits")
    let digits = SpokenDigits(duration: request.duration, spikes: spikes).generate(
      train: train, test: test, seed: request.seed, threads: request.threads)
    return LoadedData(train: digits.train, test: digits.test)
  }
}
