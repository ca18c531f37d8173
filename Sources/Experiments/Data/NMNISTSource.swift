// SPDX-License-Identifier: MIT

import SpikeData

/// Digits before an event camera.
struct NMNISTSource: DataSource {
  static let kind = "n-mnist"
  static let standardCounts: (train: Int, test: Int)? = nil
  static let mergesPerStep = true

  let path: String

  init(_ section: ConfigReader, _ request: DataRequest) throws {
    path = try section.path("path")
  }

  func load(_ request: DataRequest, progress: (String) -> Void) throws -> LoadedData {
    let folder = try DataFolder.required(path, "the folders Train and Test")
    func read(_ part: String, _ count: Int?) throws -> SpikeDataSet {
      progress("reading \(folder)/\(part)")
      return try NMNIST().read(
        folder, part: part, count: count, key: "data.\(part.lowercased())")
    }
    return LoadedData(
      train: try read("Train", request.train), test: try read("Test", request.test))
  }
}
