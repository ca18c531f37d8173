// SPDX-License-Identifier: MIT

import SpikeData
import Experiments
import Live
import Runs
import Training
import ArgumentParser
import Charts
import Foundation
import Sweeps
import Terminal
import Workbench

struct OpenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "open",
    abstract: "The workbench: see a preset train, change it while it does (the default command).",
    discussion: """
      Without a preset: the same network in two lanes, with and without loss shaping. `?` lists the keys. Without a terminal it \
      trains headless and says so. The folder of a run goes on with it; several runs are shown side by side as they \
      ended; a folder of runs lists them to choose from. ~/.config/eventprop/config.toml may say theme, marks, start screen and keys; options go before it.
      """)

  @Argument(
    help: ArgumentHelp(
      "A preset by name or path, the folder of a run to go on with, several runs to compare, or a folder of runs.",
      valueName: "preset|run"), completion: .presetOrRun)
  var names: [String] = []

  @Option(
    name: .customLong("set"), help: "Override a key: training.epochs=5, hidden.0.size=100.",
    completion: .settings)
  var settings: [String] = []

  @Option(help: "Train every lane with so many seeds (overrides seeds of the preset).")
  var seeds: Int?

  @Option(help: "Threads to train with; the result does not depend on it.")
  var threads: Int = ProcessInfo.processInfo.activeProcessorCount

  @Option(help: "Folder of the run; must not exist or be empty.", completion: .directory)
  var out: String?

  @Flag(help: "Start paused.")
  var paused = false

  @Flag(help: "Look on while another process trains the run; nothing is changed.")
  var watch = false

  @Flag(name: .customLong("no-tour"), help: "Start without the preset's card.")
  var isWithoutTour = false

  @Flag(help: "Keep nothing on disk.")
  var ephemeral = false

  @OptionGroup var look: ScreenOptions

  func validate() throws {
    guard (1...256).contains(threads) else {
      throw ValidationError("--threads is \(threads), allowed is 1 to 256")
    }
    guard seeds.map({ (1...Preset.mostSeeds).contains($0) }) ?? true else {
      throw ValidationError("--seeds is \(seeds!), allowed is 1 to \(Preset.mostSeeds)")
    }
    guard !ephemeral || out == nil else {
      throw ValidationError("--ephemeral keeps nothing: no --out")
    }
  }

  private var preset: String? { names.first }

  func run() throws {
    StopSignal.install()
    let settings = settings + (seeds.map { ["seeds=\($0)"] } ?? [])
    if names.count > 1 { return try compare() }
    if watch {
      guard let name = names.first else { throw FileError("--watch", "is of the folder of a run") }
      return try WatchCommand.watch(name, self.settings, look)
    }
    if let name = names.first, SweepFolder.isSweep(name) { return try lookThrough(name) }
    // A folder may have the name of a preset: without runs it is none of ours.
    if let name = names.first, !RunDirectory.isRun(name), isFolder(name),
      !RunListLoop.entries(in: name).isEmpty
    {
      return try choose(in: name)
    }
    let resumed = try preset.flatMap { name in
      try RunDirectory.isRun(name)
        ? RunToResume(name, settings: settings, isKept: !self.ephemeral) : nil
    }
    let loaded = try resumed?.preset ?? load(settings)
    let config = try look.config()
    let screen: Screen
    do {
      screen = try look.open(config)
    } catch let error as TerminalError {
      guard resumed == nil else {
        throw FileError(
          preset!,
          "\(error); go on without a terminal with: eventprop train --resume \(Console.shellQuoted(preset!))"
        )
      }
      guard !ephemeral, !paused else {
        throw FileError(
          "open",
          "\(error): without a screen there is nothing to do for --\(ephemeral ? "ephemeral" : "paused")"
        )
      }
      Console.error("eventprop: \(error): training headless")
      try trainHeadless(loaded)
      return
    }
    defer { screen.restore() }
    let plan = TrainingPlan(
      loaded, threads: threads, resumed: resumed, out: out, isKept: !ephemeral)
    let engine = Engine(plan, isPaused: paused)
    try look.show(engine, on: screen, config, isTourShown: !isWithoutTour)
  }

  private func isFolder(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
      && isDirectory.boolValue
  }

  /// The runs of a folder, to choose from.
  private func choose(in folder: String) throws {
    let config = try look.config()
    let screen = try look.openToLookAt(config)
    defer { screen.restore() }
    var loop = RunListLoop(folder, screen: screen, config: config)
    loop.run()
    screen.restore()
    if StopSignal.current != 0 { throw ExitCode(128 + StopSignal.current) }
  }

  /// A sweep, while it runs or as it ended.
  private func lookThrough(_ sweep: String) throws {
    let config = try look.config()
    let screen = try look.openToLookAt(config)
    defer { screen.restore() }
    var loop = try SweepScreenLoop(sweep, screen: screen, config: config)
    loop.run()
    screen.restore()
    if StopSignal.current != 0 { throw ExitCode(128 + StopSignal.current) }
  }

  /// Several runs as they ended.
  private func compare() throws {
    let items = try names.map { folder in
      guard RunDirectory.isRun(folder) else {
        throw FileError(folder, "is not the folder of a run; several at once must be runs")
      }
      return FinishedRuns.Item(
        preset: try Preset(ofRun: folder, settings: settings), folder: folder,
        place: try Checkpoint.find(in: folder, named: nil))
    }
    let runs = try FinishedRuns(items, atOnce: false)
    let config = try look.config()
    let screen = try look.openToLookAt(config)
    defer { screen.restore() }
    try look.show(runs, on: screen, config)
  }

  private func load(_ settings: [String]) throws -> Preset {
    guard let preset else {
      return try Preset(text: DefaultPreset.text, file: "default preset", settings: settings)
    }
    return try Preset(contentsOf: PresetLibrary.path(of: preset), settings: settings)
  }

  private func trainHeadless(_ preset: Preset) throws {
    let members = try SeedMembers(
      TrainingPlan(preset, threads: threads, out: out), detail: "threads \(threads)")
    var console = Console()
    console.line("run \(members.first.run.path)")
    try HeadlessTraining(members).run(&console)
  }
}
