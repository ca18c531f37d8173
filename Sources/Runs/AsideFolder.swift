// SPDX-License-Identifier: MIT

import Experiments
import Foundation

/// A folder that takes its place as a whole: written aside, then renamed. One of the same name
/// steps aside by a rename, and stands for it until the new one is there: at no instant is none to
/// be found.
struct AsideFolder {
  /// The folder that holds them.
  let parent: NSString
  private static let stepped = ".old-"

  init(_ parent: String) { self.parent = parent as NSString }

  /// What a folder found in a parent stands for.
  /// - Parameter siblings: all names there.
  /// - Returns: its name; nil for one that is half written or has been replaced.
  static func name(of entry: String, among siblings: [String]) -> String? {
    guard entry.hasPrefix(".") else { return entry }
    guard entry.hasPrefix(stepped) else { return nil }
    let name = String(entry.dropFirst(stepped.count))
    return siblings.contains(name) ? nil : name
  }

  /// Puts a folder in place.
  /// - Parameter fill: writes the content into the folder it is given, and syncs it.
  /// - Returns: where it is.
  @discardableResult
  func put(_ name: String, _ fill: (NSString) throws -> Void) throws -> String {
    let aside = parent.appendingPathComponent(".writing-\(name)")
    let final = parent.appendingPathComponent(name)
    removeLeftovers()
    do {
      try AtomicFile.makeInnerFolder(aside)
      try fill(aside as NSString)
      let old = parent.appendingPathComponent(AsideFolder.stepped + name)
      _ = rename(final, old)
      guard rename(aside, final) == 0 else {
        let failure = AtomicFile.failure(final)
        _ = rename(old, final)
        throw failure
      }
      try AtomicFile.syncFolder(parent as String)
      try? FileManager.default.removeItem(atPath: old)
    } catch {
      try? FileManager.default.removeItem(atPath: aside)
      throw error
    }
    return final
  }

  /// Removes what a kill in the midst of writing or removing has left.
  func removeLeftovers() {
    let files = FileManager.default
    let names = (try? files.contentsOfDirectory(atPath: parent as String)) ?? []
    for name in names where name.hasPrefix(".") {
      let isOld =
        name.hasPrefix(AsideFolder.stepped) && AsideFolder.name(of: name, among: names) == nil
      guard name.hasPrefix(".writing-") || name.hasPrefix(".removing-") || isOld else { continue }
      try? files.removeItem(atPath: parent.appendingPathComponent(name))
    }
  }
}
