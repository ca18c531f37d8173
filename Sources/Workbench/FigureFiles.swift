import Foundation
import Training

/// The figures of a screen as files: SVG and CSV under the run's figures/.
public enum FigureFiles {
  /// - Returns: the paths written.
  public static func write(_ state: WorkbenchState, _ snapshot: Snapshot) throws -> [String] {
    let folder = snapshot.runPath + "/figures"
    let name = "\(state.screen)-epoch\(snapshot.epoch)-batch\(snapshot.batch)"
    let base = folder + "/" + name
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Workbench.svg(state, snapshot).write(
        toFile: base + ".svg", atomically: true, encoding: .utf8)
      try csv(state, snapshot).write(toFile: base + ".csv", atomically: true, encoding: .utf8)
    } catch {
      throw RunError(folder, "cannot be written: \((error as NSError).localizedDescription)")
    }
    return [base + ".svg", name + ".csv"]
  }

  /// The numbers behind a screen.
  public static func csv(_ state: WorkbenchState, _ snapshot: Snapshot) -> String {
    switch state.screen {
    case .raster: return raster(state, snapshot)
    case .shaping: return shaping(state, snapshot)
    case .gradients: return errors(snapshot)
    case .overview, .compare, .log: return curves(snapshot)
    }
  }

  private static func raster(_ state: WorkbenchState, _ snapshot: Snapshot) -> String {
    var lines = ["lane,layer,neuron,time_ms"]
    for lane in snapshot.lanes {
      for (unit, time) in lane.trial.input.map({ ($0.unit, $0.time) }) {
        lines.append("\(lane.name),input,\(unit),\(time)")
      }
      for (index, spikes) in lane.trial.layers.enumerated() {
        let layer = index < lane.layers.count ? "hidden\(index + 1)" : "output"
        for spike in spikes { lines.append("\(lane.name),\(layer),\(spike.neuron),\(spike.time)") }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func shaping(_ state: WorkbenchState, _ snapshot: Snapshot) -> String {
    var lines = ["lane,time_ms,weight"]
    for lane in snapshot.lanes {
      for (index, weight) in lane.trial.weight.enumerated() {
        let time = (Double(index) + 0.5) / Double(lane.trial.weight.count) * snapshot.duration
        lines.append("\(lane.name),\(time),\(weight)")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func errors(_ snapshot: Snapshot) -> String {
    var lines = ["lane,layer,time_ms,norm_shaped,norm_plain"]
    for lane in snapshot.lanes {
      for map in lane.errors {
        for column in 0..<map.columns {
          let time = (Double(column) + 0.5) / Double(map.columns) * snapshot.duration
          lines.append(
            "\(lane.name),\(map.layer),\(time),\(map.shapedNorm[column]),\(map.plainNorm[column])")
        }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func curves(_ snapshot: Snapshot) -> String {
    var lines = ["lane,curve,epoch,value"]
    for lane in snapshot.lanes {
      func add(_ name: String, _ series: BoundedSeries) {
        for (x, y) in zip(series.xs, series.ys) { lines.append("\(lane.name),\(name),\(x),\(y)") }
      }
      add("loss", lane.curves.loss)
      add("train_accuracy", lane.curves.trainAccuracy)
      add("test_accuracy", lane.curves.testAccuracy)
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
