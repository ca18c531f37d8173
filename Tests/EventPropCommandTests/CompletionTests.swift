// SPDX-License-Identifier: MIT

@testable import EventPropCommand
import Experiments
import Foundation
import Support
import Testing
import Workbench

/// What Tab offers, by the interface that the shells' scripts call.
@Suite struct CompletionTests {
  let scratch = ScratchDirectory()

  /// - Parameters:
  ///   - argument: `--set`, or `positional@0`.
  ///   - words: of the line; the last is the one to complete.
  func offered(
    _ verb: String, _ argument: String, _ words: [String], shell: String = "fish"
  ) throws -> [String] {
    let last = words.last ?? ""
    let result = try Program.run(
      [
        "---completion", verb, "--", argument, "\(words.count - 1)", "\(last.count)",
      ] + words, in: scratch.path, environment: ["SAP_SHELL": shell])
    #expect(result.status == 0, "\(result.text)")
    return result.text.split(separator: "\n").map(String.init)
  }

  @Test func presetsAreNamesAndFiles() throws {
    _ = scratch.write("name = \"x\"\n", to: "yin-own.toml")
    _ = scratch.write("", to: "yin-notes.txt")
    let names = try offered("train", "positional@0", ["eventprop", "train", "yin"])
    #expect(names.contains("yin-yang-sum") && names.contains("yin-own.toml"))
    #expect(names.allSatisfy { $0.hasPrefix("yin") } && !names.contains("yin-notes.txt"))
    #expect(
      try offered("train", "positional@0", ["eventprop", "train", "no-such"]) == [])
    let all = try offered("doctor", "positional@0", ["eventprop", "doctor", ""])
    #expect(Set(all).isSuperset(of: PresetLibrary.names.isEmpty ? [] : ["shaping-matters"]))
  }

  @Test func runsAreFoldersWithAPreset() throws {
    for path in ["runs/a-1", "runs/b-1", "elsewhere/c-1"] {
      try FileManager.default.createDirectory(
        atPath: scratch.file(path), withIntermediateDirectories: true)
    }
    _ = scratch.write(tinyPreset(), to: "runs/a-1/preset.toml")
    _ = scratch.write(tinyPreset(), to: "elsewhere/c-1/preset.toml")
    let words = ["eventprop", "evaluate"]
    let all = try offered("evaluate", "positional@0", words + [""])
    #expect(all.contains("runs/") && all.contains("elsewhere/"))
    #expect(
      try offered("evaluate", "positional@0", words + ["runs/"]) == ["runs/a-1", "runs/b-1/"])
    #expect(try offered("evaluate", "positional@0", words + ["else"]) == ["elsewhere/"])
    #expect(try offered("evaluate", "positional@0", words + ["elsewhere/c"]) == ["elsewhere/c-1"])
    #expect(
      try offered("train", "--resume", ["eventprop", "train", "--resume", "runs/a"])
        == ["runs/a-1"])
    let either = try offered("open", "positional@0", ["eventprop", "open", "runs/"])
    #expect(either.contains("runs/a-1"))
  }

  @Test func settingsAreTheKeysThatReadersKnow() throws {
    let words = ["eventprop", "train", "yin-yang-sum", "--set"]
    #expect(
      try offered("train", "--set", words + ["training.ep"]) == ["training.epochs="])
    #expect(
      try offered("train", "--set", words + ["training.ep"], shell: "bash") == ["training.epochs"])
    #expect(
      try offered("train", "--set", words + ["loss.kind=ma"]) == ["loss.kind=max"])
    let hidden = try offered("train", "--set", words + ["hidden."])
    #expect(hidden.contains("hidden.0.size=") && hidden.contains("hidden.0.weights.mean="))
    #expect(!hidden.contains("hidden.1.size=") && !hidden.contains("hidden.0.weights="))
    _ = scratch.write(
      tinyPreset() + "\n[[lane]]\nname = \"a\"\n[[lane]]\nname = \"b\"\n", to: "two.toml")
    let two = ["eventprop", "train", "two.toml", "--set"]
    #expect(try offered("train", "--set", two + ["lane.1.loss.k"]) == ["lane.1.loss.kind="])
    #expect(try offered("train", "--set", two + ["lane.1.data"]) == [])
    #expect(
      try offered("train", "--set", words + ["training.keep_best="])
        == ["training.keep_best=true", "training.keep_best=false"])
    #expect(try offered("train", "--set", words + ["training.epochs="]) == [])
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func scriptsNameWhatThereIs(shell: String) throws {
    let script = try Program.run(["--generate-completion-script", shell], in: scratch.path)
    #expect(script.status == 0)
    for verb in EventPropCommand.configuration.subcommands {
      #expect(script.text.contains(verb.configuration.commandName!))
    }
    for screen in ScreenKind.allCases { #expect(script.text.contains("\(screen)")) }
    for figure in FigureKind.allCases { #expect(script.text.contains("\(figure)")) }
    #expect(script.text.contains("---completion"))
  }
}
