import EventPropCore
import Foundation
import SpikeData

extension Preset {
  /// Reads or generates the samples.
  /// - Throws: `DataError` or `PresetError`.
  public func loadData(progress: (String) -> Void = { _ in }) throws -> DataSplits {
    guard let options = data else { throw PresetError(name, "has no [data]") }
    let (train, test) = try options.load(
      duration: duration, step: lanes[0].step, progress: progress)
    guard train.unitCount == test.unitCount else {
      throw DataError(test.name, "has \(test.unitCount) units, \(train.name) \(train.unitCount)")
    }
    var (inside, outside) = try options.validation.apply(to: train, seed: options.seed)
    let classes = train.classNames.count >= test.classNames.count ? train : test
    var testSet = test
    inside.classNames = classes.classNames
    outside.classNames = classes.classNames
    testSet.classNames = classes.classNames
    return DataSplits(train: inside, validate: outside, test: testSet)
  }

  /// The problem a lane solves on these data.
  public func problem(for lane: LaneOptions, data: SpikeDataSet) throws -> Problem {
    let copies = self.data?.delayLine.copies ?? 1
    let inputs = data.unitCount * copies
    guard inputs <= Int(UInt16.max) else {
      throw PresetError(
        name,
        "data.delay_line.copies: \(data.unitCount) units x \(copies) copies are \(inputs) "
          + "input units; allowed are \(UInt16.max)")
    }
    let network = lane.network(inputs: inputs, outputs: data.classNames.count)
    let weights = network.projections.reduce(0) {
      $0 + network.size(ofPopulation: $1.source) * network.size(ofPopulation: $1.target)
    }
    guard weights <= 1 << 27 else {
      throw PresetError(
        name, "hidden: \(weights) weights; allowed are \(1 << 27) (they need 2 GB in training)")
    }
    var shaping = lane.shaping
    if case .input = shaping {
      shaping = .input(
        InputProfile(
          counts: data.histogram(bins: InputProfile.bins, duration: duration), duration: duration))
    }
    return Problem(
      network: network, duration: duration, step: lane.step, loss: lane.loss, shaping: shaping,
      mergesInput: self.data?.mergesPerStep ?? false, rule: lane.rule)
  }
}

extension DataOptions {
  func load(duration: Double, step: Double, progress: (String) -> Void) throws -> (
    train: SpikeDataSet, test: SpikeDataSet
  ) {
    switch kind {
    case .yinYang:
      return (
        yinYang.generate(train ?? 0, seed: seed, purpose: "yin-yang train"),
        yinYang.generate(test ?? 0, seed: seed, purpose: "yin-yang test")
      )
    case .spokenDigits:
      progress("generating \((train ?? 0) + (test ?? 0)) spoken digits")
      return SpokenDigits(duration: duration, spikes: spikes).generate(
        train: train ?? 0, test: test ?? 0, seed: seed)
    case .idxImages:
      let folder = try requirePath("train-images-idx3-ubyte and its three companions")
      let reader = IDXImages(duration: duration, step: step, greyLevel: greyLevel)
      func read(_ part: String, _ count: Int?, _ key: String) throws -> SpikeDataSet {
        let paths = try IDXImages.paths(in: folder, part: part)
        progress("reading \(paths.images)")
        return try reader.read(images: paths.images, labels: paths.labels).taking(count, key: key)
      }
      return (try read("train", train, "data.train"), try read("t10k", test, "data.test"))
    case .shd:
      let folder = try requirePath("a train and a test file in SHD format")
      func read(_ part: String, _ file: String, _ count: Int?) throws -> SpikeDataSet {
        let path =
          file.isEmpty
          ? try SHDFile.path(in: folder, part: part, key: "data.\(part)_file")
          : (file.hasPrefix("/") ? file : (folder as NSString).appendingPathComponent(file))
        progress("reading \(path)")
        return try SHDFile(units: units).read(path).taking(count, key: "data.\(part)")
      }
      return (try read("train", trainFile, train), try read("test", testFile, test))
    }
  }

  private func requirePath(_ content: String) throws -> String {
    guard !path.isEmpty else {
      throw PresetError(
        "data.path", "is not set: name the folder with \(content), as --set data.path=FOLDER")
    }
    return path
  }
}
