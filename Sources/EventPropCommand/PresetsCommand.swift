// SPDX-License-Identifier: MIT

import SpikeData
import Experiments
import ArgumentParser
import Charts
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
      let cards = PresetLibrary.names.map { name in
        let path = (folder as NSString).appendingPathComponent(name + ".toml")
        return (name: name, card: PresetCard(PresetLibrary.comment(of: path)))
      }
      for group in PresetCard.Group.allCases {
        let members = cards.filter { $0.card.group == group }
        if members.isEmpty { continue }
        Console.out(group.title)
        for (name, card) in members {
          Console.out("  \(name)" + (card.takes.isEmpty ? "" : "  (\(card.takes))"))
          for text in [card.shows, card.needs.isEmpty ? "" : "Needs " + card.needs]
          where !text.isEmpty {
            for line in Text.wrapped(text, 74) { Console.out("      " + line) }
          }
        }
        Console.out("")
      }
      Console.out(
        "eventprop opens shaping-matters, eventprop open NAME another; presets show NAME prints it."
      )
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "A preset with all defaults filled in.")

    @Argument(help: "A preset by name or path.", completion: .preset)
    var preset: String

    @Option(name: .customLong("set"), help: "Override a key.", completion: .settings)
    var settings: [String] = []

    func run() throws {
      let path = try PresetLibrary.path(of: preset)
      let loaded = try Preset(contentsOf: path, settings: settings)
      Console.out(loaded.resolvedText, terminator: "")
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read presets and say what is wrong with them.")

    @Argument(
      help: "Presets by name or path (default: all that come with the program).",
      completion: .preset)
    var presets: [String] = []

    func run() throws {
      var failed = false
      for name in presets.isEmpty ? PresetLibrary.names : presets {
        do {
          let card = try Preset(contentsOf: PresetLibrary.path(of: name)).card
          Console.out("\(name): ok")
          for note in card.notes { Console.out("  its comment: \(note)") }
        } catch {
          failed = true
          Console.error("\(error)")
        }
      }
      if failed { throw ExitCode(1) }
    }
  }
}
