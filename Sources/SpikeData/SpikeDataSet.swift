// SPDX-License-Identifier: MIT

import EventPropCore

/// Labelled spike trains in compact arrays: all spikes of all samples one after the other.
public struct SpikeDataSet: Sendable {
  /// What messages call it: a file name or the name of a generator.
  public var name: String
  /// Input units; every stored unit is below it.
  public var unitCount: Int
  /// One name per class; labels index it.
  public var classNames: [String]
  /// What outputs are to follow, in place of classes (regression): then labels index its series,
  /// and `classNames` name the outputs.
  public private(set) var targets: Targets?
  /// Times in ms, ascending within a sample.
  public private(set) var times: [Double] = []
  /// Input unit of each spike, parallel to `times`.
  public private(set) var units: [UInt16] = []
  /// Sample k has spikes `offsets[k] ..< offsets[k + 1]`.
  public private(set) var offsets: [Int] = [0]
  /// Class of each sample, an index into `classNames`; or the index of its target series.
  public private(set) var labels: [Int] = []
  /// Speaker of each sample; empty when the data have none.
  public private(set) var speakers: [Int] = []

  /// Empty: samples come by `append`.
  /// - Parameter targets: for regression; one output for each of `classNames`.
  public init(name: String, unitCount: Int, classNames: [String], targets: Targets? = nil) {
    precondition(targets == nil || targets?.outputs == classNames.count)
    self.targets = targets
    self.name = name
    self.unitCount = unitCount
    self.classNames = classNames
  }

  /// All arrays at once, as another process has checked them.
  init(
    name: String, unitCount: Int, classNames: [String], offsets: [Int], labels: [Int],
    speakers: [Int], units: [UInt16], times: [Double]
  ) {
    self.init(name: name, unitCount: unitCount, classNames: classNames)
    self.offsets = offsets
    self.labels = labels
    self.speakers = speakers
    self.units = units
    self.times = times
  }

  /// Samples; of spikes there are `times.count`.
  public var count: Int { labels.count }

  /// Room for so many in all, the ones that are there included; more may come all the same.
  public mutating func reserve(samples: Int, spikes: Int) {
    times.reserveCapacity(spikes)
    units.reserveCapacity(spikes)
    labels.reserveCapacity(samples)
    offsets.reserveCapacity(samples + 1)
  }

  /// Adds a sample. The label must index `classNames` or the series of `targets`; that times ascend
  /// and units are below `unitCount` is not checked. Give speakers to all samples or to none.
  public mutating func append(_ train: SpikeTrain, label: Int, speaker: Int? = nil) {
    train.withView { append($0, label: label, speaker: speaker) }
  }

  /// As above, copied from borrowed arrays.
  public mutating func append(_ train: SpikeTrainView, label: Int, speaker: Int? = nil) {
    precondition(label >= 0 && label < (targets?.count ?? classNames.count))
    times.append(contentsOf: train.times)
    units.append(contentsOf: train.units)
    offsets.append(times.count)
    labels.append(label)
    if let speaker { speakers.append(speaker) }
  }

  /// A copy of the sample's spikes; `withSample` borrows them.
  public subscript(sample: Int) -> SpikeTrain {
    let range = offsets[sample]..<offsets[sample + 1]
    return SpikeTrain(times: Array(times[range]), units: Array(units[range]))
  }

  /// Borrows the spikes of one sample.
  public func withSample<Result>(_ sample: Int, _ body: (SpikeTrainView) throws -> Result) rethrows
    -> Result
  {
    let range = offsets[sample]..<offsets[sample + 1]
    return try times.withUnsafeBufferPointer { times in
      try units.withUnsafeBufferPointer { units in
        try body(
          SpikeTrainView(
            times: UnsafeBufferPointer(rebasing: times[range]),
            units: UnsafeBufferPointer(rebasing: units[range])))
      }
    }
  }

  /// Borrows the spikes of all samples at once: threads that count references to the same arrays
  /// wait for each other.
  public func withSamples(_ body: ((_ sample: Int) -> (train: SpikeTrainView, label: Int)) -> Void)
  {
    times.withUnsafeBufferPointer { times in
      units.withUnsafeBufferPointer { units in
        offsets.withUnsafeBufferPointer { offsets in
          labels.withUnsafeBufferPointer { labels in
            body { sample in
              let range = offsets[sample]..<offsets[sample + 1]
              let train = SpikeTrainView(
                times: UnsafeBufferPointer(rebasing: times[range]),
                units: UnsafeBufferPointer(rebasing: units[range]))
              return (train, labels[sample])
            }
          }
        }
      }
    }
  }

  /// The samples with the given indices, in that order.
  public func selecting(_ samples: [Int], name: String? = nil) -> SpikeDataSet {
    var subset = SpikeDataSet(
      name: name ?? self.name, unitCount: unitCount, classNames: classNames, targets: targets)
    subset.reserve(
      samples: samples.count,
      spikes: samples.reduce(0) { $0 + offsets[$1 + 1] - offsets[$1] })
    for sample in samples {
      withSample(sample) {
        subset.append(
          $0, label: labels[sample], speaker: speakers.isEmpty ? nil : speakers[sample])
      }
    }
    return subset
  }

  /// The same samples under other class names: label k becomes `labels[k]`.
  public func relabelled(_ classNames: [String], _ map: [Int]) -> SpikeDataSet {
    var result = self
    result.classNames = classNames
    result.labels = labels.map { map[$0] }
    return result
  }

  /// The same samples with their series among others: that of label k is number `first + k` there.
  public func retargeted(_ targets: Targets, from first: Int) -> SpikeDataSet {
    var result = self
    result.targets = targets
    result.labels = labels.map { first + $0 }
    return result
  }

  /// The same samples on fewer units and another scale of time: unit u becomes u n/unitCount,
  /// rounded down, n the new number of units, and all times are multiplied.
  /// - Parameters:
  ///   - factor: n is unitCount times it, rounded, at least 1; within 0...1.
  ///   - time: above 0.
  public func rescaled(units factor: Double, time: Double) -> SpikeDataSet {
    var result = self
    if time != 1 { result.times = times.map { $0 * time } }
    let count = max(1, Int((Double(unitCount) * factor).rounded()))
    guard count < unitCount else { return result }
    result.unitCount = count
    result.units = units.map { UInt16(Int($0) * count / unitCount) }
    return result
  }

  /// Spikes at or beyond the end of a trial, which it leaves out.
  public func spikes(beyond duration: Double) -> Int { times.count { $0 >= duration } }

  /// Input spikes in `bins` equal parts of a trial of `duration` ms; later ones are left out.
  public func histogram(bins: Int, duration: Double) -> [Int] {
    var counts = Array(repeating: 0, count: bins)
    for time in times {
      let bin = Int(time / duration * Double(bins))
      if bin < bins { counts[bin] += 1 }
    }
    return counts
  }
}

/// Training, validation and test samples that belong together.
public struct DataSplits: Sendable {
  /// What weights are fitted to.
  public var train: SpikeDataSet
  /// Empty when none were split off.
  public var validate: SpikeDataSet
  /// Empty when there are none; probes are then taken from `train`.
  public var test: SpikeDataSet
  /// What was left out, and such.
  public var notes: [String] = []
  /// Speakers in `test` that no training sample comes from.
  public var unseenSpeakers: [Int] {
    let seen = Set(train.speakers)
    // Where the training set names none, nothing is known of who is new.
    guard !seen.isEmpty else { return [] }
    return Set(test.speakers).subtracting(seen).sorted()
  }

  /// All three over the same units and classes, which is not checked; no notes.
  public init(train: SpikeDataSet, validate: SpikeDataSet, test: SpikeDataSet) {
    self.train = train
    self.validate = validate
    self.test = test
  }
}
