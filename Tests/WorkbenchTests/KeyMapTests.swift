// SPDX-License-Identifier: MIT

import Charts
import Experiments
import Testing

@testable import Workbench

/// Keys of the user in place of those of the table.
@Suite struct KeyMapTests {
  func map(_ text: String) throws -> KeyMap {
    let lines = ConfigLines(text)
    return try KeyMap(
      ConfigReader(ConfigTable(parsing: text, file: "c.toml")) { ("c.toml", lines.line(of: $0)) })
  }

  func refusal(_ text: String) -> String {
    do {
      _ = try map(text)
      return "none"
    } catch {
      return "\(error)"
    }
  }

  func state(_ text: String) throws -> WorkbenchState {
    var state = WorkbenchState()
    state.keys = try map(text)
    return state
  }

  func frame(_ state: WorkbenchState, width: Int = 160) -> String {
    Workbench.frame(state, sampleSnapshot(), width: width, height: 40).plainText
  }

  @Test func keysDoWhatTheUserSays() throws {
    var state = try state("pause = [\"z\", \"Shift-Tab\"]\nepoch = \"Backspace\"\nbatch = []")
    for key in [Key.character("z"), .backTab] {
      #expect(state.handle(key, sampleSnapshot()) == [.engine(.pause)])
    }
    #expect(state.handle(.backspace, sampleSnapshot()) == [.engine(.stepEpoch)])
    for key in " nN" {
      #expect(state.handle(.character(key), sampleSnapshot()).isEmpty)
      #expect(state.notice.contains("does nothing here; ? shows the keys"))
    }
    // What has no key is still typed.
    for key in ":batch" { _ = state.handle(.character(key), sampleSnapshot()) }
    #expect(state.handle(.enter, sampleSnapshot()) == [.engine(.step(batches: 1))])
  }

  /// Keys that change places, and one that another gives up, are no conflict.
  @Test func keysChangePlaces() throws {
    var state = try state("batch = \"N\"\nepoch = \"n\"\nshaping = \"l\"\nloss = \"s\"")
    #expect(state.handle(.character("n"), sampleSnapshot()) == [.engine(.stepEpoch)])
    #expect(state.handle(.character("N"), sampleSnapshot()) == [.engine(.step(batches: 1))])
  }

  @Test func errorsNameLineAndWhatIsAllowed() {
    #expect(
      refusal("pause = \"z\"\nbatch = \"N\"")
        == "c.toml:2: batch: N is also epoch on Overview; allowed is a key that no other action there has"
    )
    #expect(refusal("help = \"y\"").hasPrefix("c.toml:1: help: y is also layer on Raster; allowed"))
    #expect(
      refusal("puase = \"z\"").hasPrefix(
        "c.toml:1: puase: is not a key here; did you mean pause? Allowed are alarm, "))
    #expect(
      refusal("\npause = \"ctrl-z\"")
        == "c.toml:2: pause: \"ctrl-z\" is not a key; allowed is a character, or one of space, Enter, Tab, "
        + "Shift-Tab, Backspace, PgUp, PgDn, Home, End, Up, Down, Left, Right")
    #expect(refusal("pause = \"Esc\"").contains("is not a key; allowed is"))
    #expect(refusal("pause = \"\"").contains("is not a key; allowed is"))
    #expect(
      refusal("pause = 3").contains("pause: is an integer (3), allowed is an array of a char"))
    #expect(refusal("pause = [3]").contains("pause: entry 0 is 3, allowed is a character"))
  }

  @Test func everyKeyHasAName() {
    for action in Action.all {
      for key in action.keys { #expect(Key(named: key.label) == key, "\(key.label)") }
    }
    for name in Key.names {
      #expect(Key(named: name) != nil && Key(named: name.uppercased()) != nil)
    }
    #expect(Key(named: "left") == .left && Key(named: "space") == .character(" "))
  }

  /// Help, bottom line, tabs and sentences show the keys as they are.
  @Test func whatIsShownFollows() throws {
    var state = try state(
      "pause = \"z\"\nquit = \"Q\"\nforward = \")\"\nback = \"(\"\nscreen-2 = \"Backspace\"\nfork = []"
    )
    let shown = frame(state)
    for text in ["z pause", "Q quit", "( ) history", "Backspace Ra", "n batch", "? help"] {
      #expect(shown.contains(text), "\(text)")
    }
    for text in ["space pause", "q quit", "[ ] history", "f fork"] {
      #expect(!shown.contains(text), "\(text)")
    }
    var one = sampleSnapshot()
    one.lanes = [one.lanes[0]]
    _ = state.handle(.tab, one)
    #expect(state.notice == "lane: there is one lane: :fork forks it")
    state.isHelpShown = true
    #expect(frame(state).contains("z        pause"))
    state.isHelpShown = false
    state.screen = .raster
    state.notice = ""
    state.keys = try map("zoom-in = \"Z\"\nneurons = \"|\"")
    let raster = frame(state)
    #expect(raster.contains("Z/- zoom") && raster.contains("| neurons"))
  }

  /// The bottom line of the table is that of no map.
  @Test func withoutAFileNothingChanges() throws {
    let map = try map("")
    for screen in ScreenKind.allCases {
      for action in Action.all where action.applies(on: screen) && !action.short.isEmpty {
        let hasKey = action.short.contains(" ") && action.name != "pause"
        let plain = hasKey ? action.short : "\(action.keys[0].label) \(action.short)"
        #expect(map.entry(action, on: screen) == plain)
      }
    }
  }

  /// The wheel is no key of the user.
  @Test func theWheelStays() throws {
    var state = try state("down = \"Home\"\nup = \"End\"")
    state.screen = .log
    _ = state.wheel(down: true, sampleSnapshot())
    #expect(state.scroll == 1)
    _ = state.handle(.home, sampleSnapshot())
    #expect(state.scroll == 2)
    _ = state.handle(.down, sampleSnapshot())
    #expect(state.scroll == 2)
  }

  @Test func tabsAreClickedWithOtherKeys() throws {
    let map = try map("screen-3 = \"Backspace\"\nscreen-4 = []")
    for width in [80, 120, 200] {
      let tabs = Tabs.layout(width: width, map)
      #expect(tabs.map(\.screen) == ScreenKind.allCases)
      for tab in tabs {
        #expect(Tabs.screen(at: tab.x.lowerBound + 1, width: width, map) == tab.screen)
      }
    }
  }
}
