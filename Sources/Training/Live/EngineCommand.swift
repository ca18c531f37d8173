import EventPropCore

/// What a screen may ask of the engine. Takes effect at the next batch border.
public enum EngineCommand: Sendable, Equatable {
  case pause
  case resume
  /// Trains this many batches, then pauses.
  case step(batches: Int)
  /// Trains to the end of the epoch, then pauses.
  case stepEpoch
  /// Back to the initial weights: with the same commands, the identical run.
  case restart
  case setRate(lane: Int, Double)
  case setShaping(lane: Int, Shaping)
  case setLoss(lane: Int, kind: String)
  /// Copies a lane (weights, optimiser state) and goes on with another loss.
  case fork(lane: Int, kind: String)
  case drop(lane: Int)
  case checkpoint
  /// Shows another probe sample.
  case probe(Int)
  /// Says something on the screen's notice line.
  case notice(String)

  /// What the log and the curves' marks say; nil for what does not change the training.
  public var logText: String? {
    switch self {
    case .pause, .resume, .step, .stepEpoch, .probe, .checkpoint, .notice: nil
    case .restart: "restart"
    case .setRate(_, let rate): "rate \(rate)"
    case .setShaping(_, let shaping): "shaping \(shaping.kind)"
    case .setLoss(_, let kind): "loss \(kind)"
    case .fork(_, let kind): "fork \(kind)"
    case .drop: "drop"
    }
  }

  var lane: Int? {
    switch self {
    case .setRate(let lane, _), .setShaping(let lane, _), .setLoss(let lane, _),
      .fork(let lane, _), .drop(let lane):
      lane
    default: nil
    }
  }
}
