// SPDX-License-Identifier: MIT

import ArgumentParser
import Charts
import Foundation
import Live
import SpikeData
import Terminal

/// What every command with a screen takes.
struct ScreenOptions: ParsableArguments {
  @Option(
    help: "Marks that plots are made of: \(UserConfig.marks.joined(separator: ", ")).",
    completion: .list(UserConfig.marks))
  var marks: String?

  @Option(help: "Colours: auto, 256, 16, none (NO_COLOR is heeded).")
  var color: ColorMode = .auto

  @Option(help: "Background of the terminal: dark, light.")
  var theme: Theme?

  func validate() throws {
    guard marks.map({ UserConfig.marks.contains($0) }) ?? true else {
      let allowed = UserConfig.marks.joined(separator: ", ")
      throw ValidationError("--marks is \(marks!), allowed are \(allowed)")
    }
  }

  /// What the user's file says, and the options before it.
  func config() throws -> UserConfig {
    var config = try UserConfig.read()
    if let theme { config.theme = theme }
    if let marks { config.marks = Marks(rawValue: marks) }
    return config
  }

  /// - Throws: `TerminalError`.
  func open(_ config: UserConfig) throws -> Screen {
    try Screen(colors: color, theme: config.theme)
  }

  /// The terminal, for what cannot be done without.
  func openToLookAt(_ config: UserConfig) throws -> Screen {
    do {
      return try open(config)
    } catch let error as TerminalError {
      throw FileError("open", "\(error); without one, eventprop figure writes files")
    }
  }

  /// Shows a source until the user leaves.
  /// - Throws: `FileError`, and `ExitCode` where there is more to say than 0.
  func show(
    _ source: any SnapshotSource, on screen: Screen, _ config: UserConfig, isTourShown: Bool = false
  ) throws {
    var session = Session(
      engine: source, screen: screen, config: config, isTourShown: isTourShown)
    let failure = session.run()
    screen.restore()
    if let engine = source as? Engine, !engine.hasBegun, failure == nil {
      // Data are still being read or made on its thread, and nothing is there to be kept: no
      // waiting for that.
      fflush(nil)
      _exit(StopSignal.current == 0 ? 0 : 128 + StopSignal.current)
    }
    let lost = session.isAbandoned ? nil : source.stop()
    if let failure { throw FileError("eventprop", failure) }
    if !session.runPath.isEmpty { Console.out("run \(session.runPath)") }
    if let lost {
      throw FileError(
        session.runPath.isEmpty ? "eventprop" : session.runPath,
        "the last checkpoint could not be written, what came after the one before is lost: \(lost)")
    }
    if session.isAbandoned { throw ExitCode(1) }
    if StopSignal.current != 0 { throw ExitCode(128 + StopSignal.current) }
  }
}

extension ColorMode: ExpressibleByArgument {}
extension Theme: ExpressibleByArgument {}
