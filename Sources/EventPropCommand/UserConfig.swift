// SPDX-License-Identifier: MIT

import Charts
import Experiments
import Foundation
import SpikeData
import Terminal
import Workbench

/// What a user has set for all sessions: `~/.config/eventprop/config.toml`. Options go before it.
struct UserConfig {
  var theme = Theme.dark
  /// nil: by the locale.
  var marks: Marks?
  /// The screen that sessions begin with.
  var start = WorkbenchState().screen
  var keys = KeyMap()

  init() {}

  /// The user's file; without one all is as the program has it.
  /// - Throws: `FileError`.
  static func read(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> UserConfig {
    let path = path(environment)
    guard RegularFile.obstacle(path) != "no such file" else { return UserConfig() }
    let bytes = try RegularFile.contents(path, limit: 1 << 20) { FileError(path, $0) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw FileError(path, "is not UTF-8 text")
    }
    return try UserConfig(text: text, file: path)
  }

  /// `XDG_CONFIG_HOME` where it is an absolute path, else `~/.config`.
  static func path(_ environment: [String: String]) -> String {
    let home = environment["HOME"] ?? NSHomeDirectory()
    let named = environment["XDG_CONFIG_HOME"] ?? ""
    let folder = named.hasPrefix("/") ? named : (home as NSString).appendingPathComponent(".config")
    return (folder as NSString).appendingPathComponent("eventprop/config.toml")
  }

  /// - Parameter file: what messages call the text.
  init(text: String, file: String) throws {
    let lines = ConfigLines(text)
    let reader = ConfigReader(try ConfigTable(parsing: text, file: file)) {
      (file, lines.line(of: $0))
    }
    let theme = try reader.choice(
      "theme", default: Theme.dark.rawValue, Theme.allCases.map(\.rawValue))
    self.theme = Theme(rawValue: theme) ?? .dark
    marks = Marks(rawValue: try reader.choice("marks", default: "auto", UserConfig.marks))
    let screens = ScreenKind.allCases
    let start = try reader.choice("start", default: "\(self.start)", screens.map { "\($0)" })
    self.start = screens.first { "\($0)" == start } ?? self.start
    keys = try reader.section("keys") { try KeyMap($0) }
    try reader.finish()
  }

  /// What plots are made of on a terminal.
  func marks(on screen: Screen) -> Marks { marks ?? (screen.isUnicode ? .braille : .ascii) }

  /// What plots may be made of.
  static let marks = ["auto"] + Marks.allCases.map(\.rawValue)
}
