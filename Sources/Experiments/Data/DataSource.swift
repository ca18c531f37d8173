// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import SpikeData

/// Where samples come from: a kind of `[data]`.
///
/// To add one: a file like `YinYangSource.swift`, and its line in `DataTable`.
protocol DataSource: Sendable {
  /// `data.kind`.
  static var kind: String { get }
  /// How many samples there are where the preset does not say; nil: all that the files have.
  static var standardCounts: (train: Int, test: Int)? { get }
  /// Whether `merge_per_step` is on where the preset does not say.
  static var mergesPerStep: Bool { get }
  /// All samples have target series in place of classes; other kinds' files decide.
  static var hasTargets: Bool { get }
  /// Samples are drawn by the seed, not read: every seed has its own.
  static var isGenerated: Bool { get }

  /// Reads the keys of its own.
  init(_ section: ConfigReader, _ request: DataRequest) throws
  /// - Throws: `FileError`.
  func load(_ request: DataRequest, progress: (String) -> Void) throws -> LoadedData
}

extension DataSource {
  static var hasTargets: Bool { false }
  static var isGenerated: Bool { false }
}

/// What all kinds are told.
struct DataRequest: Sendable {
  /// Numbers of samples; nil: all.
  var train: Int?
  var test: Int?
  var seed: Int
  /// Whether validation samples are asked for by other keys.
  var isSplit: Bool
  /// Of a trial and of a step, ms.
  var duration: Double
  var step: Double
  /// To generate with.
  var threads = 1
}

/// What a kind gives.
struct LoadedData {
  var train: SpikeDataSet
  var test: SpikeDataSet
  /// Where the kind has validation samples of its own.
  var validate: SpikeDataSet?
}

/// Every kind of data, in the order in which lists show them.
enum DataTable {
  static let all: [any DataSource.Type] = [
    YinYangSource.self,
    SignalsSource.self,
    IDXImagesSource.self,
    SHDSource.self,
    ArraysSource.self,
    NMNISTSource.self,
    SpokenDigitsSource.self,
  ]
}

extension Preset {
  /// Reads or generates the samples.
  /// - Parameter threads: the samples are the same for any number.
  /// - Throws: `FileError`.
  public func loadData(
    threads: Int = ProcessInfo.processInfo.activeProcessorCount,
    progress: (String) -> Void = { _ in }
  ) throws -> DataSplits {
    guard let options = data else { throw FileError(name, "has no [data]") }
    var request = options.request
    request.threads = threads
    var loaded = try options.source.load(request, progress: progress)
    for other in [loaded.test, loaded.validate].compactMap({ $0 })
    where other.unitCount != loaded.train.unitCount {
      throw FileError(
        other.name,
        "has \(other.unitCount) units, \(loaded.train.name) \(loaded.train.unitCount)")
    }
    loaded.rescale(by: options.rescale)
    try loaded.nameClassesAlike()
    try loaded.joinTargets()
    let (inside, outside) = try options.validation.apply(to: loaded.train, seed: options.seed)
    var splits = DataSplits(
      train: inside, validate: loaded.validate ?? outside, test: loaded.test)
    if let validate = loaded.validate {
      splits.notes.append("validation samples are those of \(validate.name)")
    }
    for set in [loaded.train, loaded.test, loaded.validate].compactMap({ $0 }) where set.count > 0 {
      if let note = try set.noteBeyond(duration) { splits.notes.append(note) }
    }
    return splits
  }

  /// The problem a lane solves on these data.
  public func problem(for lane: LaneOptions, data: SpikeDataSet) throws -> Problem {
    let copies = self.data?.delayLine.copies ?? 1
    let inputs = data.unitCount * copies
    guard inputs <= Int(UInt16.max) else {
      throw FileError(
        name,
        "data.delay_line.copies: \(data.unitCount) units x \(copies) copies are \(inputs) "
          + "input units; allowed are \(UInt16.max)")
    }
    let noise = self.data?.augmentation.noise ?? 0
    let noiseSpikes = noise * Double(data.unitCount) * duration / 1000
    guard noiseSpikes <= 1e7 else {
      throw FileError(
        name,
        "data.augment.input_noise: \(noise) Hz on \(data.unitCount) units are "
          + "\(noiseSpikes.rounded()) spikes a trial; allowed are 10000000")
    }
    let network = lane.network(inputs: inputs, outputs: data.classNames.count)
    for parameter in NeuronKind.lif.parameters {
      if let count = network.output[parameter].count, count != network.output.size {
        throw FileError(
          name,
          "output.\(parameter.name): \(count) values for \(network.output.size) classes; allowed is a number, or one for each"
        )
      }
    }
    if let targets = data.targets {
      guard lane.loss.readsTargets else {
        let known = LossTable.all.filter(\.readsTargets).map { "\"\($0.kind)\"" }
        throw FileError(
          name,
          "loss.kind: \"\(lane.lossKind)\" knows classes, \(data.name) has target series; "
            + "allowed is \(known.joined(separator: ", "))")
      }
      precondition(targets.outputs == network.output.size)
      if self.data?.augmentation.blend ?? 0 > 0 {
        throw FileError(
          name,
          "data.augment.blend: blends samples of a class, \(data.name) has target series; allowed is 0"
        )
      }
    }
    let weights = network.projections.reduce(0) {
      $0 + network.size(ofPopulation: $1.source) * network.size(ofPopulation: $1.target)
    }
    guard weights <= 1 << 27 else {
      throw FileError(
        name, "hidden: \(weights) weights; allowed are \(1 << 27) (they need 2 GB in training)")
    }
    let shaping = lane.shaping.following {
      InputProfile(
        counts: data.histogram(bins: InputProfile.bins, duration: duration), duration: duration)
    }
    return Problem(
      network: network, duration: duration, step: lane.step, loss: lane.loss, shaping: shaping,
      targets: data.targets, mergesInput: self.data?.mergesPerStep ?? false, rule: lane.rule)
  }
}

extension LoadedData {
  mutating func rescale(by factors: (units: Double, time: Double)) {
    guard factors != (1, 1) else { return }
    func rescaled(_ set: SpikeDataSet) -> SpikeDataSet {
      set.rescaled(units: factors.units, time: factors.time)
    }
    (train, test, validate) = (rescaled(train), rescaled(test), validate.map(rescaled))
  }

  /// The series of all sets in one list, so that labels of any of them say which is meant.
  /// - Throws: `FileError` when only some have any, or they differ in outputs or points.
  mutating func joinTargets() throws {
    let others = [test, validate].compactMap { $0 }.filter { $0.count > 0 }
    guard let first = train.targets else {
      if let odd = others.first(where: { $0.targets != nil }) {
        throw FileError(odd.name, "has target series, \(train.name) has classes")
      }
      return
    }
    for other in others {
      guard let own = other.targets else {
        throw FileError(other.name, "has classes, \(train.name) has target series")
      }
      guard own.outputs == first.outputs, own.points == first.points else {
        throw FileError(
          other.name,
          "has targets of \(own.outputs) outputs x \(own.points) points, "
            + "\(train.name) of \(first.outputs) x \(first.points)")
      }
    }
    let (tests, validates) = (test.count > 0, validate?.count ?? 0 > 0)
    let all = Targets(
      outputs: first.outputs, points: first.points,
      values: first.values + (tests ? test.targets?.values ?? [] : [])
        + (validates ? validate?.targets?.values ?? [] : []), known: train.labels)
    let afterTrain = first.count
    let afterTest = afterTrain + (tests ? test.targets?.count ?? 0 : 0)
    train = train.retargeted(all, from: 0)
    test = test.retargeted(all, from: afterTrain)
    validate = validate?.retargeted(all, from: afterTest)
  }

  /// All sets under the same class names: files may list them in another order.
  /// - Throws: `FileError` when one has a class that another lacks.
  mutating func nameClassesAlike() throws {
    (train, test) = try Self.byName(train, test)
    guard let other = validate else { return }
    let (named, validate) = try Self.byName(train, other)
    // Whatever one of the files names, all three know.
    (train, test) = try Self.byName(named, test)
    self.validate = try Self.byName(train, validate).1
  }

  private static func byName(_ train: SpikeDataSet, _ test: SpikeDataSet) throws -> (
    SpikeDataSet, SpikeDataSet
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
      throw FileError(
        test.name,
        "has classes that \(train.name) lacks: \(missing.prefix(8).joined(separator: ", "))")
    }
    return (train, test.relabelled(a, b.map { known[$0]! }))
  }
}

extension SpikeDataSet {
  /// What is left out of trials of so many ms; nil where nothing is.
  /// - Throws: `FileError` when nothing is left in.
  func noteBeyond(_ duration: Double) throws -> String? {
    let beyond = spikes(beyond: duration)
    guard beyond > 0 else { return nil }
    let all = times.count
    guard beyond < all else {
      throw FileError(
        name,
        "all \(all) input spikes lie at or beyond simulation.duration = \(duration) ms: is their unit another than the file's kind has (data.time_unit of npy; seconds of SHD)?"
      )
    }
    return String(
      format:
        "%@: %.2g %% of the input spikes lie at or beyond simulation.duration = %g ms and are left out",
      name, 100 * Double(beyond) / Double(all), duration)
  }
}

/// What kinds that read files share.
enum DataFolder {
  /// - Throws: `FileError` when the preset names none.
  static func required(_ path: String, _ content: String) throws -> String {
    guard !path.isEmpty else {
      throw FileError(
        "data.path", "is not set: name the folder with \(content), as --set data.path=FOLDER")
    }
    return path
  }

  static func file(_ name: String, in folder: String) -> String {
    name.hasPrefix("/") ? name : (folder as NSString).appendingPathComponent(name)
  }
}
