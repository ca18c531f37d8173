// SPDX-License-Identifier: MIT

import SpikeData

/// Images in IDX files, each pixel a spike, the brighter the earlier.
struct IDXImagesSource: DataSource {
  static let kind = "idx-images"
  static let standardCounts: (train: Int, test: Int)? = nil
  static let mergesPerStep = false

  let path: String
  /// Files that go by unusual names; empty looks for the usual ones.
  let train: (images: String, labels: String)
  let test: (images: String, labels: String)
  /// Pixels at or below it do not spike.
  let greyLevel: Int

  init(_ section: ConfigReader, _ request: DataRequest) throws {
    path = try section.path("path")
    train = (
      try section.string("train_images", default: ""),
      try section.string("train_labels", default: "")
    )
    test = (
      try section.string("test_images", default: ""), try section.string("test_labels", default: "")
    )
    greyLevel = try section.integer("grey_level", default: 0, 0...254)
    guard request.duration >= 5 * request.step else {
      throw section.error(
        "kind",
        "latency coding takes at least five steps a trial; simulation.duration is \(request.duration) ms, simulation.step \(request.step) ms"
      )
    }
  }

  func load(_ request: DataRequest, progress: (String) -> Void) throws -> LoadedData {
    let folder = try DataFolder.required(path, "train-images-idx3-ubyte and its three companions")
    let reader = IDXImages(duration: request.duration, step: request.step, greyLevel: greyLevel)
    func read(_ part: String, _ named: (images: String, labels: String), _ count: Int?) throws
      -> SpikeDataSet
    {
      let isNamed = !named.images.isEmpty && !named.labels.isEmpty
      var paths = isNamed ? named : try IDXImages.paths(in: folder, part: part)
      if !named.images.isEmpty { paths.images = named.images }
      if !named.labels.isEmpty { paths.labels = named.labels }
      let (images, labels) = (
        DataFolder.file(paths.images, in: folder), DataFolder.file(paths.labels, in: folder)
      )
      progress("reading \(images)")
      return try reader.read(images: images, labels: labels).taking(count, key: "data.\(part)")
    }
    return LoadedData(
      train: try read("train", train, request.train), test: try read("test", test, request.test))
  }
}
