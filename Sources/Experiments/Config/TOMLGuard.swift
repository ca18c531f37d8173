// SPDX-License-Identifier: MIT

import SpikeData
import Foundation

/// Refuses TOML that the parser would not survive or would read wrongly: a table header without a
/// name, a `}` or an unusual blank where an array has a value (assertions in toml++), names of
/// hundreds of parts (recursion), `\u0000` (cut off as the end of a C string).
///
/// Walks over strings, comments and brackets only as far as to know where headers and keys stand.
/// The parser stops at the first fault, so what comes after one need not be followed.
struct TOMLGuard {
  private let bytes: [UInt8]
  private let file: String
  private var at = 0
  private var line = 1
  private static let largest = 64 << 20
  private static let mostParts = 32

  /// - Throws: `FileError` with the line.
  static func check(_ text: String, file: String) throws {
    let bytes = Array(text.utf8)
    guard bytes.count <= largest else {
      throw FileError(file, "is of \(bytes.count) bytes; allowed are \(largest)")
    }
    var guardian = TOMLGuard(bytes: bytes, file: file)
    try guardian.walk()
  }

  private init(bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
  }

  private func peek(_ offset: Int = 0) -> UInt8? {
    at + offset < bytes.count ? bytes[at + offset] : nil
  }

  private func error(_ message: String) -> FileError {
    FileError(file, line: line, message)
  }

  private mutating func walk() throws {
    // Brackets that are open.
    var open: [UInt8] = []
    var isLineStart = true
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
    var dots = 0
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: "\n"):
        line += 1
        isLineStart = open.isEmpty
        dots = 0
        at += 1
        continue
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
        at += 1
        continue
      case 0: throw error("holds a zero byte")
      case UInt8(ascii: "#"):
        while let next = peek(), next != UInt8(ascii: "\n") { at += 1 }
        continue
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        try skipString(byte)
      case UInt8(ascii: "[") where isLineStart:
        try checkHeader()
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        open.append(byte)
        at += 1
      case UInt8(ascii: "]"):
        if open.last == UInt8(ascii: "[") { open.removeLast() }
        at += 1
      case UInt8(ascii: "}"):
        if open.last == UInt8(ascii: "[") { throw error("} within an array") }
        if !open.isEmpty { open.removeLast() }
        at += 1
      case 0..<0x20, 0x7F...:
        throw error("a character outside strings and comments that is none of TOML's")
      case UInt8(ascii: "."):
        dots += 1
        guard dots < TOMLGuard.mostParts else {
          throw error("a name of more than \(TOMLGuard.mostParts) parts")
        }
        at += 1
      default:
        if byte == UInt8(ascii: "=") || byte == UInt8(ascii: ",") { dots = 0 }
        at += 1
      }
      isLineStart = false
    }
  }

  /// After `[` or `[[` a name must come.
  private mutating func checkHeader() throws {
    at += 1
    if peek() == UInt8(ascii: "[") { at += 1 }
    while peek() == UInt8(ascii: " ") || peek() == UInt8(ascii: "\t") { at += 1 }
    guard let byte = peek() else { throw error("[ without the name of a table") }
    let isName =
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || [UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "\""), UInt8(ascii: "'")]
        .contains(byte)
    guard isName else { throw error("[ without the name of a table") }
  }

  private mutating func skipString(_ quote: UInt8) throws {
    let isLong = peek(1) == quote && peek(2) == quote
    at += isLong ? 3 : 1
    while let byte = peek() {
      if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
        try checkEscape()
        if peek(1) == UInt8(ascii: "\n") { line += 1 }
        at += 2
        continue
      }
      if byte == UInt8(ascii: "\n") {
        guard isLong else { return }
        line += 1
      }
      if byte == quote {
        guard isLong else {
          at += 1
          return
        }
        if peek(1) == quote && peek(2) == quote {
          at += 3
          // Up to two more belong to the string.
          for _ in 0..<2 where peek() == quote { at += 1 }
          return
        }
      }
      at += 1
    }
  }

  private func checkEscape() throws {
    let digits = peek(1) == UInt8(ascii: "u") ? 4 : peek(1) == UInt8(ascii: "U") ? 8 : 0
    guard digits > 0 else { return }
    let all = (0..<digits).map { peek(2 + $0) }
    if all.allSatisfy({ $0 == UInt8(ascii: "0") }) {
      throw error("\\u0000 in a string: no text holds a zero")
    }
  }
}
