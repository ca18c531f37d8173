// SPDX-License-Identifier: MIT

import EventPropCore
import SpikeData

extension TrainingOptions {
  init(_ section: ConfigReader) throws {
    speed = try section.number("speed", default: 0, .within(0, 1e6))
    guard speed == 0 || speed >= 0.001 else {
      throw section.error("speed", "is \(speed), allowed is 0 or a number from 0.001 to 1000000")
    }
    epochs = try section.integer("epochs", default: 10, 0...1_000_000)
    batch = try section.integer("batch", default: 32, 1...65_536)
    shards = try section.integer("shards", default: 8, 1...256)
    evaluateEvery = try section.integer("evaluate_every", default: 1, 1...1_000_000)
    (checkpointEvery, checkpointsKept) = try section.section("checkpoint") {
      (
        try $0.integer("every", default: 1, 1...1_000_000),
        try $0.integer("keep", default: 3, 0...1_000_000)
      )
    }
    keepsBest = try section.boolean("keep_best", default: false)
    stop = try TrainingOptions.readStop(section)
    let tests = try section.choice(
      "test", default: TestTime.every.rawValue, TestTime.allCases.map(\.rawValue))
    self.tests = TestTime(rawValue: tests)!
  }

  /// Marks the shared part of `[training]` as known, for the reader of a lane's part.
  static func skip(_ section: ConfigReader) throws { _ = try TrainingOptions(section) }
}

extension DataOptions {
  init(_ section: ConfigReader, seed: Int, duration: Double, step: Double) throws {
    let kind = try section.choice("kind", default: nil, DataTable.all.map { $0.kind })
    guard let entry = DataTable.all.first(where: { $0.kind == kind }) else {
      throw section.error("kind", "is \"\(kind)\"")
    }
    // Not given, it follows the preset's, and stays out of the resolved text: every seed has its
    // own.
    let seed = try section.optionalInteger("seed", 0...Int(Int32.max)) ?? seed
    let counts = 1...10_000_000
    let (train, test): (Int?, Int?)
    if let standard = entry.standardCounts {
      train = try section.integer("train", default: standard.train, counts)
      test = try section.integer("test", default: standard.test, counts)
    } else {
      train = try section.optionalInteger("train", counts)
      test = try section.optionalInteger("test", counts)
    }
    validation = try DataOptions.readValidation(section)
    request = DataRequest(
      train: train, test: test, seed: seed, isSplit: validation != .none, duration: duration,
      step: step)
    source = try entry.init(section, request)
    mergesPerStep = try section.boolean("merge_per_step", default: entry.mergesPerStep)
    rescale = try section.section("rescale") {
      (
        try $0.number("units", default: 1, .within(1e-5, 1)),
        try $0.number("time", default: 1, .within(1e-3, 1e3))
      )
    }
    augmentation = try section.section("augment") { try Augmentation(reading: $0) }
    delayLine = try section.section("delay_line") {
      DelayLine(
        copies: try $0.integer("copies", default: 1, 1...1000),
        step: try $0.number("step", default: 0, .within(0, 1e6)))
    }
  }
}

extension DataOptions {
  private static func readValidation(_ section: ConfigReader) throws -> ValidationSplit {
    func whole(_ least: Int) -> (ConfigValue) -> Int? {
      {
        if case .integer(let number) = $0, (least...10_000_000).contains(number) { return number }
        return nil
      }
    }
    // An empty list is none, so that a setting can take away what a preset asks for.
    func list(_ key: String, _ allowed: String, from least: Int) throws -> [Int]? {
      let list = try section.list(key, allowed, whole(least))
      return list.flatMap { $0.isEmpty ? nil : $0 }
    }
    let validate = try section.integer("validate", default: 0, 0...10_000_000)
    let speakers = try list("validate_speakers", "a speaker number", from: 0)
    guard validate == 0 || speakers == nil else {
      throw section.error("validate_speakers", "goes without validate: choose one of the two")
    }
    guard let fold = try list("validate_fold", "a whole number from 1 on", from: 1) else {
      return speakers.map { .speakers($0) } ?? (validate > 0 ? .random(validate) : .none)
    }
    guard validate == 0, speakers == nil else {
      throw section.error(
        "validate_fold", "goes without validate and validate_speakers: choose one of the three")
    }
    guard fold.count == 2, fold[1] >= 2, fold[0] <= fold[1] else {
      throw section.error("validate_fold", "allowed is [k, n]: part k, from 1 on, of n, from 2 on")
    }
    return .fold(fold[0], of: fold[1])
  }
}

extension Augmentation {
  init(reading section: ConfigReader) throws {
    self.init()
    shift = try section.integer("shift", default: 0, 0...65_535)
    blend = try section.number("blend", default: 0, .within(0, 1))
    blendAdded = try section.number("blend_added", default: 0, .within(0, 100))
    guard blendAdded == 0 || blend > 0 else {
      throw section.error(
        "blend_added", "is \(blendAdded) without blend; allowed is 0, or a blend above 0 with it")
    }
    let align = try section.choice(
      "blend_to", default: Alignment.first.rawValue, Alignment.allCases.map(\.rawValue))
    blendTo = Alignment(rawValue: align) ?? .first
    let range = try section.list("dilate", "a factor above 0, at most 1000") { item -> Double? in
      item.number.flatMap { $0 > 0 && $0 <= 1000 ? $0 : nil }
    }
    if let range {
      guard range.count == 2, range[0] <= range[1] else {
        throw section.error("dilate", "allowed is [smallest, largest]")
      }
      dilate = (range[0], range[1])
    }
    jitter = try section.number("jitter", default: 0, .within(0, 1e6))
    channelJitter = try section.number("channel_jitter", default: 0, .within(0, 65_535))
    drop = try section.number("drop", default: 0, .within(0, 1))
    noise = try section.number("input_noise", default: 0, .within(0, 1e4))
  }
}
