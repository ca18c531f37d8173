// SPDX-License-Identifier: MIT

import ArgumentParser
import Charts
import Experiments
import Foundation
import Runs
import Sweeps
import Workbench

/// What a shell offers where Tab is pressed.
enum Completions {
  /// Names of the presets that come with the program, .toml files, and folders on the way to some.
  static func presets(_ prefix: String) -> [String] {
    PresetLibrary.names.filter { $0.hasPrefix(prefix) }
      + entries(prefix).filter { $0.hasSuffix(".toml") || $0.hasSuffix("/") }
  }

  /// Folders of runs, and others on the way to some. Those in runs/ are offered from above.
  static func runs(_ prefix: String) -> [String] {
    folders(prefix, in: "runs/", RunDirectory.isRun)
  }

  /// Folders of sweeps, and others on the way to some.
  static func sweeps(_ prefix: String) -> [String] {
    folders(prefix, in: "sweeps/", SweepFolder.isSweep)
  }

  /// - Parameter home: where the program makes them.
  private static func folders(
    _ prefix: String, in home: String, _ isOne: (String) -> Bool
  ) -> [String] {
    let here = prefix.contains("/") ? [] : entries(home).filter { $0.hasPrefix(prefix) }
    let all = (entries(prefix) + here).filter { $0.hasSuffix("/") }
    return all.map { isOne($0) ? String($0.dropLast()) : $0 }
  }

  /// Files and folders that a path begins; folders end in `/`.
  private static func entries(_ prefix: String) -> [String] {
    let slash = prefix.lastIndex(of: "/").map { prefix.index(after: $0) }
    let folder = String(prefix[..<(slash ?? prefix.startIndex)])
    let path = folder.isEmpty ? "." : (folder as NSString).expandingTildeInPath
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.filter { !$0.hasPrefix(".") && (folder + $0).hasPrefix(prefix) }.sorted().map {
      var isFolder: ObjCBool = false
      let place = (path as NSString).appendingPathComponent($0)
      _ = FileManager.default.fileExists(atPath: place, isDirectory: &isFolder)
      return folder + $0 + (isFolder.boolValue ? "/" : "")
    }
  }

  /// `training.epochs=`; after the `=` the words there are, where the key chooses among some.
  /// - Parameter words: of the line; layers and lanes are those of a preset or run among them.
  static func settings(_ words: [String], _ prefix: String) -> [String] {
    let layout = words.lazy.compactMap(Layout.init).first ?? Layout(hidden: 1, lanes: 1)
    let keys = Preset.keys.filter { !$0.isTable }.flatMap { key in
      layout.paths(key.path).map { (path: $0, words: key.words) }
    }
    if let equals = prefix.firstIndex(of: "=") {
      let path = String(prefix[..<equals])
      let values = keys.first { $0.path == path }?.words ?? []
      return values.map { "\(path)=\($0)" }.filter { $0.hasPrefix(prefix) }
    }
    // bash would set a backslash before the `=`.
    let end = CompletionShell.requesting == .bash ? "" : "="
    return keys.map { $0.path + end }.filter { $0.hasPrefix(prefix) }
  }

  /// How many hidden layers and lanes there are.
  private struct Layout {
    var hidden: Int
    var lanes: Int

    init(hidden: Int, lanes: Int) { (self.hidden, self.lanes) = (hidden, lanes) }

    /// Of the preset or run that a word names; nil: it names none.
    init?(_ word: String) {
      let isRun = !word.isEmpty && RunDirectory.isRun(word)
      guard isRun || word.hasSuffix(".toml") || PresetLibrary.names.contains(word),
        let preset = try? isRun
          ? Preset(ofRun: word) : Preset(contentsOf: PresetLibrary.path(of: word))
      else { return nil }
      self.init(hidden: preset.lanes[0].hidden.count, lanes: preset.lanes.count)
    }

    /// A key of the first lane or layer, for all of them.
    func paths(_ path: String) -> [String] {
      var paths = [path]
      for (name, count) in [("lane.", lanes), ("hidden.", hidden)] {
        paths = paths.flatMap { path -> [String] in
          guard let place = path.range(of: name + "0.") else { return [path] }
          return (0..<count).map {
            path.replacingCharacters(in: place, with: "\(name)\($0).")
          }
        }
      }
      return paths
    }
  }
}

extension CompletionKind {
  static var preset: CompletionKind { .custom { Completions.presets($2) } }
  static var run: CompletionKind { .custom { Completions.runs($2) } }
  static var sweep: CompletionKind { .custom { Completions.sweeps($2) } }
  static var presetOrRun: CompletionKind {
    .custom { Completions.presets($2) + Completions.runs($2).filter { !$0.hasSuffix("/") } }
  }
  static var settings: CompletionKind { .custom { Completions.settings($0, $2) } }
  static var panel: CompletionKind { .list(ScreenKind.allCases.map { "\($0)" }) }
  static var figure: CompletionKind { .list(FigureKind.allCases.map { "\($0)" }) }
}
