// SPDX-License-Identifier: MIT

import Foundation
import Support
import Testing

@testable import EventPropCommand

@Suite struct DefaultPresetTests {
  /// What opens without a preset, also where no folder Presets is found, is the file of that name.
  @Test func theDefaultIsShapingMatters() throws {
    let file = try String(
      contentsOfFile: Program.presets + "/shaping-matters.toml", encoding: .utf8)
    #expect(DefaultPreset.text + "\n" == file)
  }
}
