// SPDX-License-Identifier: MIT

import SpikeData

/// Generated points of the Yin-Yang sign.
struct YinYangSource: DataSource {
  static let kind = "yin-yang"
  static let standardCounts: (train: Int, test: Int)? = (5000, 1000)
  static let mergesPerStep = false
  static let isGenerated = true

  let generator: YinYang

  init(_ section: ConfigReader, _ request: DataRequest) throws {
    let inside = Bound.within(0, request.duration)
    generator = YinYang(
      early: try section.number("early", default: 0, inside),
      late: try section.number("late", default: request.duration * 2 / 3, inside),
      bias: try section.number("bias", default: 0, inside))
  }

  func load(_ request: DataRequest, progress: (String) -> Void) -> LoadedData {
    LoadedData(
      train: generator.generate(request.train ?? 0, seed: request.seed, purpose: "yin-yang train"),
      test: generator.generate(request.test ?? 0, seed: request.seed, purpose: "yin-yang test"))
  }
}
