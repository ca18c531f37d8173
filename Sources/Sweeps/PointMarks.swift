// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import SpikeData

/// What is known of a sweep's points without looking into their runs: `state/<point>.done`,
/// `.failed` and `.running`.
struct PointMarks {
  let folder: SweepFolder

  enum Kind: String { case done, failed, running }

  private func file(_ point: Int, _ kind: Kind) -> String {
    "state/\(folder.name(point)).\(kind.rawValue)"
  }

  func path(_ point: Int, _ kind: Kind) -> String { folder.file(file(point, kind)) }

  /// All points that have a mark, by one look into the folder.
  func all() -> [Int: Set<Kind>] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.file("state"))) ?? []
    var found: [Int: Set<Kind>] = [:]
    for name in names {
      let parts = name.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 2, let point = Int(parts[0]), let kind = Kind(rawValue: String(parts[1]))
      else { continue }
      found[point, default: []].insert(kind)
    }
    return found
  }

  func has(_ kind: Kind, _ point: Int) -> Bool { access(path(point, kind), F_OK) == 0 }

  func setDone(_ point: Int) throws {
    try folder.write("", to: file(point, .done))
    unlink(path(point, .failed))
  }

  /// - Parameter message: why, one line.
  func setFailed(_ point: Int, _ message: String) throws {
    try folder.write(message + "\n", to: file(point, .failed))
  }

  func clearFailed(_ point: Int) { unlink(path(point, .failed)) }

  /// Why a point failed; nil where it did not.
  func failure(_ point: Int) -> String? {
    guard has(.failed, point) else { return nil }
    let text = (try? FileText.read(path(point, .failed))) ?? ""
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  func running(_ point: Int) -> RunningMark? { RunningMark(path(point, .running)) }

  func write(_ mark: RunningMark, _ point: Int) throws {
    try folder.write(mark.text, to: file(point, .running))
  }
}

/// Who trains a point: renewed every few seconds, so that an old one is of a process that is gone.
struct RunningMark {
  var host: String
  var process: Int32
  /// Share of the point's batches that are done, 0...1.
  var share: Double
  /// When it was renewed.
  var date = Date()

  static let host = ProcessInfo.processInfo.hostName
  /// Seconds from one renewal to the next, and after which it is no longer believed.
  static let (pace, patience) = (5.0, 60.0)

  var text: String { "\(host) \(process) \(share)\n" }

  init(share: Double) {
    (host, process, self.share) = (RunningMark.host, getpid(), share)
  }

  init?(_ path: String) {
    guard let text = try? FileText.read(path),
      let date = (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate]
        as? Date
    else { return nil }
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count == 3, let process = Int32(words[1]), let share = Double(words[2]) else {
      return nil
    }
    (host, self.process, self.share, self.date) = (String(words[0]), process, share, date)
  }

  /// Whether the process is still at it, as far as can be told from here.
  var isAlive: Bool {
    guard -date.timeIntervalSinceNow < RunningMark.patience else { return false }
    guard host == RunningMark.host else { return true }
    return kill(process, 0) == 0 || errno == EPERM
  }

  var isOwn: Bool { host == RunningMark.host && process == getpid() }
}
