// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import Training

/// What a checkpoint's state.toml says of a lane's progress; the best weights are in `best/` of the
/// lane's folder there.
extension LaneProgress {
  func write(to table: inout ConfigTable) {
    if let best {
      table["best"] = .list([.real(Double(best.epoch)), .real(best.accuracy), .real(best.loss)])
    }
    if improved.epoch > 0 || improved.value != nil {
      table["improved"] = .list(
        [.real(Double(improved.epoch))] + (improved.value.map { [.real($0)] } ?? []))
    }
  }

  init(_ section: ConfigReader, _ lane: any Lane, _ folder: NSString) throws {
    self.init()
    func numbers(_ key: String, _ counts: ClosedRange<Int>) throws -> [Double]? {
      let values = try section.list(key, "a finite number") {
        $0.number.flatMap { $0.isFinite ? $0 : nil }
      }
      guard let values else { return nil }
      guard counts.contains(values.count), FileLimits.counts.contains(Int(exactly: values[0]) ?? -1)
      else { throw section.error(key, "allowed are an epoch and what was found there") }
      return values
    }
    if let values = try numbers("improved", 1...2) {
      improved = (Int(values[0]), values.count > 1 ? values[1] : nil)
    }
    if let values = try numbers("best", 3...3) {
      guard values[1] <= 1 else {
        throw section.error("best", "accuracy is \(values[1]), allowed is at most 1")
      }
      let weights = try lane.network.parameterNames.map {
        try NPYArray(contentsOf: folder.appendingPathComponent("best/\($0).npy"))
      }
      try lane.check(weights)
      best = Best(
        epoch: Int(values[0]), accuracy: values[1], loss: values[2], weights: weights)
    }
  }
}
