// SPDX-License-Identifier: MIT

import ArgumentParser
import Live
import Runs
import SpikeData
import Sweeps

struct WatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Look on, live, while another process trains a run.",
    discussion: """
      The screens of the workbench on the run's last checkpoint, with its curves, anew whenever they change. Nothing is
      written into the run: figures and reports go to this folder. Where no process trains the run, that is said, and
      it is shown as it is until somebody does.
      """)

  @Argument(help: ArgumentHelp("The folder of a run.", valueName: "run"))
  var folder: String

  @Option(name: .customLong("set"), help: "Override a key, as data.path=FOLDER.")
  var settings: [String] = []

  @OptionGroup var look: ScreenOptions

  func run() throws {
    StopSignal.install()
    try WatchCommand.watch(folder, settings, look)
  }

  /// - Throws: `FileError`, and `ExitCode` where there is more to say than 0.
  static func watch(_ folder: String, _ settings: [String], _ look: ScreenOptions) throws {
    guard !SweepFolder.isSweep(folder) else {
      let sweep = Console.shellQuoted(folder)
      throw FileError(folder, "is a sweep; look at it while it runs with: eventprop open \(sweep)")
    }
    guard RunDirectory.isRun(folder) else {
      throw FileError(folder, "is not the folder of a run")
    }
    let config = try look.config()
    let screen = try look.openToLookAt(config)
    defer { screen.restore() }
    try look.show(WatchedRun(folder, settings: settings), on: screen, config)
    if !WatchedRun.isTrained(folder) {
      let run = Console.shellQuoted(folder)
      Console.out("no process of this machine trains it now; go on with it: eventprop open \(run)")
    }
  }
}
