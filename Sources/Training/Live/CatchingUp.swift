import Foundation

extension Trainer {
  /// Gives the lanes the options they had at a checkpoint: what a session's log changed up to there. Call it before
  /// `Checkpoint.restore`, which brings the weights.
  public func catchUp(withLogOf run: String, to place: Checkpoint.Place) throws {
    let path = (run as NSString).appendingPathComponent("commands.jsonl")
    guard FileManager.default.fileExists(atPath: path) else { return }
    var commands = try LoggedCommand.read(path)
    if let restart = commands.lastIndex(where: { $0.text == "restart" }) {
      commands.removeSubrange(...restart)
    }
    for logged in commands where (logged.epoch, logged.batch) <= (place.epoch, place.batch) {
      let lane = laneNames.firstIndex(of: logged.lane) ?? 0
      if let command = EngineCommand(logText: logged.text, lane: lane) { try apply(command) }
    }
  }
}
