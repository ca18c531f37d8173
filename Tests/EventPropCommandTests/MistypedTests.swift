// SPDX-License-Identifier: MIT

@testable import EventPropCommand
import Experiments
import Foundation
import Support
import Testing

/// What is nearly right is told what was meant, in one line.
@Suite struct MistypedTests {
  let scratch = ScratchDirectory()

  func run(_ arguments: String...) throws -> (status: Int32, text: String) {
    let result = try Program.run(arguments, in: scratch.path)
    return (result.status, result.text)
  }

  @Test func verbsAreUsage() throws {
    let mistyped = [
      (["trian"], "trian", "train"),
      (["trian", "yin-yang-sum", "--epochs", "5"], "trian", "train"),
      (["evaluat", "runs/a-1"], "evaluat", "evaluate"), (["hepl"], "hepl", "help"),
      (["sweep", "shwo", "sweeps/a-1"], "shwo", "show"), (["presets", "lsit"], "lsit", "list"),
    ]
    for (arguments, word, verb) in mistyped {
      let result = try Program.run(arguments, in: scratch.path)
      #expect(result.status == 64, "\(arguments): \(result.text)")
      #expect(
        result.text.hasPrefix(
          "Error: \(word): is not a command; did you mean \(verb)? Allowed are"),
        "\(result.text)")
      #expect(result.text.count { $0 == "\n" } == 1)
    }
  }

  /// What exists is no mistake, nor is what is nearer to a preset, nor what stands after an option.
  @Test func namesThatAreThereAreNoMistake() throws {
    let presets = ["trial", "doctors-note"]
    #expect(MistypedVerb.find(["trial"], presets: presets) == nil)
    #expect(MistypedVerb.find(["doctors-not"], presets: presets) == nil)
    #expect(MistypedVerb.find(["--paused", "trian"], presets: presets) == nil)
    #expect(MistypedVerb.find(["train", "tran"], presets: presets) == nil)
    #expect(MistypedVerb.find(["help", "trian"], presets: presets) == nil)
    #expect(MistypedVerb.find([], presets: presets) == nil)
    let file = scratch.write("", to: "trian")
    #expect(MistypedVerb.find([file], presets: presets) == nil)
    #expect(MistypedVerb.find(["trian"], presets: presets)?.verb == "train")
  }

  @Test func presetsAreErrors() throws {
    for verb in [["train"], ["doctor"], ["presets", "show"], ["gradcheck"]] {
      let result = try Program.run(verb + ["yin-yang-som"], in: scratch.path)
      #expect(result.status == 1)
      #expect(
        result.text.hasPrefix(
          "Error: yin-yang-som: is neither a file nor a preset; did you mean yin-yang-sum? presets: "
        ), "\(result.text)")
      #expect(result.text.count { $0 == "\n" } == 1)
    }
    let far = try run("train", "nothing-like-it")
    #expect(far.status == 1 && !far.text.contains("did you mean"))
  }

  @Test func distanceCountsEdits() {
    #expect(Spelling.distance("train", "train") == 0)
    #expect(Spelling.distance("trian", "train") == 1)
    #expect(Spelling.distance("", "abc") == 3)
    #expect(Spelling.distance("kitten", "sitting") == 3)
    #expect(Spelling.nearest(to: "ab", among: ["xy"]) == nil)
    #expect(Spelling.nearest(to: "anything", among: []) == nil)
  }
}
