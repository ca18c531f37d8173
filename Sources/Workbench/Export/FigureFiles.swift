// SPDX-License-Identifier: MIT

import Experiments
import Live
import SpikeData
import Foundation

/// A screen, its numbers and its figures for papers as files: SVG and CSV in `figuresFolder` of the
/// snapshot.
public enum FigureFiles {
  /// - Returns: the paths written.
  public static func write(_ state: WorkbenchState, _ snapshot: Snapshot) throws -> [String] {
    // A run's folder that has gone is not made anew.
    guard FileManager.default.fileExists(atPath: snapshot.runPath) else {
      throw FileError(snapshot.runPath, "the run's folder has been moved or deleted")
    }
    let folder = snapshot.figuresFolder
    let name = "\(state.screen)-epoch\(snapshot.epoch)-batch\(snapshot.batch)"
    let base = folder + "/" + name
    var written = [base + ".svg"]
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Workbench.svg(state, snapshot).write(
        toFile: base + ".svg", atomically: true, encoding: .utf8)
      for table in tables(state, snapshot) {
        let suffix = table.name == "\(state.screen)" ? "" : "-\(table.name)"
        try table.csv.write(
          toFile: base + suffix + ".csv", atomically: true, encoding: .utf8)
        written.append(name + suffix + ".csv")
      }
      for (kind, svg) in papers(state, snapshot) {
        try svg.write(toFile: "\(base)-\(kind).svg", atomically: true, encoding: .utf8)
        written.append("\(name)-\(kind).svg")
      }
    } catch {
      throw FileError(folder, "cannot be written: \((error as NSError).localizedDescription)")
    }
    return written
  }

  /// The numbers behind a screen's panels.
  public static func tables(
    _ state: WorkbenchState, _ snapshot: Snapshot
  ) -> [(name: String, csv: String)] {
    state.screen.screen.tables(state, snapshot)
  }

  /// The figures for papers of a screen, as far as the snapshot has their numbers.
  static func papers(
    _ state: WorkbenchState, _ snapshot: Snapshot
  ) -> [(kind: FigureKind, svg: String)] {
    var options = FigureOptions()
    (options.lane, options.layer) = (state.lane, state.layer)
    options.isLogarithmic = state.screen == .compare && state.isLogarithmic
    return state.screen.screen.figures.compactMap { kind in
      (try? kind.make(options, snapshot)).map { (kind, $0.svg) }
    }
  }

  /// Counts per lane, label and answer.
  static func confusion(_ snapshot: Snapshot) -> String {
    var lines = ["lane,letter,trained_on,label,answer,count"]
    for lane in snapshot.lanes {
      let pairs = zip(lane.labels, lane.predictions).map { [$0, $1] }
      let counts = Dictionary(pairs.map { ($0, 1) }, uniquingKeysWith: +)
      for (pair, count) in counts.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
        let names = pair.map { CSV.quoted(Wording.className($0, snapshot)) }
        lines.append("\(lane.fields),\(names[0]),\(names[1]),\(count)")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  static func raster(_ snapshot: Snapshot) -> String {
    var lines = ["lane,letter,trained_on,layer,neuron,time_ms"]
    for lane in snapshot.lanes {
      for (unit, time) in lane.trial.input.map({ ($0.unit, $0.time) }) {
        lines.append("\(lane.fields),input,\(unit),\(time)")
      }
      for (index, spikes) in lane.trial.layers.enumerated() {
        let layer = index < lane.layers.count ? "hidden\(index + 1)" : "output"
        for spike in spikes {
          lines.append("\(lane.fields),\(layer),\(spike.neuron),\(spike.time)")
        }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  static func shaping(_ snapshot: Snapshot) -> String {
    var lines = ["lane,letter,trained_on,time_ms,weight"]
    for lane in snapshot.lanes {
      for (index, weight) in lane.trial.weight.enumerated() {
        let time = (Double(index) + 0.5) / Double(lane.trial.weight.count) * snapshot.duration
        lines.append("\(lane.fields),\(time),\(weight)")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  static func errors(_ snapshot: Snapshot) -> String {
    var lines = ["lane,letter,trained_on,layer,time_ms,norm_shaped,norm_plain"]
    for lane in snapshot.lanes {
      for map in lane.errors {
        for column in 0..<map.columns {
          let time = (Double(column) + 0.5) / Double(map.columns) * snapshot.duration
          lines.append(
            "\(lane.fields),\(map.layer),\(time),\(map.shapedNorm[column]),\(map.plainNorm[column])"
          )
        }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  static func curves(_ snapshot: Snapshot) -> String {
    var lines = ["lane,letter,trained_on,curve,epoch,value"]
    let score = snapshot.score
    for lane in snapshot.lanes {
      func add(_ name: String, _ series: BoundedSeries) {
        for (x, y) in zip(series.xs, series.ys) { lines.append("\(lane.fields),\(name),\(x),\(y)") }
      }
      add("loss", lane.curves.loss)
      add(score.named("train_accuracy"), lane.curves.trainAccuracy)
      add(score.named("test_accuracy"), lane.curves.testAccuracy)
      for (index, series) in lane.curves.spikes.enumerated() {
        add("spikes_hidden\(index + 1)", series)
      }
      for (flow, series) in zip(lane.flow, lane.curves.norms) {
        add("gradient_\(flow.name)", series)
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
