// SPDX-License-Identifier: MIT

import EventPropCore

/// Valid files, damaged at random: bytes and ranges changed, moved, left out, and tokens that
/// parsers stumble over put in.
struct Mutation {
  var random: Random

  private static let tokens = [
    "1e300", "-1e300", "1e-300", "nan", "-inf", "9223372036854775807", "-9223372036854775808",
    "9223372036854775808", "4294967296", "0", "-1", "65536", "\"", "'", "\"\"\"", "'''", "[", "]",
    "[[",
    "]]", "{", "}", "=", ".", ",", "#", "\n", "\r\n", "\r", "\t", "\\", "\\u0000", "\\U0000FFFF",
    "\u{0}",
    "\u{1B}[2J", "\u{202E}", "a\u{301}", "\u{FEFF}", "true", "1979-05-27T07:32:00Z", "0x", "1_000",
    "+",
    ".a", "a.b.c.d.e.f", "lane", "hidden", "data", "[hidden.0]", "[[lane]]", "\n[", "\n[[",
  ]

  mutating func text(_ text: String) -> [UInt8] {
    var bytes = Array(text.utf8)
    for _ in 0..<(random.index(below: 3) == 0 ? 3 : 1) {
      if random.index(below: 2) == 0 {
        let token = Array(Mutation.tokens[random.index(below: Mutation.tokens.count)].utf8)
        let place = random.index(below: bytes.count + 1)
        let length = random.index(below: 2) == 0 ? 0 : random.index(below: 8)
        bytes.replaceSubrange(place..<min(bytes.count, place + length), with: token)
      } else {
        change(&bytes)
      }
    }
    return bytes
  }

  mutating func bytes(_ valid: [UInt8]) -> [UInt8] {
    var bytes = valid
    for _ in 0..<(random.index(below: 2) == 0 ? 3 : 1) { change(&bytes) }
    return bytes
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return }
    let place = random.index(below: bytes.count)
    let end = min(bytes.count, place + 1 + random.index(below: 16))
    switch random.index(below: 7) {
    case 0: bytes[place] = UInt8(random.index(below: 256))
    case 1: bytes[place] ^= 1 << UInt8(random.index(below: 8))
    case 2: bytes.removeSubrange(place..<end)
    case 3: bytes.insert(contentsOf: bytes[place..<end], at: random.index(below: bytes.count))
    case 4: bytes.removeLast(random.index(below: bytes.count))
    case 5:
      let value: UInt8 = random.index(below: 2) == 0 ? 0xFF : 0
      for k in place..<min(end, place + 8) { bytes[k] = value }
    default:
      for _ in 0..<(1 + random.index(below: 20)) { bytes.insert(bytes[place], at: place) }
    }
  }
}
