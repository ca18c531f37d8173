// SPDX-License-Identifier: MIT

extension Preset {
  /// Every key that a preset may have, as `--set` takes it. Those of a hidden layer and of a lane
  /// have the number 0.
  package static let keys: [KeySurvey.Key] = {
    var begin = ConfigTable()
    var simulation = ConfigTable()
    simulation["duration"] = .integer(1000)
    begin["simulation"] = .table(simulation)
    var layer = ConfigTable()
    layer["size"] = .integer(1)
    begin["hidden"] = .list([.table(layer)])
    let own = KeySurvey.keys(beginning: begin) { table, survey in
      _ = try Preset(table, survey: survey) { _ in ("", nil) }
    }
    let ofLanes = own.filter { mayOverride($0.path) }.map { key in
      KeySurvey.Key(path: "lane.0.\(key.path)", words: key.words, isTable: key.isTable)
    }
    return own.filter { $0.path != "lane" } + ofLanes
  }()

  /// What a lane may have for itself.
  static let laneKeys = ["name", "simulation", "hidden", "output", "loss", "training"]

  /// Of these tables not all.
  static let laneKeysWithin = [
    (
      "training",
      ["optimiser", "schedule", "silent", "keep_spikes", "clip", "clip_value", "start"]
    ),
    ("simulation", ["solver", "step", "readout", "reset"]),
  ]

  private static func mayOverride(_ path: String) -> Bool {
    let parts = path.split(separator: ".").map(String.init)
    guard laneKeys.contains(parts[0]) else { return false }
    guard let (_, keys) = laneKeysWithin.first(where: { $0.0 == parts[0] }) else { return true }
    return parts.count == 1 || keys.contains(parts[1])
  }
}
