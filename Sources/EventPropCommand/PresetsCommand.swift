// SPDX-License-Identifier: MIT

import SpikeData
import Experiments
import ArgumentParser
import Foundation

struct PresetsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "presets", abstract: "The experiments that come with the program.",
    subcommands: [List.self, Show.self, Check.self], defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Names and what they show.")

    func run() throws {
      guard let folder = PresetLibrary.folder else {
        throw FileError(
          "presets", "no folder Presets beside or above the program; set EVENTPROP_PRESETS")
      }
      let names = PresetLibrary.names
      let width = names.map(\.count).max() ?? 0
      for name in names {
        let path = (folder as NSString).appendingPathComponent(name + ".toml")
        let first = PresetLibrary.comment(of: path).first ?? ""
        Console.out(name.padding(toLength: width, withPad: " ", startingAt: 0) + "  " + first)
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "A preset with all defaults filled in.")

    @Argument(help: "A preset by name or path.")
    var preset: String

    @Option(name: .customLong("set"), help: "Override a key.")
    var settings: [String] = []

    func run() throws {
      let path = try PresetLibrary.path(of: preset)
      let loaded = try Preset(contentsOf: path, settings: settings)
      for line in PresetLibrary.comment(of: path) { Console.out("# " + line) }
      Console.out(loaded.resolvedText, terminator: "")
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read presets and say what is wrong with them.")

    @Argument(help: "Presets by name or path (default: all that come with the program).")
    var presets: [String] = []

    func run() throws {
      var failed = false
      for name in presets.isEmpty ? PresetLibrary.names : presets {
        do {
          _ = try Preset(contentsOf: PresetLibrary.path(of: name))
          Console.out("\(name): ok")
        } catch {
          failed = true
          Console.error("\(error)")
        }
      }
      if failed { throw ExitCode(1) }
    }
  }
}
