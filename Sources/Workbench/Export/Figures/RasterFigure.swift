// SPDX-License-Identifier: MIT

import Charts
import Experiments
import Live

/// The probe trial of a lane: input, hidden layers, outputs, above each other.
enum RasterFigure: WorkbenchFigure {
  static let name = "raster"
  static let title = "spikes and output voltages of a trial"
  static let isOfOneLane = true

  static func make(_ options: FigureOptions, _ snapshot: Snapshot) throws(FigureObstacle)
    -> PaperFigure
  {
    let lane = options.lane(of: snapshot)
    guard snapshot.duration > 0 else { throw FigureObstacle("there is no trial") }
    let trial = lane.trial
    let x = PaperAxis("time (ms)", 0...snapshot.duration)
    let part =
      trial.input.count < trial.inputTotal
      ? " (\(trial.input.count) of \(trial.inputTotal) spikes)" : ""
    let input = spikes(
      "input" + part, trial.input.map { PaperPoint($0.time, Double($0.unit)) },
      size: max(snapshot.inputs, 1 + (trial.input.map(\.unit).max() ?? 0)), .black(width: 0.4),
      axis: "unit")
    var panels = [input]
    for (index, layer) in trial.layers.enumerated() {
      let isHidden = lane.layers.indices.contains(index)
      let size = isHidden ? lane.layers[index].size : snapshot.classNames.count
      var stroke = lane.stroke
      (stroke.dash, stroke.width) = ([], 0.7)
      panels.append(
        spikes(
          lane.layerName(index), layer.map { PaperPoint($0.time, Double($0.neuron)) },
          size: size, stroke, axis: "neuron"))
    }
    var legend: [PaperLegendEntry] = []
    if !trial.voltages.isEmpty {
      let (panel, entries) = voltages(lane, snapshot)
      panels.append(panel)
      legend = entries
    }
    var figure = PaperFigure(x: x, panels: panels)
    figure.legend = legend
    return figure
  }

  private static func spikes(
    _ name: String, _ points: [PaperPoint], size: Int, _ stroke: PaperStroke, axis: String
  ) -> PaperPanel {
    let y = PaperAxis(
      "\(name) \(axis)", -0.5...max(Double(size) - 0.5, 0.5), isReversed: true, isWhole: true)
    return PaperPanel(y: y, marks: [PaperMark(name, stroke, .ticks(points))])
  }

  /// The label's and the answer's stand out; or every output beside its target.
  private static func voltages(
    _ lane: LaneSnapshot, _ snapshot: Snapshot
  ) -> (PaperPanel, [PaperLegendEntry]) {
    let trial = lane.trial
    var (marks, legend): ([PaperMark], [PaperLegendEntry]) = ([], [])
    if !trial.targets.isEmpty {
      let (own, target) = (PaperStroke(color: lane.stroke.color), PaperStroke.black(dash: 1))
      func line(_ name: String, _ stroke: PaperStroke, _ values: [Double]) -> PaperMark {
        PaperMark(
          name, stroke,
          .line(
            values.enumerated().map { index, v in
              PaperPoint((Double(index) + 1) / Double(values.count) * snapshot.duration, v)
            }))
      }
      for (output, values) in trial.voltages.enumerated() {
        let name = Wording.className(output, snapshot)
        marks.append(line("\(name) target", target, trial.targets[output]))
        marks.append(line(name, own, values))
      }
      let y = PaperAxis.covering((trial.voltages + trial.targets).flatMap { $0 }, "output V")
      return (
        PaperPanel(y: y, marks: marks, weight: 1.3),
        [PaperLegendEntry("output", own), PaperLegendEntry("target", target)]
      )
    }
    var others: PaperStroke?
    for (output, voltages) in trial.voltages.enumerated() {
      let name = Wording.className(output, snapshot)
      let points = voltages.enumerated().map { index, v in
        PaperPoint((Double(index) + 0.5) / Double(voltages.count) * snapshot.duration, v)
      }
      let (stroke, label): (PaperStroke, String?) =
        switch output {
        case trial.label:
          (
            PaperStroke(color: lane.stroke.color),
            name + (trial.prediction == output ? " (label and answer)" : " (label)")
          )
        case trial.prediction: (.black(dash: 1), "\(name) (answer)")
        default: (.gray(), nil)
        }
      if label == nil { others = stroke }
      let mark = PaperMark(name, stroke, .line(points))
      if let label {
        marks.append(mark)
        legend.append(PaperLegendEntry(label, stroke))
      } else {
        marks.insert(mark, at: 0)
      }
    }
    if let others { legend.append(PaperLegendEntry("other outputs", others)) }
    let y = PaperAxis.covering(trial.voltages.flatMap { $0 }, "output V")
    return (PaperPanel(y: y, marks: marks, weight: 1.3), legend)
  }
}
