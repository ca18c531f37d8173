// SPDX-License-Identifier: MIT

@testable import EventPropCommand
import Charts
import Foundation
import Support
import Terminal
import Testing
import Workbench

/// `config.toml` of the user.
@Suite struct UserConfigTests {
  let scratch = ScratchDirectory()

  func refusal(_ text: String) -> String {
    do {
      _ = try UserConfig(text: text, file: "config.toml")
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test func allThatItMaySay() throws {
    let config = try UserConfig(
      text: """
        theme = "light"
        marks = "block"
        start = "raster"
        [keys]
        pause = ["z", "space"]
        """, file: "config.toml")
    #expect(config.theme == .light && config.marks == .block && "\(config.start)" == "raster")
    #expect(
      config.keys.actions.first { $0.name == "pause" }?.keys == [.character("z"), .character(" ")])
    let none = try UserConfig(text: "", file: "config.toml")
    #expect(none.theme == .dark && none.marks == nil && "\(none.start)" == "overview")
    #expect(try UserConfig(text: "marks = \"auto\"", file: "").marks == nil)
  }

  @Test func errorsNameFileLineAndWhatIsAllowed() {
    #expect(
      refusal("\ntheme = \"dim\"")
        == "config.toml:2: theme: is \"dim\", allowed is one of \"dark\", \"light\"")
    #expect(refusal("marks = \"dots\"").contains("allowed is one of \"auto\", \"braille\""))
    #expect(
      refusal("start = \"raste\"").hasPrefix("config.toml:1: start: is \"raste\", allowed is one"))
    #expect(
      refusal("thme = \"dark\"")
        == "config.toml:1: thme: is not a key here; did you mean theme? Allowed are keys, marks, start, theme"
    )
    #expect(
      refusal("[keys]\npuase = \"z\"").hasPrefix(
        "config.toml:2: keys.puase: is not a key here; did you mean pause?"))
    #expect(
      refusal("[keys]\npause = \"zz\"").hasPrefix(
        "config.toml:2: keys.pause: \"zz\" is not a key; allowed"))
    #expect(
      refusal("[keys]\n\npause = \"n\"").hasPrefix(
        "config.toml:3: keys.pause: n is also batch on Overview"))
    #expect(refusal("keys = 3").contains("keys: is an integer (3), allowed is a table"))
    #expect(refusal("theme = ").hasPrefix("config.toml:1: column"))
  }

  @Test func theFileIsWhereXDGSays() throws {
    #expect(UserConfig.path(["HOME": "/h"]) == "/h/.config/eventprop/config.toml")
    #expect(
      UserConfig.path(["HOME": "/h", "XDG_CONFIG_HOME": "/x"]) == "/x/eventprop/config.toml")
    // Relative paths count as none.
    #expect(
      UserConfig.path(["HOME": "/h", "XDG_CONFIG_HOME": "x"]) == "/h/.config/eventprop/config.toml")
    let environment = ["XDG_CONFIG_HOME": scratch.path]
    #expect(try UserConfig.read(environment).theme == .dark)
    try FileManager.default.createDirectory(
      atPath: scratch.file("eventprop"), withIntermediateDirectories: true)
    _ = scratch.write("theme = \"light\"\n", to: "eventprop/config.toml")
    #expect(try UserConfig.read(environment).theme == .light)
  }

  /// In a session: screen, key and help; a faulty file is one line and no session.
  @Test func aSessionHasThem() throws {
    try FileManager.default.createDirectory(
      atPath: scratch.file("eventprop"), withIntermediateDirectories: true)
    let file = "eventprop/config.toml"
    _ = scratch.write("start = \"raster\"\nmarks = \"ascii\"\n[keys]\npause = \"z\"\n", to: file)
    let environment = ["XDG_CONFIG_HOME": scratch.path]
    let terminal = try PseudoTerminal(
      ["yin-yang-losses", "--ephemeral", "--threads", "1"], folder: scratch.path,
      environment: environment)
    try terminal.process.run()
    #expect(terminal.wait(for: "by index"))
    terminal.send("z")
    #expect(terminal.wait(for: "PAUSED"))
    terminal.send("?")
    #expect(terminal.wait(for: "pause or resume training"))
    terminal.send("\u{1B}")
    kill(terminal.process.processIdentifier, SIGTERM)
    #expect(terminal.waitForEnd())
    let path = scratch.write("[keys]\npause = \"n\"\n", to: file)
    let faulty = try Program.run(
      ["open", "yin-yang-losses"], in: scratch.path, environment: environment)
    #expect(faulty.status == 1)
    #expect(
      faulty.text.hasPrefix("Error: \(path):2: keys.pause: n is also batch on Overview; allowed"))
    #expect(faulty.text.count { $0 == "\n" } == 1)
  }
}
