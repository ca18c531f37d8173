// SPDX-License-Identifier: MIT

import Experiments
import Runs
import Training
import Diagnosis

/// Trains for some updates, each of them observed closely. Nothing is written.
public final class DiagnosisSession {
  private let training: TrainingSession
  /// Per lane, over the updates observed here.
  public private(set) var totals: [LedgerTotals]

  /// - Parameters:
  ///   - run: folder of the run that `place` belongs to; nil starts from the preset's initial
  ///     weights.
  public init(_ preset: Preset, run: String?, place: Checkpoint.Place?, threads: Int) throws {
    training = try TrainingSession(
      { try Trainer(preset, data: preset.loadData(), threads: threads) },
      resume: { if let run, let place { try $0.resume(run, at: place) } }, run: { _ in nil })
    totals = training.trainer.lanes.map { _ in LedgerTotals() }
    training.apply(.detail(.ledger))
  }

  /// Trains one batch.
  /// - Returns: every lane's name and the ledger of its update.
  /// - Throws: `TrainingError`.
  public func observeUpdate() throws -> [(lane: String, ledger: Ledger)] {
    training.observeNext()
    _ = training.trainBatch()
    guard training.failure.isEmpty else { throw TrainingError(description: training.failure) }
    return training.trainer.lanes.enumerated().compactMap { index, lane in
      guard let ledger = lane.diagnosis.ledger else { return nil }
      totals[index].add(ledger)
      return (lane.name, ledger)
    }
  }

  /// Who the lanes are, and nothing else of them.
  public var identities: [LaneSnapshot] {
    training.trainer.lanes.map { lane in
      var identity = LaneSnapshot()
      identity.identify(lane.options)
      return identity
    }
  }

  /// The lanes after the last update.
  public func snapshot(_ detail: Detail) -> Snapshot {
    training.apply(.detail(detail))
    defer { training.apply(.detail(.ledger)) }
    return training.snapshot()
  }
}
