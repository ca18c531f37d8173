// SPDX-License-Identifier: MIT

import Training
import Experiments
import Foundation
import SpikeData

extension Sweep {
  /// Reads a sweep file and the preset that it names, and checks the preset of every point.
  /// - Throws: `FileError`.
  public init(contentsOf path: String) throws {
    let text = try Sweep.text(path, missing: "no such sweep file")
    try self.init(text: text, file: path) { reference in
      let isPath = reference.contains("/") || reference.hasSuffix(".toml")
      let expanded = (reference as NSString).expandingTildeInPath
      let folder = (path as NSString).deletingLastPathComponent as NSString
      let preset =
        !isPath
        ? try PresetLibrary.path(of: reference)
        : expanded.hasPrefix("/") ? expanded : folder.appendingPathComponent(expanded)
      return (try Sweep.text(preset, missing: "no such preset file"), preset)
    }
    try checkPresets(text, path)
  }

  /// - Parameters:
  ///   - file: what messages call the text.
  ///   - preset: finds text and path of a preset.
  init(text: String, file: String, preset: (String) throws -> (text: String, file: String)) throws {
    let lines = ConfigLines(text)
    let reader = ConfigReader(try ConfigTable(parsing: text, file: file)) {
      (file, lines.line(of: $0))
    }
    presetName = try reader.string("preset", default: nil)
    do {
      (presetText, presetFile) = try preset(presetName)
    } catch let error as FileError {
      throw reader.error("preset", error.description)
    }
    let standard = ((presetName as NSString).lastPathComponent as NSString).deletingPathExtension
    name = try reader.string("name", default: standard)
    mode = Mode(
      rawValue: try reader.choice("mode", default: "grid", Mode.allCases.map(\.rawValue)))!
    seed = try reader.integer("seed", default: 1, 0...Int(Int32.max))
    samples = try reader.optionalInteger("samples", 1...Sweep.mostPoints)
    guard (mode == .random) == (samples != nil) else {
      throw reader.error(
        "samples",
        mode == .random
          ? "is missing; a random sweep needs the number of its points"
          : "is for mode = \"random\"; a grid has the points of its axes")
    }
    settings = try Sweep.settings(reader)
    let isRandom = mode == .random
    axes = try reader.sections("axis") { try SweepAxis($0, isRandom: isRandom) }
    guard !axes.isEmpty else {
      throw reader.error("axis", "is missing; needed is at least one [[axis]]")
    }
    let seeds = try reader.optionalInteger("seeds", 1...Preset.mostSeeds)
    let metric = try reader.string("metric", default: "")
    reader.keep("goal")
    let goal =
      reader.table["goal"] == nil
      ? nil : Goal(rawValue: try reader.choice("goal", default: nil, Goal.allCases.map(\.rawValue)))
    try reader.finish()
    try Sweep.checkDistinct(axes, reader)

    // The rest depends on the experiment.
    (self.seeds, firstSeed, self.metric, self.goal) = (seeds ?? 1, 1, "", .max)
    if let seeds { settings.append("seeds=\(seeds)") }
    do {
      try makePoints()
    } catch let error as SweepError {
      throw reader.error(error.key, error.message)
    }
    let first: Preset
    do {
      first = try self.preset(ofPoint: 0)
    } catch let error as FileError {
      throw located(error, 0, file, lines)
    }
    self.seeds = first.seeds
    firstSeed = first.seed
    if seeds == nil { settings.append("seeds=\(first.seeds)") }
    makeDataPathAbsolute(first)
    let hasValidation = first.data.map { $0.validation != .none } ?? false
    let score = first.data?.hasTargets == true ? ScoreName.r2 : .accuracy
    self.metric =
      metric.isEmpty ? (hasValidation ? "validation_" : "test_") + score.rawValue : metric
    let layers = (0..<(first.lanes.map(\.hidden.count).max() ?? 0)).map { "hidden\($0 + 1)" }
    let columns =
      ["test", "validation", "train"].flatMap { ["\($0)_\(score.rawValue)", "\($0)_loss"] }
      + layers.flatMap { ["spikes_\($0)", "spread_\($0)", "silent_\($0)", "dead_\($0)"] }
    guard columns.map(ScoreName.plain).contains(ScoreName.plain(self.metric)) else {
      throw reader.error(
        "metric",
        "is \"\(metric)\", allowed is a column of metrics.csv: \(columns.joined(separator: ", "))")
    }
    guard !self.metric.hasPrefix("validation_") || hasValidation else {
      throw reader.error(
        "metric", "is \"\(metric)\", but the preset has no validation samples (data.validate)")
    }
    self.goal =
      goal ?? Sweep.standardGoal(self.metric)
  }

  static func text(_ path: String, missing: String) throws -> String {
    let bytes = try RegularFile.contents(path, limit: 1 << 22) { reason in
      FileError(path, reason == "no such file" ? missing : reason)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw FileError(path, "is not UTF-8 text")
    }
    return text
  }

  /// `[set]`: keys with dots, or tables in tables.
  private static func settings(_ reader: ConfigReader) throws -> [String] {
    reader.keep("set")
    guard let value = reader.table["set"] else { return [] }
    guard case .table(let table) = value else {
      throw reader.error("set", "is \(value.typeName), allowed is a table of the preset's keys")
    }
    func flat(_ table: ConfigTable, _ path: [String]) throws -> [String] {
      try table.keys.flatMap { key -> [String] in
        let path = path + [key]
        if case .table(let inner)? = table[key] { return try flat(inner, path) }
        let name = path.joined(separator: ".")
        try check(name, reader, at: "set.\(name)")
        return ["\(name)=\(table[key]!.text)"]
      }
    }
    return try flat(table, [])
  }

  private static func check(_ key: String, _ reader: ConfigReader, at place: String) throws {
    let isAxis = place.hasPrefix("axis")
    guard key != "seeds", key != "seed" || !isAxis else {
      throw reader.error(
        place,
        "\(key) is no key here: seeds = 5, outside of the \(isAxis ? "axes" : "settings"), trains every point with the same seeds"
      )
    }
  }

  private static func checkDistinct(_ axes: [SweepAxis], _ reader: ConfigReader) throws {
    for (index, axis) in axes.enumerated() {
      try check(axis.key, reader, at: "axis.\(index).key")
      if axes[..<index].contains(where: { $0.key == axis.key }) {
        throw reader.error("axis.\(index).key", "\(axis.key) has an axis already")
      }
      let isReserved =
        SweepResults.ownColumns.contains(axis.name) || SweepResults.isKept(axis.name)
      guard !isReserved, !axes[..<index].contains(where: { $0.name == axis.name }) else {
        throw reader.error(
          "axis.\(index).name",
          "is \"\(axis.name)\", which \(isReserved ? "is a column of results.csv" : "another axis has")"
        )
      }
    }
  }

  /// A relative `data.path` is one of here and now: tasks run elsewhere.
  private mutating func makeDataPathAbsolute(_ first: Preset) {
    let isVaried = axes.contains { $0.key == "data.path" }
    guard !isVaried, let table = try? ConfigTable(parsing: first.resolvedText, file: ""),
      case .table(let data)? = table["data"], case .string(let path)? = data["path"], !path.isEmpty
    else { return }
    settings.removeAll { $0.hasPrefix("data.path=") }
    settings.append("data.path=\(ConfigValue.quoted(path))")
  }

  private func checkPresets(_ text: String, _ file: String) throws {
    let lines = ConfigLines(text)
    for index in points.indices {
      do {
        _ = try preset(ofPoint: index)
      } catch let error as FileError {
        throw located(error, index, file, lines)
      }
    }
  }

  /// An error of a point's preset, at the axis or setting that makes it.
  private func located(_ error: FileError, _ point: Int, _ file: String, _ lines: ConfigLines)
    -> FileError
  {
    guard error.file == "--set" else { return error }
    let key = String(error.message.prefix { $0 != ":" })
    func isAbout(_ other: String) -> Bool {
      key == other || key.hasPrefix(other + ".") || other.hasPrefix(key + ".")
    }
    if let index = axes.firstIndex(where: { isAbout($0.key) }) {
      return FileError(
        file, line: lines.line(of: "axis.\(index).key"),
        "axis \(axes[index].name): \(error.message)")
    }
    if let setting = settings.map({ String($0.prefix { $0 != "=" }) }).first(where: isAbout) {
      return FileError(file, line: lines.line(of: "set.\(setting)"), "set: \(error.message)")
    }
    return FileError(file, "point \(point), \(words(ofPoint: point)): \(error.message)")
  }
}

extension SweepAxis {
  fileprivate init(_ reader: ConfigReader, isRandom: Bool) throws {
    key = try reader.string("key", default: nil).trimmingCharacters(in: .whitespaces)
    guard !key.isEmpty, !key.contains("=") else {
      throw reader.error("key", "is \"\(key)\", allowed is a key of the preset, as hidden.0.size")
    }
    name = try reader.string("name", default: key)
    let isPlain = !name.unicodeScalars.contains {
      VisibleText.isHidden($0) || ["\"", ","].contains($0)
    }
    guard (1...60).contains(name.count), isPlain else {
      throw reader.error("name", "allowed are 1 to 60 characters without commas and quotes")
    }
    let values = try reader.list("values", "a number, a string, true or false") { value in
      switch value {
      case .list, .table, .unsupported: nil as ConfigValue?
      default: value
      }
    }
    let ends = try reader.list("range", "a number") { $0.number == nil ? nil : $0 }
    let logEnds = try reader.list("log_range", "a number") { $0.number == nil ? nil : $0 }
    guard [values != nil, ends != nil, logEnds != nil].count(where: { $0 }) == 1 else {
      throw reader.error("values", "needed is one of values, range and log_range")
    }
    steps = try reader.optionalInteger("steps", 2...Sweep.mostPoints)
    isInteger = try reader.boolean("integer", default: false)
    if let values {
      guard !values.isEmpty else { throw reader.error("values", "is empty") }
      if let twice = values.indices.first(where: { values[..<$0].contains(values[$0]) }) {
        throw reader.error("values", "has \(values[twice].text) twice")
      }
      for (option, isGiven) in [("steps", steps != nil), ("integer", isInteger)] where isGiven {
        throw reader.error(option, "goes with range and log_range, not with values")
      }
      source = .values(key == "data.path" ? values.map(SweepAxis.absolute) : values)
      return
    }
    let (option, pair, isLog) =
      ends.map { ("range", $0, false) } ?? ("log_range", logEnds ?? [], true)
    guard pair.count == 2, let low = pair[0].number, let high = pair[1].number, low < high,
      low.isFinite, high.isFinite, !isLog || low > 0
    else {
      throw reader.error(
        option,
        "allowed are two numbers, the smaller one first" + (isLog ? ", both above 0" : ""))
    }
    guard isRandom == (steps == nil) else {
      throw reader.error(
        "steps",
        isRandom
          ? "is for grids; mode = \"random\" draws from the whole range"
          : "is missing; needed is the number of values from one end to the other")
    }
    source = .range(low: pair[0], high: pair[1], isLog: isLog)
  }

  private static func absolute(_ value: ConfigValue) -> ConfigValue {
    guard case .string(let path) = value, !path.isEmpty else { return value }
    let expanded = (path as NSString).expandingTildeInPath
    guard !expanded.hasPrefix("/") else { return .string(expanded) }
    let here = FileManager.default.currentDirectoryPath as NSString
    return .string(here.appendingPathComponent(expanded))
  }
}
