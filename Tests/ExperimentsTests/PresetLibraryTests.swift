// SPDX-License-Identifier: MIT

import Foundation
import SpikeData
import Support
import Testing

@testable import Experiments

/// Presets are found wherever the program lies.
@Suite struct PresetLibraryTests {
  @Test func besideAboveAndWherePackagesPutThem() {
    #expect(
      PresetLibrary.candidates(program: "/usr/bin/eventprop") == [
        "/usr/bin/Presets", "/usr/share/eventprop/presets", "/usr/Presets", "/Presets",
      ])
    let built = PresetLibrary.candidates(program: "/home/me/eventprop/.build/debug/eventprop")
    #expect(built.contains("/home/me/eventprop/Presets"))
    #expect(
      PresetLibrary.candidates(program: "/home/me/.local/bin/eventprop")
        .contains("/home/me/.local/share/eventprop/presets"))
  }

  /// Sweeps come along too, by name; a run's folder is none of both, and says what is.
  @Test func sweepsAreFoundByName() throws {
    let path = try PresetLibrary.path(ofSweep: "rates")
    #expect(path.hasSuffix("/sweeps/rates.toml") && FileManager.default.fileExists(atPath: path))
    #expect(try PresetLibrary.path(ofSweep: "mine.toml") == "mine.toml")
    #expect(
      throws: FileError(
        "nothing",
        "is neither a file nor a sweep that comes along; sweeps: rates, reproduction")
    ) { try PresetLibrary.path(ofSweep: "nothing") }
    let scratch = ScratchDirectory()
    _ = scratch.write("", to: "preset.toml")
    do {
      _ = try PresetLibrary.path(of: scratch.path)
      Issue.record("a folder is no preset")
    } catch { #expect("\(error)".contains("is the folder of a run")) }
  }
}
