// SPDX-License-Identifier: MIT

import Charts
import Diagnosis
import Foundation
import Live

/// What the screen Doctor says, line by line, with what is drawn beside the lines.
enum DoctorLines {
  /// A line of the screen, with what is drawn beside it.
  struct Line {
    var text: String
    var style = CellStyle.plain
    /// At its end, in accent.
    var key = ""
    /// The advice that it is of.
    var advice: Int?
    /// Beside the tables, where there is room.
    var gauge: Gauge?
    /// Where that begins.
    var gaugeColumn = DoctorLines.table + 3
  }

  enum Gauge {
    case title(String, String)
    /// Of a layer, the target in the middle; and the share of silent neurons.
    case rate(SpikeRates, target: Double, isPast: Bool)
    /// 0...1 on a logarithmic scale.
    case gradient(Double, isPast: Bool)
  }

  /// The width of the tables, and from where on there is room for gauges beside them.
  static let table = 77
  static let least = 104

  /// The gauges of rates in lines of their own below the first table, for where there is no room
  /// beside it.
  static func withCharts(_ lines: [Line]) -> [Line] {
    var charts: [Line] = []
    for line in lines {
      switch line.gauge {
      case .rate: charts.append(Line(text: String(line.text.prefix(9)), gauge: line.gauge))
      case .title where charts.isEmpty:
        charts = [Line(text: ""), Line(text: "", gauge: line.gauge)]
      default: break
      }
    }
    guard charts.count > 2, let end = lines.firstIndex(where: { $0.text.isEmpty }) else {
      return lines
    }
    for index in charts.indices { charts[index].gaugeColumn = 10 }
    return lines[..<end] + charts + lines[end...]
  }

  static func tables(
    _ state: WorkbenchState, _ snapshot: Snapshot, _ lane: LaneSnapshot, _ finding: InitFinding
  ) -> [Line] {
    let report = finding.report
    let before = earlier(state, snapshot, lane, finding)
    var lines = [
      Line(
        text: "\(report.samples) samples, "
          + DoctorText.target(report, because: finding.asked == nil ? nil : "as asked"),
        style: .dim)
    ]
    if let treated = state.treated, before != nil {
      lines[0] = Line(
        text:
          "after \(treated.text); what was before it is dim; \(state.keys.label("undo")) takes it back",
        style: CellStyle(.good, bold: true))
    }
    lines.append(
      Line(
        text: DoctorText.activityHeader, style: .dim,
        gauge: .title("rate, ┊ target", "silent")))
    for (index, layer) in report.layers.enumerated() {
      lines += activity(report, index, layer, before: before)
    }
    lines.append(Line(text: ""))
    lines.append(
      Line(
        text: DoctorText.gradientHeader, style: .dim, gauge: .title("gradient, five decades", "")))
    for index in report.layers.indices { lines += gradients(report, index, before: before) }
    guard report.terms.hasClasses else { return lines }
    let isMute = report.muteShare >= InitReport.Limit.mute && !report.terms.liftsOutputs
    lines.append(
      Line(text: DoctorText.mute(report), style: isMute ? CellStyle(.alarm) : .plain))
    if let before, DoctorText.mute(before) != DoctorText.mute(report) {
      lines.append(Line(text: "  was \(before.mute) of \(before.samples)", style: .dim))
    }
    return lines
  }

  /// The report before the last treatment, where nothing else has happened since.
  private static func earlier(
    _ state: WorkbenchState, _ snapshot: Snapshot, _ lane: LaneSnapshot, _ finding: InitFinding
  ) -> InitReport? {
    guard let treated = state.treated, treated.lane == lane.identity, !finding.isStale,
      treated.before.number != finding.number, treated.before.position == finding.position,
      treated.before.asked == finding.asked,
      snapshot.marks.last(where: { $0.lane == lane.name || $0.lane.isEmpty })?.text == treated.text
    else { return nil }
    return treated.before.report
  }

  private static func activity(
    _ report: InitReport, _ index: Int, _ layer: LayerStart, before: InitReport?
  ) -> [Line] {
    let isHidden = index + 1 < report.layers.count
    let isIll = isHidden && layer.rates?.complaint(target: report.target) != nil
    func gauge(_ layer: LayerStart, isPast: Bool) -> Gauge? {
      isHidden ? layer.rates.map { .rate($0, target: report.target, isPast: isPast) } : nil
    }
    let text = DoctorText.activity(layer)
    var lines = [
      Line(
        text: text, style: isIll ? CellStyle(.alarm) : .plain, gauge: gauge(layer, isPast: false))
    ]
    if var old = before?.layers[index], DoctorText.activity(old) != text {
      old.name = "  was"
      lines.append(
        Line(text: DoctorText.activity(old), style: .dim, gauge: gauge(old, isPast: true)))
    }
    return lines
  }

  private static func gradients(_ report: InitReport, _ index: Int, before: InitReport?) -> [Line] {
    let highest = report.layers.compactMap(\.gradient).max() ?? 0
    func gauge(_ layer: LayerStart, isPast: Bool) -> Gauge? {
      layer.gradient.flatMap { gradient in
        gradient > 0 && highest > 0
          ? .gradient(1 + log10(gradient / highest) / 5, isPast: isPast) : nil
      }
    }
    let layer = report.layers[index]
    let isIll = layer.timing?.isLate ?? false || report.hasWeakGradient(index)
    let texts = DoctorText.gradients(report, index)
    var lines = texts.map { Line(text: $0) }
    lines[0].style = isIll ? CellStyle(.alarm) : .plain
    lines[0].gauge = gauge(layer, isPast: false)
    if var before, DoctorText.gradients(before, index) != texts {
      before.layers[index].name = "  was"
      var old = Line(text: DoctorText.gradients(before, index)[0], style: .dim)
      old.gauge = gauge(before.layers[index], isPast: true)
      lines.insert(old, at: 1)
    }
    return lines
  }

  static func advice(_ state: WorkbenchState, _ finding: InitFinding, width: Int) -> [Line] {
    let counsel = finding.report.counsel
    guard let chosen = DoctorScreen.row(state, finding) else {
      return [Line(text: DoctorText.nothing, style: CellStyle(.good))]
    }
    return counsel.enumerated().flatMap { index, advice -> [Line] in
      let isChosen = index == chosen
      let command = DoctorScreen.command(advice, state, finding)
      let key = command.map { "S: \($0.text)" } ?? ""
      // The key has a place at the end of the last line, or one of its own.
      let bound = key.replacingOccurrences(of: " ", with: "\u{A0}")
      let wrapped = DoctorText.wrapped(
        (isChosen ? "> " : "· ") + advice.text + (key.isEmpty ? "" : "  " + bound), columns: width)
      var lines = wrapped.split(separator: "\n").map {
        Line(
          text: String($0), style: isChosen ? .bold : .plain, advice: index)
      }
      let last = lines.count - 1
      if !key.isEmpty, lines[last].text.hasSuffix(key) {
        lines[last].text.removeLast(key.count)
        lines[last].key = key
      }
      return lines
    }
  }

  /// What the columns mean, for where there is room.
  static let words = [
    "spikes/trial: per neuron, mean and standard deviation over neurons. silent: without a spike on "
      + "all samples. satur.: with one in nine of ten steps (grid).",
    "below, itself: per trial, the sum of |weight| x arriving spikes from the layer below and from "
      + "the layer itself, mean over neurons; ratio: the second over the first.",
    "level: the voltage that a constant current of the trial's mean would settle at, over the "
      + "threshold: above 1 it makes spikes.",
    "per weight: L2 norm of dL/dW over the root of the number of weights. late: its share from the "
      + "last three tenths of the trial (grid).",
  ]
}
