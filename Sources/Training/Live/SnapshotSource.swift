/// Where a screen gets its snapshots from, and where its commands go: an engine that trains, or finished runs.
public protocol SnapshotSource {
  /// The newest snapshot, if there is one newer than `serial`.
  func snapshot(after serial: Int) -> Snapshot?
  func send(_ command: EngineCommand)
  /// Why there are no snapshots; nil while all is well.
  var startFailure: String? { get }
  func stop()
}

extension Engine: SnapshotSource {}
