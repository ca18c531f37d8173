// SPDX-License-Identifier: MIT

import Experiments
import Runs
import SpikeData
import Training

/// A bisection of a run on disk, from one of its checkpoints back. The run stays as it is.
public struct RunBisection {
  private let session: TrainingSession

  /// - Parameters:
  ///   - folder: of the run.
  ///   - place: the checkpoint at which it is so.
  ///   - lane: its name; nil: the first.
  /// - Throws: `FileError` when the run cannot be read, has no such lane, layer or neuron, or when
  ///   it is not so there.
  public init(
    _ question: BisectQuestion, run folder: String, preset: Preset, at place: Checkpoint.Place,
    lane: String?, threads: Int
  ) throws {
    let data = try preset.loadData()
    session = try TrainingSession(
      { try Trainer(preset, data: data, threads: threads) },
      resume: { try $0.resume(folder, at: place) }, past: folder, run: { _ in nil })
    let names = session.trainer.laneNames
    guard let index = lane.map({ names.firstIndex(of: $0) }) ?? 0 else {
      throw FileError(
        folder, "has no lane \(lane ?? ""); there are \(names.joined(separator: ", "))")
    }
    try session.begin(question, lane: index)
  }

  /// Searches to the end.
  /// - Parameter progress: called after every batch with what is being done.
  /// - Returns: the update; nil where none did it, and why.
  public func find(progress: (String) -> Void) -> (found: FoundUpdate?, words: String) {
    while let job = session.job {
      progress(job.progress)
      session.stepJob()
    }
    return (session.found, session.notice)
  }
}
