// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation
import SpikeData

extension Preset {
  /// Reads a preset file.
  /// - Parameter settings: `key=value` overrides, applied in order.
  public init(contentsOf path: String, settings: [String] = []) throws {
    let bytes = try RegularFile.contents(path, limit: 1 << 22) { reason in
      FileError(path, reason == "no such file" ? "no such preset file" : reason)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw FileError(path, "is not UTF-8 text")
    }
    try self.init(text: text, file: path, settings: settings)
  }

  /// - Parameter file: what messages call the text.
  public init(text: String, file: String, settings: [String] = []) throws {
    var root = try ConfigTable(parsing: text, file: file)
    var overridden: Set<String> = []
    for setting in settings { overridden.insert(try root.apply(setting: setting)) }
    let lines = ConfigLines(text)
    let touched = overridden
    func locate(_ path: String) -> (file: String, line: Int?) {
      if touched.contains(where: { path == $0 || path.hasPrefix($0 + ".") }) {
        return ("--set", nil)
      }
      return (file, lines.line(of: path))
    }
    try self.init(root, locate: locate)
    let comment = PresetCard.comment(in: text)
    card = PresetCard(comment)
    resolvedText = comment.map { $0.isEmpty ? "#\n" : "# \($0)\n" }.joined() + resolvedText
    source = PresetSource(text: text, file: file, settings: settings)
  }

  /// The same with some keys set otherwise.
  /// - Parameter settings: `key=value`, applied after those that it was read with.
  public func with(_ settings: [String]) throws -> Preset {
    var preset = try Preset(
      text: source.text, file: source.file, settings: source.settings + settings)
    if let start = source.start { preset.begin(with: start) }
    return preset
  }

  /// Lanes that begin with given weights take them from a folder that keeps them.
  package mutating func begin(with folder: String) {
    source.start = folder
    for index in lanes.indices where !lanes[index].start.isEmpty { lanes[index].start = folder }
  }

  /// The preset of one of its seeds, alone.
  /// - Parameter index: 0 is the preset's own.
  public func ofSeed(_ index: Int) throws -> Preset {
    var settings = ["seed=\(seed + index)", "seeds=1"]
    // Files are the same for all seeds, and so are the samples that are split off them.
    if let data, !data.isGenerated { settings.append("data.seed=\(data.seed)") }
    return try with(settings)
  }

  /// Most seeds of one preset.
  public static let mostSeeds = 64

  init(
    _ root: ConfigTable, survey: KeySurvey? = nil,
    locate: @escaping (String) -> (file: String, line: Int?)
  ) throws {
    let reader = ConfigReader(root, survey: survey, locate: locate)
    name = try reader.string("name", default: "unnamed")
    seed = try reader.integer("seed", default: 1, 0...Int(Int32.max))
    seeds = try reader.integer("seeds", default: 1, 1...Preset.mostSeeds)
    guard seed <= Int(Int32.max) - Preset.mostSeeds else {
      throw reader.error("seed", "is \(seed); allowed is 0 to \(Int(Int32.max) - Preset.mostSeeds)")
    }
    let seed = seed
    let (_, duration, step, _, _) = try reader.section("simulation") {
      try LaneOptions.readSimulation($0)
    }
    self.duration = duration
    data = try reader.optionalSection("data") {
      try DataOptions($0, seed: seed, duration: duration, step: step)
    }
    training = try reader.section("training") { section in
      try LaneOptions.skipTraining(section)
      return try TrainingOptions(section)
    }
    diagnosis = try reader.section("diagnosis") { section in
      DiagnosisOptions(
        every: try section.integer("every", default: 40, 0...1_000_000),
        samples: try section.integer("samples", default: 8, 1...1024),
        costs: try section.integer("costs", default: 4, 0...100_000),
        reach: try section.number("reach", default: 10, .above(0)))
    }
    var base = try LaneOptions(reader, name: name, duration: duration)
    reader.keep("lane")
    try reader.finish()

    lanes = []
    if case .list(let items)? = root["lane"] {
      for (index, item) in items.enumerated() {
        guard case .table(let overlay) = item else {
          throw reader.error("lane", "allowed is a list of tables ([[lane]])")
        }
        lanes.append(
          try Preset.lane(overlay, index, over: root, duration: duration, locate: locate))
      }
    } else if root["lane"] != nil {
      throw reader.error("lane", "allowed is a list of tables ([[lane]])")
    }
    if lanes.isEmpty {
      base.name = base.lossKind
      lanes = [base]
    }
    let names = lanes.map(\.name)
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw reader.error("lane", "two lanes are called \"\(twice)\"; names must differ")
    }
    var resolved = reader.resolved
    resolved.setStarts(lanes.map(\.start))
    resolvedText = resolved.text
  }

  /// One lane: the preset with the lane's own keys laid over it.
  private static func lane(
    _ overlay: ConfigTable, _ index: Int, over root: ConfigTable, duration: Double,
    locate: @escaping (String) -> (file: String, line: Int?)
  ) throws -> LaneOptions {
    let own = ConfigReader(overlay, path: "lane.\(index)", locate: locate)
    let name = try own.string("name", default: nil)
    for key in overlay.keys where !laneKeys.contains(key) {
      throw own.error(
        key, "a lane cannot override this; allowed are \(laneKeys.joined(separator: ", "))")
    }
    // It names a folder, a column and a line: scalars count, not what they look like together.
    let isPlain = name.unicodeScalars.allSatisfy {
      !"/,\"\\".unicodeScalars.contains($0) && !VisibleText.isHidden($0)
    }
    guard !name.isEmpty, name.count <= 40, name.utf8.count <= 120, isPlain, !name.hasPrefix("."),
      name != "state.toml"
    else {
      throw own.error(
        "name",
        "is \"\(VisibleText.of(String(name.prefix(60))))\", allowed are 1 to 40 characters, none of / , \" \\ or control characters, no leading dot, not state.toml"
      )
    }
    for (section, keys) in laneKeysWithin {
      if case .table(let inner)? = overlay[section] {
        for key in inner.keys where !keys.contains(key) {
          throw own.error(
            "\(section).\(key)",
            "lanes share this; a lane may override \(keys.joined(separator: ", "))")
        }
      }
    }
    var merged = root.withOptimiserKeys(for: overlay).overlaid(with: overlay)
    merged["lane"] = nil
    let reader = ConfigReader(merged) { path in
      let inLane = locate("lane.\(index).\(path)")
      let laneItself = locate("lane.\(index)")
      return inLane.line != laneItself.line ? inLane : locate(path)
    }
    let options = try LaneOptions(reader, name: name, duration: duration)
    guard options.hidden.map(\.size) == (try LaneOptions.sizes(root, locate)) else {
      throw own.error(
        "hidden", "sizes must be those of the preset: lanes start from the same weights")
    }
    return options
  }
}

extension ConfigTable {
  /// Gives the lanes that name their own start its absolute path.
  fileprivate mutating func setStarts(_ starts: [String]) {
    guard case .list(let lanes)? = self["lane"] else { return }
    self["lane"] = .list(
      zip(lanes, starts).map { item, start in
        guard case .table(var lane) = item, case .table(var training)? = lane["training"],
          training["start"] != nil
        else { return item }
        training["start"] = .string(start)
        lane["training"] = .table(training)
        return .table(lane)
      })
  }

  /// Applies `key=value`. The value is TOML; what is not is taken as a string.
  /// - Returns: the dotted key.
  mutating func apply(setting: String) throws -> String {
    guard let equals = setting.firstIndex(of: "="), equals != setting.startIndex else {
      throw FileError("--set", "\"\(setting)\": allowed is key=value, as in training.epochs=5")
    }
    let key = setting[..<equals].trimmingCharacters(in: .whitespaces)
    let text = setting[setting.index(after: equals)...].trimmingCharacters(in: .whitespaces)
    let parsed = try? ConfigTable(parsing: "value = \(text)", file: "--set")
    let value = parsed.flatMap { $0.keys == ["value"] ? $0["value"] : nil } ?? .string(text)
    guard set(key.split(separator: ".").map(String.init), to: value) else {
      throw FileError("--set", "\(key): there is nothing of that name in the preset")
    }
    return key
  }
}
