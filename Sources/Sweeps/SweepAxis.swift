// SPDX-License-Identifier: MIT

import EventPropCore
import Experiments
import Foundation

/// One key of the preset that a sweep varies.
public struct SweepAxis: Sendable, Equatable {
  /// Where its values come from.
  public enum Source: Sendable, Equatable {
    /// These, in this order.
    case values([ConfigValue])
    /// From the first to the last; the ratio of neighbours is constant where `isLog`.
    case range(low: ConfigValue, high: ConfigValue, isLog: Bool)
  }

  /// What tables call it; the key where the sweep gives no name.
  public var name: String
  /// Of the preset, dotted, as with `--set`.
  public var key: String
  /// Values or ends.
  public var source: Source
  /// Points of a range in a grid; nil for values, and where points are drawn.
  public var steps: Int?
  /// Whether values of a range are rounded to whole numbers.
  public var isInteger = false

  /// Whether equal distances on it are equal ratios.
  public var isLogarithmic: Bool {
    if case .range(_, _, let isLog) = source { return isLog }
    return false
  }

  /// The values of a grid, without those that rounding makes equal to one before.
  var grid: [ConfigValue] {
    switch source {
    case .values(let values): return values
    case .range(let low, let high, let isLog):
      let steps = steps ?? 2
      var values: [ConfigValue] = []
      for index in 0..<steps {
        let share = steps > 1 ? Double(index) / Double(steps - 1) : 0
        // Twelve digits: 0.3 instead of 0.30000000000000004; the ends are as they were written.
        let value =
          index == 0
          ? round(low)
          : index == steps - 1
            ? round(high) : number(between: low, high, share, isLog, digits: 12)
        if !values.contains(value) { values.append(value) }
      }
      return values
    }
  }

  /// One value at random.
  func draw(_ random: inout Random) -> ConfigValue {
    switch source {
    case .values(let values): return values[random.index(below: values.count)]
    case .range(let low, let high, let isLog):
      // Six digits, which tables can show.
      return number(between: low, high, random.uniform(), isLog, digits: 6)
    }
  }

  private func number(
    between low: ConfigValue, _ high: ConfigValue, _ share: Double, _ isLog: Bool, digits: Int
  ) -> ConfigValue {
    let (a, b) = (low.number ?? 0, high.number ?? 0)
    let exact = isLog ? exp(log(a) + share * (log(b) - log(a))) : a + share * (b - a)
    let short = Double(String(format: "%.\(digits)g", exact)) ?? exact
    if case .integer = low, case .integer = high, let whole = Int(exactly: short) {
      return .integer(whole)
    }
    return round(.real(short))
  }

  private func round(_ value: ConfigValue) -> ConfigValue {
    guard isInteger, let number = value.number else { return value }
    return Int(exactly: number.rounded()).map { .integer($0) } ?? value
  }
}

extension ConfigValue {
  /// As tables show it: numbers as TOML writes them, strings as they are.
  public var plainText: String {
    if case .string(let string) = self { return string }
    return text
  }
}
