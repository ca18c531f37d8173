// SPDX-License-Identifier: MIT

import Testing

@testable import Interchange

@Suite struct CRC32CTests {
  /// The check values of RFC 3720, B.4.
  @Test func knownValues() {
    #expect(CRC32C.of(Array(repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.of(Array(repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.of(0..<32) == 0x46DD_794E)
    #expect(CRC32C.of("123456789".utf8) == 0xE306_9283)
  }
}
