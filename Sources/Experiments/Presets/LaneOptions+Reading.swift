// SPDX-License-Identifier: MIT

import EventPropCore
import Foundation

extension LaneOptions {
  /// Reads everything a lane may override from a preset's root table.
  init(_ reader: ConfigReader, name: String, duration: Double) throws {
    self.name = name
    let simulation = try reader.section("simulation") { try LaneOptions.readSimulation($0) }
    solver = simulation.solver
    step = simulation.step
    rule = simulation.rule
    reset = simulation.reset

    let layers = try reader.sections("hidden") {
      try LaneOptions.readHidden($0, solver: simulation.solver)
    }
    hidden = layers.map(\.layer)

    var entry = LossTable.all[0]
    let loss = try reader.section("loss") { section in
      let kind = try section.choice("kind", default: "sum", LossTable.all.map(\.kind))
      entry = LossTable.entry(kind)!
      var values: [LossKey: Double] = [:]
      for key in LossTable.keys {
        values[key] = try section.number(
          key.name, default: key.standard, key.allowsZero ? .atLeast(0) : .above(0))
      }
      return (
        LossParameters(values, duration: duration),
        try LaneOptions.readShaping(section, entry, duration: duration)
      )
    }
    lossKind = entry.kind
    lossParameters = loss.0
    self.loss = entry.make(loss.0)
    shaping = loss.1

    let isSpiking = entry.readout == .firstSpike
    let output = try reader.section("output") { section in
      var layer = try LaneOptions.readVectors(
        section, Layer(size: 1, neuron: isSpiking ? .lif : .li), NeuronKind.lif.parameters,
        isSized: false)
      layer.delays = try LaneOptions.readDelays(section, "delays")
      return (layer, try LaneOptions.readWeights(section, "weights", mean: 0, sd: 0.1))
    }
    self.output = output.0
    initial = layers.flatMap(\.initial) + [output.1]

    let training = try reader.section("training") { section in
      try TrainingOptions.skip(section)
      return try LaneOptions.readTraining(section)
    }
    (optimiser, schedule, silent, muteOutputs, keepSpikes, (clip, clipValue), start) = training
  }

  static func readSimulation(_ section: ConfigReader) throws -> (
    solver: SolverKind, duration: Double, step: Double, rule: ReadoutRule, reset: ResetRule
  ) {
    let solver = try section.choice(
      "solver", default: "grid", SolverKind.allCases.map(\.rawValue))
    let duration = try section.number("duration", default: nil, .within(1e-3, 1e6))
    let step = try section.number("step", default: duration / 300, .within(1e-6, 1e6))
    let steps = duration / step
    guard steps >= 1, steps <= 1e6, abs(steps - steps.rounded()) < 1e-6 * steps else {
      throw section.error(
        "step",
        "duration \(Bound.short(duration)) ms is \(Bound.short(steps)) steps of \(step) ms; "
          + "allowed is a whole number of steps, 1 to 1000000")
    }
    let rule = try section.choice(
      "readout", default: "integrated", ReadoutRule.allCases.map(\.rawValue))
    let reset = try section.choice(
      "reset", default: ResetRule.zero.rawValue, ResetRule.allCases.map(\.rawValue))
    return (
      SolverKind(rawValue: solver)!, duration, step, ReadoutRule(rawValue: rule)!,
      ResetRule(rawValue: reset)!
    )
  }

  private static func readHidden(_ section: ConfigReader, solver: SolverKind) throws -> (
    layer: Layer, initial: [InitialWeights]
  ) {
    let size = try section.integer("size", default: nil, 1...65_536)
    let kinds = NeuronTable.all.filter(\.isSpiking)
    let name = try section.choice("neuron", default: kinds[0].name, kinds.map(\.name))
    let kind = NeuronTable.kind(name) ?? kinds[0]
    guard solver == .exact || kind.isOnGrid else {
      throw section.error(
        "neuron", "\"\(name)\" has no kernels for the grid: it takes simulation.solver = \"exact\"")
    }
    let isRecurrent = try section.boolean("recurrent", default: false)
    var layer = Layer(
      size: size, neuron: kind, isRecurrent: isRecurrent,
      rate: try section.optionalSection("rate") { rate in
        let upper = try rate.number("upper", default: nil, .atLeast(0))
        return RateRegularisation(
          upper: upper, lower: try rate.number("lower", default: upper, .within(0, upper)),
          lambdaUpper: try rate.number("lambda_upper", default: 0, .atLeast(0)),
          lambdaLower: try rate.number("lambda_lower", default: 0, .atLeast(0)))
      })
    layer.dropout = try section.number("dropout", default: 0, .within(0, 0.95))
    layer = try readVectors(section, layer, kind.parameters)
    layer.delays = try readDelays(section, "delays")
    var initial = [try readWeights(section, "weights", mean: 0, sd: 1)]
    if isRecurrent || section.table["recurrent_weights"] != nil {
      guard isRecurrent else {
        throw section.error("recurrent_weights", "the layer is not recurrent (recurrent = true)")
      }
      initial.append(try readWeights(section, "recurrent_weights", mean: 0, sd: 0.02))
    }
    layer.loopDelays = try readDelays(section, "recurrent_delays")
    guard isRecurrent || layer.loopDelays == nil else {
      throw section.error("recurrent_delays", "the layer is not recurrent (recurrent = true)")
    }
    return (layer, initial)
  }

  static func readWeights(
    _ section: ConfigReader, _ key: String, mean: Double, sd: Double
  ) throws -> InitialWeights {
    try section.section(key) {
      InitialWeights(
        mean: try $0.number("mean", default: mean, .within(-1e30, 1e30)),
        sd: try $0.number("sd", default: sd, .within(0, 1e30)))
    }
  }

  private static func readShaping(
    _ section: ConfigReader, _ entry: LossEntry, duration: Double
  ) throws -> Shaping {
    let from = try section.number("from", default: 0, .within(0, duration))
    let to = try section.number("to", default: duration, .within(0, duration))
    guard from < to else {
      throw section.error(
        "to", "is \(Bound.short(to)); allowed is a time above loss.from, \(Bound.short(from))")
    }
    let window = from == 0 && to == duration ? nil : (from / duration)...(to / duration)
    guard window == nil || entry.isShaped else {
      throw section.error(
        from > 0 ? "from" : "to", "the loss \"\(entry.kind)\" has no integral to take a part of")
    }
    let kind = try section.choice(
      "shaping", default: ShapingTable.kinds[0], ShapingTable.kinds)
    // All kinds' keys are known, so that a lane may change the kind alone.
    var words: [String: [String]] = [:]
    for entry in ShapingTable.all {
      words[entry.kind] = try entry.keys.flatMap { try readWords(section, $0) }
    }
    guard kind == PlainShaping.kind || entry.isShaped else {
      throw section.error(
        "shaping", "the loss \"\(entry.kind)\" has no integral to shape, allowed is \"none\"")
    }
    guard let shaping = Shaping(words: [kind] + (words[kind] ?? [])) else {
      let chosen = ShapingTable.entry(kind)
      guard case .points(let key)? = chosen?.keys.first else {
        throw section.error("shaping", chosen?.allowed ?? "")
      }
      throw section.error(key, chosen?.allowed ?? "")
    }
    return shaping.within(window)
  }

  /// What a key says, as it would be typed.
  private static func readWords(_ section: ConfigReader, _ key: ShapingKey) throws -> [String] {
    switch key {
    case .number(let name, let standard):
      return ["\(try section.number(name, default: standard, .above(0)))"]
    case .points(let name):
      let points = try section.list(name, "[x, weight] with x from 0 to 1") { item in
        if case .list(let pair) = item, pair.count == 2, let x = pair[0].number,
          let weight = pair[1].number, (0...1).contains(x), weight.isFinite
        {
          return "\(x):\(weight)"
        }
        return nil
      }
      return points ?? []
    }
  }

  private static func readTraining(_ section: ConfigReader) throws -> (
    any Optimiser, ScheduleOptions, SilentPolicy?, MuteOutputs?, KeepSpikes?,
    (norm: Double, value: Double), String
  ) {
    let optimiser = try section.section("optimiser") { try readOptimiser($0) }
    let schedule = try section.section("schedule") { try readSchedule($0) }
    let (silent, outputs) = try section.section("silent") {
      inner -> (SilentPolicy?, MuteOutputs?) in
      let lift = try inner.number("lift_outputs", default: 0, .within(0, 1e6))
      let share = try inner.number("mute_share", default: 0.1, .within(0, 1))
      let outputs = lift > 0 ? MuteOutputs(lift: lift, share: share) : nil
      let policy = try inner.choice("policy", default: "none", ["none", "lift", "redraw"])
      let step = try inner.number("by", default: 0.002, .within(-1e6, 1e6))
      switch policy {
      case "lift": return (.lift(by: step), outputs)
      case "redraw": return (.redraw, outputs)
      default: return (nil, outputs)
      }
    }
    let keepSpikes = try section.optionalSection("keep_spikes") { inner in
      KeepSpikes(
        perNeuron: try inner.integer("per_neuron", default: 1, 1...1_000_000),
        probe: try inner.integer("probe", default: 32, 1...1_000_000),
        slope: try inner.number("slope", default: 0.1, .atLeast(0)))
    }
    let clip = (
      norm: try section.number("clip", default: 0, .atLeast(0)),
      value: try section.number("clip_value", default: 0, .atLeast(0))
    )
    return (optimiser, schedule, silent, outputs, keepSpikes, clip, try section.path("start"))
  }

  /// Marks the lane's part of `[training]` as known, for the reader of the shared part.
  static func skipTraining(_ section: ConfigReader) throws { _ = try readTraining(section) }

  /// Sizes of the hidden layers of a preset's root table.
  static func sizes(
    _ root: ConfigTable, _ locate: @escaping (String) -> (file: String, line: Int?)
  ) throws -> [Int] {
    try ConfigReader(root, locate: locate).sections("hidden") {
      try readHidden($0, solver: .exact).layer.size
    }
  }
}

extension ConfigValue {
  /// An integer or a real.
  package var number: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .real(let number): number
    default: nil
    }
  }
}
