// SPDX-License-Identifier: MIT

import Foundation

/// An axis of a figure: what it shows, and from where to where.
package struct PaperAxis: Sendable, Equatable {
  /// With the unit: `time (ms)`.
  package var name: String
  /// Above 0 where it is logarithmic.
  package var range: ClosedRange<Double>
  package var isLogarithmic = false
  /// The lower end of a y axis is at the top.
  package var isReversed = false
  /// Only whole numbers have ticks.
  package var isWhole = false
  /// Words in place of numbers; nil: numbers.
  package var words: [(value: Double, text: String)]?

  package init(
    _ name: String, _ range: ClosedRange<Double>, isLogarithmic: Bool = false,
    isReversed: Bool = false, isWhole: Bool = false
  ) {
    self.name = name
    self.range = range
    self.isLogarithmic = isLogarithmic
    self.isReversed = isReversed
    self.isWhole = isWhole
  }

  package static func == (a: PaperAxis, b: PaperAxis) -> Bool {
    a.name == b.name && a.range == b.range && a.isLogarithmic == b.isLogarithmic
      && a.isReversed == b.isReversed && a.isWhole == b.isWhole
      && (a.words ?? []).map(\.text) == (b.words ?? []).map(\.text)
  }

  /// An axis that holds all values and ends at round numbers.
  /// - Parameters:
  ///   - values: those that cannot be on the axis do not count; none: 0 to 1, or 0.1 to 1.
  ///   - limits: beyond which the axis does not go.
  ///   - fromZero: begins at 0 where that costs less than half the axis.
  package static func covering(
    _ values: [Double], _ name: String, isLogarithmic: Bool = false,
    limits: ClosedRange<Double>? = nil, fromZero: Bool = false
  ) -> PaperAxis {
    let usable = values.filter { $0.isFinite && (!isLogarithmic || $0 > 0) }
    guard var low = usable.min(), var high = usable.max() else {
      return PaperAxis(name, isLogarithmic ? 0.1...1 : 0...1, isLogarithmic: isLogarithmic)
    }
    if isLogarithmic {
      let (below, above) = (round(low, up: false), round(high, up: true))
      return PaperAxis(name, below...max(above, below * 2), isLogarithmic: true)
    }
    if fromZero, low > 0, low < high / 2 { low = 0 }
    if high - low <= 1e-9 * max(abs(high), abs(low)) {
      let half = max(abs(high) * 0.1, low == 0 ? 0.5 : 0)
      (low, high) = (low - half, high + half)
      if fromZero, usable.allSatisfy({ $0 >= 0 }) { low = max(low, 0) }
    }
    let step = Ticks.step((high - low) / 5)
    low = min(low, (low / step + 1e-9).rounded(.down) * step)
    high = max(high, (high / step - 1e-9).rounded(.up) * step)
    if let limits { (low, high) = (max(low, limits.lowerBound), min(high, limits.upperBound)) }
    return PaperAxis(name, low < high ? low...high : low...(low + step))
  }

  /// The next 1, 2 or 5 times a power of ten.
  private static func round(_ value: Double, up: Bool) -> Double {
    let power = pow(10, floor(log10(value) + 1e-12))
    let digit = value / power
    return up
      ? power * ([1, 2, 5, 10].first { $0 >= digit * (1 - 1e-9) } ?? 10)
      : power * ([5, 2, 1].first { $0 <= digit * (1 + 1e-9) } ?? 1)
  }

  /// 0 at the lower end, 1 at the upper; nil: not on the axis.
  func share(_ value: Double) -> Double? {
    guard value.isFinite, !isLogarithmic || value > 0 else { return nil }
    let (low, high) = (range.lowerBound, range.upperBound)
    let share =
      isLogarithmic ? log(value / low) / log(high / low) : (value - low) / (high - low)
    return share >= -1e-9 && share <= 1 + 1e-9 ? min(max(share, 0), 1) : nil
  }

  /// The column of a table: `time_ms`.
  var column: String {
    let plain = name.replacingOccurrences(of: "%", with: "percent").lowercased()
    let words = plain.split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
    return words.isEmpty ? "x" : words.joined(separator: "_")
  }
}

/// A tick of an axis.
struct PaperTick: Equatable {
  var value: Double
  /// Empty: a small tick without a number.
  var text = ""
  /// Of ten, after `text`; empty: none.
  var power = ""
}

extension PaperAxis {
  /// Ticks at 1, 2 or 5 times a power of ten, as many as have room.
  /// - Parameters:
  ///   - room: along the axis, pt.
  ///   - isUpright: labels stand above each other.
  /// - Returns: the ticks, and the power of ten that their numbers are to be multiplied by.
  func ticks(room: Double, font: Double, isUpright: Bool) -> (ticks: [PaperTick], exponent: Int) {
    if let words { return (words.map { PaperTick(value: $0.value, text: $0.text) }, 0) }
    let isFree = { (ticks: [PaperTick]) -> Bool in
      let labelled = ticks.filter { !$0.text.isEmpty }
      return zip(labelled, labelled.dropFirst()).allSatisfy { a, b in
        guard let from = share(a.value), let to = share(b.value) else { return true }
        let distance = (to - from) * room
        let half = { (tick: PaperTick) in
          PaperText.width(tick.text, font) / 2 + PaperText.width(tick.power, font * 0.7) / 2
        }
        return distance >= (isUpright ? 1.5 * font : half(a) + half(b) + 0.7 * font)
      }
    }
    if isLogarithmic { return (logarithmic(isFree), 0) }
    let span = range.upperBound - range.lowerBound
    var step = Ticks.step(span / max(3, min(8, room / (3.2 * font))))
    if isWhole { step = max(1, step) }
    let size = max(abs(range.lowerBound), abs(range.upperBound))
    let exponent = size >= 1e5 || size < 1e-3 && size > 0 ? Int(floor(log10(size) + 1e-9)) : 0
    for _ in 0..<12 {
      let ticks = multiples(of: step, exponent: exponent)
      if isFree(ticks) { return (ticks, exponent) }
      step = Ticks.step(step * 1.5)
    }
    return ([], exponent)
  }

  private func multiples(of step: Double, exponent: Int) -> [PaperTick] {
    let first = (range.lowerBound / step - 1e-6).rounded(.up)
    let last = (range.upperBound / step + 1e-6).rounded(.down)
    guard last >= first, last - first < 200 else { return [] }
    let unit = pow(10, Double(exponent))
    return (0...Int(last - first)).map { k in
      let value = (first + Double(k)) * step
      let label = Ticks.label(value / unit, step: step / unit)
      return PaperTick(value: value, text: label.replacingOccurrences(of: "-", with: "−"))
    }
  }

  /// Powers of ten, with small ticks between; within two decades 1, 2 and 5 times them, in full.
  private func logarithmic(_ isFree: ([PaperTick]) -> Bool) -> [PaperTick] {
    let (low, high) = (log10(range.lowerBound), log10(range.upperBound))
    guard high - low < 40 else { return [] }
    let decades = Int(floor(low + 1e-9))...Int(floor(high + 1e-9))
    func all(_ text: (Int, Int) -> PaperTick?) -> [PaperTick] {
      decades.flatMap { decade in
        (1...9).compactMap { digit -> PaperTick? in
          let value = Double(digit) * pow(10, Double(decade))
          guard share(value) != nil else { return nil }
          return text(digit, decade) ?? PaperTick(value: value)
        }
      }
    }
    let isPlain = low >= -4 && high <= 4.001
    func tick(_ digit: Int, _ decade: Int) -> PaperTick {
      let value = Double(digit) * pow(10, Double(decade))
      if isPlain {
        return PaperTick(value: value, text: String(format: "%.\(max(0, -decade))f", value))
      }
      return PaperTick(
        value: value, text: digit == 1 ? "10" : "\(digit)·10",
        power: "\(decade)".replacingOccurrences(of: "-", with: "−"))
    }
    if high - low < 2.1 {
      for digits in [[1, 2, 5], [1, 3], [1]] {
        let ticks = all { digits.contains($0) ? tick($0, $1) : nil }
        if ticks.count(where: { !$0.text.isEmpty }) >= 2, isFree(ticks) { return ticks }
      }
    }
    for every in 1...20 {
      let ticks = all { $0 == 1 && $1 % every == 0 ? tick(1, $1) : nil }
      if isFree(ticks) { return every == 1 ? ticks : ticks.filter { isPower($0.value) } }
    }
    return []
  }

  private func isPower(_ value: Double) -> Bool {
    abs(log10(value) - log10(value).rounded()) < 1e-9
  }
}
