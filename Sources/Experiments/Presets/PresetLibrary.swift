// SPDX-License-Identifier: MIT

import SpikeData
import Foundation

/// The presets that come with the program: the folder `Presets` of the package.
public enum PresetLibrary {
  /// Looked for in `EVENTPROP_PRESETS`, here, beside or above the program, and where packages put
  /// them.
  public static var folder: String? {
    let environment = ProcessInfo.processInfo.environment["EVENTPROP_PRESETS"]
    let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
    let own = candidates(program: program ?? CommandLine.arguments[0])
    return ([environment, "Presets"].compactMap { $0 } + own).first { folder in
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      return names.contains { $0.hasSuffix(".toml") }
    }
  }

  /// Folders to look in for a program that lies somewhere: `bin/eventprop` has its presets in
  /// `share/eventprop/presets`, one that was built in `Presets` of the package.
  static func candidates(program: String) -> [String] {
    var place = program as NSString
    var folders: [String] = []
    while place.length > 1, place.deletingLastPathComponent != place as String {
      place = place.deletingLastPathComponent as NSString
      folders.append(place.appendingPathComponent("Presets"))
    }
    let bin = (program as NSString).deletingLastPathComponent as NSString
    let shared = (bin.deletingLastPathComponent as NSString)
      .appendingPathComponent("share/eventprop/presets")
    folders.insert(shared, at: min(1, folders.count))
    return folders
  }

  /// Names without `.toml`, sorted.
  public static var names: [String] {
    folder.map(names(in:)) ?? []
  }

  private static func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter { $0.hasSuffix(".toml") }.map { String($0.dropLast(5)) }.sorted()
  }

  /// The path of a preset given by path or by name.
  public static func path(of preset: String) throws -> String {
    var isFolder: ObjCBool = false
    let own = (preset as NSString).appendingPathComponent("preset.toml")
    if FileManager.default.fileExists(atPath: preset, isDirectory: &isFolder), isFolder.boolValue,
      FileManager.default.fileExists(atPath: own), !names.contains(preset)
    {
      throw FileError(preset, "is the folder of a run, and a preset is wanted: \(own) is one")
    }
    if preset.contains("/") || preset.hasSuffix(".toml") { return preset }
    if let folder, names.contains(preset) {
      return (folder as NSString).appendingPathComponent(preset + ".toml")
    }
    let hint = Spelling.hint(preset, names)
    let known = names.isEmpty ? "no preset folder was found" : names.joined(separator: ", ")
    throw FileError(
      preset,
      "is neither a file nor a preset\(hint.isEmpty ? ";" : hint) presets: \(known)")
  }

  /// Sweep files that come with the program, by name.
  public static var sweeps: [String] {
    folder.map { names(in: ($0 as NSString).appendingPathComponent("sweeps")) } ?? []
  }

  /// The path of a sweep file given by path or, as one of `sweeps`, by name.
  public static func path(ofSweep name: String) throws -> String {
    if name.contains("/") || name.hasSuffix(".toml") { return name }
    if let folder, sweeps.contains(name) {
      return (folder as NSString).appendingPathComponent("sweeps/\(name).toml")
    }
    let known = sweeps.isEmpty ? "no folder of them was found" : sweeps.joined(separator: ", ")
    throw FileError(name, "is neither a file nor a sweep that comes along; sweeps: \(known)")
  }

  /// The comment that opens a preset: what it shows and what to look at.
  public static func comment(of path: String) -> [String] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
    return PresetCard.comment(in: text)
  }
}
