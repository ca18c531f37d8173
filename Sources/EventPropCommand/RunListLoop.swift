// SPDX-License-Identifier: MIT

import Charts
import Experiments
import Foundation
import Live
import Runs
import SpikeData
import Sweeps
import Terminal
import Workbench

/// The loop between keys, a folder of runs and the terminal. Nothing in the folder is changed.
struct RunListLoop {
  private let folder: String
  private let screen: Screen
  private let config: UserConfig
  private var entries: [RunEntry] = []
  private var view = RunListView()

  init(_ folder: String, screen: Screen, config: UserConfig) {
    (self.folder, self.screen, self.config) = (folder, screen, config)
    read()
  }

  /// The runs of a folder, the newest first; sweeps are not among them.
  static func entries(in folder: String) -> [RunEntry] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { !$0.hasPrefix(".") }.sorted()
      .map { (folder as NSString).appendingPathComponent($0) }
      .filter { !SweepFolder.isSweep($0) && RunEntry.isAny($0) }
      .map { RunEntry($0) }.sorted { $0.changed > $1.changed }
  }

  private mutating func read() { entries = Self.entries(in: folder) }

  /// Runs until the user leaves or a signal comes.
  mutating func run() {
    SuspendSignal.install()
    var isNew = true
    while StopSignal.current == 0, !screen.isLost {
      if SuspendSignal.take() { screen.suspend() }
      let size = screen.size
      if isNew {
        screen.present(
          view.frame(
            RunsTable.text(entries, under: folder), folder: folder, width: size.width,
            height: size.height, marks: config.marks(on: screen)))
      }
      guard let event = screen.read(milliseconds: 250) else {
        isNew = screen.size != size
        continue
      }
      isNew = true
      guard let key = event.listKey(on: screen) else { continue }
      switch view.handle(key, count: entries.count) {
      case .quit: return
      case .read: read()
      case .open(let chosen): open(chosen.map { entries[$0] })
      case nil: break
      }
    }
  }

  /// One that is being trained is watched, others are shown as they ended.
  private mutating func open(_ chosen: [RunEntry]) {
    do {
      let source: any SnapshotSource
      if chosen.count == 1, chosen[0].state == .training {
        source = WatchedRun(chosen[0].folder)
      } else {
        source = try FinishedRuns(
          chosen.map {
            .init(
              preset: try Preset(ofRun: $0.folder), folder: $0.folder,
              place: try Checkpoint.find(in: $0.folder, named: nil))
          }, atOnce: false)
      }
      var session = Session(engine: source, screen: screen, config: config, isTourShown: false)
      if let failure = session.run() { view.notice = failure }
      _ = source.stop()
      screen.invalidate()
    } catch {
      view.notice = "\(error)"
    }
  }
}
