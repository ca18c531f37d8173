// SPDX-License-Identifier: MIT

import Charts
import Diagnosis
import Experiments
import Foundation

/// A report on a network's weights as text, in 80 columns, and as CSV: the command and the screen
/// say the same.
package enum DoctorText {
  /// What lines of the command are wrapped to.
  package static let columns = 80

  /// Title, tables and advice.
  package static func lines(_ lanes: [String], _ report: InitReport) -> [String] {
    var lines = [wrapped(lanes.joined(separator: ", "))]
    var table = [activityHeader] + report.layers.map(activity) + ["", gradientHeader]
    for index in report.layers.indices { table += gradients(report, index) }
    if report.terms.hasClasses { table.append(mute(report)) }
    lines += table.map { $0.isEmpty ? "" : "  " + $0 }
    lines.append("")
    let advice = report.advice
    lines += advice.isEmpty ? ["  " + nothing] : advice.map { wrapped($0, indent: 2) }
    return lines.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false) }
      .map(String.init)
  }

  /// Said where there is no advice.
  static let nothing = "nothing to complain of"

  /// `target 1 spike per neuron and trial (trials under 100 ms)`.
  /// - Parameter reason: why this one; nil: it goes by the length of trials.
  package static func target(_ report: InitReport, because reason: String?) -> String {
    String(
      format: "target %g %@ per neuron and trial (%@)", report.target,
      report.target == 1 ? "spike" : "spikes",
      reason ?? (report.duration < 100 ? "trials under 100 ms" : "trials of 100 ms and more"))
  }

  static let activityHeader =
    "layer     neurons spikes/trial  silent  satur.    below   itself ratio  level"

  static func activity(_ layer: LayerStart) -> String {
    let rates = layer.rates
    return Text.pad(layer.name, 9)
      + Text.right("\(layer.size)", 8)
      + Text.right(rates.map { short($0.mean) + " ± " + short($0.sd) } ?? "–", 13)
      + Text.right(rates.map { percent($0.silent) } ?? "–", 8)
      + Text.right(rates.map { percent($0.saturated) } ?? "–", 8)
      + Text.right(short(layer.drive.below), 9)
      + Text.right(layer.drive.own.map(short) ?? "–", 9)
      + Text.right(layer.drive.ratio.map(short) ?? "–", 6)
      + Text.right(layer.drive.level.map(short) ?? "–", 7)
  }

  static let gradientHeader =
    "gradient of weights into  per weight  of layer above   late  (its spikes)"

  /// The weights from below, then the layer's own.
  static func gradients(_ report: InitReport, _ index: Int) -> [String] {
    let layer = report.layers[index]
    var lines = [
      Text.pad(layer.name, 24)
        + Text.right(layer.gradient.map(small) ?? "–", 12)
        + Text.right(report.gradientRatio(ofLayer: index).map(small) ?? "–", 16)
        + Text.right(layer.timing.map { percent($0.late) } ?? "–", 7)
        + Text.right(layer.timing.map { "(" + percent($0.lateSpikes) + ")" } ?? "–", 14)
    ]
    if let own = layer.recurrentGradient {
      lines.append(Text.pad(layer.name + " from itself", 24) + Text.right(small(own), 12))
    }
    return lines
  }

  /// How many samples say nothing to their label's output.
  static func mute(_ report: InitReport) -> String {
    "samples without a gradient of their label's output: "
      + "\(report.mute) of \(report.samples) (\(percent(report.muteShare)))"
  }

  /// Of the table that `rows` gives.
  package static let header =
    "lane,layer,neurons,samples,target,spikes_mean,spikes_sd,silent,saturated,drive_below,drive_own,"
    + "level,gradient,gradient_own,gradient_ratio,late_gradient,late_spikes,mute,scale,scaled_spikes"

  /// A line for each layer; what is not known is empty.
  package static func rows(_ lane: String, _ report: InitReport) -> [String] {
    report.layers.enumerated().map { index, layer in
      let remedy = report.remedies.first { $0.layer == index }
      var factor: Double?
      if case .scale(let by)? = remedy?.change { factor = by }
      let numbers: [Double?] = [
        report.target, layer.rates?.mean, layer.rates?.sd, layer.rates?.silent,
        layer.rates?.saturated, layer.drive.below, layer.drive.own, layer.drive.level,
        layer.gradient, layer.recurrentGradient, report.gradientRatio(ofLayer: index),
        layer.timing?.late, layer.timing?.lateSpikes, report.muteShare, factor,
        factor == nil ? nil : remedy?.after?.mean,
      ]
      return "\(CSV.quoted(lane)),\(layer.name),\(layer.size),\(report.samples),"
        + numbers.map { $0.map { "\($0)" } ?? "" }.joined(separator: ",")
    }
  }

  /// Words in lines of at most so many characters; later lines are indented further. What is in
  /// braces stays whole.
  package static func wrapped(_ text: String, indent: Int = 0, columns: Int = columns) -> String {
    var lines: [String] = []
    var line = String(repeating: " ", count: indent)
    var isEmpty = true
    var isInBraces = false
    let bound = text.map { c -> Character in
      if c == "{" || c == "}" { isInBraces = c == "{" }
      return c == " " && isInBraces ? "\u{A0}" : c
    }
    for word in String(bound).split(separator: " ") {
      if !isEmpty, line.count + 1 + word.count > columns {
        lines.append(line)
        line = String(repeating: " ", count: indent + 2)
        isEmpty = true
      }
      line += (isEmpty ? "" : " ") + word
      isEmpty = false
    }
    return (lines + [line]).joined(separator: "\n").replacingOccurrences(of: "\u{A0}", with: " ")
  }

  private static func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }

  /// Three digits, in six characters.
  static func short(_ number: Double) -> String {
    if number != 0, abs(number) < 0.01 || abs(number) >= 1e5 {
      return String(format: "%.0e", number)
    }
    return String(format: abs(number) < 10 ? "%.2f" : abs(number) < 100 ? "%.1f" : "%.0f", number)
  }
  private static func small(_ number: Double) -> String { String(format: "%.2e", number) }
}
