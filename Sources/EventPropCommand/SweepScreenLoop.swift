// SPDX-License-Identifier: MIT

import Charts
import EventPropCore
import Experiments
import Foundation
import Live
import Runs
import SpikeData
import Sweeps
import Synchronization
import Terminal
import Workbench

/// The loop between keys, a sweep's files and the terminal. The files are read on a thread of its
/// own; nothing is changed.
struct SweepScreenLoop {
  private let screen: Screen
  private let config: UserConfig
  private let reader: Reader
  private var view = SweepView()

  /// - Throws: `FileError` when the folder is no sweep.
  init(_ folder: String, screen: Screen, config: UserConfig) throws {
    (self.screen, self.config) = (screen, config)
    reader = Reader(try SweepState(folder))
  }

  /// Runs until the user leaves or a signal comes.
  mutating func run() {
    SuspendSignal.install()
    reader.start()
    defer { reader.stop() }
    while StopSignal.current == 0, !screen.isLost {
      if SuspendSignal.take() { screen.suspend() }
      let state = reader.state
      let size = screen.size
      screen.present(
        view.frame(state, width: size.width, height: size.height, marks: config.marks(on: screen)))
      guard let event = screen.read(milliseconds: 250), let key = event.listKey(on: screen) else {
        continue
      }
      switch view.handle(key, state) {
      case .quit: return
      case .open(let point): open(state.points[point])
      case nil: break
      }
    }
  }

  /// The screens of a point's run: as it ended, or while it goes on.
  private mutating func open(_ point: SweepState.Point) {
    guard RunDirectory.isRun(point.run) else {
      view.notice = "point \(point.index) has no run yet: it is \(point.status.rawValue)"
      return
    }
    do {
      let place = try Checkpoint.find(in: point.run, named: nil)
      let source: any SnapshotSource
      if point.status == .running {
        source = WatchedRun(point.run)
      } else {
        source = try FinishedRuns(
          [.init(preset: try Preset(ofRun: point.run), folder: point.run, place: place)],
          atOnce: false)
      }
      var session = Session(engine: source, screen: screen, config: config, isTourShown: false)
      if let failure = session.run() { view.notice = failure }
      _ = source.stop()
      screen.invalidate()
    } catch {
      view.notice = "\(error)"
    }
  }

  /// Reads the state again every second.
  private final class Reader: Sendable {
    private let shared: Mutex<(state: SweepState, isStopping: Bool)>

    init(_ state: SweepState) { shared = Mutex((state, false)) }

    var state: SweepState { shared.withLock { $0.state } }
    func stop() { shared.withLock { $0.isStopping = true } }

    func start() {
      let thread = Thread { [self] in
        blockAllSignals()
        while !shared.withLock({ $0.isStopping }) {
          let known = state
          if !known.isSettled {
            let next = SweepState(known.folder, curves: true, after: known)
            shared.withLock { $0.state = next }
          }
          usleep(1_000_000)
        }
      }
      thread.name = "eventprop sweep"
      thread.start()
    }
  }
}
