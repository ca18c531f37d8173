// SPDX-License-Identifier: MIT

import Experiments
import Live
import Training
import Charts
import Diagnosis
import EventPropCore

/// Keys as the workbench knows them; the terminal translates.
public enum Key: Sendable, Hashable {
  case character(Character)
  case enter, escape, tab, backTab, backspace
  case up, down, left, right, pageUp, pageDown, home, end

  var label: String {
    switch self {
    case .character(" "): "space"
    case .character(let c): String(c)
    case .enter: "Enter"
    case .escape: "Esc"
    case .tab: "Tab"
    case .backTab: "Shift-Tab"
    case .backspace: "Backspace"
    case .up: "↑"
    case .down: "↓"
    case .left: "←"
    case .right: "→"
    case .pageUp: "PgUp"
    case .pageDown: "PgDn"
    case .home: "Home"
    case .end: "End"
    }
  }

  /// The row of a list that it leads to from one of them; nil where it does not move there.
  func moved(_ row: Int, last: Int) -> Int? {
    switch self {
    case .up: max(0, row - 1)
    case .down: min(last, row + 1)
    case .pageUp: max(0, row - 10)
    case .pageDown: min(last, row + 10)
    case .home: 0
    case .end: last
    default: nil
    }
  }

  /// As arrows, for hands that stay on the letters.
  var unlettered: Key {
    switch self {
    case .character("k"): .up
    case .character("j"): .down
    default: self
    }
  }
}

/// One thing a key does. Help, the bottom line and `:` commands are made from the same table.
public struct Action: Sendable {
  /// Typed after `:`.
  public var name: String
  /// Any of them does it; empty: it is only typed after `:`.
  public var keys: [Key]
  /// Short, for the bottom line; empty keeps it out of there.
  public var short: String
  /// What it does, for the help; also found by its search.
  public var title: String
  /// On which screens; nil: everywhere.
  public var screens: Set<ScreenKind>?
  /// What may be typed after the name; nil: nothing.
  public var values: TypedValues?
  /// Why it cannot be done now; nil when it can.
  var obstacle: @Sendable (WorkbenchState, Snapshot) -> String? = { _, _ in nil }
  var run: @Sendable (inout WorkbenchState, Snapshot) -> [Effect]

  func applies(on screen: ScreenKind) -> Bool { screens?.contains(screen) ?? true }
}

extension Action {
  /// Every action, in the order of the help.
  public static let all: [Action] =
    training + lanes + viewing + typedOnly + untold + screens + program

  @Sendable static func whenTraining(_ state: WorkbenchState, _ snapshot: Snapshot)
    -> String?
  {
    guard snapshot.isStill else { return nil }
    return snapshot.isWatched
      ? "this run is trained elsewhere, and only looked at here"
      : "these are finished runs: open one alone to train it"
  }

  @Sendable static func whenLive(_ state: WorkbenchState, _ snapshot: Snapshot) -> String? {
    if let obstacle = whenTraining(state, snapshot) { return obstacle }
    return whenPresent(state, snapshot)
  }

  @Sendable static func whenPresent(_ state: WorkbenchState, _ snapshot: Snapshot)
    -> String?
  {
    state.back > 0
      ? "you are looking at the past: \(state.keys.label("live")) goes back to live" : nil
  }

  /// Nothing else is being trained again.
  @Sendable static func whenFree(_ state: WorkbenchState, _ snapshot: Snapshot) -> String? {
    if let obstacle = whenTraining(state, snapshot) { return obstacle }
    return snapshot.job.isEmpty ? nil : "\(snapshot.job): Esc gives it up"
  }

  static let training: [Action] = [
    Action(
      name: "pause", keys: [.character(" ")], short: "pause", title: "pause or resume training",
      obstacle: { state, snapshot in
        whenTraining(state, snapshot)
          ?? (snapshot.failure.isEmpty || snapshot.canGoOn
            ? nil : "training failed: \(state.keys.label("restart")) restarts")
      },
      run: { _, snapshot in [.engine(snapshot.isPaused ? .resume : .pause)] }),
    Action(
      name: "batch", keys: [.character("n")], short: "batch", title: "train one batch, then pause",
      obstacle: whenTraining, run: { _, _ in [.engine(.step(batches: 1))] }),
    Action(
      name: "epoch", keys: [.character("N")], short: "epoch",
      title: "train to the end of the epoch, then pause", obstacle: whenTraining,
      run: { _, _ in [.engine(.stepEpoch)] }),
    Action(
      name: "full-speed", keys: [.character(">")], short: "", title: "end the slow motion",
      obstacle: { _, snapshot in
        snapshot.speed > 0 ? nil : "training runs at full speed"
      },
      run: { _, _ in [.engine(.fullSpeed)] }),
    Action(
      name: "restart", keys: [.character("R")], short: "",
      title: "start again from the same weights", obstacle: whenTraining,
      run: { state, snapshot in
        let kept =
          snapshot.runPath.isEmpty
          ? "what there is is lost" : "before-restart-n/ keeps what there is"
        var text = "Restart at epoch 0 (\(kept))? y: as the preset says"
        var answers: [Key: [Effect]] = [
          .character("y"): [.engine(.restart(keeping: false))]
        ]
        if snapshot.hasSettings {
          text += "; k: with losses, rates, lanes as changed since"
          answers[.character("k")] = [.engine(.restart(keeping: true))]
        }
        state.question = Question(text + "; others stay", answers)
        return []
      }),
    Action(
      name: "undo", keys: [.character("U")], short: "",
      title: "take back the last command that changed a lane",
      obstacle: { state, snapshot in
        whenLive(state, snapshot)
          ?? (snapshot.undoable == nil ? "no command of this session changed a lane" : nil)
      },
      run: { _, _ in [.change(Undo())] }),
    Action(
      name: "checkpoint", keys: [.character("c")], short: "", title: "write a checkpoint now",
      obstacle: { state, snapshot in
        whenTraining(state, snapshot)
          ?? (snapshot.runPath.isEmpty ? "there is no run folder" : nil)
      },
      run: { _, _ in [.engine(.checkpoint)] }),
  ]

  static let lanes: [Action] = [
    Action(
      name: "lane", keys: [.tab], short: "lane", title: "choose the next lane",
      obstacle: { state, snapshot in
        snapshot.lanes.count > 1 ? nil : "there is one lane: \(state.keys.label("fork")) forks it"
      },
      run: { state, snapshot in
        state.lane = (state.lane + 1) % max(snapshot.lanes.count, 1)
        return []
      }),
    Action(
      name: "seed", keys: [.character(",")], short: "",
      title: "the next seed alone, then all together", values: .seed,
      obstacle: { _, snapshot in
        snapshot.seeds.count > 1 ? nil : "there is one seed: :seeds 5 trains five"
      },
      run: { state, snapshot in
        let next = state.seed.map { $0 + 1 } ?? 0
        state.seed = next < snapshot.seeds.count ? next : nil
        return [.engine(.show(seed: state.seed ?? 0))]
      }),
    Action(
      name: "shaping", keys: [.character("s")], short: "shaping",
      title: "next shaping of the chosen lane's loss", values: .shaping,
      obstacle: { state, snapshot in
        if let obstacle = whenLive(state, snapshot) { return obstacle }
        return state.chosen(snapshot)?.isShaped ?? false
          ? nil : "this loss has no integral to shape: \(state.keys.label("loss")) changes it"
      },
      run: { state, snapshot in
        guard let lane = state.chosen(snapshot) else { return [] }
        return [.change(SetShaping(lane: state.lane, lane.shaping.next))]
      }),
    Action(
      name: "loss", keys: [.character("l")], short: "loss", title: "next loss for the chosen lane",
      values: .logged("loss"), obstacle: whenLive,
      run: { state, snapshot in
        guard let lane = state.chosen(snapshot) else { return [] }
        return [.change(SetLoss(lane: state.lane, kind: LossTable.next(after: lane.lossKind)))]
      }),
    Action(
      name: "rate", keys: [.character("e")], short: "rate", title: "type a learning rate",
      values: .logged("rate"), obstacle: whenLive,
      run: { state, _ in
        state.prompt = Prompt(.rate)
        return []
      }),
    Action(
      name: "faster", keys: [.character("}")], short: "", title: "double the learning rate",
      obstacle: whenLive,
      run: { state, snapshot in
        guard let lane = state.chosen(snapshot) else { return [] }
        return [.change(SetRate(lane: state.lane, lane.baseRate * 2))]
      }),
    Action(
      name: "slower", keys: [.character("{")], short: "", title: "halve the learning rate",
      obstacle: whenLive,
      run: { state, snapshot in
        guard let lane = state.chosen(snapshot) else { return [] }
        return [.change(SetRate(lane: state.lane, lane.baseRate / 2))]
      }),
    Action(
      name: "fork", keys: [.character("f")], short: "fork",
      title: "copy the chosen lane, and say what the copy is to do differently", values: .fork,
      obstacle: { state, snapshot in
        whenFree(state, snapshot)
          ?? (snapshot.lanes.count < 4
            ? nil : "four lanes are the most: \(state.keys.label("drop")) drops one")
      },
      run: { state, _ in
        state.prompt = Prompt(.fork)
        return []
      }),
    Action(
      name: "drop", keys: [.character("D")], short: "", title: "drop the chosen lane",
      obstacle: { state, snapshot in
        whenLive(state, snapshot) ?? (snapshot.lanes.count > 1 ? nil : "the last lane stays")
      },
      run: { state, snapshot in
        guard let lane = state.chosen(snapshot) else { return [] }
        state.question = Question(
          "Drop \(lane.letter) \(lane.description) of epoch \(Wording.position(snapshot.position))? "
            + "y drops it (U brings it back), any other key does not",
          [.character("y"): [.change(Drop(lane: state.lane))]])
        return []
      }),
  ]

  /// The next sample; on the raster with marks the next of the probe set, which has them.
  private static func probe(
    _ state: WorkbenchState, _ snapshot: Snapshot, by change: Int
  ) -> Int {
    guard state.screen == .raster, state.hasMarks, snapshot.probeSamples > 0 else {
      return snapshot.probe + change
    }
    let trials = snapshot.probeSamples
    let here =
      (0..<trials).last { snapshot.sample(ofTrial: $0) <= snapshot.probe } ?? 0
    return snapshot.sample(ofTrial: (here + change + trials) % trials)
  }

  private static let viewing: [Action] =
    [
      Action(
        name: "back", keys: [.character("[")], short: "[ ] history",
        title: "back in training history, while it goes on",
        run: { state, _ in
          state.back += 1
          return []
        }),
      Action(
        name: "forward", keys: [.character("]")], short: "", title: "forward in training history",
        obstacle: { state, _ in state.back > 0 ? nil : "this is live" },
        run: { state, _ in
          state.back -= 1
          return []
        }),
      Action(
        name: "live", keys: [.character(".")], short: "", title: "back to live",
        obstacle: { state, _ in state.back > 0 ? nil : "this is live" },
        run: { state, _ in
          state.back = 0
          return []
        }),
      Action(
        name: "next-probe", keys: [.character("p")], short: "probe",
        title: "show the next probe sample",
        obstacle: whenPresent,
        run: { state, snapshot in [.engine(.probe(probe(state, snapshot, by: 1)))] }),
      Action(
        name: "previous-probe", keys: [.character("P")], short: "",
        title: "show the probe sample before",
        obstacle: whenPresent,
        run: { state, snapshot in [.engine(.probe(probe(state, snapshot, by: -1)))] }),
      Action(
        name: "layer", keys: [.character("y")], short: "layer", title: "next layer",
        screens: [.raster, .gradients, .rates],
        run: { state, snapshot in
          let layers = state.chosen(snapshot)?.trial.layers.count ?? 1
          state.layer = (state.layer + 1) % max(layers, 1)
          return []
        }),
      Action(
        name: "down", keys: [.down], short: "", title: "scroll down", screens: [.log, .compare],
        run: { state, _ in
          state.scroll += 1
          return []
        }),
      Action(
        name: "up", keys: [.up], short: "", title: "scroll up", screens: [.log, .compare],
        run: { state, _ in
          state.scroll = max(0, state.scroll - 1)
          return []
        }),
      Action(
        name: "alarm", keys: [.character("!")], short: "",
        title: "go to the screen that explains the newest alarm, lapsed or not",
        obstacle: { _, snapshot in
          snapshot.newestAlarm == nil ? "there has been no alarm" : nil
        },
        run: { state, snapshot in
          guard let (lane, alarm) = snapshot.newestAlarm else { return [] }
          state.lane = lane
          state.screen = alarm.kind.screen
          return []
        }),
      Action(
        name: "alarms", keys: [.character("A")], short: "",
        title: "list all alarms, with their epochs",
        run: { state, _ in
          state.isAlarmListShown = true
          state.alarmRow = 0
          return []
        }),
    ]
    + ScreenKind.allCases.flatMap { kind in
      kind.screen.actions.map { action in
        var own = action
        own.screens = [kind]
        return own
      }
    }

  private static let screens: [Action] = ScreenKind.allCases.map { kind in
    Action(
      name: kind.action, keys: [kind.key],
      short: kind == .overview ? "1-0 screens" : "",
      title: "screen: \(kind.title)",
      run: { state, _ in
        state.screen = kind
        return []
      })
  }

  private static let program: [Action] = [
    Action(
      name: "export", keys: [.character("x")], short: "export",
      title: "write this screen's figures as SVG and CSV",
      obstacle: { _, snapshot in snapshot.runPath.isEmpty ? "there is no run folder" : nil },
      run: { _, _ in [.export] }),
    Action(
      name: "command", keys: [.character(":")], short: ": command", title: "type a command",
      run: { state, _ in
        state.prompt = Prompt(.command)
        return []
      }),
    Action(
      name: "help", keys: [.character("?")], short: "? help", title: "this help; type to search",
      run: { state, _ in
        state.isHelpShown = true
        state.helpFilter = ""
        state.helpRow = 0
        return []
      }),
    Action(
      name: "quit", keys: [.character("q")], short: "q quit",
      title: "leave; training is checkpointed",
      run: { state, snapshot in
        let isKept = !snapshot.runPath.isEmpty
        let isBegun = snapshot.position > 0 && !snapshot.isStill
        if isKept && (snapshot.isPaused || snapshot.isFinished || !snapshot.failure.isEmpty)
          || !isBegun
        {
          return [.quit]
        }
        let text =
          isKept
          ? "Training is running. Leave with a checkpoint? y leaves, any other key stays"
          : "Nothing of this session is kept on disk. Leave and lose it? y leaves, any other key stays"
        var answers: [Key: [Effect]] = [.character("y"): [.quit]]
        if isKept { answers[.character("q")] = [.quit] }
        state.question = Question(text, answers)
        return []
      }),
  ]
}

extension Alarm.Kind {
  /// The screen that explains it.
  var screen: ScreenKind {
    switch self {
    case .deleting, .opposed: .ledger
    case .silentLayer, .collapse, .saturated: .silence
    case .vanishing, .exploding, .lateGradient: .gradients
    case .muteOutputs: .compare
    case .notANumber: .log
    }
  }
}

extension Snapshot {
  /// The first alarm, and its lane.
  var alarm: (lane: Int, alarm: Alarm)? {
    for (index, lane) in lanes.enumerated() {
      if let alarm = lane.alarms.first { return (index, alarm) }
    }
    return nil
  }
}

extension Snapshot {
  /// The first alarm of now, else the one that lapsed last.
  var newestAlarm: (lane: Int, alarm: Alarm)? {
    if let alarm { return alarm }
    guard let last = alarmList.first else { return nil }
    return (last.lane, last.record.alarm)
  }

  /// All alarms of all lanes, the newest first.
  var alarmList: [(lane: Int, record: AlarmRecord)] {
    lanes.enumerated().flatMap { lane, picture in
      picture.alarmRecords.map { (lane: lane, record: $0) }
    }.sorted { ($0.record.last, $0.record.first) > ($1.record.last, $1.record.first) }
  }
}

extension WorkbenchState {
  func chosen(_ snapshot: Snapshot) -> LaneSnapshot? {
    snapshot.lanes.indices.contains(lane) ? snapshot.lanes[lane] : snapshot.lanes.first
  }

  /// The middle spike of the chosen layer in view, as a share of the trial: zooming in on it never
  /// shows an empty frame.
  func middleOfSpikes(_ snapshot: Snapshot) -> Double? {
    guard let trial = chosen(snapshot)?.trial, !trial.layers.isEmpty, snapshot.duration > 0 else {
      return nil
    }
    let shares = trial.layers[min(layer, trial.layers.count - 1)]
      .map { $0.time / snapshot.duration }.filter { zoom.contains($0) }.sorted()
    return shares.isEmpty ? nil : shares[shares.count / 2]
  }

  mutating func zoomTime(by factor: Double, around spikes: Double? = nil) {
    let middle = cursor ?? spikes ?? (zoom.lowerBound + zoom.upperBound) / 2
    let half = min(0.5, max(0.002, (zoom.upperBound - zoom.lowerBound) / 2 * factor))
    let low = min(max(0, middle - half), 1 - 2 * half)
    zoom = low...(low + 2 * half)
  }

  mutating func panTime(by share: Double) {
    let width = zoom.upperBound - zoom.lowerBound
    let low = min(max(0, zoom.lowerBound + share * width), 1 - width)
    zoom = low...(low + width)
  }
}

extension LossTable {
  static func next(after kind: String) -> String {
    let kinds = all.map(\.kind)
    let index = kinds.firstIndex(of: kind) ?? -1
    return kinds[(index + 1) % kinds.count]
  }
}
