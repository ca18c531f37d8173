// SPDX-License-Identifier: MIT

import Experiments
import Live
import Training
import EventPropCore

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
  init(_ form: CommandForm) {
    self.init(usage: form.usage, words: form.words) { values, state, _ in
      CommandTable.command([form.name] + values, lane: state.lane).map { [.change($0)] }
    }
  }

  /// Of a command that is in the table.
  static func logged(_ name: String) -> TypedValues {
    TypedValues(CommandTable.forms.first { $0.name == name }!)
  }

  /// Shapings, and `custom` alone, which begins with the curve there is.
  static let shaping: TypedValues = {
    var values = logged("shaping")
    let read = values.read
    values.read = { values, state, snapshot in
      guard values == ["custom"], let lane = state.chosen(snapshot) else {
        return read(values, &state, snapshot)
      }
      return [.change(SetShaping(lane: state.lane, .custom(ShapingScreen.corners(lane.shaping))))]
    }
    return values
  }()

  /// What a fork is to do differently: a loss, or a command with a value. The focus moves to it.
  static let fork = TypedValues(
    usage: logged("loss").usage + ", shaping KIND, rate NUMBER, or nothing for the same",
    words: logged("loss").words + ["shaping", "rate"]
  ) { values, state, snapshot in
    guard let lane = state.chosen(snapshot) else { return nil }
    let new = snapshot.lanes.count
    if state.back > 0 {
      var rewind = Rewind(to: snapshot.place, lane: lane.identity)
      if values.count == 1, LossTable.entry(values[0]) != nil {
        rewind.loss = values[0]
      } else if !values.isEmpty {
        guard let change = CommandTable.command(values, lane: new),
          type(of: change).effect == .changes
        else { return nil }
        rewind.change = values
      }
      (state.back, state.lane) = (0, new)
      return [.engine(.rewind(rewind))]
    }
    var effects = [Effect.change(Fork(lane: state.lane, kind: lane.lossKind))]
    if values.count == 1, LossTable.entry(values[0]) != nil {
      effects = [.change(Fork(lane: state.lane, kind: values[0]))]
    } else if !values.isEmpty {
      guard let change = CommandTable.command(values, lane: new),
        type(of: change).effect == .changes
      else { return nil }
      effects.append(.change(change))
    }
    state.lane = new
    return effects
  }

  static let seed = TypedValues(
    usage: "a seed, as 2, or all", words: ["all"]
  ) { values, state, snapshot in
    guard values.count == 1 else { return nil }
    if values[0] == "all" {
      state.seed = nil
      return [.engine(.show(seed: 0))]
    }
    guard let number = Int(values[0]), let index = snapshot.seeds.firstIndex(of: number) else {
      return nil
    }
    state.seed = index
    return [.engine(.show(seed: index))]
  }

  static let seeds = TypedValues(usage: "1 to \(Preset.mostSeeds), as 5") { values, state, _ in
    guard values.count == 1, let count = Int(values[0]), (1...Preset.mostSeeds).contains(count)
    else { return nil }
    state.seed = nil
    return [.engine(.show(seed: 0)), .engine(.seeds(count))]
  }

  static let probe = TypedValues(usage: "the number of a test sample, as 7") { values, _, _ in
    guard values.count == 1, let probe = Int(values[0]) else { return nil }
    return [.engine(.probe(probe))]
  }

  static let goTo = TypedValues(usage: "an epoch, as 12 or 12.5") { values, _, _ in
    guard values.count == 1, let epoch = Double(values[0]), epoch >= 0 else { return nil }
    return [.goTo(epoch)]
  }

  static let breakpoint = TypedValues(
    usage: Breakpoint.usage,
    words: [
      "silent hidden1 10%", "neuron 0 silent", "deleted > created 20", "loss > 2x", "none",
    ]
  ) { values, _, _ in
    if values == ["none"] { return [.engine(.breakWhen(nil))] }
    return Breakpoint(words: values).map { [.engine(.breakWhen($0))] }
  }

  static let bisect = TypedValues(usage: BisectQuestion.usage, words: BisectQuestion.words) {
    values, state, _ in
    BisectQuestion(words: values).map { [.engine(.bisect($0, lane: state.lane))] }
  }

  static let stop = TypedValues(
    usage: "epoch 20, accuracy 0.95, r2 0.95, dead, or none",
    words: ["epoch", "accuracy", "r2", "dead", "none"]
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
    typed(
      "break", "pause at the batch that does it, and show why", .breakpoint,
      obstacle: whenTraining),
    typed(
      "seeds", "train every lane with so many seeds", .seeds, obstacle: whenFree),
    typed(
      "bisect", "find the one update that did it, and show its ledger", .bisect,
      obstacle: whenFree),
    Action(
      name: "without", keys: [], short: "",
      title: "go back to before the update shown, and on without its batch in a fork",
      obstacle: { state, snapshot in
        whenFree(state, snapshot)
          ?? (state.chosen(snapshot)?.ledger == nil ? "no update has been observed yet" : nil)
          ?? (snapshot.lanes.count < 4
            ? nil : "four lanes are the most: \(state.keys.label("drop")) drops one")
      },
      run: { state, snapshot in
        guard let lane = state.chosen(snapshot), let ledger = lane.ledger else { return [] }
        let rewind = Rewind(
          to: PastPlace(epoch: ledger.epoch, batch: ledger.batch), lane: lane.identity,
          skipsBatch: true)
        state.question = Question(
          "Back to before batch \(ledger.batch + 1) of epoch \(ledger.epoch + 1), a fork of "
            + "\(lane.letter) not learning from it? y goes, any other key stays",
          [.character("y"): [.goTo(.infinity), .engine(.rewind(rewind))]])
        return []
      }),
    Action(
      name: "report", keys: [], short: "",
      title: "write a folder that explains the run and makes it again: :report",
      obstacle: { _, snapshot in snapshot.runPath.isEmpty ? "there is no run folder" : nil },
      run: { _, snapshot in (snapshot.isStill ? [] : [.engine(.checkpoint)]) + [.report] }),
    typed(
      "stop", "pause at an epoch, an accuracy or R², or a dead layer", .stop, obstacle: whenTraining
    ),
  ]

  /// Commands that have neither a key nor an entry of their own: they need none.
  static var untold: [Action] {
    let told = Set((training + lanes).map(\.name))
    return CommandTable.forms.filter { !told.contains($0.name) }.map {
      typed($0.name, $0.title, TypedValues($0), obstacle: whenLive)
    }
  }

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
