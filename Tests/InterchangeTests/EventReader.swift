// SPDX-License-Identifier: MIT

import Foundation
import Testing

@testable import Interchange

/// Reads event files by the rules of the format alone, for tests.
struct EventReader {
  struct Histogram: Equatable {
    var (least, largest, count, sum, squares) = (0.0, 0.0, 0.0, 0.0, 0.0)
    var edges: [Double] = []
    var counts: [Double] = []
  }
  struct Event: Equatable {
    var time = 0.0
    var step = 0
    var version = ""
    var isStart = false
    var scalars: [String: Float] = [:]
    var histograms: [String: Histogram] = [:]
  }

  /// The events of a file; a checksum that is wrong is an issue.
  static func events(_ path: String) throws -> [Event] {
    let bytes = [UInt8](try #require(FileManager.default.contents(atPath: path)))
    var (events, at): ([Event], Int) = ([], 0)
    func number(_ count: Int) -> UInt64 {
      defer { at += count }
      return (0..<count).reduce(0) { $0 | UInt64(bytes[at + $1]) << UInt64(8 * $1) }
    }
    while at < bytes.count {
      let head = Array(bytes[at..<at + 8])
      let length = Int(number(8))
      #expect(number(4) == UInt64(CRC32C.masked(head)))
      let message = Array(bytes[at..<at + length])
      at += length
      #expect(number(4) == UInt64(CRC32C.masked(message)))
      events.append(event(message))
    }
    return events
  }

  /// Of all event files of a folder, by their names.
  static func all(_ folder: String) throws -> [[Event]] {
    try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasPrefix("events.out.tfevents.") }.sorted()
      .map { try events(folder + "/" + $0) }
  }

  static func event(_ message: [UInt8]) -> Event {
    var event = Event()
    for (field, bytes) in fields(message) {
      switch field {
      case 1: event.time = double(bytes)
      case 2: event.step = Int(truncatingIfNeeded: varint(bytes))
      case 3: event.version = String(decoding: bytes, as: UTF8.self)
      case 7: event.isStart = bytes == [8, 1]
      case 5:
        for (_, value) in fields(bytes) {
          var tag = ""
          for (field, bytes) in fields(value) {
            if field == 1 { tag = String(decoding: bytes, as: UTF8.self) }
            if field == 2 {
              let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[$1]) << UInt32(8 * $1) }
              event.scalars[tag] = Float(bitPattern: bits)
            }
            if field == 5 { event.histograms[tag] = histogram(bytes) }
          }
        }
      default: Issue.record("field \(field)")
      }
    }
    return event
  }

  private static func histogram(_ message: [UInt8]) -> Histogram {
    var histogram = Histogram()
    for (field, bytes) in fields(message) {
      switch field {
      case 1: histogram.least = double(bytes)
      case 2: histogram.largest = double(bytes)
      case 3: histogram.count = double(bytes)
      case 4: histogram.sum = double(bytes)
      case 5: histogram.squares = double(bytes)
      case 6: histogram.edges = doubles(bytes)
      case 7: histogram.counts = doubles(bytes)
      default: Issue.record("field \(field)")
      }
    }
    return histogram
  }

  private static func doubles(_ bytes: [UInt8]) -> [Double] {
    stride(from: 0, to: bytes.count, by: 8).map { double(Array(bytes[$0..<$0 + 8])) }
  }
  private static func double(_ bytes: [UInt8]) -> Double {
    Double(bitPattern: (0..<8).reduce(0) { $0 | UInt64(bytes[$1]) << UInt64(8 * $1) })
  }
  private static func varint(_ bytes: [UInt8]) -> UInt64 {
    bytes.enumerated().reduce(0) { $0 | UInt64($1.element & 0x7F) << UInt64(7 * $1.offset) }
  }

  /// Each field with the bytes of its value.
  static func fields(_ message: [UInt8]) -> [(Int, [UInt8])] {
    var (found, at): ([(Int, [UInt8])], Int) = ([], 0)
    func number() -> [UInt8] {
      let start = at
      while message[at] >= 0x80 { at += 1 }
      at += 1
      return Array(message[start..<at])
    }
    while at < message.count {
      let key = varint(number())
      var bytes: [UInt8] = []
      switch key & 7 {
      case 0: bytes = number()
      case 1, 5:
        let size = key & 7 == 1 ? 8 : 4
        bytes = Array(message[at..<at + size])
        at += size
      default:
        let size = Int(varint(number()))
        bytes = Array(message[at..<at + size])
        at += size
      }
      found.append((Int(key >> 3), bytes))
    }
    return found
  }
}
