// SPDX-License-Identifier: MIT

import SpikeData

/// Anyone's own spikes, in NumPy arrays or CSV.
struct ArraysSource: DataSource {
  static let kind = "npy"
  static let standardCounts: (train: Int, test: Int)? = nil
  static let mergesPerStep = false

  let path: String
  let arrays: SpikeArrays

  init(_ section: ConfigReader, _ request: DataRequest) throws {
    path = try section.path("path")
    let sensor = try section.list("sensor", "a whole number from 1 to 65535") { value -> Int? in
      if case .integer(let number) = value, (1...65_535).contains(number) { return number }
      return nil
    }
    guard (sensor?.count ?? 0) <= 3 else {
      throw section.error("sensor", "allowed is [width, height, polarities], or the first of them")
    }
    let unit = try section.choice(
      "time_unit", default: "auto", ["auto"] + SpikeArrays.TimeUnit.allCases.map(\.rawValue))
    arrays = SpikeArrays(
      units: try section.optionalInteger("units", 1...65_535), sensor: sensor ?? [],
      timeUnit: SpikeArrays.TimeUnit(rawValue: unit))
  }

  func load(_ request: DataRequest, progress: (String) -> Void) throws -> LoadedData {
    let folder = try DataFolder.required(path, "spikes.npy and labels.npy")
    progress("reading \(folder)")
    let parts = try arrays.read(folder)
    let train = try parts.train.taking(request.train, key: "data.train")
    let test = try parts.test?.taking(request.test, key: "data.test")
    if parts.test == nil, let count = request.test {
      throw FileError(folder, "data.test = \(count), but there is no folder test within")
    }
    return LoadedData(
      train: train, test: test ?? train.selecting([], name: "no test samples"),
      validate: request.isSplit ? nil : parts.validate)
  }
}
