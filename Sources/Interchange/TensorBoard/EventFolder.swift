// SPDX-License-Identifier: MIT

import Experiments
import Foundation
import SpikeData

/// The event files of one run of TensorBoard: a folder, in which every session adds a file.
final class EventFolder {
  /// Of what the files held when they were opened: the last step, and its scalars by tag.
  private(set) var last: (step: Int, scalars: [String: Float])?
  private let path: String
  private var file: AppendFile?
  private var names: [String]

  /// Of files of ours; those of other programs in the folder are left alone.
  private static let mark = ".eventprop."

  /// Reads what is there. Nothing is written before the first `append`.
  /// - Throws: `FileError` for a file that cannot be read.
  init(_ path: String) throws {
    self.path = path
    let all = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    names = all.filter {
      $0.hasPrefix("events.out.tfevents.") && $0.contains(Self.mark) && !$0.hasSuffix(".tmp")
    }.sorted()
    last = try find(through: .max)
  }

  /// Whether a folder holds event files of ours.
  static func isUsed(_ path: String) -> Bool { (try? EventFolder(path).last) != nil }

  /// Takes away the events beyond a step, and what is left of a record that was not written whole.
  func cut(after step: Int) throws {
    for name in names {
      let bytes = try self.bytes(name)
      let records = EventRecord.all(in: bytes)
      let kept = records.filter { $0.step <= step }
      guard kept.reduce(0, { $0 + $1.range.count }) < bytes.count else { continue }
      try AtomicFile.write(kept.flatMap { bytes[$0.range] }, to: file(name))
    }
    last = try find(through: step)
  }

  /// Adds what was seen at a step.
  func append(_ values: [EventValue], step: Int) throws {
    let now = Date().timeIntervalSince1970
    let file = try self.file ?? begin(at: step, now)
    try file.append(EventMessage(time: now, step: step, content: .summary(values)).record)
  }

  /// A new file, after all others by its name.
  private func begin(at step: Int, _ now: Double) throws -> AppendFile {
    try AtomicFile.makeFolder(path)
    let latest = names.compactMap { Int($0.split(separator: ".")[3]) }.max() ?? 0
    let seconds = String(max(Int(now), min(latest, 1 << 40) + 1))
    let padded = String(repeating: "0", count: max(0, 10 - seconds.count)) + seconds
    let name = "events.out.tfevents.\(padded)\(Self.mark)\(getpid())"
    let made = try AppendFile(file(name))
    var records = EventMessage(time: now, content: .version).record
    if last != nil { records += EventMessage(time: now, step: step, content: .start).record }
    try made.append(records)
    names.append(name)
    file = made
    return made
  }

  /// What the files hold of the last step up to one.
  func find(through step: Int) throws -> (step: Int, scalars: [String: Float])? {
    var found: (step: Int, scalars: [String: Float])?
    for name in names {
      let bytes = try self.bytes(name)
      for record in EventRecord.all(in: bytes)
      where record.isSummary && record.step <= step && record.step >= found?.step ?? .min {
        found = (record.step, record.scalars(bytes))
      }
    }
    return found
  }

  private func file(_ name: String) -> String { (path as NSString).appendingPathComponent(name) }

  private func bytes(_ name: String) throws -> [UInt8] {
    let file = file(name)
    return [UInt8](try RegularFile.contents(file, limit: 1 << 34) { FileError(file, $0) })
  }
}

/// A whole record of an event file.
struct EventRecord {
  /// Of the file's bytes, with length and checksums.
  var range: Range<Int>
  var step = 0
  var isSummary = false

  private var message: Range<Int> { range.lowerBound + 12..<range.upperBound - 4 }

  /// The records of a file, up to one that is damaged or not whole.
  static func all(in bytes: [UInt8]) -> [EventRecord] {
    var (records, start): ([EventRecord], Int) = ([], 0)
    while bytes.count - start >= 16 {
      let head = bytes[start..<start + 8]
      let length = UInt64(littleEndian: head)
      guard CRC32C.masked(head) == UInt32(littleEndian: bytes[start + 8..<start + 12]),
        length <= UInt64(bytes.count - start - 16)
      else { break }
      var record = EventRecord(range: start..<start + 16 + Int(length))
      let (message, end) = (record.message, record.range.upperBound)
      guard CRC32C.masked(bytes[message]) == UInt32(littleEndian: bytes[end - 4..<end]) else {
        break
      }
      for (field, value) in ProtocolBufferFields(bytes[message]) {
        switch (field, value) {
        case (2, .number(let step)): record.step = Int(truncatingIfNeeded: step)
        case (5, .counted): record.isSummary = true
        default: break
        }
      }
      records.append(record)
      start = end
    }
    return records
  }

  /// Its numbers by tag.
  /// - Parameter bytes: of its file.
  func scalars(_ bytes: [UInt8]) -> [String: Float] {
    var found: [String: Float] = [:]
    for case (5, .counted(let summary)) in ProtocolBufferFields(bytes[message]) {
      for case (1, .counted(let value)) in ProtocolBufferFields(summary) {
        var tag = ""
        for (field, content) in ProtocolBufferFields(value) {
          switch (field, content) {
          case (1, .counted(let text)): tag = String(decoding: text, as: UTF8.self)
          case (2, .four(let bits)): found[tag] = Float(bitPattern: bits)
          default: break
          }
        }
      }
    }
    return found
  }
}
