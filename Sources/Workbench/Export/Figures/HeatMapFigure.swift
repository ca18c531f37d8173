// SPDX-License-Identifier: MIT

import Charts
import Live

/// Every neuron's spikes per trial by epoch: a death is a row that goes white.
enum HeatMapFigure: WorkbenchFigure {
  static let name = "heatmap"
  static let title = "spikes per trial of every neuron by epoch"
  static let isOfOneLane = true

  static func make(_ options: FigureOptions, _ snapshot: Snapshot) throws(FigureObstacle)
    -> PaperFigure
  {
    let epochs = options.lane(of: snapshot).activity
    guard let last = epochs.last, let first = epochs.first else {
      throw FigureObstacle("no epoch has ended so far, or the run has no activity.csv")
    }
    guard !last.layers.isEmpty else { throw FigureObstacle("the network has no hidden layer") }
    let layer = min(max(options.layer, 0), last.layers.count - 1)
    let size = last.layers[layer].rates.count
    let values = epochs.map { $0.layers[layer].rates.map(Double.init) }
    var scale = PaperAxis.covering(
      values.flatMap { $0 } + (options.isLogarithmic ? [] : [0]), "spikes per trial",
      isLogarithmic: options.isLogarithmic)
    if !options.isLogarithmic { scale.range = 0...scale.range.upperBound }
    let x = PaperAxis(
      "epoch", Double(first.epoch) - 0.5...Double(last.epoch) + 0.5, isWhole: true)
    let y = PaperAxis(
      "hidden\(layer + 1) neuron", -0.5...Double(size) - 0.5, isReversed: true, isWhole: true)
    let heat = PaperHeat(xs: epochs.map { Double($0.epoch) }, values: values, scale: scale)
    let mark = PaperMark("hidden\(layer + 1)", .black(), .heat(heat))
    return PaperFigure(x: x, panels: [PaperPanel(y: y, marks: [mark])])
  }
}
