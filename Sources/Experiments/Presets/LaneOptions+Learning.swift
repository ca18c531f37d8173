// SPDX-License-Identifier: MIT

import EventPropCore

/// `[training.optimiser]` and `[training.schedule]`.
extension LaneOptions {
  static func readOptimiser(_ section: ConfigReader) throws -> any Optimiser {
    let kinds = OptimiserTable.all
    let kind = try section.choice("kind", default: kinds[0].kind, kinds.map(\.kind))
    let entry = OptimiserTable.entry(kind) ?? kinds[0]
    let keys = [.rate] + entry.keys
    for name in section.table.keys
    where name != "kind" && !keys.contains(where: { $0.name == name }) {
      let others = kinds.filter { $0.keys.contains { $0.name == name } }.map { "\"\($0.kind)\"" }
      guard !others.isEmpty else { continue }
      throw section.error(
        name,
        "is a key of \(others.joined(separator: ", ")), and kind is \"\(kind)\"; allowed are kind, "
          + keys.map(\.name).joined(separator: ", "))
    }
    var values: [OptimiserKey: Double] = [:]
    for key in keys {
      values[key] =
        key.isFlag
        ? try section.boolean(key.name, default: key.standard != 0) ? 1 : 0
        : try section.number(
          key.name, default: key.standard, .within(key.bounds.lowerBound, key.bounds.upperBound))
    }
    let parameters = OptimiserParameters(values)
    if let fault = entry.fault(parameters) {
      throw section.error(fault.key.name, fault.allowed)
    }
    return entry.make(parameters)
  }

  static func readSchedule(_ section: ConfigReader) throws -> ScheduleOptions {
    let standard = ScheduleOptions()
    var options = ScheduleOptions()
    options.easeIn = try section.number("ease_in", default: standard.easeIn, .within(1, 1000))
    options.easeFrom = try section.number(
      "ease_from", default: standard.easeFrom, .within(1e-12, 1))
    options.halveAfter = try section.integer(
      "halve_after", default: standard.halveAfter, 0...1_000_000)
    options.halving = try section.number("factor", default: standard.halving, .within(1e-6, 1))
    options.fast = try section.number("fast", default: standard.fast, .within(0, 0.999_999))
    options.slow = try section.number(
      "slow", default: max(standard.slow, options.fast), .within(options.fast, 0.999_999))
    options.decay = try section.number("decay", default: standard.decay, .within(1e-6, 1))
    return options
  }
}

extension ConfigTable {
  /// The shared part of a preset for a lane that may change the kind of its optimiser alone:
  /// without the shared kind's keys that the lane's kind does not have, or has with another
  /// standard.
  func withOptimiserKeys(for lane: ConfigTable) -> ConfigTable {
    guard case .table(var training)? = self["training"],
      case .table(var shared)? = training["optimiser"],
      case .table(let laneTraining)? = lane["training"],
      case .table(let own)? = laneTraining["optimiser"],
      case .string(let kind)? = own["kind"], let entry = OptimiserTable.entry(kind)
    else { return self }
    var sharedKind = OptimiserTable.all[0].kind
    if case .string(let kind)? = shared["kind"] { sharedKind = kind }
    for key in OptimiserTable.entry(sharedKind)?.keys ?? [] where !entry.keys.contains(key) {
      shared[key.name] = nil
    }
    training["optimiser"] = .table(shared)
    var result = self
    result["training"] = .table(training)
    return result
  }
}
