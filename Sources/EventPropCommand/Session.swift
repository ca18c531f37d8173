// SPDX-License-Identifier: MIT

import Live
import Charts
import EventPropCore
import Foundation
import Runs
import SpikeData
import Synchronization
import Terminal
import Workbench

/// The loop between keys, engine and terminal. Holds the ring of past snapshots.
struct Session {
  let engine: any SnapshotSource
  let screen: Screen
  let marks: Marks
  private var state = WorkbenchState()
  private var live = Snapshot()
  private var history = SnapshotHistory()
  private(set) var runPath = ""
  private var detail: Detail?
  /// The engine was asked for the end.
  private var isLeaving = false
  /// Left although the last checkpoint could not be written.
  private(set) var isAbandoned = false
  /// What was exported last: the same is not written again.
  private var exported = ""
  private let reports = ReportThread()
  /// The number of the found update that was shown last.
  private var foundLast = 0
  /// Frames that still come quickly.
  private var quick = 0
  /// What was asked for of the past.
  private var inspecting = ""
  /// Milliseconds between frames while nothing is pressed; a key is answered at once. What is drawn
  /// anew takes time from the training, and so does the terminal that shows it.
  static let framePeriod = 250
  /// The same just after a key, when what it asked for is to be seen, and for how many frames.
  static let quickPeriod = 40
  static let quickFrames = 12

  init(
    engine: any SnapshotSource, screen: Screen, config: UserConfig, isTourShown: Bool
  ) {
    state.keys = config.keys
    state.screen = config.start
    state.tour = Tour(isShown: isTourShown)
    self.engine = engine
    self.screen = screen
    marks = config.marks(on: screen)
  }

  /// Runs until the user leaves or a signal comes.
  /// - Returns: why the engine failed to start; nil when all went well.
  mutating func run() -> String? {
    SuspendSignal.install()
    present()
    while !isEnding {
      if let snapshot = engine.snapshot(after: live.serial) { take(snapshot) }
      if let failure = engine.startFailure { return failure }
      if SuspendSignal.take() { screen.suspend() }
      if let words = reports.take() { state.notice = words }
      if isLeaving && !goOnLeaving() { return nil }
      present()
      if state.detail != detail {
        detail = state.detail
        engine.send(.detail(detail))
      }
      inspect()
      // Until training has begun to move, what is shown is not to lag behind it.
      let isQuick = quick > 0 || live.position == 0
      let period = isQuick ? Self.quickPeriod : Self.framePeriod
      quick = max(0, quick - 1)
      guard let event = screen.read(milliseconds: period) else { continue }
      quick = Self.quickFrames
      guard take(event) else { return nil }
      // Keys that are waiting already are taken together, but not so many that a frame or a signal
      // waits for them.
      for _ in 0..<Self.keysPerFrame {
        guard !isEnding, let more = screen.read(milliseconds: 0) else { break }
        guard take(more) else { return nil }
      }
    }
    return nil
  }

  static let keysPerFrame = 64

  private var isEnding: Bool { StopSignal.current != 0 || screen.isLost }

  /// - Returns: false to leave.
  private mutating func take(_ event: InputEvent) -> Bool {
    for effect in handle(event) where !perform(effect) { return false }
    return true
  }

  /// Waits, drawing, for the last checkpoint; asks when it could not be written.
  /// - Returns: false to leave.
  private mutating func goOnLeaving() -> Bool {
    switch engine.leaving {
    case .done: return false
    case .asked, .no: state.notice = "writing the last checkpoint"
    case .failed(let reason):
      isLeaving = false
      state.notice = ""
      state.question = Question(
        "y leaves and loses what is not on disk, any other key stays: \(reason)",
        [.character("y"): [.abandon]])
    }
    return true
  }

  private mutating func take(_ snapshot: Snapshot) {
    if snapshot.shownSeed != live.shownSeed || snapshot.position == 0 && live.position > 0 {
      // Of another network, or of a training that has begun anew.
      history = SnapshotHistory()
      state.back = 0
    } else if snapshot.rewinds > live.rewinds {
      history.forget(after: snapshot.position)
      state.back = 0
    }
    if state.back > 0 {
      state.back += history.append(snapshot)
    } else {
      _ = history.append(snapshot)
    }
    if snapshot.notice != live.notice && !snapshot.notice.isEmpty { state.notice = snapshot.notice }
    live = snapshot
    state.tour.follow(snapshot)
    state.follow(snapshot.breakHit, snapshot)
    if let found = snapshot.found, found.number > foundLast {
      foundLast = found.number
      state.back = history.insert(found.snapshot, before: snapshot)
      state.follow(found)
    }
    runPath = snapshot.runPath
    state.lane = min(state.lane, max(snapshot.lanes.count - 1, 0))
  }

  /// Asks for what the screen needs of the past, once.
  private mutating func inspect() {
    guard state.back > 0, let detail = state.detail, shown.lacks(detail) else { return }
    let past = shown
    let wanted = "\(past.serial) \(detail)"
    guard wanted != inspecting, past.lanes.allSatisfy({ $0.kept != nil }) else { return }
    inspecting = wanted
    engine.send(
      .inspect(
        InspectionRequest(
          serial: past.serial, position: past.position, lanes: past.lanes.compactMap(\.kept),
          probe: past.probe, detail: detail)))
  }

  /// The snapshot on the screen: live, or one of the past under the live state of pausing.
  private var shown: Snapshot {
    guard state.back > 0, var past = history.back(state.back) else { return live }
    past.isPaused = live.isPaused
    past.livePosition = live.position
    // The whole curves, of then and since; a cursor shows where in them this is.
    for index in past.lanes.indices {
      let identity = past.lanes[index].identity
      if let now = live.lanes.first(where: { $0.identity == identity }) {
        past.lanes[index].curves = now.curves
      }
    }
    past.marks = live.marks
    past.fill(from: live.inspection, for: state.detail)
    return past
  }

  private mutating func present() {
    state.back = min(state.back, max(history.count - 1, 0))
    let size = screen.size
    screen.present(
      Workbench.frame(state, shown, width: size.width, height: size.height, marks: marks))
  }

  private mutating func handle(_ event: InputEvent) -> [Effect] {
    let size = screen.size
    switch event {
    case .character("\u{03}"): return [.quit]
    case .character("\u{1A}"): return [.suspend]
    case .character("\u{0C}"): return []
    case .click(let x, let y):
      return state.click(x: x, y: y, width: size.width, height: size.height, shown)
    case .wheel(_, _, let down): return state.wheel(down: down, shown)
    case .paste(let text):
      state.paste(text)
      return []
    case .resize:
      screen.invalidate()
      return []
    default: return event.key.map { state.handle($0, shown) } ?? []
    }
  }

  /// - Returns: false to leave.
  private mutating func perform(_ effect: Effect) -> Bool {
    switch effect {
    case .engine(let command): engine.send(command)
    case .quit:
      engine.leave()
      isLeaving = true
      return goOnLeaving()
    case .abandon:
      isAbandoned = true
      return false
    case .ask(let question): state.question = question
    case .suspend: screen.suspend()
    case .export: export()
    case .report: report()
    case .goTo(let position):
      state.back = position >= live.position ? 0 : history.back(to: position) ?? 0
      let place = Wording.position(shown.position)
      state.notice = state.back == 0 ? "live" : "epoch \(place): the nearest snapshot there is"
    }
    return true
  }

  /// On a thread of its own, from the run's files: once the checkpoint of now is there.
  private mutating func report() {
    let (run, out, place) = (live.runPath, live.reportFolder, (live.epoch, live.batch))
    let (reports, isStill) = (reports, live.isStill)
    guard reports.begin() else {
      state.notice = "a report is being written"
      return
    }
    state.notice = "writing a report"
    let thread = Thread {
      blockAllSignals()
      do {
        for _ in 0..<200 where !isStill {
          let last = try Checkpoint.find(in: run, named: nil)
          if (last.epoch, last.batch) >= place { break }
          usleep(50_000)
        }
        let last = try Checkpoint.find(in: run, named: nil)
        guard isStill || (last.epoch, last.batch) >= place else {
          throw FileError(
            run, "no report: the checkpoint of epoch \(place.0), batch \(place.1) has not come")
        }
        reports.end("wrote \(try Report(run: run, out: out).write())/README.md")
      } catch {
        reports.end("\(error)")
      }
    }
    thread.stackSize = 16 << 20
    thread.start()
  }

  private mutating func export() {
    let what =
      "\(shown.serial) \(state.screen) \(state.lane) \(state.back) \(state.layer) \(state.zoom) "
      + "\(String(describing: state.detail)) \(state.hasMarks) \(state.ratesOrder) \(state.order) "
      + "\(state.neurons)"
    guard what != exported else { return }
    do {
      let names = try FigureFiles.write(state, shown)
      state.notice = "wrote " + names.joined(separator: " and ")
      exported = what
    } catch {
      state.notice = "\(error)"
    }
  }
}

/// What the thread that writes reports has to say.
private final class ReportThread: Sendable {
  private let state = Mutex<(isBusy: Bool, words: String?)>((false, nil))

  /// - Returns: false where one is being written.
  func begin() -> Bool {
    state.withLock { state in
      defer { state.isBusy = true }
      return !state.isBusy
    }
  }
  func end(_ words: String) { state.withLock { $0 = (false, words) } }
  /// What came of the last one, once.
  func take() -> String? {
    state.withLock { state in
      defer { state.words = nil }
      return state.words
    }
  }
}
