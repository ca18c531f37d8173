// SPDX-License-Identifier: MIT

import Experiments
import Live
import Charts
import Foundation

/// Lanes and their numbers in words: the same on every screen, in tables and in files.
public enum Wording {
  /// A class by its label.
  static func className(_ index: Int, _ snapshot: Snapshot) -> String {
    snapshot.classNames.indices.contains(index)
      ? VisibleText.of(snapshot.classNames[index]) : "none"
  }

  /// `B  sum · exponential, was avg_xentropy to epoch 5`: what a lane is trained on, and since
  /// when.
  static func title(_ lane: LaneSnapshot) -> String {
    "\(lane.letter)  \(label(lane))"
  }

  /// The name of an array of parameters, as short as it is clear: `input→hidden1`, of its delays
  /// `d input→hidden1`, of a constant `hidden1 tau_mem`.
  static func array(_ name: String) -> String {
    if name.hasPrefix("neurons/") {
      return name.dropFirst("neurons/".count).replacingOccurrences(of: "-", with: " ")
    }
    return name.replacingOccurrences(of: "-", with: "→")
      .replacingOccurrences(of: "delays/", with: "d ")
  }

  /// What the numbers of an array are in; empty: no unit.
  static func unit(_ name: String) -> String {
    name.hasPrefix("delays/") || name.hasPrefix("neurons/") && name.contains("-tau_") ? " ms" : ""
  }

  /// How well lanes do: `accuracy`, or of outputs that follow target series `R²`.
  static func score(_ snapshot: Snapshot) -> String { snapshot.score.word }

  /// What a lane is trained on, and of which run it is where there are several.
  static func label(_ lane: LaneSnapshot) -> String {
    prefix(lane) + lane.description + past(lane)
  }

  /// What tells a lane from others that are trained on the same.
  static func prefix(_ lane: LaneSnapshot) -> String {
    [lane.run, lane.caption].filter { !$0.isEmpty }.map { $0 + ": " }.joined()
  }

  static func past(_ lane: LaneSnapshot) -> String {
    guard let last = lane.past.last else { return "" }
    let more = lane.past.count > 1 ? " and \(lane.past.count - 1) more before" : ""
    return ", was \(last.description) to e\(position(last.end))\(more)"
  }

  /// Epochs, whole or with a tenth.
  public static func position(_ position: Double) -> String {
    Snapshot.words(position)
  }

  /// `97.2 ± 0.4 %  η 5.0e-3`: over all seeds.
  static func seedSummary(_ lane: LaneSnapshot) -> String {
    "\(lane.seedAccuracy)  η \(Text.rate(lane.rate))"
  }

  /// `97.2 %  loss 0.071  η 5.0e-3`.
  static func summary(_ lane: LaneSnapshot) -> String {
    "\(Text.percent(lane.testAccuracy))  loss \(Text.number(lane.trainLoss))  η \(Text.rate(lane.rate))"
  }
}

extension LaneSnapshot {
  /// How it is called in tables: name in files, letter, loss; quoted where need be.
  public var fields: String {
    let was = past.last.map { " (was \($0.description) to e\(Wording.position($0.end)))" } ?? ""
    return [name, letter, description + was].map(CSV.quoted).joined(separator: ",")
  }

  /// A spiking layer by its place: `hidden1`, ..., `output`.
  public func layerName(_ layer: Int) -> String {
    layer < layers.count ? "hidden\(layer + 1)" : "output"
  }

  /// Drawn with: stays with the lane.
  var ink: Ink { .series(identity) }

  /// Points of a curve since the loss last changed: before, they are of another loss.
  func sinceChange(_ series: BoundedSeries, _ ys: [Double]) -> [(x: Double, y: Double)] {
    let begin = past.last?.end ?? -.infinity
    return zip(series.xs, ys).filter { $0.0 > begin }.map { (x: $0, y: $1) }
  }

  /// Points of the loss curve under one of the lane's losses, now or before.
  func loss(under description: String, _ ys: [Double]) -> [(x: Double, y: Double)] {
    under(description, Array(zip(curves.loss.xs, ys)))
  }

  /// The same of other points by x.
  func under(_ description: String, _ all: [(Double, Double)]) -> [(x: Double, y: Double)] {
    var begin = -Double.infinity
    var points: [(x: Double, y: Double)] = []
    for period in past + [
      LossPeriod(description: self.description, epoch: 0, batch: 0, end: .infinity)
    ] {
      if period.description == description {
        points += all.filter { $0.0 > begin && $0.0 <= period.end }
          .map { (x: $0, y: $1) }
      }
      begin = period.end
    }
    return points
  }
}

extension Snapshot {
  /// x from one batch to the next.
  var batchLength: Double { 1 / Double(max(batches, 1)) }
}

extension Surface {
  /// Where in curves that go on until now a snapshot of the past stands.
  mutating func pastCursor(_ snapshot: Snapshot, in plot: Area) {
    guard snapshot.livePosition != nil else { return }
    let column = plot.x + Int(snapshot.position / snapshot.end * Double(plot.width - 1))
    for y in plot.y..<plot.y + plot.height {
      text("│", x: column, y: y, style: CellStyle(.accent, bold: true))
    }
  }
}
