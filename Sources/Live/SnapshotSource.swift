// SPDX-License-Identifier: MIT

/// Where a screen gets its snapshots from, and where its commands go: an engine that trains, or
/// finished runs.
public protocol SnapshotSource {
  /// The newest snapshot, if there is one newer than `serial`.
  func snapshot(after serial: Int) -> Snapshot?
  func send(_ command: EngineCommand)
  /// Why there are no snapshots; nil while all is well.
  var startFailure: String? { get }
  /// Asks for the end, with a checkpoint where something trains.
  func leave()
  /// What came of it.
  var leaving: Leaving { get }
  /// Ends, come what may.
  /// - Returns: why what there was could not be kept; nil when all is well.
  func stop() -> String?
}

/// How far leaving has got.
public enum Leaving: Sendable, Equatable {
  case no, asked, done
  /// The checkpoint could not be written, and why.
  case failed(String)
}

extension Engine: SnapshotSource {}
