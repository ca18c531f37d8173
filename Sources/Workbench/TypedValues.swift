// SPDX-License-Identifier: MIT

import EventPropCore
import Training

/// What may be typed after an action's name: `rate 1e-3`, `stop epoch 20`. One entry says what is
/// allowed, what completes, and what it asks for; help, completion, refusals and the bottom line
/// come from it.
public struct TypedValues: Sendable {
  /// As in help and in refusals: `NUMBER, as 1e-3`.
  public var usage: String
  /// Words that complete.
  public var words: [String] = []
  /// What the words ask for; nil when they are not as `usage` says.
  var read: @Sendable ([String], inout WorkbenchState, Snapshot) -> [Effect]?
}

extension TypedValues {
  /// Values as the log has them: what is typed is what is logged, and read by the same rules.
  static func logged(_ name: String, _ usage: String, _ words: [String] = []) -> TypedValues {
    TypedValues(usage: usage, words: words) { values, state, _ in
      let text = ([name] + values).joined(separator: " ")
      return EngineCommand(logText: text, lane: state.lane).map { [.engine($0)] }
    }
  }

  static let rate = TypedValues(usage: "a number from 0 to 1000, as 5e-3") { values, state, _ in
    guard values.count == 1, let rate = Double(values[0]), rate >= 0, rate <= 1000 else {
      return nil
    }
    return [.engine(.setRate(lane: state.lane, rate))]
  }

  static let losses = LossTable.all.map(\.kind)
  static let loss = logged("loss", losses.joined(separator: ", "), losses)

  static let shaping = TypedValues(
    usage: ShapingTable.all.map { $0.usage }.joined(separator: ", "), words: ShapingTable.kinds
  ) { values, state, snapshot in
    // Alone, `custom` begins with the curve there is.
    if values == ["custom"], let lane = state.chosen(snapshot) {
      return [
        .engine(.setShaping(lane: state.lane, .custom(ShapingScreen.corners(lane.shaping))))
      ]
    }
    return Shaping(words: values).map { [.engine(.setShaping(lane: state.lane, $0))] }
  }

  /// What a fork is to do differently: a loss, or a command with a value. The focus moves to it.
  static let fork = TypedValues(
    usage: losses.joined(separator: ", ") + ", shaping KIND, rate NUMBER, or nothing for the same",
    words: losses + ["shaping", "rate"]
  ) { values, state, snapshot in
    guard let lane = state.chosen(snapshot) else { return nil }
    let new = snapshot.lanes.count
    var effects = [Effect.engine(.fork(lane: state.lane, kind: lane.lossKind))]
    if values.count == 1, LossTable.entry(values[0]) != nil {
      effects = [.engine(.fork(lane: state.lane, kind: values[0]))]
    } else if !values.isEmpty {
      let text = values.joined(separator: " ")
      guard let change = EngineCommand(logText: text, lane: new), change.changesLane else {
        return nil
      }
      effects.append(.engine(change))
    }
    state.lane = new
    return effects
  }

  static let probe = TypedValues(usage: "the number of a test sample, as 7") { values, _, _ in
    guard values.count == 1, let probe = Int(values[0]) else { return nil }
    return [.engine(.probe(probe))]
  }

  static let goTo = TypedValues(usage: "an epoch, as 12 or 12.5") { values, _, _ in
    guard values.count == 1, let epoch = Double(values[0]), epoch >= 0 else { return nil }
    return [.goTo(epoch)]
  }

  static let stop = TypedValues(
    usage: "epoch 20, accuracy 0.95, dead, or none", words: ["epoch", "accuracy", "dead", "none"]
  ) { values, _, _ in
    if values == ["none"] { return [.engine(.stopWhen(nil))] }
    return StopCondition(words: values).map { [.engine(.stopWhen($0))] }
  }
}

extension Action {
  /// Commands that take values and have no key: alone, they open the prompt.
  static let typedOnly: [Action] = [
    typed("goto", "go to an epoch, or by a click on the curve", .goTo, obstacle: { _, _ in nil }),
    typed("probe", "show a probe sample by its number", .probe, obstacle: whenPresent),
    typed("stop", "pause at an epoch, an accuracy, or a dead layer", .stop, obstacle: whenTraining),
    typed(
      "regularisation", "rate regularisation of the chosen lane",
      .logged("regularisation", "two numbers, upwards and downwards, as 1e-9 1e-9"),
      obstacle: whenLive),
    typed(
      "order-seed", "another order of batches from the next epoch on",
      .logged("order-seed", "a whole number"), obstacle: whenLive),
    typed(
      "lift", "add to all incoming weights of some neurons",
      .logged("lift", "a number, a layer and neurons, as 0.02 hidden1 3,7"), obstacle: whenLive),
    typed(
      "redraw", "draw incoming weights of some neurons anew",
      .logged("redraw", "a layer and neurons, as hidden1 3,7"), obstacle: whenLive),
  ]

  private static func typed(
    _ name: String, _ title: String, _ values: TypedValues,
    obstacle: @escaping @Sendable (WorkbenchState, Snapshot) -> String?
  ) -> Action {
    Action(
      name: name, keys: [], short: "", title: "\(title): :\(name) \(values.usage)",
      values: values, obstacle: obstacle,
      run: { state, _ in
        state.prompt = Prompt(.command, text: name + " ")
        return []
      })
  }
}
