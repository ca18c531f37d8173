// SPDX-License-Identifier: MIT

@testable import Experiments
import Testing

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
}
