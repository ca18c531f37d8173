// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation

/// Anyone's own spikes: arrays in a folder (`.npy` or `.csv`) or an archive (`.npz`).
///
/// `spikes`, rows of sample, unit, time, or records with fields of these names, or with x, y, p and
/// t as event cameras have them; or a folder `spikes` with such an array without samples for each
/// sample, as `0.npy`. `labels`, one whole number a sample, or `targets`, samples x points x
/// outputs; where there are any `speakers`, and `classes.txt`, a name a line. Samples for
/// validation and test lie alike in folders `validate` and `test` within.
public struct SpikeArrays: Sendable {
  /// Of the times in files.
  public enum TimeUnit: String, Sendable, CaseIterable {
    case seconds = "s"
    case milliseconds = "ms"
    case microseconds = "us"

    var inMilliseconds: Double {
      switch self {
      case .seconds: 1000
      case .milliseconds: 1
      case .microseconds: 1e-3
      }
    }
  }

  /// Later spikes are an error, ms: eleven days.
  public static let longest = 1e9

  /// Input units; nil: as many as the highest unit of all parts says.
  public var units: Int?
  /// Width, height and polarities of a sensor: what x, y and p are made a unit by; may end early.
  public var sensor: [Int]
  /// Whether the largest x, y and p stand in where `sensor` is not given: to look at data, not to
  /// train on them.
  var guessesSensor = false
  /// nil: microseconds where the field is called t, else milliseconds.
  public var timeUnit: TimeUnit?

  /// Numbers above 0; at most three of a sensor.
  public init(units: Int? = nil, sensor: [Int] = [], timeUnit: TimeUnit? = nil) {
    (self.units, self.sensor, self.timeUnit) = (units, sensor, timeUnit)
  }

  init(guessesSensor: Bool) {
    self.init()
    self.guessesSensor = guessesSensor
  }

  /// Samples for training, and for test and validation where there are any.
  public typealias Parts = (train: SpikeDataSet, test: SpikeDataSet?, validate: SpikeDataSet?)

  /// - Throws: `FileError` with file, row and what is allowed.
  public func read(_ path: String) throws -> Parts {
    let folder = try ArrayFolder(path)
    let isSplit = try folder.inner("train") != nil
    let train = try part(isSplit ? folder.inner("train")! : folder)
    let (test, validate) = (
      try folder.inner("test").map { try part($0) },
      try folder.inner("validate").map { try part($0) }
    )
    let all = [train, test, validate].compactMap { $0 }
    for part in all where part.targets?.outputs != train.targets?.outputs {
      func words(_ part: Part) -> String {
        part.targets.map { "target series of \($0.outputs) outputs" } ?? "labels"
      }
      throw FileError(
        path, "\(part.name) has \(words(part)), \(train.name) \(words(train))")
    }
    let highest = all.map(\.highest).max() ?? 0
    let count = units ?? (sensor.isEmpty ? highest + 1 : sensor.reduce(1, *))
    guard count >= 1, count <= Int(UInt16.max) else {
      throw FileError(path, "has \(count) units; allowed are 1 to \(UInt16.max)")
    }
    guard highest < count else {
      throw FileError(
        path, "has unit \(highest); allowed is 0 to \(count - 1) (data.units, data.sensor)")
    }
    let names =
      try folder.lines("classes.txt")
      ?? (train.targets.map { (0..<$0.outputs).map { "output \($0)" } })
    let classes = train.targets == nil ? (all.flatMap(\.labels).max() ?? 0) + 1 : 0
    if let names, let outputs = train.targets?.outputs, names.count != outputs {
      throw FileError(path, "classes.txt has \(names.count) lines for \(outputs) outputs")
    }
    if let names, train.targets == nil, names.count < classes {
      throw FileError(path, "classes.txt has \(names.count) lines for labels to \(classes - 1)")
    }
    func set(_ part: Part) -> SpikeDataSet {
      part.dataSet(units: count, names ?? (0..<classes).map(String.init))
    }
    return (set(train), test.map(set), validate.map(set))
  }

  /// What one part holds.
  private struct Part {
    var name: String
    var trains: [SpikeTrain]
    var labels: [Int]
    var targets: Targets?
    var speakers: [Int]
    /// The highest unit; -1 without spikes.
    var highest: Int

    func dataSet(units: Int, _ names: [String]) -> SpikeDataSet {
      var data = SpikeDataSet(name: name, unitCount: units, classNames: names, targets: targets)
      data.reserve(samples: trains.count, spikes: trains.reduce(0) { $0 + $1.count })
      for (sample, train) in trains.enumerated() {
        data.append(
          train, label: targets == nil ? labels[sample] : sample,
          speaker: speakers.isEmpty ? nil : speakers[sample])
      }
      return data
    }
  }

  private func part(_ folder: ArrayFolder) throws -> Part {
    let targets = try folder.array("targets").map { try Targets($0.withoutNames()) }
    let labelArray = try targets == nil ? folder.required("labels") : folder.array("labels")
    if targets != nil, let labelArray {
      throw FileError(
        labelArray.file, "stands beside targets; allowed is one of the two: classes or series")
    }
    let labels = try labelArray.map { try wholes($0, "label", below: 10_000) } ?? []
    let count = targets?.count ?? labels.count
    let speakers = try folder.array("speakers").map { try wholes($0, "speaker", below: 1 << 31) }
    if let speakers, speakers.count != count {
      throw FileError(folder.path, "has \(speakers.count) speakers for \(count) samples")
    }
    guard count > 0 else { throw FileError(folder.path, "holds no samples") }
    var part = Part(
      name: (folder.path as NSString).lastPathComponent,
      trains: Array(repeating: SpikeTrain(times: [], units: []), count: count), labels: labels,
      targets: targets, speakers: speakers ?? [], highest: -1)
    if let all = try folder.array("spikes") {
      try add(all, to: &part, sample: nil)
    } else if let each = try folder.arrays(in: "spikes") {
      guard each.count == count else {
        throw FileError(
          folder.path, "spikes has \(each.count) arrays for \(count) samples of labels or targets")
      }
      for (sample, array) in each.enumerated() { try add(array, to: &part, sample: sample) }
    } else {
      _ = try folder.required("spikes")
    }
    for sample in part.trains.indices {
      let times = part.trains[sample].times
      if !zip(times, times.dropFirst()).allSatisfy({ $0 <= $1 }) { part.trains[sample].sort() }
    }
    return part
  }

  private func wholes(_ array: NumPyArray, _ what: String, below limit: Int) throws -> [Int] {
    guard array.shape.count == 1 || (array.shape.count == 2 && array.shape[1] == 1) else {
      throw FileError(array.file, "has shape \(array.shape), allowed is one \(what) per sample")
    }
    let names = array.names
    guard names.count <= 1 || names.contains(what) else {
      throw FileError(
        array.file,
        "has fields \(names.joined(separator: ", ")); allowed is one, or one called \(what)")
    }
    return try array.doubles(names.count > 1 ? what : names.first).enumerated().map {
      sample, value in
      guard value >= 0, value < Double(limit), value == value.rounded() else {
        throw FileError(
          array.file, "sample \(sample): \(what) \(value), allowed is 0 to \(limit - 1)")
      }
      return Int(value)
    }
  }

  /// - Parameter sample: whose spikes these are; nil: the rows say.
  private func add(_ array: NumPyArray, to part: inout Part, sample only: Int?) throws {
    let rows = try Rows(
      array, sensor: sensor, guessesSensor: guessesSensor, hasSamples: only == nil)
    let factor = (timeUnit ?? rows.timeUnit).inMilliseconds
    let samples = part.trains.count
    for row in rows.times.indices {
      let sample = only.map(Double.init) ?? rows.samples[row]
      let (unit, time) = (rows.units[row], rows.times[row] * factor)
      func wrong(_ what: String) -> FileError { FileError(array.file, "row \(row): \(what)") }
      guard sample >= 0, sample < Double(samples), sample == sample.rounded() else {
        throw wrong("sample \(sample); allowed is 0 to \(samples - 1)")
      }
      guard unit >= 0, unit < 65_535, unit == unit.rounded() else {
        throw wrong("unit \(unit); allowed is 0 to 65534")
      }
      guard time >= 0, time <= SpikeArrays.longest else {
        throw wrong("time \(rows.times[row]); allowed is 0 to \(SpikeArrays.longest) ms")
      }
      part.trains[Int(sample)].times.append(time)
      part.trains[Int(sample)].units.append(UInt16(unit))
      part.highest = max(part.highest, Int(unit))
    }
  }

  /// Rows of spikes as columns.
  private struct Rows {
    /// Empty where all are of one sample.
    var samples: [Double] = []
    var units: [Double]
    var times: [Double]
    var timeUnit = TimeUnit.milliseconds

    init(
      _ array: NumPyArray, sensor: [Int], guessesSensor: Bool, hasSamples: Bool
    ) throws {
      let names = array.names
      guard names.isEmpty else {
        if hasSamples {
          guard names.contains("sample") else {
            throw FileError(
              array.file,
              "has fields \(names.joined(separator: ", ")) and no sample; allowed is a field sample, or an array for each sample in a folder spikes"
            )
          }
          samples = try array.doubles("sample")
        }
        guard let time = ["time", "t"].first(where: names.contains) else {
          throw FileError(array.file, "has no field time or t but \(names.joined(separator: ", "))")
        }
        times = try array.doubles(time)
        if time == "t" { timeUnit = .microseconds }
        units = try Rows.units(array, names, sensor, guessesSensor)
        return
      }
      let columns = hasSamples ? 3 : 2
      guard array.shape.count == 2, array.shape[1] == columns else {
        // Without spikes there may be no columns either.
        if array.count == 0 {
          (units, times) = ([], [])
          return
        }
        throw FileError(
          array.file,
          "has shape \(array.shape), allowed is rows of \(hasSamples ? "sample, " : "")unit, time")
      }
      let values = try array.doubles()
      func column(_ index: Int) -> [Double] {
        stride(from: index, to: values.count, by: columns).map { values[$0] }
      }
      if hasSamples { samples = column(0) }
      units = column(columns - 2)
      times = column(columns - 1)
    }

    private static func units(
      _ array: NumPyArray, _ names: [String], _ given: [Int], _ guessesSensor: Bool
    ) throws -> [Double] {
      if let unit = ["unit", "neuron", "channel"].first(where: names.contains) {
        return try array.doubles(unit)
      }
      let axes = ["x", "y", "p"].filter { names.contains($0) }
      guard axes.first == "x" else {
        throw FileError(array.file, "has no field unit or x but \(names.joined(separator: ", "))")
      }
      let columns = try axes.map { try array.doubles($0) }
      let largest = columns.map { $0.max() ?? 0 }
      let sensor =
        given.isEmpty && guessesSensor && largest.allSatisfy { $0 >= 0 && $0 < 65_535 }
        ? largest.map { Int($0) + 1 } : given
      guard names.contains("y") || sensor.count > 1 else { return columns[0] }
      guard sensor.count >= (axes.contains("y") ? 2 : 1) else {
        let words = zip(axes, largest).map { "\($0) to \($1)" }
        throw FileError(
          array.file,
          "has \(words.joined(separator: ", ")): say what they are numbers of, as data.sensor = [34, 34, 2]"
        )
      }
      // Polarities beyond the sensor's are left out of the unit, not of the data.
      let used = Array(zip(axes, columns).prefix(sensor.count))
      var units = Array(repeating: 0.0, count: array.count)
      var factor = 1
      for (index, (axis, values)) in used.enumerated() {
        for row in values.indices {
          guard values[row] >= 0, values[row] < Double(sensor[index]) else {
            throw FileError(
              array.file,
              "row \(row): \(axis) \(values[row]); allowed is 0 to \(sensor[index] - 1) (data.sensor)"
            )
          }
          units[row] += Double(factor) * values[row]
        }
        factor *= sensor[index]
      }
      return units
    }
  }
}
