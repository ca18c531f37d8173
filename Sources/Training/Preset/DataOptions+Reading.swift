import EventPropCore
import SpikeData

extension TrainingOptions {
  init(_ section: ConfigReader) throws {
    epochs = try section.integer("epochs", default: 10, 0...1_000_000)
    batch = try section.integer("batch", default: 32, 1...65_536)
    shards = try section.integer("shards", default: 4, 1...256)
    evaluateEvery = try section.integer("evaluate_every", default: 1, 1...1_000_000)
    (checkpointEvery, checkpointsKept) = try section.section("checkpoint") {
      (
        try $0.integer("every", default: 1, 1...1_000_000),
        try $0.integer("keep", default: 3, 0...1_000_000)
      )
    }
  }

  /// Marks the shared part of `[training]` as known, for the reader of a lane's part.
  static func skip(_ section: ConfigReader) throws { _ = try TrainingOptions(section) }
}

extension DataOptions {
  init(_ section: ConfigReader, seed: Int, duration: Double, step: Double) throws {
    let kind = Kind(
      rawValue: try section.choice("kind", default: nil, Kind.allCases.map(\.rawValue)))!
    self.kind = kind
    let isGenerated = kind == .yinYang || kind == .spokenDigits
    self.seed = try section.integer("seed", default: seed, 0...Int(Int32.max))
    let counts = 1...10_000_000
    if isGenerated {
      let isYinYang = kind == .yinYang
      train = try section.integer("train", default: isYinYang ? 5000 : 1600, counts)
      test = try section.integer("test", default: isYinYang ? 1000 : 400, counts)
    } else {
      train = try section.optionalInteger("train", counts)
      test = try section.optionalInteger("test", counts)
    }
    let validate = try section.integer("validate", default: 0, 0...10_000_000)
    let speakers = try section.list("validate_speakers", "a speaker number") { value -> Int? in
      if case .integer(let speaker) = value, speaker >= 0 { return speaker }
      return nil
    }
    guard validate == 0 || speakers == nil else {
      throw section.error("validate_speakers", "goes without validate: choose one of the two")
    }
    validation =
      speakers.map { .speakers($0) } ?? (validate > 0 ? .random(validate) : ValidationSplit.none)

    path = ""
    trainFile = ""
    testFile = ""
    units = 700
    greyLevel = 0
    yinYang = YinYang(early: 0, late: duration, bias: 0)
    spikes = 8000
    switch kind {
    case .yinYang:
      let inside = Bound.within(0, duration)
      yinYang = YinYang(
        early: try section.number("early", default: 0, inside),
        late: try section.number("late", default: duration * 2 / 3, inside),
        bias: try section.number("bias", default: 0, inside))
    case .idxImages:
      path = try section.path("path")
      trainImages = try section.string("train_images", default: "")
      trainLabels = try section.string("train_labels", default: "")
      testImages = try section.string("test_images", default: "")
      testLabels = try section.string("test_labels", default: "")
      greyLevel = try section.integer("grey_level", default: 0, 0...254)
      guard duration >= 5 * step else {
        throw section.error(
          "kind",
          "latency coding takes at least five steps a trial; simulation.duration is \(duration) ms, simulation.step \(step) ms"
        )
      }
    case .shd:
      path = try section.path("path")
      trainFile = try section.string("train_file", default: "")
      testFile = try section.string("test_file", default: "")
      validateFile = try section.string("validate_file", default: "")
      guard validateFile.isEmpty || validation == .none else {
        throw section.error(
          "validate_file", "goes without validate and validate_speakers: choose one of the three")
      }
      units = try section.integer("units", default: 700, 1...65_535)
    case .spokenDigits:
      spikes = try section.number("spikes", default: 8000, .within(1, 1e6))
    }
    mergesPerStep = try section.boolean(
      "merge_per_step", default: kind == .shd || kind == .spokenDigits)
    augmentation = try section.section("augment") { try Augmentation(reading: $0) }
    delayLine = try section.section("delay_line") {
      DelayLine(
        copies: try $0.integer("copies", default: 1, 1...1000),
        step: try $0.number("step", default: 0, .within(0, 1e6)))
    }
  }
}

extension Augmentation {
  init(reading section: ConfigReader) throws {
    self.init()
    shift = try section.integer("shift", default: 0, 0...65_535)
    blend = try section.number("blend", default: 0, .within(0, 1))
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
    drop = try section.number("drop", default: 0, .within(0, 1))
  }
}
