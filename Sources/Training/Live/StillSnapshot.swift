import Foundation

/// A snapshot of a run at one of its checkpoints, without training.
public enum StillSnapshot {
  /// - Parameters:
  ///   - run: its folder; the curves come from its metrics.csv.
  ///   - probe: test sample to show.
  public static func make(
    _ preset: Preset, place: Checkpoint.Place, run: String, probe: Int
  ) throws -> Snapshot {
    let training = try LiveTraining(
      { try Trainer(preset, data: preset.loadData(), threads: 1) },
      resume: { try $0.resume(run, at: place) }, run: { _ in nil })
    training.apply(.probe(probe))
    training.apply(.detail(true))
    training.evaluateNow()
    training.takeCurves(
      fromMetrics: (run as NSString).appendingPathComponent("metrics.csv"), until: place.epoch)
    var snapshot = training.snapshot()
    snapshot.runPath = run
    snapshot.isPaused = true
    return snapshot
  }
}

extension LiveTraining {
  /// Reads the curves of the first epochs from a metrics.csv; what is not there is left out.
  func takeCurves(fromMetrics path: String, until epoch: Int) {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
    let lines = text.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    guard let header = lines.first else { return }
    for row in lines.dropFirst() where row.count == header.count {
      let fields = Dictionary(zip(header, row)) { a, _ in a }
      guard let x = fields["epoch"].flatMap(Double.init), x <= Double(epoch),
        let lane = trainer.laneNames.firstIndex(of: fields["lane"] ?? "")
      else { continue }
      appendCurves(lane, x: x) { fields[$0].flatMap(Double.init) }
    }
  }
}
