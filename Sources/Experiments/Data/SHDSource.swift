// SPDX-License-Identifier: MIT

import SpikeData

/// Files in the layout of the Spiking Heidelberg Digits and Commands.
struct SHDSource: DataSource {
  static let kind = "shd"
  static let standardCounts: (train: Int, test: Int)? = nil
  static let mergesPerStep = true

  let path: String
  /// Files that go by unusual names; empty looks for the usual ones.
  let trainFile: String
  let testFile: String
  let validateFile: String
  /// Channels.
  let units: Int

  init(_ section: ConfigReader, _ request: DataRequest) throws {
    path = try section.path("path")
    trainFile = try section.string("train_file", default: "")
    testFile = try section.string("test_file", default: "")
    validateFile = try section.string("validate_file", default: "")
    guard validateFile.isEmpty || !request.isSplit else {
      throw section.error(
        "validate_file",
        "goes without validate, validate_speakers and validate_fold: choose one of the four")
    }
    units = try section.integer("units", default: 700, 1...65_535)
  }

  func load(_ request: DataRequest, progress: (String) -> Void) throws -> LoadedData {
    let folder = try DataFolder.required(path, "a train and a test file in SHD format")
    func read(_ path: String, _ count: Int?, _ part: String) throws -> SpikeDataSet {
      progress("reading \(path)")
      return try SHDFile(units: units).read(path).taking(count, key: "data.\(part)")
    }
    func find(_ part: String, _ file: String) throws -> String {
      file.isEmpty
        ? try SHDFile.path(in: folder, part: part, key: "data.\(part)_file")
        : DataFolder.file(file, in: folder)
    }
    let validate =
      validateFile.isEmpty
      ? request.isSplit
        ? nil : try SHDFile.onlyPath(in: folder, part: "valid", key: "data.validate_file")
      : DataFolder.file(validateFile, in: folder)
    return LoadedData(
      train: try read(try find("train", trainFile), request.train, "train"),
      test: try read(try find("test", testFile), request.test, "test"),
      validate: try validate.map { try read($0, nil, "validate") })
  }
}
