import EventPropCore
import Foundation
import SpikeData

extension Preset {
  /// Reads or generates the samples.
  /// - Throws: `DataError` or `PresetError`.
  public func loadData(progress: (String) -> Void = { _ in }) throws -> DataSplits {
    guard let options = data else { throw PresetError(name, "has no [data]") }
    let (train, test, validate) = try options.load(
      duration: duration, step: lanes[0].step, progress: progress)
    for other in [test, validate].compactMap({ $0 }) where train.unitCount != other.unitCount {
      throw DataError(
        other.name, "has \(other.unitCount) units, \(train.name) \(train.unitCount)")
    }
    var (named, namedTest) = try DataSource.byName(train, test)
    let (inside, outside) = try options.validation.apply(to: named, seed: options.seed)
    var splits = DataSplits(train: inside, validate: outside, test: namedTest)
    if let validate {
      (named, splits.validate) = try DataSource.byName(named, validate)
      // Whatever one of the files names, all three know.
      (splits.train, splits.test) = try DataSource.byName(named, namedTest)
      (splits.train, splits.validate) = try DataSource.byName(splits.train, splits.validate)
      splits.notes.append("validation samples are those of \(validate.name)")
    }
    namedTest = splits.test
    for set in [named, namedTest] + (validate == nil ? [] : [splits.validate]) where set.count > 0 {
      if let note = try DataSource.note(set, duration: duration) { splits.notes.append(note) }
    }
    return splits
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
    for parameter in NeuronKind.lif.parameters {
      if let count = network.output[parameter].count, count != network.output.size {
        throw PresetError(
          name,
          "output.\(parameter.name): \(count) values for \(network.output.size) classes; allowed is a number, or one for each"
        )
      }
    }
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

/// What holds for samples wherever they come from.
enum DataSource {
  /// Training and test samples under the same class names. Files may list the same names in another order.
  /// - Throws: `DataError` when one has a class that the other lacks.
  static func byName(_ train: SpikeDataSet, _ test: SpikeDataSet) throws -> (
    train: SpikeDataSet, test: SpikeDataSet
  ) {
    let (a, b) = (train.classNames, test.classNames)
    let longer = a.count >= b.count ? a : b
    if a == b { return (train, test) }
    if longer.starts(with: a.count >= b.count ? b : a) {
      return (
        train.relabelled(longer, Array(a.indices)), test.relabelled(longer, Array(b.indices))
      )
    }
    // A file without names numbers its classes: those of the other name them.
    func isNumbered(_ names: [String]) -> Bool { names == names.indices.map(String.init) }
    if isNumbered(a), a.count <= b.count { return (train.relabelled(b, Array(a.indices)), test) }
    if isNumbered(b), b.count <= a.count { return (train, test.relabelled(a, Array(b.indices))) }
    let known = Dictionary(zip(a, a.indices)) { first, _ in first }
    let missing = b.filter { known[$0] == nil }
    guard missing.isEmpty else {
      throw DataError(
        test.name,
        "has classes that \(train.name) lacks: \(missing.prefix(8).joined(separator: ", "))")
    }
    return (train, test.relabelled(a, b.map { known[$0]! }))
  }

  /// What is left out of the trials; nil where nothing is.
  /// - Throws: `DataError` when nothing is left in.
  static func note(_ data: SpikeDataSet, duration: Double) throws -> String? {
    let beyond = data.spikes(beyond: duration)
    guard beyond > 0 else { return nil }
    let all = data.times.count
    guard beyond < all else {
      throw DataError(
        data.name,
        "all \(all) input spikes lie at or beyond simulation.duration = \(duration) ms: are the times in seconds, as they should be?"
      )
    }
    return String(
      format:
        "%@: %.2g %% of the input spikes lie at or beyond simulation.duration = %g ms and are left out",
      data.name, 100 * Double(beyond) / Double(all), duration)
  }
}

extension DataOptions {
  func load(duration: Double, step: Double, progress: (String) -> Void) throws -> (
    train: SpikeDataSet, test: SpikeDataSet, validate: SpikeDataSet?
  ) {
    switch kind {
    case .yinYang:
      return (
        yinYang.generate(train ?? 0, seed: seed, purpose: "yin-yang train"),
        yinYang.generate(test ?? 0, seed: seed, purpose: "yin-yang test"), nil
      )
    case .spokenDigits:
      progress("generating \((train ?? 0) + (test ?? 0)) spoken digits")
      let digits = SpokenDigits(duration: duration, spikes: spikes).generate(
        train: train ?? 0, test: test ?? 0, seed: seed)
      return (digits.train, digits.test, nil)
    case .idxImages:
      let folder = try requirePath("train-images-idx3-ubyte and its three companions")
      let reader = IDXImages(duration: duration, step: step, greyLevel: greyLevel)
      func read(_ part: String, _ named: (images: String, labels: String), _ count: Int?) throws
        -> SpikeDataSet
      {
        let isNamed = !named.images.isEmpty && !named.labels.isEmpty
        var paths = isNamed ? named : try IDXImages.paths(in: folder, part: part)
        if !named.images.isEmpty { paths.images = named.images }
        if !named.labels.isEmpty { paths.labels = named.labels }
        paths = (inside(folder, paths.images), inside(folder, paths.labels))
        progress("reading \(paths.images)")
        return try reader.read(images: paths.images, labels: paths.labels)
          .taking(count, key: "data.\(part)")
      }
      return (
        try read("train", (trainImages, trainLabels), train),
        try read("test", (testImages, testLabels), test), nil
      )
    case .shd:
      let folder = try requirePath("a train and a test file in SHD format")
      func read(_ part: String, _ file: String, _ count: Int?) throws -> SpikeDataSet {
        let path =
          file.isEmpty
          ? try SHDFile.path(in: folder, part: part, key: "data.\(part)_file")
          : inside(folder, file)
        progress("reading \(path)")
        return try SHDFile(units: units).read(path).taking(count, key: "data.\(part)")
      }
      var validate = validateFile
      if validate.isEmpty, validation == .none {
        validate =
          try SHDFile.onlyPath(in: folder, part: "valid", key: "data.validate_file") ?? ""
      }
      return (
        try read("train", trainFile, train), try read("test", testFile, test),
        validate.isEmpty ? nil : try read("valid", validate, nil)
      )
    }
  }

  private func inside(_ folder: String, _ file: String) -> String {
    file.hasPrefix("/") ? file : (folder as NSString).appendingPathComponent(file)
  }

  private func requirePath(_ content: String) throws -> String {
    guard !path.isEmpty else {
      throw PresetError(
        "data.path", "is not set: name the folder with \(content), as --set data.path=FOLDER")
    }
    return path
  }
}
