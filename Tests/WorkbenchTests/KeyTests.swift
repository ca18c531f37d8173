// SPDX-License-Identifier: MIT

@testable import Live
@testable import Training
import Charts
import Diagnosis
@testable import EventPropCore
import Testing

@testable import Workbench

@Suite struct KeyTests {
  func press(_ keys: [Key], _ state: inout WorkbenchState, _ snapshot: Snapshot = sampleSnapshot())
    -> [Effect]
  {
    keys.flatMap { state.handle($0, snapshot) }
  }

  /// What an effect gives lane 0.
  func shaping(_ effect: Effect?) -> Shaping? {
    guard case .engine(.training(let any))? = effect, any.command.lane == 0 else { return nil }
    return (any.command as? SetShaping)?.shaping
  }

  func type(_ text: String) -> [Key] { text.map { .character($0) } }

  @Test func namesAreUniqueAndKeysDoNotClash() {
    #expect(Set(Action.all.map(\.name)).count == Action.all.count)
    for screen in ScreenKind.allCases {
      let keys = Action.all.filter { $0.applies(on: screen) }.flatMap(\.keys)
      #expect(Set(keys).count == keys.count, "\(screen)")
    }
  }

  @Test func trainingKeys() {
    var state = WorkbenchState()
    #expect(press([.character(" ")], &state) == [.engine(.pause)])
    var paused = sampleSnapshot()
    paused.isPaused = true
    #expect(press([.character(" ")], &state, paused) == [.engine(.resume)])
    #expect(press(type("nN"), &state) == [.engine(.step(batches: 1)), .engine(.stepEpoch)])
    #expect(press([.tab, .character("s")], &state) == [.change(SetShaping(lane: 1, .linear))])
    #expect(press(type("l"), &state) == [.change(SetLoss(lane: 1, kind: "avg_xentropy"))])
    #expect(press(type("}"), &state) == [.change(SetRate(lane: 1, 4e-3))])
    // A fork asks what to change, and takes the focus.
    #expect(press(type("f"), &state).isEmpty)
    #expect(state.prompt?.purpose == .fork)
    #expect(press([.enter], &state) == [.change(Fork(lane: 1, kind: "sum"))])
    #expect(state.lane == 2)
    state.lane = 0
    #expect(press(type("fmax") + [.enter], &state) == [.change(Fork(lane: 0, kind: "max"))])
    state.lane = 0
    #expect(
      press(type("fshaping linear") + [.enter], &state)
        == [.change(Fork(lane: 0, kind: "sum")), .change(SetShaping(lane: 2, .linear))])
    state.lane = 0
    #expect(press(type("fdrop") + [.enter], &state).isEmpty)
    #expect(state.notice.contains("allowed is") && state.lane == 0)
  }

  @Test func disabledKeysSayWhy() {
    var state = WorkbenchState()
    let one = sampleSnapshot(lanes: 1)
    #expect(press([.tab], &state, one).isEmpty)
    #expect(state.notice.contains("there is one lane: f forks it"))
    #expect(press(type("]"), &state).isEmpty)
    #expect(state.notice.contains("this is live"))
    state.back = 3
    #expect(press(type("s"), &state).isEmpty)
    #expect(state.notice.contains("you are looking at the past"))
    #expect(press(type("."), &state).isEmpty)
    #expect(state.back == 0)
    #expect(press(type("o"), &state).isEmpty)
    #expect(state.notice.contains("on: Raster"))
    #expect(press(type("§"), &state).isEmpty)
    #expect(state.notice.contains("does nothing here"))
    state.lane = 2
    #expect(press(type("s"), &state, sampleSnapshot(lanes: 3)).isEmpty)
    #expect(state.notice.contains("no integral to shape"))
  }

  @Test func promptsSetRatesAndRunCommands() {
    var state = WorkbenchState()
    #expect(
      press(type("e5e-3") + [.enter], &state) == [.change(SetRate(lane: 0, 5e-3))])
    #expect(press(type("efast") + [.enter], &state).isEmpty)
    #expect(state.notice.contains("allowed is a number from 0 to 1000"))
    #expect(press(type(":fork max") + [.enter], &state) == [.change(Fork(lane: 0, kind: "max"))])
    #expect(press(type(":check") + [.tab, .enter], &state) == [.engine(.checkpoint)])
    #expect(press(type(":shaping spiral") + [.enter], &state).isEmpty)
    #expect(state.notice.contains("allowed is none, linear"))
    #expect(press(type(":nothing") + [.enter], &state).isEmpty)
    #expect(state.notice.contains("no command"))
    #expect(press(type(":x") + [.escape], &state).isEmpty)
    #expect(state.prompt == nil)
  }

  @Test func helpSearchesAndRuns() {
    var state = WorkbenchState()
    _ = press(type("?halve"), &state)
    #expect(HelpPanel.matches(state).map(\.name) == ["slower"])
    #expect(press([.enter], &state) == [.change(SetRate(lane: 0, 1e-3))])
    #expect(!state.isHelpShown)
    // An action of another screen goes there first.
    _ = press(type("?first spike") + [.enter], &state)
    #expect(state.screen == .raster)
    #expect(state.order == .rate)
  }

  /// What would be lost is asked about; any other key than the ones named keeps it.
  @Test func keysThatDestroyAsk() throws {
    var state = WorkbenchState()
    #expect(press(type("D"), &state).isEmpty && state.question != nil)
    #expect(press([.escape], &state).isEmpty && state.notice == "nothing was done")
    #expect(press(type("Dy"), &state) == [.change(Drop(lane: 0))])
    #expect(press(type("Ry"), &state) == [.engine(.restart(keeping: false))])
    #expect(press(type("Rk"), &state).isEmpty)
    var changed = sampleSnapshot()
    changed.hasSettings = true
    #expect(press(type("Rk"), &state, changed) == [.engine(.restart(keeping: true))])
    // Nothing of an ephemeral session is kept, whatever its pace.
    var ephemeral = sampleSnapshot()
    (ephemeral.runPath, ephemeral.isPaused) = ("", true)
    #expect(press(type("qq"), &state, ephemeral).isEmpty)
    #expect(press(type("qy"), &state, ephemeral) == [.quit])
    // Undo says what stands in its way.
    #expect(press(type("U"), &state).isEmpty && state.notice.contains("no command of this session"))
    changed.undoable = "loss max"
    #expect(press(type("U"), &state, changed) == [.change(Undo())])
  }

  /// A click makes w(t) piecewise linear only when that was said to be meant.
  @Test func clicksOnShapingAsk() {
    var state = WorkbenchState()
    state.screen = .shaping
    let effects = state.click(x: 60, y: 20, width: 120, height: 40, sampleSnapshot())
    guard case .ask(let question)? = effects.first, effects.count == 1 else {
      Issue.record("asks first")
      return
    }
    state.question = question
    guard let bent = shaping(press(type("y"), &state).first),
      bent.corners != nil
    else {
      Issue.record("y does it")
      return
    }
  }

  /// In history a fork is of that very state; without a batch, it is one that does not learn from
  /// the batch of the ledger that is shown.
  @Test func forksOfThePastGoBack() {
    var snapshot = sampleSnapshot(lanes: 2)
    snapshot.commands = 3
    var state = WorkbenchState()
    (state.back, state.lane) = (2, 1)
    state.prompt = Prompt(.command, text: "fork rate 1e-3")
    let place = PastPlace(epoch: snapshot.epoch, batch: snapshot.batch, commands: 3)
    let lane = snapshot.lanes[1].identity
    #expect(
      state.handle(.enter, snapshot)
        == [.engine(.rewind(Rewind(to: place, lane: lane, change: ["rate", "1e-3"])))])
    #expect(state.back == 0 && state.lane == 2)

    state.prompt = Prompt(.command, text: "without")
    state.lane = 0
    #expect(state.handle(.enter, snapshot) == [])
    let ledger = snapshot.lanes[0].ledger!
    let before = PastPlace(epoch: ledger.epoch, batch: ledger.batch)
    #expect(
      state.handle(.character("y"), snapshot)
        == [
          .goTo(.infinity),
          .engine(
            .rewind(Rewind(to: before, lane: snapshot.lanes[0].identity, skipsBatch: true))),
        ])
    // While something is trained again, nothing else is begun, and Esc gives it up.
    snapshot.job = "bisecting"
    state.prompt = Prompt(.command, text: "bisect accuracy 0.5")
    #expect(state.handle(.enter, snapshot) == [] && state.notice.contains("Esc gives it up"))
    #expect(state.handle(.escape, snapshot) == [.engine(.cancel)])
  }

  /// One seed alone by key, and all of them again.
  @Test func seedsAreChosenByKey() {
    var snapshot = sampleSnapshot()
    var state = WorkbenchState()
    #expect(state.handle(.character(","), snapshot) == [])
    #expect(state.notice.contains(":seeds 5 trains five"))
    snapshot.seeds = [7, 8]
    #expect(state.showsAllSeeds(snapshot))
    #expect(state.handle(.character(","), snapshot) == [.engine(.show(seed: 0))])
    #expect(state.handle(.character(","), snapshot) == [.engine(.show(seed: 1))])
    #expect(state.seed == 1 && snapshot.seedWords(state) == "seed 8 of 2")
    #expect(state.handle(.character(","), snapshot) == [.engine(.show(seed: 0))])
    #expect(state.seed == nil && snapshot.seedWords(state) == "2 seeds")
    state.prompt = Prompt(.command, text: "seed 8")
    #expect(state.handle(.enter, snapshot) == [.engine(.show(seed: 1))])
    state.prompt = Prompt(.command, text: "seeds 5")
    #expect(state.handle(.enter, snapshot).last == .engine(.seeds(5)))
  }

  /// Typed commands obey what their keys obey; the wheel and pastes never type.
  @Test func typedCommandsObeyObstacles() {
    let snapshot = sampleSnapshot()
    for text in [
      "rate 1e-3", "loss max", "shaping linear", "lift 0.1 hidden1 3", "order-seed 5", "skip",
    ] {
      var state = WorkbenchState()
      state.back = 2
      state.prompt = Prompt(.command, text: text)
      #expect(state.handle(.enter, snapshot) == [], "\(text)")
      #expect(state.notice.contains("you are looking at the past"), "\(text): \(state.notice)")
    }
    var still = sampleSnapshot()
    still.isStill = true
    for text in ["rate 1e-3", "stop dead", "regularisation 1 1", "drop", "restart", "undo"] {
      var state = WorkbenchState()
      state.prompt = Prompt(.command, text: text)
      #expect(state.handle(.enter, still) == [], "\(text)")
      #expect(state.notice.contains("finished runs"), "\(text): \(state.notice)")
    }
    var four = sampleSnapshot(lanes: 4)
    four.epoch = 3
    var state = WorkbenchState()
    state.prompt = Prompt(.command, text: "fork max")
    #expect(state.handle(.enter, four) == [] && state.notice.contains("four lanes are the most"))
    for screen in ScreenKind.allCases {
      var state = WorkbenchState()
      state.screen = screen
      state.prompt = Prompt(.rate)
      #expect(state.wheel(down: true, snapshot) == [] && state.prompt?.text == "")
      state.paste("1e-3\nD")
      #expect(state.prompt?.text == "1e-3")
      state.prompt = nil
      for down in [true, false] { #expect(state.wheel(down: down, snapshot) == []) }
      state.paste("Dear R colleague")
      #expect(state.question == nil && state.prompt == nil)
    }
  }

  @Test func quitAsksWhileTraining() {
    var state = WorkbenchState()
    #expect(press(type("q"), &state).isEmpty)
    #expect(state.question != nil)
    #expect(press([.escape], &state).isEmpty)
    #expect(press(type("qy"), &state) == [.quit])
    var paused = sampleSnapshot()
    paused.isPaused = true
    #expect(press(type("q"), &state, paused) == [.quit])
  }

  @Test func rasterZoomsAndPansWithinTheTrial() {
    var state = WorkbenchState()
    _ = press(type("2++"), &state)
    #expect(abs(state.zoom.upperBound - state.zoom.lowerBound - 0.25) < 1e-9)
    for _ in 0..<40 { _ = press([.right], &state) }
    #expect(abs(state.zoom.upperBound - 1) < 1e-9)
    for _ in 0..<80 { _ = press([.left], &state) }
    #expect(state.zoom.lowerBound == 0)
    for _ in 0..<20 { _ = press(type("-"), &state) }
    #expect(state.zoom == 0...1)
    _ = state.click(x: 60, y: 10, width: 120, height: 40, sampleSnapshot())
    #expect(abs((state.cursor ?? 0) - 0.5) < 0.1)
  }

  @Test func rasterShowsChosenNeurons() {
    var state = WorkbenchState()
    _ = press(type("2/0-4, 7") + [.enter], &state)
    #expect(state.neurons == [0, 1, 2, 3, 4, 7])
    _ = press(type("m"), &state)
    let text = Workbench.frame(state, sampleSnapshot(), width: 100, height: 30).plainText
    // The sample's spikes are of neurons 0, 7, 14, 1, 8, 15, 2, 9, 16, 3, 10, 17.
    #expect(text.contains("5 spikes of 5 of 6 neurons; 1 silent"))
    _ = press(type("/3-x") + [.enter], &state)
    #expect(state.notice.contains("allowed are numbers and ranges"))
    #expect(state.neurons.count == 6)
    _ = press(type("/") + [.enter], &state)
    #expect(state.neurons.isEmpty)
  }

  @Test func shapingIsEditedByKeysAndMouse() {
    var state = WorkbenchState()
    state.screen = .shaping
    guard let first = shaping(press(type("u"), &state).first),
      let points = first.corners
    else {
      Issue.record("u makes the curve editable")
      return
    }
    #expect(points.count == 5)
    #expect(abs(points[4].weight - 0.3679) < 1e-3)
    var snapshot = sampleSnapshot()
    snapshot.lanes[0].shaping = .custom(points)
    guard
      let second = shaping(press([.right, .up], &state, snapshot).first),
      let raised = second.corners
    else {
      Issue.record("up raises the corner")
      return
    }
    #expect(raised[1].weight > points[1].weight)
    #expect(raised[0] == points[0])
    let clicked = state.click(x: 117, y: 36, width: 120, height: 40, snapshot)
    guard let third = shaping(clicked.first), let low = third.corners else {
      Issue.record("a click moves the nearest corner")
      return
    }
    #expect(low[4].weight < 0.1)
  }

  /// The chosen silent neuron is lifted a little more than needed; all at once skips those that
  /// nothing wakes.
  @Test func silentNeuronsAreCured() {
    var state = WorkbenchState()
    state.screen = .silence
    let snapshot = sampleSnapshot()
    #expect(state.handle(.character("w"), snapshot) == [])
    #expect(state.notice.contains("no lift wakes this neuron"))
    #expect(
      state.handle(.character("d"), snapshot)
        == [.change(Cure(lane: 0, .redraw, layer: 0, neurons: [3]))])
    _ = state.handle(.down, snapshot)
    #expect(
      state.handle(.character("w"), snapshot)
        == [.change(Cure(lane: 0, .lift(by: 0.0357), layer: 0, neurons: [9]))])
    #expect(state.handle(.character("W"), snapshot).count == 2)
    for _ in 0..<9 { _ = state.handle(.down, snapshot) }
    #expect(state.row == 3)
    var typed = WorkbenchState()
    typed.prompt = Prompt(.command, text: "redraw hidden1 4,5")
    #expect(
      typed.handle(.enter, snapshot)
        == [.change(Cure(lane: 0, .redraw, layer: 0, neurons: [4, 5]))])
  }

  /// The list of silent neurons: sorted, filtered by words, walked in pages; keys act on what is
  /// listed.
  @Test func silentNeuronsAreSortedAndFiltered() {
    var snapshot = sampleSnapshot()
    snapshot.lanes[0].silence?.neurons = (0..<60).map {
      SilentNeuron(
        layer: $0 / 40, neuron: $0 % 40, reason: .belowThreshold(by: Double(60 - $0)),
        lift: Double(60 - $0))
    }
    snapshot.lanes[0].deadSince = [(0..<40).map { $0 == 7 ? 3 : $0 == 9 ? 2 : nil }, []]
    var state = WorkbenchState()
    state.screen = .silence
    func woken() -> [Int] {
      state.handle(.character("w"), snapshot).compactMap {
        if case .engine(.training(let any)) = $0, let cure = any.command as? Cure {
          return cure.layer * 40 + cure.neurons[0]
        }
        return nil
      }
    }
    #expect(woken() == [0])
    _ = state.handle(.end, snapshot)
    #expect(woken() == [59])
    _ = state.handle(.pageUp, snapshot)
    #expect(woken() == [49])
    _ = state.handle(.home, snapshot)
    for key in [Key.character("j"), .character("j"), .character("k")] {
      _ = state.handle(key, snapshot)
    }
    #expect(woken() == [1])
    // Longest dead first, the others in order; then the closest to threshold.
    _ = state.handle(.character("o"), snapshot)
    #expect(woken() == [9])
    _ = state.handle(.down, snapshot)
    #expect(woken() == [7])
    _ = state.handle(.down, snapshot)
    #expect(woken() == [0])
    _ = state.handle(.character("o"), snapshot)
    #expect(woken() == [59])
    // A number is a whole number: 1 is neither 10 nor 19, and hidden2's neuron 1 is one of two.
    for key in [Key.character("/")] + "hidden2 1".map(Key.character) + [.enter] {
      _ = state.handle(key, snapshot)
    }
    #expect(state.handle(.character("W"), snapshot).count == 1 && woken() == [41])
    let frame = Workbench.frame(state, snapshot, width: 120, height: 40).plainText
    #expect(frame.contains("1 of 60 with \"hidden2 1\"") && frame.contains("hidden2, neuron 1"))
    // Of what is past everything can be looked at, and nothing changed.
    state.silenceFilter = ""
    state.back = 1
    #expect(state.handle(.end, snapshot) == [] && state.row == 59)
    #expect(woken() == [] && state.notice.contains("past"))
  }

  /// In the last column of a wide list, too, a click chooses the neuron that stands there.
  @Test func clicksHitEveryColumn() {
    var snapshot = sampleSnapshot()
    snapshot.lanes[0].silence?.neurons = (0..<200).map {
      SilentNeuron(layer: 0, neuron: $0, reason: .noInput)
    }
    var state = WorkbenchState()
    state.screen = .silence
    let canvas = Workbench.frame(state, snapshot, width: 200, height: 60)
    let line = canvas.plainText.split(separator: "\n")[20]
    _ = state.click(x: 100, y: 20, width: 200, height: 60, snapshot)
    let numbers = line.split(separator: " ").compactMap { Int($0) }
    #expect(numbers.count == 2 && state.row == numbers[1], "\(line) \(state.row)")
  }

  /// One table: whatever can be typed is in the help, completes, is refused with what is allowed,
  /// and goes by one name.
  @Test func oneTableOfCommands() {
    let snapshot = sampleSnapshot(lanes: 2)
    #expect(Set(Action.all.map(\.name)).count == Action.all.count)
    for action in Action.all {
      var state = WorkbenchState()
      state.prompt = Prompt(.command, text: String(action.name.dropLast()))
      #expect(state.completions.contains { $0.hasPrefix(action.name) }, "\(action.name)")
      state.isHelpShown = true
      state.helpFilter = action.name
      #expect(HelpPanel.matches(state).contains { $0.name == action.name })
      guard let values = action.values, action.obstacle(WorkbenchState(), snapshot) == nil else {
        continue
      }
      var typing = WorkbenchState()
      typing.prompt = Prompt(.command, text: "\(action.name) ??? !")
      #expect(typing.handle(.enter, snapshot) == [])
      #expect(typing.notice.hasSuffix("allowed is \(values.usage)"), "\(typing.notice)")
      for word in values.words where !["epoch", "accuracy", "r2", "shaping", "rate"].contains(word)
      {
        typing.prompt = Prompt(.command, text: "\(action.name) \(word)")
        #expect(!typing.handle(.enter, snapshot).isEmpty, "\(action.name) \(word)")
      }
    }
    var state = WorkbenchState()
    state.prompt = Prompt(.command, text: "pause now")
    #expect(state.handle(.enter, snapshot) == [] && state.notice.contains("takes no values"))
    state.prompt = Prompt(.command, text: "shaping input")
    guard let input = shaping(state.handle(.enter, snapshot).first),
      input.kind == "input"
    else {
      Issue.record("input can be typed")
      return
    }
    state.prompt = Prompt(.command, text: "stop none")
    #expect(state.handle(.enter, snapshot) == [.engine(.stopWhen(nil))])
  }

  /// `:` completes names, then values.
  @Test func promptsCompleteValues() {
    var state = WorkbenchState()
    state.prompt = Prompt(.command, text: "loss m")
    _ = state.handle(.tab, sampleSnapshot())
    #expect(state.prompt?.text == "loss max")
    state.prompt?.text = "shaping"
    #expect(state.completions.first == "shaping none" && state.completions.count == 6)
    state.prompt?.text = "regu"
    #expect(state.completions == ["regularisation"])
  }

  /// With a long list scrolled down, a click chooses the neuron that stands there.
  @Test func clicksHitTheNeuronInView() {
    var snapshot = sampleSnapshot()
    snapshot.lanes[0].silence?.neurons = (0..<150).map {
      SilentNeuron(layer: 0, neuron: $0, reason: .noInput)
    }
    var state = WorkbenchState()
    state.screen = .silence
    state.row = 100
    let canvas = Workbench.frame(state, snapshot, width: 80, height: 24)
    let line = canvas.plainText.split(separator: "\n")[7]
    _ = state.click(x: 20, y: 7, width: 80, height: 24, snapshot)
    #expect(line.split(separator: " ").contains(Substring(String(state.row))), "\(line)")
    #expect(state.row > 80)
    let before = state.row
    _ = state.click(x: 20, y: 23, width: 80, height: 24, snapshot)
    #expect(state.row == before)
  }

  /// An alarm leads to the lane and the screen that explains it.
  @Test func alarmsLeadToTheirScreen() {
    var state = WorkbenchState()
    _ = state.handle(.character("!"), sampleSnapshot())
    #expect(state.screen == .ledger && state.lane == 1)
    _ = state.handle(.character("!"), sampleSnapshot(lanes: 1))
    #expect(state.notice == "alarm: there has been no alarm")
    // One that has lapsed still leads there.
    var lapsed = sampleSnapshot(lanes: 1)
    lapsed.lanes[0].alarmRecords = [
      AlarmRecord(Alarm(.lateGradient, lane: "lane-0", "90 %"), first: 3, last: 5),
      AlarmRecord(Alarm(.silentLayer, lane: "lane-0", "all"), first: 2, last: 2),
    ]
    _ = state.handle(.character("!"), lapsed)
    #expect(state.screen == .gradients && state.lane == 0)
    // And all can be listed and chosen from.
    for key in [Key.character("A"), .down, .enter] { _ = state.handle(key, lapsed) }
    #expect(state.screen == .silence && !state.isAlarmListShown)
  }

  @Test func rasterOrders() {
    let spikes = [(neuron: 2, time: 5.0), (neuron: 2, time: 6.0), (neuron: 0, time: 9.0)]
    #expect(RasterScreen.order(spikes, size: 4, by: .index) == [0, 1, 2, 3])
    #expect(RasterScreen.order(spikes, size: 4, by: .rate) == [2, 0, 1, 3])
    #expect(RasterScreen.order(spikes, size: 4, by: .firstSpike) == [2, 0, 1, 3])
  }
}

@Suite struct HelpTests {
  /// Every action can be reached by arrows, and runs.
  @Test func helpScrollsToTheLastAction() {
    var state = WorkbenchState()
    let snapshot = sampleSnapshot()
    _ = state.handle(.character("?"), snapshot)
    let count = HelpPanel.matches(state).count
    for _ in 0..<(count + 5) { _ = state.handle(.down, snapshot) }
    #expect(state.helpRow == count - 1)
    let text = Workbench.frame(state, snapshot, width: 80, height: 24).plainText
    #expect(
      text.contains("leave; training is checkpointed") && text.contains("more above, 0 below"))
    _ = state.handle(.home, snapshot)
    for character in "screen: Log" { _ = state.handle(.character(character), snapshot) }
    _ = state.handle(.escape, snapshot)
    _ = state.handle(.character("?"), snapshot)
    for character in "screen" { _ = state.handle(.character(character), snapshot) }
    let index = HelpPanel.matches(state).firstIndex { $0.name == "screen-6" } ?? 0
    for _ in 0..<index { _ = state.handle(.down, snapshot) }
    _ = state.handle(.enter, snapshot)
    #expect(state.screen == .compare && !state.isHelpShown)
  }
}

@Suite struct ZoomTests {
  /// However often one zooms in, a spike stays in view.
  @Test func zoomingStaysOnSpikes() {
    var state = WorkbenchState()
    state.screen = .raster
    let snapshot = sampleSnapshot()
    for _ in 0..<12 {
      _ = state.handle(.character("+"), snapshot)
      #expect(state.middleOfSpikes(snapshot) != nil)
    }
    #expect(state.zoom.upperBound - state.zoom.lowerBound < 0.01)
  }
}
